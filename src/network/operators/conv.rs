//! `Conv`: forward and backward on the dense or the sparse kernel, whichever the weights call for.

use super::weights::Form;
use super::work::{Inputs, Output, ParameterGradients, Work, copy, with_slice};
use crate::kernels::correlate::{self, Window};
use crate::kernels::{plain, sparse, weight_gradient};
use crate::model::{Conv, Model, ParamId};
use std::mem::take;

/// A convolution of known shape. Groups are convolutions of their own, over slices of the channels. A dilated kernel is one
/// with zeros between its taps, which the sparse kernels skip.
pub struct Convolution {
    weight: ParamId,
    bias: Option<ParamId>,
    /// How many images a sample has.
    images: usize,
    /// Height and width of a kernel as it is stored, and the distance of its taps.
    taps: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
    /// Output channels of one group.
    rows: usize,
    /// Height and width of the input, and the zeros at its top, left, bottom and right.
    size: [usize; 2],
    pads: [usize; 4],
    /// One group over the padded input.
    window: Window,
    /// One group over the input as it is.
    bare: Window,
    /// The gradient to the data, over the gradient padded at the left and right by these.
    wide: Option<(Window, [usize; 4])>,
    /// Whether the padded input is too large to be made (absurd pads): then the plain kernels run.
    plain: bool,
    biases: Vec<f32>,
    /// The weights in the kernels' order.
    weights: Weights,
}

/// The weights of a convolution in the kernels' order.
#[derive(Default)]
struct Weights {
    plain: Vec<f32>,
    forward: Vec<Form>,
    backward: Vec<Form>,
    flipped: Vec<f32>,
    dilated: Vec<f32>,
}

impl Convolution {
    /// For shapes that `Graph::shapes` has proved: `[.., c, h, w]`, `[.., out, h', w']` and `[out, c / groups, kh, kw]`.
    pub fn new(conv: &Conv, input: &[usize], output: &[usize], weight: &[usize]) -> Self {
        let [top, left, bottom, right] = conv.pads;
        let lead = input.len() - 3;
        let size = [input[lead + 1], input[lead + 2]];
        let taps = [weight[2], weight[3]];
        let bare = Window {
            channels: weight[1],
            input: size,
            output: [output[lead + 1], output[lead + 2]],
            kernel: [0, 1].map(|axis| (taps[axis] - 1) * conv.dilation[axis] + 1),
            stride: conv.stride,
            lead: [top as isize, left as isize],
        };
        let rows = weight[0] / conv.groups;
        // `Graph::shapes` has proved that these sums fit; a product may not.
        let padded = [top + size[0] + bottom, left + size[1] + right];
        let limit = 64 * size[0] * size[1] + (1 << 16);
        let plain = padded[0].checked_mul(padded[1]).is_none_or(|area| area > limit);
        let window = Window { input: padded, lead: [0, 0], ..bare };
        let wide = (conv.stride == [1, 1] && !plain).then(|| {
            let transposed = bare.transposed(rows);
            let left = transposed.lead[1].max(0) as usize;
            let right = (transposed.output[1] + transposed.kernel[1] - 1).saturating_sub(transposed.input[1] + left);
            let input = [transposed.input[0], left + transposed.input[1] + right];
            (Window { input, lead: [transposed.lead[0], 0], ..transposed }, [0, left, 0, right])
        });
        Convolution {
            weight: conv.weight,
            bias: conv.bias,
            images: input[..lead].iter().product(),
            taps,
            dilation: conv.dilation,
            groups: conv.groups,
            rows,
            size,
            pads: conv.pads,
            window,
            bare,
            wide,
            plain,
            biases: Vec::new(),
            weights: Weights::default(),
        }
    }

    fn padded(&self) -> bool {
        self.pads != [0; 4] && !self.plain
    }

    /// Floats for one image of one sample of the padded input.
    fn padded_image(&self) -> usize {
        if self.padded() { self.groups * self.window.input_len() } else { 0 }
    }

    /// Where the taps of a dilated kernel of `weights` are, in the order in which they are stored; none if it is not dilated.
    fn taps_of(&self, weights: usize) -> Option<impl Iterator<Item = usize> + use<>> {
        let ([height, width], [down, right], row) = (self.taps, self.dilation, self.window.kernel[1]);
        let area = row * self.window.kernel[0];
        let tap = move |at: usize| {
            let (kernel, y, x) = (at / (height * width), at / width % height, at % width);
            kernel * area + y * down * row + x * right
        };
        (self.dilation != [1, 1]).then(|| (0..weights).map(tap))
    }

