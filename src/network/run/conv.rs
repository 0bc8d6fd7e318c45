//! `Conv`, by the kernel that its weights call for.

use super::cost::{Reading, Sizes};
use super::finish::Finish;
use super::step::Run;
use crate::kernels::copies::{self, Copies};
use crate::kernels::correlate::Window;
use crate::kernels::lanes;
use crate::kernels::lists::{self, Lists};
use crate::kernels::narrow::Narrow;
use crate::kernels::planar;
use crate::kernels::winograd::{Tile, Winograd};
use crate::model::Conv;
use crate::network::operators::work::Inputs;
use std::mem::take;

/// Floats of what a strip of the output looks at: it stays in the second cache while all channels are computed.
const STRIP: usize = 1 << 16;

/// The same where neighbouring positions look at neighbouring places, in the first cache.
const NEIGHBOURS: usize = 1 << 13;

/// A convolution of known shape and weights.
pub struct Convolution {
    /// How many images a sample has.
    images: usize,
    /// Of one group.
    window: Window,
    /// Output channels of one group.
    rows: usize,
    bias: Vec<f32>,
    finish: Finish,
    /// One for each group.
    methods: Vec<Method>,
}

enum Method {
    /// Over copies of rows.
    Copied(Copies, Lists),
    /// Over copies of so many neighbouring positions: one tap a channel, no steps, no padding.
    Pointwise(usize, Lists),
    Winograd(Box<Winograd>),
    Narrow(Narrow),
}

/// A convolution's shapes and numbers.
#[derive(Clone, Copy)]
pub struct Layer<'a> {
    pub conv: &'a Conv,
    /// `[.., c, h, w]`.
    pub input: &'a [usize],
    /// `[.., out, h', w']`.
    pub output: &'a [usize],
    /// `[out, c / groups, kh, kw]`.
    pub weight: &'a [usize],
    pub weights: &'a [f32],
    pub bias: &'a [f32],
    pub finish: Finish,
    /// What reading weights takes.
    pub reading: Reading,
}

/// The most positions of a plane whose output channels may lie in vectors.
const FEW: usize = 64;

impl Layer<'_> {
    /// Images of a sample.
    pub fn images(&self) -> usize {
        self.input[..self.input.len() - 3].iter().product()
    }

    /// Of one group; the kernel without the gaps of a dilation.
    pub fn window(&self) -> Window {
        let sides = |shape: &[usize]| [shape[shape.len() - 2], shape[shape.len() - 1]];
        Window {
            channels: self.weight[1],
            input: sides(self.input),
            output: sides(self.output),
            kernel: sides(self.weight),
            stride: self.conv.stride,
            lead: [self.conv.pads[0] as isize, self.conv.pads[1] as isize],
        }
    }
}

impl Convolution {
    /// For shapes that `Graph::shapes` has proved.
    pub fn new(layer: &Layer) -> Self {
        let (window, groups) = (layer.window(), layer.conv.groups);
        let rows = layer.weight[0] / groups;
        let methods = layer
            .weights
            .chunks_exact(rows * window.taps())
            .map(|weights| Method::new(layer, window, weights, rows))
            .collect();
        let bias = layer.bias.to_vec();
        Convolution { images: layer.images(), window, rows, bias, finish: layer.finish, methods }
    }

    /// Floats of a strip or of the whole before a maximum is taken.
    fn unpooled(&self) -> usize {
        let of = |method: &Method| match method {
            Method::Copied(copies, lists) => {
                let rows = (0..lists.blocks()).map(|block| lists.rows_of(block).len()).max().unwrap_or(0);
                rows * copies.strip[0] * copies.strip[1]
            }
            Method::Winograd(_) | Method::Narrow(_) => self.rows * self.window.positions(),
            Method::Pointwise(..) => 0,
        };
        if self.finish.pool { self.methods.iter().map(of).max().unwrap_or(0) } else { 0 }
    }
}

