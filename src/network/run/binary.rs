//! `Add` and `Binary`, with broadcasting: stretches in which each operand either goes on or stays where it is.

use super::step::Run;
use crate::kernels::pairwise::{self, Pair};
use crate::model::{Binary, expand};
use crate::network::operators::work::Inputs;

/// Where an output's stretches find their operands.
pub struct Stretched {
    function: Pair,
    length: usize,
    /// Whether each operand goes on within a stretch.
    goes: [bool; 2],
    /// Where each stretch begins in the operands; nothing if there is one.
    starts: Vec<[u32; 2]>,
}

impl Stretched {
    /// For shapes that `Graph::shapes` has proved; `None` if no kernel has the function, or memory does not suffice.
    pub fn new(function: Option<Binary>, inputs: &[&[usize]], output: &[usize]) -> Option<Self> {
        let function = match function {
            None => Pair::Add,
            Some(Binary::Sub) => Pair::Sub,
            Some(Binary::Mul) => Pair::Mul,
            Some(Binary::Div) => Pair::Div,
            Some(_) => return None,
        };
        // An operand has an axis, counted from the last, or repeats what it has.
        let whole = |operand: usize, from_last: usize| {
            let shape = inputs[operand];
            let side = shape.len().checked_sub(from_last).map_or(1, |axis| shape[axis]);
            (side == output[output.len() - from_last], side == 1)
        };
        let mut length = 1;
        let mut goes = [None; 2];
        let mut axes = 0;
        while axes < output.len() {
            let side = output[output.len() - axes - 1];
            let next = [0, 1].map(|operand| match whole(operand, axes + 1) {
                // An axis of 1 is both.
                (true, true) => goes[operand],
                (goes, _) => Some(goes),
            });
            if (0..2).any(|operand| goes[operand].is_some() && goes[operand] != next[operand]) {
                break;
            }
            goes = next;
            length *= side;
            axes += 1;
        }
        let lead = &output[..output.len() - axes];
        let starts = |operand: usize| {
            let shape = inputs[operand];
            let kept = shape.len().saturating_sub(axes);
            let of_lead = expand(&shape[..kept], lead)?;
            let step: usize = shape[kept..].iter().product();
            Some(of_lead.into_iter().map(move |place| place * step as u32))
        };
        let starts = starts(0)?.zip(starts(1)?).map(|(a, b)| [a, b]).collect();
        Some(Stretched { function, length, goes: goes.map(|goes| goes.unwrap_or(true)), starts })
    }
}

impl Run for Stretched {
    fn run(&self, x: &Inputs, _scratch: &mut [f32], y: &mut [f32]) {
        let (a, b) = (&x[0], &x[1]);
        for (y, &[at_a, at_b]) in y.chunks_exact_mut(self.length).zip(&self.starts) {
            let of = |values: &'_ [f32], at: u32, goes: bool| {
                let length = if goes { self.length } else { 1 };
                at as usize..at as usize + length.min(values.len())
            };
            pairwise::apply(self.function, &a[of(a, at_a, self.goes[0])], &b[of(b, at_b, self.goes[1])], y);
        }
    }

    fn kernel(&self) -> &'static str {
        "pairs of elements"
    }
}