    /// Brings weights `[out, c / groups, kh, kw]`, with the zeros between the taps, into the kernels' order.
    fn pack(&self, weights: &[f32], training: bool, packed: &mut Weights) {
        packed.forward.resize_with(self.groups, Form::default);
        packed.backward.resize_with(self.groups, Form::default);
        if self.plain || (training && self.wide.is_none()) {
            packed.plain.clear();
            packed.plain.extend_from_slice(weights);
        }
        if self.plain {
            return;
        }
        let groups = weights.chunks_exact(self.rows * self.window.taps());
        for ((group, forward), backward) in groups.zip(&mut packed.forward).zip(&mut packed.backward) {
            forward.set(group, self.rows, &self.window);
            if let (true, Some((wide, _))) = (training, &self.wide) {
                correlate::flip(group, self.rows, self.window.kernel, &mut packed.flipped);
                // Where a window starts right of the input's edge, padding cannot serve the sparse kernel.
                if self.bare.transposed(self.rows).lead[1] < 0 {
                    backward.set_dense(&packed.flipped, self.window.channels);
                } else {
                    backward.set(&packed.flipped, self.window.channels, wide);
                }
            }
        }
    }

    fn forward_image(&self, n: usize, x: &[f32], padded: &mut [f32], y: &mut [f32]) {
        let x = if self.padded() {
            sparse::pad(x, self.size, self.pads, n, padded);
            padded
        } else {
            x
        };
        let (inputs, outputs) = (x.len() / self.groups, y.len() / self.groups);
        for (group, (x, y)) in x.chunks_exact(inputs).zip(y.chunks_exact_mut(outputs)).enumerate() {
            let bias = if self.biases.is_empty() { &[] } else { &self.biases[group * self.rows..][..self.rows] };
            if self.plain {
                plain::correlate(&self.bare, n, x, self.plain_weights(group), bias, y);
            } else {
                self.weights.forward[group].correlate(&self.window, &self.window, n, x, x, bias, y);
            }
        }
    }

    /// The weights of a group for the plain kernels.
    fn plain_weights(&self, group: usize) -> &[f32] {
        let length = self.rows * self.bare.taps();
        &self.weights.plain[group * length..][..length]
    }

    fn image_weight_gradient(&self, n: usize, x: &[f32], padded: &[f32], dy: &[f32], add: bool, dw: &mut [f32]) {
        let source = if self.padded() { padded } else { x };
        let sources = source.chunks_exact(source.len() / self.groups);
        let gradients = dy.chunks_exact(dy.len() / self.groups);
        for ((x, dy), dw) in sources.zip(gradients).zip(dw.chunks_exact_mut(self.rows * self.window.taps())) {
            if self.plain {
                if !add {
                    dw.fill(0.0);
                }
                plain::weight_gradient(&self.bare, n, x, dy, dw);
            } else {
                weight_gradient::weight_gradient(&self.window, n, x, dy, add, dw);
            }
        }
    }

    fn image_data_gradient(&self, n: usize, dy: &[f32], scratch: &mut [f32], dx: &mut [f32]) {
        let (inputs, outputs) = (dx.len() / self.groups, dy.len() / self.groups);
        for (group, (dx, dy)) in dx.chunks_exact_mut(inputs).zip(dy.chunks_exact(outputs)).enumerate() {
            let Some((wide, pads)) = &self.wide else {
                plain::data_gradient(&self.bare, n, dy, self.plain_weights(group), dx);
                continue;
            };
            let form = &self.weights.backward[group];
            let scratch = &mut scratch[..wide.input_len() * n];
            if form.sparse() {
                sparse::pad(dy, self.bare.output, *pads, n, scratch);
            }
            form.correlate(&self.bare.transposed(self.rows), wide, n, dy, scratch, &[], dx);
        }
    }
}

impl Work for Convolution {
    fn prepare(&mut self, model: &Model, training: bool) {
        copy(model, self.bias, &mut self.biases);
        let mut packed = take(&mut self.weights);
        with_slice(model, self.weight, |weights| match self.taps_of(weights.len()) {
            Some(taps) => {
                let mut dilated = take(&mut packed.dilated);
                dilated.clear();
                dilated.resize(self.groups * self.rows * self.window.taps(), 0.0);
                taps.zip(weights).for_each(|(tap, &weight)| dilated[tap] = weight);
                self.pack(&dilated, training, &mut packed);
                packed.dilated = dilated;
            }
            None => self.pack(weights, training, &mut packed),
        });
        self.weights = packed;
    }

    /// The padded input.
    fn kept(&self) -> usize {
        self.images * self.padded_image()
    }

    fn scratch(&self) -> usize {
        self.wide.map_or(0, |(window, _)| window.input_len())
    }

    /// `x` is `[.., c, h, w, n]`, `y` `[.., out, h', w', n]`.
    fn forward(&self, x: &Inputs, padded: &mut [f32], y: &mut [f32]) {
        let (n, x) = (x.n, &x[0]);
        let (inputs, outputs, pads) = (x.len() / self.images, y.len() / self.images, self.padded_image() * n);
        for (image, (x, y)) in x.chunks_exact(inputs).zip(y.chunks_exact_mut(outputs)).enumerate() {
            self.forward_image(n, x, &mut padded[image * pads..][..pads], y);
        }
    }