impl Method {
    fn new(layer: &Layer, window: Window, weights: &[f32], rows: usize) -> Self {
        let dilation = layer.conv.dilation;
        let sizes = Sizes { rows, channels: window.channels, output: window.output };
        let pairs = weights.chunks(2 * window.taps()).map(|pair| {
            let (first, second) = pair.split_at(window.taps());
            match second.is_empty() {
                true => first.iter().filter(|weight| **weight != 0.0).count(),
                false => 2 * first.iter().zip(second).filter(|(a, b)| **a != 0.0 || **b != 0.0).count(),
            }
        });
        let nonzero = weights.iter().filter(|weight| **weight != 0.0).count();
        let pairs = pairs.sum();
        let costs = [
            sizes.dense(weights.len()) + layer.reading.of(4 * weights.len()),
            sizes.singles(nonzero) + layer.reading.of(8 * nonzero),
            sizes.pairs(pairs) + layer.reading.of(6 * pairs),
        ];
        let direct = (0..3).min_by(|&a, &b| costs[a].total_cmp(&costs[b])).unwrap_or(0);
        let mut cheapest = costs[direct];
        let narrow =
            sizes.narrow(weights.len(), Narrow::share(&window, dilation)) + layer.reading.of(4 * weights.len());
        let narrow = (window.positions() <= FEW && narrow < cheapest).then_some(narrow);
        cheapest = narrow.unwrap_or(cheapest);
        if window.stride == [1, 1] && dilation == [1, 1] {
            let cost = |tile: Tile| {
                let bytes = 4 * weights.len() * tile.points().pow(2) / (window.kernel[0] * window.kernel[1]);
                sizes.winograd(tile.points(), tile.side()) + layer.reading.of(bytes)
            };
            let tiles = Tile::of_kernel(window.kernel).iter().copied();
            if let Some(tile) = tiles.min_by(|&a, &b| cost(a).total_cmp(&cost(b)))
                && cost(tile) < cheapest
            {
                return Method::Winograd(Box::new(Winograd::new(tile, window, weights, rows)));
            }
        }
        if narrow.is_some() {
            return Method::Narrow(Narrow::new(window, dilation, weights, rows));
        }
        let lists = |offsets: &[u32]| match direct {
            0 => Lists::dense(weights, rows, offsets),
            together => Lists::sparse(weights, rows, offsets, together),
        };
        let plain = [window.kernel, window.stride] == [[1, 1]; 2] && window.input == window.output;
        if plain && window.lead == [0, 0] && !layer.finish.pool {
            // Two vectors at least, unless there are fewer.
            let (positions, vectors) = (window.positions(), 2 * lanes::width());
            let fitting = (NEIGHBOURS / window.channels).max(vectors);
            let length = positions.div_ceil(positions.div_ceil(fitting)).next_multiple_of(vectors);
            let offsets: Vec<u32> = (0..window.channels).map(|channel| (channel * length) as u32).collect();
            return Method::Pointwise(length, lists(&offsets));
        }
        let copies = Copies { window, dilation, strip: strip(&window, dilation, layer.finish.pool) };
        Method::Copied(copies, lists(&copies.offsets()))
    }

    fn scratch(&self) -> usize {
        match self {
            Method::Copied(copies, lists) => copies.len().max(lists.input_len(copies.strip[0] * copies.strip[1])),
            Method::Pointwise(length, lists) => lists.input_len(*length),
            Method::Winograd(winograd) => winograd.scratch(),
            Method::Narrow(_) => 0,
        }
    }
}

/// The rows and columns of a strip of the output: as many as [`STRIP`] allows, all strips about alike. A maximum is taken of two
/// whole rows at a time.
fn strip(window: &Window, dilation: [usize; 2], pool: bool) -> [usize; 2] {
    let [height, width] = window.output;
    let fits = |strip: &[usize; 2]| Copies { window: *window, dilation, strip: *strip }.len() <= STRIP;
    let step = if pool { 2 } else { 1 };
    let rows = |strips: usize| [height.div_ceil(step).div_ceil(strips) * step, width];
    let columns = |strips: usize| [1, width.div_ceil(strips).next_multiple_of(lanes::width()).min(width)];
    // As few strips as fit.
    let by_rows = (1..=height.div_ceil(step)).map(rows).find(fits);
    let by_columns = || (2..=width.div_ceil(lanes::width())).map(columns).find(fits);
    by_rows.or_else(|| if pool { None } else { by_columns() }).unwrap_or([step, width])
}

/// One group of one image: its inputs and outputs.
struct Task<'a> {
    input: &'a [f32],
    bias: &'a [f32],
    addend: Option<&'a [f32]>,
    scratch: &'a mut [f32],
    unpooled: &'a mut [f32],
    output: &'a mut [f32],
}

