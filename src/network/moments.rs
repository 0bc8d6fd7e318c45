//! Means and covariances of what each layer multiplies, over samples.

use super::block::Entry;
use super::run::{Plan, Workspace};
use crate::data::Samples;
use crate::error::Error;
use crate::model::{Conv, Model, Op, ParamId};
use crate::parallel::for_each;
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayViewMut2, Axis, s};

/// The most places of an image, over all samples, that a layer is looked at.
const PLACES: usize = 20_000;
/// Inputs of a layer whose covariances are known together: more make blocks.
const BLOCK: usize = 1_152;
/// Places from which on the products of their inputs are computed.
const TOGETHER: usize = 64;
/// Rows of a covariance that one thread adds to.
const ROWS: usize = 64;

/// What a layer multiplies: for each group of a convolution its inputs `[in / groups, kernel height, kernel width]`, row-major.
#[derive(Debug, Clone)]
pub struct InputMoments {
    /// The weight that multiplies them.
    pub weight: ParamId,
    /// The mean of each input, group after group.
    pub mean: Vec<f32>,
    /// Of each group the covariances of its inputs, in blocks `[inputs, inputs]` one after the other.
    pub covariances: Vec<Vec<Array2<f32>>>,
    /// How many places of the samples were looked at.
    pub places: usize,
}

/// Sums over what was seen so far.
struct Sums {
    node: usize,
    weight: ParamId,
    window: Window,
    /// Of each group, each input.
    sums: Vec<Vec<f64>>,
    /// Of each group, each block: sums of products.
    products: Vec<Vec<Array2<f32>>>,
    places: usize,
    /// Of each group, what was seen and is not in the products yet: of one sample after the other `[inputs, places]`.
    waiting: Vec<Vec<f32>>,
    /// The places of each of these samples.
    widths: Vec<usize>,
}

/// What a layer reads of a value `[outer, channels, height, width]`.
#[derive(Debug, Clone)]
struct Window {
    outer: usize,
    groups: usize,
    /// Of a group.
    channels: usize,
    sides: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    /// Above and left.
    pads: [usize; 2],
    out: [usize; 2],
}

impl Window {
    /// Of a node that multiplies a value of this shape, to one of another.
    fn of(op: &Op, weight: &[usize], from: &[usize], to: &[usize]) -> Option<Self> {
        match op {
            Op::Conv(Conv { stride, pads, groups, dilation, .. }) => {
                let [outer @ .., channels, height, width] = from else { return None };
                let [.., out_height, out_width] = to else { return None };
                Some(Window {
                    outer: outer.iter().product(),
                    groups: *groups,
                    channels: channels / groups,
                    sides: [*height, *width],
                    kernel: [weight[2], weight[3]],
                    stride: *stride,
                    dilation: *dilation,
                    pads: [pads[0], pads[1]],
                    out: [*out_height, *out_width],
                })
            }
            Op::Linear(_) => {
                let (features, outer) = from.split_last()?;
                let one = [1; 2];
                let (outer, channels) = (outer.iter().product(), *features);
                Some(Window {
                    outer,
                    groups: 1,
                    channels,
                    sides: one,
                    kernel: one,
                    stride: one,
                    dilation: one,
                    pads: [0; 2],
                    out: one,
                })
            }
            _ => None,
        }
    }

    /// Inputs of a group.
    fn inputs(&self) -> usize {
        self.channels * self.kernel[0] * self.kernel[1]
    }

    /// Places of one sample.
    fn places(&self) -> usize {
        self.outer * self.out[0] * self.out[1]
    }

    /// Writes input `index` of a group at some places of a sample.
    fn read(&self, value: &[f32], group: usize, index: usize, places: &[usize], row: &mut [f32]) {
        let [kernel_height, kernel_width] = self.kernel;
        let (channel, tap) = (index / (kernel_height * kernel_width), index % (kernel_height * kernel_width));
        let channel = group * self.channels + channel;
        let all = self.groups * self.channels;
        let [height, width] = self.sides;
        let (down, across) = (tap / kernel_width * self.dilation[0], tap % kernel_width * self.dilation[1]);
        for (to, &place) in row.iter_mut().zip(places) {
            let (x, rest) = (place % self.out[1], place / self.out[1]);
            let (y, outer) = (rest % self.out[0], rest / self.out[0]);
            // What lies in the padding is 0.
            let y = (y * self.stride[0] + down).wrapping_sub(self.pads[0]);
            let x = (x * self.stride[1] + across).wrapping_sub(self.pads[1]);
            *to = match y < height && x < width {
                true => value[((outer * all + channel) * height + y) * width + x],
                false => 0.0,
            };
        }
    }
}

