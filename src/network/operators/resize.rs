//! `Resize`: interpolation along one axis after the other, each by a table of places and weights.

use super::work::{Inputs, Output, Work};
use crate::model::{Coordinates, Interpolation, Resize, Rounding};

/// The axes that change, in order.
pub struct ResizePlan {
    passes: Vec<Pass>,
}

/// One axis that changes.
struct Pass {
    from: usize,
    /// Elements behind one place of the axis.
    inner: usize,
    to: usize,
    /// Elements of the input and of the output.
    elements: [usize; 2],
    /// Places of the input, the places of the output that they go to, and their weights.
    taps: Vec<(u32, u32, f32)>,
}

impl ResizePlan {
    /// For shapes that `Graph::shapes` has proved; `None` if memory does not suffice.
    pub fn new(resize: &Resize, input: &[usize], output: &[usize]) -> Option<Self> {
        let mut shape = input.to_vec();
        let mut passes = Vec::new();
        for (axis, (&from, &to)) in input.iter().zip(output).enumerate() {
            let factor = resize.factor(axis, from);
            if factor == 1.0 {
                continue;
            }
            let before = shape.iter().product();
            shape[axis] = to;
            let (inner, elements) = (shape[axis + 1..].iter().product(), [before, shape.iter().product()]);
            let mut list = Vec::new();
            for place in 0..to {
                let taps = taps(resize, place, factor, [from, to]);
                list.try_reserve(taps.len()).ok()?;
                list.extend(taps.into_iter().map(|(from, weight)| (from as u32, place as u32, weight)));
            }
            passes.push(Pass { from, to, inner, elements, taps: list });
        }
        Some(ResizePlan { passes })
    }
}

/// The places of an input of side `from` that make a place of an output of side `to`, with their weights.
fn taps(resize: &Resize, place: usize, factor: f64, [from, to]: [usize; 2]) -> Vec<(usize, f32)> {
    // What the output's side is before it is rounded down.
    let (x, side, width) = (place as f64, from as f64, from as f64 * factor);
    let centred = (x + 0.5) / factor - 0.5;
    let at = match resize.coordinates {
        Coordinates::HalfPixel => centred,
        // In the order of ONNX's reference: nearest places hang on the last bit.
        Coordinates::HalfPixelSymmetric => side / 2.0 * (1.0 - to as f64 / width) + (x + 0.5) / factor - 0.5,
        Coordinates::PytorchHalfPixel => {
            if to == 1 {
                0.0
            } else {
                centred
            }
        }
        Coordinates::AlignCorners => {
            if width == 1.0 {
                0.0
            } else {
                x * (side - 1.0) / (width - 1.0)
            }
        }
        Coordinates::Asymmetric => x / factor,
    };
    let inside = |place: f64| place.clamp(0.0, side - 1.0) as usize;
    let a = f64::from(resize.cubic.get());
    let (reach, kernel): (f64, &dyn Fn(f64) -> f64) = match resize.mode {
        Interpolation::Nearest => {
            let nearest = match resize.nearest {
                Rounding::RoundPreferFloor => (at - 0.5).ceil(),
                Rounding::RoundPreferCeil => (at + 0.5).floor(),
                Rounding::Floor => at.floor(),
                Rounding::Ceil => at.ceil(),
            };
            return vec![(inside(nearest), 1.0)];
        }
        Interpolation::Linear => (1.0, &|x| 1.0 - x),
        Interpolation::Cubic => (2.0, &|x| match x {
            ..=1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
            _ => ((x - 5.0) * x + 8.0) * x * a - 4.0 * a,
        }),
    };
    // So that a smaller output sees every place, the kernel grows as it shrinks.
    let shrink = if resize.antialias { factor.min(1.0) } else { 1.0 };
    let (first, last) = ((at - reach / shrink).floor() as i64 + 1, (at + reach / shrink).ceil() as i64 - 1);
    let places = (first..=last).map(|place| place as f64);
    let places = places.filter(|place| !resize.exclude_outside || (0.0..side).contains(place));
    let taps: Vec<(usize, f64)> = places.map(|place| (inside(place), kernel((place - at).abs() * shrink))).collect();
    let sum: f64 = taps.iter().map(|(_, weight)| weight).sum();
    let sum = if sum == 0.0 { 1.0 } else { sum };
    taps.into_iter().map(|(place, weight)| (place, (weight / sum) as f32)).collect()
}

impl Pass {
    /// Calls `visit` with where the elements of a place begin in the input and in the output, and their weight.
    fn each(&self, mut visit: impl FnMut(usize, usize, f32)) {
        for block in 0..self.elements[0] / (self.from * self.inner) {
            for &(from, to, weight) in &self.taps {
                let (from, to) = (block * self.from + from as usize, block * self.to + to as usize);
                visit(from * self.inner, to * self.inner, weight);
            }
        }
    }