impl Convolution {
    fn run_group(&self, method: &Method, mut task: Task) {
        match method {
            Method::Winograd(winograd) => {
                let (limits, bias) = (self.finish.limits(), task.bias);
                self.run_whole(task, |input, scratch, sums| winograd.run(input, bias, limits, scratch, sums));
            }
            Method::Narrow(narrow) => {
                let (limits, bias) = (self.finish.limits(), task.bias);
                self.run_whole(task, |input, _, sums| narrow.run(input, bias, limits, sums));
            }
            Method::Pointwise(length, lists) => {
                let positions = self.window.positions();
                for first in (0..positions).step_by(*length) {
                    let count = (*length).min(positions - first);
                    copies::stretch(task.input, positions, first..first + count, task.scratch, *length);
                    self.run_strip(lists, task.scratch, first, count, task.output, task.bias, task.addend);
                }
            }
            Method::Copied(copies, lists) => {
                let ([height, width], [rows, columns]) = (self.window.output, copies.strip);
                for first in (0..height).step_by(rows) {
                    let rows = rows.min(height - first);
                    for left in (0..width).step_by(columns) {
                        copies.fill([first, left], task.input, task.scratch);
                        if self.finish.pool {
                            self.run_pooled(lists, first, rows, &mut task);
                            continue;
                        }
                        let (place, length) = (first * width + left, rows * columns.min(width - left));
                        self.run_strip(lists, task.scratch, place, length, task.output, task.bias, task.addend);
                    }
                }
            }
        }
    }

    /// Computes `length` positions from `first` on of all rows.
    #[expect(clippy::too_many_arguments, reason = "a strip of a task")]
    fn run_strip(
        &self,
        lists: &Lists,
        input: &[f32],
        first: usize,
        length: usize,
        output: &mut [f32],
        bias: &[f32],
        addend: Option<&[f32]>,
    ) {
        let (plane, limits) = (self.window.positions(), self.finish.limits());
        for block in 0..lists.blocks() {
            let rows = lists.rows_of(block);
            let to = &mut output[rows.start * plane + first..];
            lists::run(lists, block, input, length, bias, limits, to, plane);
            for row in rows {
                let place = row * plane + first..row * plane + first + length;
                self.finish.apply(addend.map(|addend| &addend[place.clone()]), &mut output[place]);
            }
        }
    }

    /// Computes some rows of the output, an even number, and what remains of them.
    fn run_pooled(&self, lists: &Lists, first: usize, rows: usize, task: &mut Task) {
        let ([height, width], limits) = (self.window.output, self.finish.limits());
        let (length, plane) = (rows * width, height / 2 * (width / 2));
        for block in 0..lists.blocks() {
            let channels = lists.rows_of(block);
            let sums = &mut task.unpooled[..channels.len() * length];
            lists::run(lists, block, task.scratch, length, task.bias, limits, sums, length);
            for (channel, sums) in channels.zip(sums.chunks_exact_mut(length)) {
                let place = channel * height * width + first * width;
                self.finish.apply(task.addend.map(|addend| &addend[place..place + length]), sums);
                let place = channel * plane + first / 2 * (width / 2);
                planar::halved(width, sums, &mut task.output[place..place + length / 4]);
            }
        }
    }

    /// Computes the whole output, by a kernel that needs some memory, and what follows it.
    fn run_whole(&self, task: Task, kernel: impl Fn(&[f32], &mut [f32], &mut [f32])) {
        if !self.finish.pool {
            kernel(task.input, task.scratch, task.output);
            return self.finish.apply(task.addend, task.output);
        }
        let sums = &mut task.unpooled[..self.rows * self.window.positions()];
        kernel(task.input, task.scratch, sums);
        self.finish.apply(task.addend, sums);
        planar::halved(self.window.output[1], sums, task.output);
    }
}

impl Run for Convolution {
    fn scratch(&self) -> usize {
        self.methods.iter().map(Method::scratch).max().unwrap_or(0) + self.unpooled()
    }

    fn run(&self, x: &Inputs, scratch: &mut [f32], y: &mut [f32]) {
        let (mut unpooled, rest) = scratch[..self.scratch()].split_at_mut(self.unpooled());
        let mut scratch = rest;
        let groups = self.methods.len();
        let (inputs, outputs) = (self.window.input_len(), y.len() / self.images / groups);
        let addends = self.rows * self.window.positions();
        for (index, (input, output)) in x[0].chunks_exact(inputs).zip(y.chunks_exact_mut(outputs)).enumerate() {
            let group = index % groups;
            let bias = if self.bias.is_empty() { &[] } else { &self.bias[group * self.rows..][..self.rows] };
            let addend = self.finish.add.then(|| &x[1][index * addends..][..addends]);
            let (own, unpooled_own) = (take(&mut scratch), take(&mut unpooled));
            self.run_group(
                &self.methods[group],
                Task { input, bias, addend, scratch: &mut *own, unpooled: &mut *unpooled_own, output },
            );
            (scratch, unpooled) = (own, unpooled_own);
        }
    }

    fn kernel(&self) -> &'static str {
        match self.methods.first() {
            Some(Method::Winograd(_)) => "Winograd",
            Some(Method::Narrow(_)) => "narrow",
            Some(Method::Pointwise(..)) => "pointwise",
            _ => "taps",
        }
    }
}
