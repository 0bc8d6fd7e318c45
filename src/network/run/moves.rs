//! The operators that only move elements: runs of neighbours are copied at once.

use super::step::Run;
use crate::model::{NOWHERE, Op, Pad};
use crate::network::operators::work::Inputs;

/// Elements of the output that lie beside each other in an input, or come from nowhere.
#[derive(Clone, Copy)]
struct Stretch {
    /// Which input, and where in it; [`NOWHERE`] for no input.
    input: u32,
    start: u32,
    length: u32,
}

/// All of an output, in order.
pub struct Stretches {
    stretches: Vec<Stretch>,
    /// What comes from nowhere.
    value: f32,
}

impl Stretches {
    /// For shapes that `Graph::shapes` has proved; `None` if memory does not suffice.
    pub fn new(op: &Op, inputs: &[&[usize]], output: &[usize]) -> Option<Self> {
        let value = if let Op::Pad(Pad { value, .. }) = op { value.get() } else { 0.0 };
        let mut ends = Vec::new();
        for shape in inputs {
            ends.push(ends.last().copied().unwrap_or(0) + shape.iter().product::<usize>());
        }
        let mut stretches: Vec<Stretch> = Vec::new();
        for place in op.places(inputs, output)? {
            let (input, start) = match place {
                NOWHERE => (NOWHERE, 0),
                place => {
                    let input = ends.partition_point(|&end| end <= place as usize);
                    let before = if input == 0 { 0 } else { ends[input - 1] };
                    (input as u32, place - before as u32)
                }
            };
            match stretches.last_mut() {
                Some(last) if last.input == input && (input == NOWHERE || last.start + last.length == start) => {
                    last.length += 1;
                }
                _ => {
                    stretches.try_reserve(1).ok()?;
                    stretches.push(Stretch { input, start, length: 1 });
                }
            }
        }
        Some(Stretches { stretches, value })
    }
}

impl Run for Stretches {
    fn run(&self, x: &Inputs, _scratch: &mut [f32], mut y: &mut [f32]) {
        for &Stretch { input, start, length } in &self.stretches {
            let (to, rest) = y.split_at_mut(length as usize);
            y = rest;
            match (input, to) {
                (NOWHERE, to) => to.fill(self.value),
                (input, [to]) => *to = x[input as usize][start as usize],
                (input, to) => to.copy_from_slice(&x[input as usize][start as usize..][..length as usize]),
            }
        }
    }

    fn kernel(&self) -> &'static str {
        "move"
    }
}
