//! Plain retraining: every weight by itself, but for those that are held at zero.

use super::fit::{Learner, Progress};
use super::optimizer::Adam;
use super::trainer::Gradients;
use crate::model::Model;
use ndarray::ArrayD;

/// A network that learns by Adam.
#[derive(Debug, Clone, PartialEq)]
pub struct Retrain {
    model: Model,
    adam: Adam,
    /// For each parameter: 1 where it may change, 0 where it stays 0.
    masks: Vec<Option<ArrayD<f32>>>,
    weight_decay: f32,
}

impl Retrain {
    /// All weights of `model` may change.
    pub fn new(mut model: Model) -> Self {
        for parameter in &mut model.parameters {
            // Slices are what the optimizer steps on.
            if !parameter.values.is_standard_layout() {
                parameter.values = parameter.values.as_standard_layout().into_owned();
            }
        }
        let adam = Adam::new(model.parameters.iter().map(|parameter| parameter.values.len()));
        let masks = vec![None; model.parameters.len()];
        Retrain { model, adam, masks, weight_decay: 0.0 }
    }

    /// Weights (not biases) that are zero stay zero.
    pub fn with_zeros_held(mut self) -> Self {
        for (mask, parameter) in self.masks.iter_mut().zip(&self.model.parameters) {
            if parameter.values.ndim() > 1 {
                *mask = Some(parameter.values.mapv(|value| if value == 0.0 { 0.0 } else { 1.0 }));
            }
        }
        self
    }

    /// Decoupled weight decay (Loshchilov and Hutter 2019): each step multiplies weights by `1 - rate * decay`.
    pub fn with_weight_decay(mut self, decay: f32) -> Self {
        self.weight_decay = decay;
        self
    }

    /// The network, as far as it has learnt.
    pub fn into_model(self) -> Model {
        self.model
    }
}

impl Learner for Retrain {
    fn model(&self) -> &Model {
        &self.model
    }

    fn learn(&mut self, gradients: &Gradients, step: &Progress) {
        if self.weight_decay != 0.0 {
            let keep = 1.0 - step.rate * self.weight_decay;
            let weights = self.model.parameters.iter_mut().filter(|parameter| parameter.values.ndim() > 1);
            weights.for_each(|parameter| parameter.values *= keep);
        }
        let slices = self.model.parameters.iter_mut().zip(&gradients.parameters);
        let slices = slices.map(|(parameter, gradient)| {
            (parameter.values.as_slice_mut().unwrap_or_default(), gradient.as_slice().unwrap_or_default())
        });
        self.adam.step(step.rate, slices);
        for (parameter, mask) in self.model.parameters.iter_mut().zip(&self.masks) {
            if let Some(mask) = mask {
                parameter.values *= mask;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets::{Chain, initialize};
    use rand::SeedableRng;
    use rand_pcg::Pcg64Mcg;

    #[test]
    fn zeros_are_held_and_weights_decay() {
        let mut model = Chain::new(vec![3]).linear("a", [2, 3]).build();
        initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(1));
        model.parameters[0].values[[1, 2]] = 0.0;
        let ones = model.parameters.iter().map(|parameter| parameter.values.mapv(|_| 1.0)).collect();
        let gradients = Gradients { parameters: ones, loss: 1.0, correct: 0 };
        let step = Progress { step: 0, steps: 1, loss: 1.0, accuracy: 0.0, rate: 0.1 };
        let before = model.parameters[0].values.clone();
        let mut learner = Retrain::new(model).with_zeros_held().with_weight_decay(2.0);
        learner.learn(&gradients, &step);
        let after = learner.into_model();
        let expected = before.mapv(|value| if value == 0.0 { 0.0 } else { 0.8 * value - 0.1 });
        assert!((&after.parameters[0].values - &expected).iter().all(|difference| difference.abs() < 1e-6));
        assert!((after.parameters[1].values[[0]] + 0.1).abs() < 1e-6);
    }
}