/// Means and covariances of the inputs of each convolution and linear layer. Of layers that share a weight they are taken together.
///
/// # Errors
/// If the model does not run on the samples, or memory does not suffice.
pub fn input_moments(model: &Model, samples: &Samples) -> Result<Vec<InputMoments>, Error> {
    let shapes = model.shapes()?;
    let mut layers: Vec<Sums> = Vec::new();
    for (node, weight, _) in model.graph.layers() {
        let Some(&from) = model.graph.nodes[node].inputs.first() else { continue };
        let sides = model.values(weight).shape();
        let window = Window::of(&model.graph.nodes[node].op, sides, &shapes[from.0], &shapes[node + 1]);
        let Some(window) = window else { continue };
        let (groups, inputs) = (window.groups, window.inputs());
        let block = |first: usize| {
            let side = BLOCK.min(inputs - first);
            Array2::zeros((side, side))
        };
        let products = vec![(0..inputs).step_by(BLOCK).map(block).collect(); groups];
        let (sums, waiting) = (vec![vec![0.0; inputs]; groups], vec![Vec::new(); groups]);
        layers.push(Sums { node, weight, window, sums, products, places: 0, waiting, widths: Vec::new() });
    }
    let plan = Plan::new(model, &[model.graph.output()])?;
    let mut workspace = Workspace::new(&plan)?;
    let entry = Entry::new(samples, &model.graph.input_shape)?;
    for index in 0..samples.len() {
        entry.fill(samples, &[index], 1, workspace.input());
        plan.run_watched(&mut workspace, &mut |node, value| {
            for layer in layers.iter_mut().filter(|layer| layer.node == node) {
                layer.add(value, index, samples.len());
            }
        });
    }
    layers.iter_mut().for_each(Sums::multiply);
    Ok(together(layers))
}

impl Sums {
    /// Adds what sample `index` of `of` has.
    fn add(&mut self, value: &[f32], index: usize, of: usize) {
        let (each, total) = (self.window.places(), self.window.places() * of);
        // The places are spread evenly over all samples.
        let wanted = total.min(PLACES);
        let number = |sample: usize| (sample * each).saturating_mul(wanted).div_ceil(total.max(1));
        let places: Vec<usize> = (number(index)..number(index + 1)).map(|at| at * total / wanted % each).collect();
        let inputs = self.window.inputs();
        for (group, (sums, waiting)) in self.sums.iter_mut().zip(&mut self.waiting).enumerate() {
            let before = waiting.len();
            waiting.resize(before + places.len() * inputs, 0.0);
            let rows = waiting[before..].chunks_exact_mut(places.len().max(1));
            for (input, (row, sum)) in rows.zip(sums).enumerate() {
                self.window.read(value, group, input, &places, row);
                *sum += row.iter().map(|&value| f64::from(value)).sum::<f64>();
            }
        }
        self.places += places.len();
        if !places.is_empty() {
            self.widths.push(places.len());
        }
        if self.widths.iter().sum::<usize>() >= TOGETHER {
            self.multiply();
        }
    }

    /// Adds the products of what waits.
    fn multiply(&mut self) {
        let (inputs, count) = (self.window.inputs(), self.widths.iter().sum());
        for (waiting, products) in self.waiting.iter_mut().zip(&mut self.products) {
            for (index, products) in products.iter_mut().enumerate() {
                let mut seen: Array2<f32> = Array2::zeros((products.nrows(), count));
                let mut start = 0;
                for &width in &self.widths {
                    let part = &waiting[start * inputs..][..width * inputs];
                    let rows = part.chunks_exact(width).skip(index * BLOCK);
                    for (mut to, row) in seen.outer_iter_mut().zip(rows) {
                        to.slice_mut(s![start..start + width]).iter_mut().zip(row).for_each(|(to, from)| *to = *from);
                    }
                    start += width;
                }
                let mut parts: Vec<(usize, ArrayViewMut2<f32>)> =
                    products.axis_chunks_iter_mut(Axis(0), ROWS).enumerate().collect();
                for_each(&mut parts, |(part, rows)| {
                    let (begin, end) = (*part * ROWS, *part * ROWS + rows.nrows());
                    // The others are those of the rows below.
                    let mut rows = rows.slice_mut(s![.., ..end]);
                    general_mat_mul(
                        1.0,
                        &seen.slice(s![begin..end, ..]),
                        &seen.slice(s![..end, ..]).t(),
                        1.0,
                        &mut rows,
                    );
                });
            }
            waiting.clear();
        }
        self.widths.clear();
    }
}

/// Those that share a weight as one, and sums as moments.
fn together(layers: Vec<Sums>) -> Vec<InputMoments> {
    let mut joined: Vec<Sums> = Vec::new();
    for layer in layers {
        let same = |other: &&mut Sums| other.weight == layer.weight && other.window.groups == layer.window.groups;
        let Some(other) = joined.iter_mut().find(same) else {
            joined.push(layer);
            continue;
        };
        other.places += layer.places;
        for (sums, own) in other.sums.iter_mut().flatten().zip(layer.sums.iter().flatten()) {
            *sums += own;
        }
        for (products, own) in other.products.iter_mut().flatten().zip(layer.products.iter().flatten()) {
            *products += own;
        }
    }
    joined.into_iter().map(Sums::moments).collect()
}