    fn backward(&self, _index: usize, x: &Inputs, output: Output, scratch: &mut [f32], dx: &mut [f32]) {
        let (inputs, outputs) = (dx.len() / self.images, output.dy.len() / self.images);
        for (dx, dy) in dx.chunks_exact_mut(inputs).zip(output.dy.chunks_exact(outputs)) {
            self.image_data_gradient(x.n, dy, scratch, dx);
        }
    }

    fn parameter_gradients(&self, x: &Inputs, padded: &mut [f32], dy: &[f32], gradients: &mut ParameterGradients) {
        self.bias.into_iter().for_each(|bias| gradients.add_rows(bias, dy));
        let (n, x, (add, dw)) = (x.n, &x[0], gradients.of(self.weight));
        let taps = self.taps_of(dw.len());
        // The zeros' gradients are computed with the others, and left out: the only memory that is allocated in a pass.
        let mut dilated = vec![0.0; if taps.is_some() { self.groups * self.rows * self.window.taps() } else { 0 }];
        let all = if taps.is_some() { &mut dilated[..] } else { &mut *dw };
        let (inputs, outputs, pads) = (x.len() / self.images, dy.len() / self.images, self.padded_image() * n);
        for (image, (x, dy)) in x.chunks_exact(inputs).zip(dy.chunks_exact(outputs)).enumerate() {
            let add = image > 0 || (add && taps.is_none());
            self.image_weight_gradient(n, x, &padded[image * pads..][..pads], dy, add, all);
        }
        for (dw, tap) in dw.iter_mut().zip(taps.into_iter().flatten()) {
            *dw = if add { *dw + dilated[tap] } else { dilated[tap] };
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::presets::Chain;
    use crate::model::{Model, Op};
    use crate::network::trainer::tests::{assert_gradients, random};

    /// Two convolutions, the second changed by `change`, then a linear layer on its `outputs` values.
    fn model(second: [usize; 4], outputs: usize, change: impl Fn(&mut crate::model::Conv)) -> Model {
        let mut model = Chain::new(vec![2, 6, 5])
            .conv("first", [4, 2, 2, 2], 0)
            .conv("second", second, 0)
            .flatten()
            .linear("linear", [3, outputs])
            .build();
        if let Op::Conv(conv) = &mut model.graph.nodes[1].op {
            change(conv);
        }
        model
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        assert_gradients(model([3, 4, 3, 3], 3 * 3 * 2, |_| {}));
        assert_gradients(model([3, 4, 3, 3], 3 * 5 * 4, |conv| conv.pads = [1; 4]));
        assert_gradients(model([2, 4, 2, 3], 2 * 5 * 4, |conv| conv.pads = [1, 2, 0, 0]));
        assert_gradients(model([3, 4, 3, 3], 3 * 3 * 2, |conv| {
            conv.pads = [1; 4];
            conv.stride = [2, 2];
        }));
        assert_gradients(model([6, 2, 3, 3], 6 * 5 * 4, |conv| {
            conv.pads = [1; 4];
            conv.groups = 2;
        }));
        assert_gradients(model([4, 1, 2, 2], 4 * 4 * 3, |conv| conv.groups = 4));
        // Dilated: taken for dense (two taps of three), and for sparse.
        assert_gradients(model([3, 4, 1, 2], 3 * 5 * 2, |conv| conv.dilation = [1, 2]));
        assert_gradients(model([4, 2, 3, 2], 4 * 3 * 4, |conv| {
            conv.dilation = [2, 3];
            conv.pads = [1, 2, 1, 1];
            conv.groups = 2;
        }));
        assert_gradients(model([3, 4, 2, 2], 3 * 2 * 2, |conv| {
            conv.dilation = [2, 2];
            conv.stride = [2, 2];
            conv.pads = [0, 1, 0, 0];
        }));
        // More padding than the kernel reaches: some windows touch nothing.
        assert_gradients(model([2, 4, 2, 2], 2 * 9 * 8, |conv| {
            conv.pads = [3, 2, 2, 3];
            conv.bias = None;
        }));
        // Pads that no memory could hold, and steps as large.
        assert_gradients(model([2, 4, 2, 2], 2 * 2 * 2, |conv| {
            conv.pads = [1 << 20, 0, 0, 1 << 20];
            conv.stride = [(1 << 20) + 1, (1 << 20) + 1];
        }));
    }

    #[test]
    fn gradients_of_sparse_weights_agree_with_central_differences() {
        for change in [|_: &mut crate::model::Conv| {}, |conv: &mut crate::model::Conv| conv.pads = [1; 4]] {
            let outputs = |pad: usize| 3 * (3 + 2 * pad) * (2 + 2 * pad);
            let mut probe = model([3, 4, 3, 3], 1, change);
            let pad = match &mut probe.graph.nodes[1].op {
                Op::Conv(conv) => conv.pads[0],
                _ => 0,
            };
            let mut model = random(model([3, 4, 3, 3], outputs(pad), change));
            let weights = model.parameters[2].values.iter_mut();
            weights.enumerate().filter(|(i, _)| i % 5 != 0).for_each(|(_, weight)| *weight = 0.0);
            crate::network::trainer::tests::assert_gradients_as_is(model);
        }
    }
}
