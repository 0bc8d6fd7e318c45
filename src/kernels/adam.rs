//! A step of Adam (Kingma and Ba 2015, algorithm 1, in the "more efficient order").

use super::lanes::{Kernel, Lanes, dispatch};

/// One step: the values of a slice with their gradients and moments, and the numbers of the method; the rate has both bias corrections in it.
#[allow(missing_docs)]
pub struct Update<'a> {
    pub values: &'a mut [f32],
    pub gradients: &'a [f32],
    pub first: &'a mut [f32],
    pub second: &'a mut [f32],
    pub rate: f32,
    pub beta1: f32,
    pub beta2: f32,
    pub epsilon: f32,
}

/// Makes the step.
pub fn step(update: Update) {
    dispatch(update);
}

impl Kernel for Update<'_> {
    /// A plain loop, which the compiler turns into the instructions at hand.
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let Update { values, gradients, first, second, rate, beta1, beta2, epsilon } = self;
        let moments = first.iter_mut().zip(second);
        for ((value, &gradient), (first, second)) in values.iter_mut().zip(gradients).zip(moments) {
            *first = beta1 * *first + (1.0 - beta1) * gradient;
            *second = beta2 * *second + (1.0 - beta2) * gradient * gradient;
            *value -= rate * *first / (second.sqrt() + epsilon);
        }
    }
}
