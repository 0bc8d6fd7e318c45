//! Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1), with bias correction.

use crate::kernels::adam::{Update, step};
use serde::{Deserialize, Serialize};

/// The running moments of some slices of numbers, and the step that they are at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adam {
    /// Decay of the mean gradient, in `[0, 1)`.
    pub beta1: f32,
    /// Decay of the mean squared gradient, in `[0, 1)`.
    pub beta2: f32,
    /// Added to the root of the mean squared gradient; above 0.
    pub epsilon: f32,
    steps: u32,
    first: Vec<Vec<f32>>,
    second: Vec<Vec<f32>>,
}

impl Adam {
    /// For slices of these lengths, with the paper's settings: 0.9, 0.999 and 1e-8.
    pub fn new(lengths: impl IntoIterator<Item = usize>) -> Self {
        let first: Vec<Vec<f32>> = lengths.into_iter().map(|length| vec![0.0; length]).collect();
        Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, steps: 0, second: first.clone(), first }
    }

    /// Number of steps made.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// Makes one step: changes the values of each slice by its gradient. Slices come in the order of [`Adam::new`], and with
    /// its lengths; what is longer on one side stays as it is.
    pub fn step<'a>(&mut self, rate: f32, slices: impl IntoIterator<Item = (&'a mut [f32], &'a [f32])>) {
        self.steps = self.steps.saturating_add(1);
        // The paper's "more efficient order": both bias corrections in the rate.
        let correction = |beta: f32| 1.0 - f64::from(beta).powf(f64::from(self.steps));
        let root = correction(self.beta2).sqrt();
        let rate = (f64::from(rate) * root / correction(self.beta1)) as f32;
        let epsilon = self.epsilon * root as f32;
        let (beta1, beta2) = (self.beta1, self.beta2);
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((values, gradients), (first, second)) in slices.into_iter().zip(moments) {
            step(Update { values, gradients, first, second, rate, beta1, beta2, epsilon });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_steps_are_those_of_the_paper() {
        let mut adam = Adam::new([2]);
        let mut values = [1.0, 1.0];
        // The corrected moments of a constant gradient g are g and g^2: each step is the rate, against g's sign.
        for step in 1..=3 {
            adam.step(0.1, [(&mut values[..], &[0.3, -20.0][..])]);
            assert!((values[0] - (1.0 - 0.1 * step as f32)).abs() < 1e-5);
            assert!((values[1] - (1.0 + 0.1 * step as f32)).abs() < 1e-5);
        }
        // By hand: m = 0.9 m + 0.1 g and so on, corrected by 1 - beta^t.
        let (mut m, mut v, mut x) = (0.0f64, 0.0f64, 0.5f64);
        let mut adam = Adam::new([1]);
        let mut value = [0.5];
        for (t, g) in [(1, 1.0), (2, -0.5), (3, 0.25)] {
            m = 0.9 * m + 0.1 * g;
            v = 0.999 * v + 0.001 * g * g;
            x -= 0.01 * (m / (1.0 - 0.9f64.powi(t))) / ((v / (1.0 - 0.999f64.powi(t))).sqrt() + 1e-8);
            adam.step(0.01, [(&mut value[..], &[g as f32][..])]);
        }
        assert!((f64::from(value[0]) - x).abs() < 1e-6);
    }

    #[test]
    fn a_stored_state_goes_on_alike() {
        let mut adam = Adam::new([3]);
        let mut values = [1.0, 2.0, 3.0];
        adam.step(0.1, [(&mut values[..], &[0.1, 0.2, -0.3][..])]);
        let mut stored: Adam = serde_json::from_str(&serde_json::to_string(&adam).unwrap()).unwrap();
        let mut copy = values;
        adam.step(0.1, [(&mut values[..], &[0.1, 0.2, -0.3][..])]);
        stored.step(0.1, [(&mut copy[..], &[0.1, 0.2, -0.3][..])]);
        assert_eq!(values, copy);
        assert_eq!(adam, stored);
    }
}