    fn forward(&self, n: usize, x: &[f32], y: &mut [f32]) {
        y.fill(0.0);
        self.each(|from, to, weight| add(&x[from * n..], &mut y[to * n..][..self.inner * n], weight));
    }

    fn backward(&self, n: usize, dy: &[f32], dx: &mut [f32]) {
        dx.fill(0.0);
        self.each(|from, to, weight| add(&dy[to * n..], &mut dx[from * n..][..self.inner * n], weight));
    }
}

fn add(from: &[f32], to: &mut [f32], weight: f32) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += weight * from);
}

impl Work for ResizePlan {
    /// What comes between two axes; as much in the other direction.
    fn kept(&self) -> usize {
        self.passes.iter().skip(1).map(|pass| pass.elements[0]).sum()
    }

    fn scratch(&self) -> usize {
        self.kept()
    }

    fn forward(&self, x: &Inputs, between: &mut [f32], y: &mut [f32]) {
        let Some((last, earlier)) = self.passes.split_last() else { return y.copy_from_slice(&x[0]) };
        let (mut from, mut rest) = (&x[0], between);
        for pass in earlier {
            let (to, behind) = rest.split_at_mut(pass.elements[1] * x.n);
            pass.forward(x.n, from, to);
            (from, rest) = (to, behind);
        }
        last.forward(x.n, from, y);
    }

    fn backward(&self, _index: usize, x: &Inputs, output: Output, between: &mut [f32], dx: &mut [f32]) {
        let Some((first, later)) = self.passes.split_first() else { return dx.copy_from_slice(output.dy) };
        let (mut from, mut rest) = (output.dy, between);
        for pass in later.iter().rev() {
            let (to, behind) = rest.split_at_mut(pass.elements[0] * x.n);
            pass.backward(x.n, from, to);
            (from, rest) = (to, behind);
        }
        first.backward(x.n, from, dx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::LANES;
    use crate::model::presets::Chain;
    use crate::model::{Node, Number, Op, ValueId};
    use crate::network::operators::work::tests::forward;
    use crate::network::trainer::tests::assert_gradients;
    use strum::VariantArray;

    /// What a `[4, 4]` of 1, 2 .. 16 becomes.
    fn resized(resize: Resize, side: usize) -> Vec<f32> {
        let x: Vec<f32> = (1..=16).flat_map(|x| [x as f32; LANES]).collect();
        let y = forward(&ResizePlan::new(&resize, &[4, 4], &[side; 2]).unwrap(), &[x], side * side);
        y.into_iter().step_by(LANES).collect()
    }

    #[test]
    fn values_are_those_of_the_cases_of_the_onnx_project() {
        // resize_downsample_scales_linear_antialias and resize_downsample_scales_cubic.
        let factors = |factor| vec![Number::new(factor); 2];
        let linear =
            Resize { factors: factors(0.6), mode: Interpolation::Linear, antialias: true, ..Resize::default() };
        for (y, expected) in resized(linear, 2).into_iter().zip([2.875, 4.5, 9.375, 11.0]) {
            assert!((y - expected).abs() < 1e-5, "{y} is not {expected}");
        }
        let (mode, cubic) = (Interpolation::Cubic, Number::new(-0.75));
        let cubic = Resize { factors: factors(0.8), mode, cubic, ..Resize::default() };
        for (y, expected) in resized(cubic, 3).into_iter().zip([1.471_191, 2.78125, 4.082_52, 6.711_426]) {
            assert!((y - expected).abs() < 1e-5, "{y} is not {expected}");
        }
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        for &mode in Interpolation::VARIANTS {
            for (sides, antialias) in [([5, 6], false), ([2, 6], true), ([3, 4], false)] {
                let (coordinates, cubic) = (Coordinates::AlignCorners, Number::new(-0.75));
                let resize = Resize { sides: sides.to_vec(), mode, coordinates, cubic, antialias, ..Resize::default() };
                let outputs = sides.iter().product();
                let mut model = Chain::new(vec![4]).linear("a", [12, 4]).flatten().linear("b", [3, outputs]).build();
                let node = |op, input| Node { name: "n".into(), op, inputs: vec![ValueId(input)] };
                model.graph.nodes.splice(1..1, [node(Op::Reshape(vec![3, 4]), 1), node(Op::Resize(resize), 2)]);
                model.graph.nodes[3].inputs = vec![ValueId(3)];
                model.graph.nodes[4].inputs = vec![ValueId(4)];
                assert_gradients(model);
            }
        }
    }
}