impl Sums {
    fn moments(mut self) -> InputMoments {
        let count = self.places.max(1) as f64;
        for (sums, products) in self.sums.iter().zip(&mut self.products) {
            for (index, products) in products.iter_mut().enumerate() {
                let means: Vec<f64> = sums[index * BLOCK..][..products.nrows()].iter().map(|sum| sum / count).collect();
                for i in 0..means.len() {
                    for j in 0..=i {
                        let covariance = (f64::from(products[[i, j]]) / count - means[i] * means[j]) as f32;
                        (products[[i, j]], products[[j, i]]) = (covariance, covariance);
                    }
                }
            }
        }
        let mean = self.sums.iter().flatten().map(|sum| (sum / count) as f32).collect();
        InputMoments { weight: self.weight, mean, covariances: self.products, places: self.places }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Values;
    use crate::model::presets::Chain;
    use crate::model::{Node, Scaling, ValueId};
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;
    use std::sync::Arc;

    fn samples(shape: Vec<usize>, count: usize) -> Samples {
        let mut rng = Pcg64Mcg::seed_from_u64(2);
        let values = (0..count * shape.iter().product::<usize>()).map(|_| rng.random::<f32>() - 0.3).collect();
        Samples::of_values(shape, Values::Floats(Arc::new(values)), Vec::new(), Scaling::Raw).unwrap()
    }

    /// Means and covariances of rows of observations, plainly.
    fn plain(rows: &[Vec<f32>]) -> (Vec<f32>, Array2<f32>) {
        let count = rows.len() as f32;
        let means: Vec<f32> = (0..rows[0].len()).map(|i| rows.iter().map(|row| row[i]).sum::<f32>() / count).collect();
        let covariance = Array2::from_shape_fn((means.len(), means.len()), |(i, j)| {
            rows.iter().map(|row| (row[i] - means[i]) * (row[j] - means[j])).sum::<f32>() / count
        });
        (means, covariance)
    }

    fn assert_near(moments: &InputMoments, group: usize, rows: &[Vec<f32>]) {
        let (means, covariance) = plain(rows);
        let inputs = means.len();
        assert_eq!(moments.places, rows.len());
        for (got, expected) in moments.mean[group * inputs..][..inputs].iter().zip(&means) {
            assert!((got - expected).abs() < 1e-5, "{got} {expected}");
        }
        let [block] = moments.covariances[group].as_slice() else { panic!("one block") };
        assert!((block - &covariance).iter().all(|error| error.abs() < 1e-5), "{block} {covariance}");
    }

    #[test]
    fn of_a_linear_layer_they_are_those_of_its_inputs() {
        let model = Chain::new(vec![5]).linear("a", [3, 5]).build();
        let samples = samples(vec![5], 21);
        let moments = input_moments(&model, &samples).unwrap();
        assert_eq!(moments.len(), 1);
        let rows: Vec<Vec<f32>> = (0..21)
            .map(|index| match samples.row(index) {
                crate::data::Row::Floats(row) => row.to_vec(),
                crate::data::Row::Bytes(_) => unreachable!(),
            })
            .collect();
        assert_near(&moments[0], 0, &rows);
    }

    #[test]
    fn of_a_convolution_they_are_those_of_its_windows_group_by_group() {
        let mut model = Chain::new(vec![4, 5, 6]).linear("a", [1, 1]).build();
        let values = ndarray::ArrayD::zeros(vec![2, 2, 3, 2]);
        model.parameters = vec![crate::model::Parameter { name: "w".into(), values }];
        let conv =
            Conv { weight: ParamId(0), bias: None, stride: [2, 1], pads: [1, 0, 0, 1], groups: 2, dilation: [1, 2] };
        model.graph.nodes = vec![Node { name: "c".into(), op: Op::Conv(conv), inputs: vec![ValueId(0)] }];
        let [height, width] = model.shapes().unwrap()[1][1..] else { panic!("an image") };
        let samples = samples(vec![4, 5, 6], 10);
        let moments = input_moments(&model, &samples).unwrap();
        for group in 0..2 {
            let mut rows = Vec::new();
            for index in 0..10 {
                let crate::data::Row::Floats(image) = samples.row(index) else { unreachable!() };
                for place in 0..height * width {
                    let (y, x) = (place / width * 2, place % width);
                    let mut row = Vec::new();
                    for input in 0..12 {
                        let (channel, down, across) = (input / 6, input % 6 / 2, input % 2);
                        let (y, x) = ((y + down) as i32 - 1, (x + 2 * across) as i32);
                        let inside = (0..5).contains(&y) && (0..6).contains(&x);
                        let at = ((2 * group + channel) * 5 + y.max(0) as usize) * 6 + x as usize;
                        row.push(if inside { image[at] } else { 0.0 });
                    }
                    rows.push(row);
                }
            }
            assert_near(&moments[0], group, &rows);
        }
    }
}
