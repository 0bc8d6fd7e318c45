//! The gradients of a batch.

use super::loss::{Loss, binary_cross_entropy};
use super::plan::{Plan, logits_of};
use super::workspace::Workspace;
use crate::error::{DataError, Error};
use crate::kernels::LANES;
use crate::model::Model;
use crate::parallel;
use ndarray::{Array2, ArrayD, IxDyn};

/// Samples to learn from.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// `[features, n]`, as the network sees them.
    pub inputs: Array2<f32>,
    /// `[n, outputs]`: a probability distribution for each sample, or the numbers to answer with.
    pub targets: Array2<f32>,
    /// How answers are compared with them.
    pub loss: Loss,
}

impl Batch {
    /// A batch of `n` samples, all zeros, to be filled.
    pub fn new(features: usize, classes: usize, n: usize) -> Self {
        let (inputs, targets) = (Array2::zeros((features, n)), Array2::zeros((n, classes)));
        Batch { inputs, targets, loss: Loss::CrossEntropy }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.targets.nrows()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What a batch says about a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradients {
    /// Of the mean loss to each parameter; of the same shapes as `Model::parameters`.
    pub parameters: Vec<ArrayD<f32>>,
    /// Mean loss; see [`Loss`].
    pub loss: f64,
    /// Samples whose largest logit is at their largest target.
    pub correct: usize,
}

/// A batch is split into so many shards, whatever the number of threads.
const SHARDS: usize = 4;

/// Computes gradients for models of one shape; keeps all the memory that this takes.
#[derive(Debug)]
pub struct Trainer {
    plan: Plan,
    shards: Vec<Shard>,
    /// The most samples of a batch.
    capacity: usize,
    features: usize,
    classes: usize,
    gradients: Gradients,
}

#[derive(Debug)]
struct Shard {
    workspace: Workspace,
    /// Its samples of the batch: the first, how many, and how many with the padding.
    first: usize,
    count: usize,
    width: usize,
    loss: f64,
    correct: usize,
}

impl Trainer {
    /// Prepares for batches of up to `batch` samples and models of this one's shapes.
    ///
    /// # Errors
    /// If the model's shapes do not fit, or memory does not suffice.
    pub fn new(model: &Model, batch: usize) -> Result<Self, Error> {
        let plan = Plan::new(model, &[logits_of(&model.graph, &model.shapes()?)])?;
        let capacity = shard_width(batch) * SHARDS;
        let shards = (0..SHARDS).map(|_| {
            let workspace = Workspace::new(&plan, capacity / SHARDS)?;
            Ok(Shard { workspace, first: 0, count: 0, width: 0, loss: 0.0, correct: 0 })
        });
        let parameters = plan.parameter_shapes().iter().map(|shape| ArrayD::zeros(IxDyn(shape))).collect();
        Ok(Trainer {
            shards: shards.collect::<Result<_, Error>>()?,
            capacity,
            features: model.graph.input_shape.iter().product(),
            classes: plan.outputs[0].1,
            gradients: Gradients { parameters, loss: 0.0, correct: 0 },
            plan,
        })
    }

    /// The mean gradients of the cross-entropy over a batch.
    ///
    /// # Errors
    /// [`DataError`] if the batch is empty, too large or of other shapes, or the model is not of the shapes prepared for.
    pub fn gradients(&mut self, model: &Model, batch: &Batch) -> Result<&Gradients, Error> {
        self.check(model, batch)?;
        self.plan.prepare(model);
        let width = shard_width(batch.len());
        for (index, shard) in self.shards.iter_mut().enumerate() {
            shard.first = (index * width).min(batch.len());
            shard.count = width.min(batch.len() - shard.first);
            shard.width = shard.count.next_multiple_of(LANES);
        }
        let plan = &self.plan;
        parallel::for_each(&mut self.shards, |shard| shard.run(plan, batch));

        let shards: Vec<&Shard> = self.shards.iter().filter(|shard| shard.count > 0).collect();
        self.gradients.loss = shards.iter().map(|shard| shard.loss).sum::<f64>() / batch.len() as f64;
        self.gradients.correct = shards.iter().map(|shard| shard.correct).sum();
        for (id, total) in self.gradients.parameters.iter_mut().enumerate() {
            let total = total.as_slice_mut().unwrap_or_default();
            total.copy_from_slice(&shards[0].workspace.parameters.values[id]);
            for shard in &shards[1..] {
                crate::kernels::elementwise::add_to(&shard.workspace.parameters.values[id], total);
            }
        }
        Ok(&self.gradients)
    }

    fn check(&self, model: &Model, batch: &Batch) -> Result<(), DataError> {
        let fault = |what, expected: String, got: String| Err(DataError { what, expected, got });
        if !self.plan.fits(model) {
            return fault("model", "of the shapes prepared for".into(), "others".into());
        }
        if batch.is_empty() || batch.len() > self.capacity {
            return fault("samples of a batch", format!("1 to {}", self.capacity), batch.len().to_string());
        }
        let (inputs, targets) = ((self.features, batch.len()), (batch.len(), self.classes));
        if batch.inputs.dim() != inputs {
            return fault("shape of a batch", format!("{inputs:?}"), format!("{:?}", batch.inputs.dim()));
        }
        if batch.targets.dim() != targets {
            return fault("shape of the targets", format!("{targets:?}"), format!("{:?}", batch.targets.dim()));
        }
        Ok(())
    }
}

/// Samples of each shard but the last ones: a multiple of the lanes.
fn shard_width(batch: usize) -> usize {
    batch.div_ceil(SHARDS).next_multiple_of(LANES).max(LANES)
}

impl Shard {
    fn run(&mut self, plan: &Plan, batch: &Batch) {
        (self.loss, self.correct) = (0.0, 0);
        if self.count == 0 {
            return;
        }
        let block = &mut self.workspace.values[0];
        for (row, to) in batch.inputs.rows().into_iter().zip(block.chunks_exact_mut(self.width)) {
            let (samples, padding) = to.split_at_mut(self.count);
            match row.as_slice() {
                Some(row) => samples.copy_from_slice(&row[self.first..self.first + self.count]),
                None => samples.iter_mut().zip(row.iter().skip(self.first)).for_each(|(to, from)| *to = *from),
            }
            padding.fill(0.0);
        }
        self.workspace.forward(plan, self.width);
        self.loss_gradient(plan, batch);
        self.workspace.backward(plan, self.width);
    }

    /// Loss, and its gradient to the logits: `(softmax - target) / samples` where a target's probabilities sum to 1; of one logit
    /// `(sigmoid - target) / samples`; of numbers `2 (output - target) / (spread samples)`.
    fn loss_gradient(&mut self, plan: &Plan, batch: &Batch) {
        let (buffer, classes) = plan.outputs[0];
        let logits = &self.workspace.values[buffer];
        let gradient = &mut self.workspace.gradients[buffer][..classes * self.width];
        gradient.fill(0.0);
        let scale = 1.0 / batch.len() as f32;
        for sample in 0..self.count {
            let target = batch.targets.row(self.first + sample);
            let at = |class: usize| class * self.width + sample;
            if let Loss::Squared { spread } = batch.loss {
                for output in 0..classes {
                    let error = logits[at(output)] - target[output];
                    self.loss += f64::from(error) * f64::from(error) / f64::from(spread);
                    gradient[at(output)] = 2.0 * error / spread * scale;
                }
                continue;
            }
            if classes == 1 {
                let (logit, probability) = (logits[sample], target[0]);
                self.loss += binary_cross_entropy(logit.into(), probability.into());
                self.correct += usize::from((logit > 0.0) == (probability > 0.5));
                gradient[sample] = (1.0 / (1.0 + (-logit).exp()) - probability) * scale;
                continue;
            }
            let (mut largest, mut largest_target, mut mass) = (0, 0, 0.0);
            for class in 0..classes {
                if logits[at(class)] > logits[at(largest)] {
                    largest = class;
                }
                if target[class] > target[largest_target] {
                    largest_target = class;
                }
                mass += target[class];
            }
            self.correct += usize::from(largest == largest_target);
            let highest = logits[at(largest)];
            let mut sum = 0.0;
            for class in 0..classes {
                let exponential = (logits[at(class)] - highest).exp();
                gradient[at(class)] = exponential;
                sum += exponential;
            }
            let log_sum = f64::from(sum).ln();
            for class in 0..classes {
                self.loss += f64::from(target[class]) * (log_sum - f64::from(logits[at(class)] - highest));
                gradient[at(class)] = (gradient[at(class)] / sum * mass - target[class]) * scale;
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::presets::{Chain, lenet5};
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    /// The model with every parameter drawn from [-0.5, 0.5).
    pub fn random(mut model: Model) -> Model {
        let mut rng = Pcg64Mcg::seed_from_u64(11);
        for parameter in &mut model.parameters {
            parameter.values.mapv_inplace(|_| rng.random::<f32>() - 0.5);
        }
        model
    }

    pub fn random_batch(features: usize, classes: usize, n: usize) -> Batch {
        let mut rng = Pcg64Mcg::seed_from_u64(12);
        let mut batch = Batch::new(features, classes, n);
        batch.inputs.mapv_inplace(|_| 2.0 * rng.random::<f32>() - 1.0);
        batch.targets.mapv_inplace(|_| rng.random());
        for mut row in batch.targets.rows_mut() {
            let sum = row.sum();
            row /= sum;
        }
        batch
    }

    /// Draws the parameters at random, then compares all gradients with central differences of the loss.
    pub fn assert_gradients(model: Model) {
        assert_gradients_as_is(random(model));
    }

    /// Compares all gradients with central differences of the loss.
    pub fn assert_gradients_as_is(model: Model) {
        assert_gradients_of(model, Loss::CrossEntropy);
    }

    fn assert_gradients_of(mut model: Model, loss: Loss) {
        let features = model.graph.input_shape.iter().product();
        let classes = model.shapes().unwrap()[logits_of(&model.graph, &model.shapes().unwrap()).0].iter().product();
        let n = 19;
        let mut batch = Batch { loss, ..random_batch(features, classes, n) };
        if classes == 1 {
            // A distribution over one class is always 1; here it is a probability.
            batch.targets.iter_mut().enumerate().for_each(|(index, target)| *target = (index % 5) as f32 / 4.0);
        }
        let mut trainer = Trainer::new(&model, n).unwrap();
        let gradients = trainer.gradients(&model, &batch).unwrap().clone();
        for id in 0..model.parameters.len() {
            let length = model.parameters[id].values.len();
            for index in (0..length).step_by(length.div_ceil(40)) {
                let mut loss_at = |change: f32| {
                    let value = model.parameters[id].values.iter_mut().nth(index).unwrap();
                    let original = *value;
                    *value += change;
                    let loss = trainer.gradients(&model, &batch).unwrap().loss;
                    *model.parameters[id].values.iter_mut().nth(index).unwrap() = original;
                    loss
                };
                const STEP: f32 = 2e-3;
                let (lower, middle, upper) = (loss_at(-STEP), loss_at(0.0), loss_at(STEP));
                let (left, right) = ((middle - lower) / f64::from(STEP), (upper - middle) / f64::from(STEP));
                let expected = (left + right) / 2.0;
                // At a kink (of a ReLU, of a maximum) the slopes on both sides differ, and any between is right.
                let tolerance = 3e-4 + 0.01 * expected.abs() + (right - left).abs();
                let got = f64::from(*gradients.parameters[id].iter().nth(index).unwrap());
                assert!((got - expected).abs() < tolerance, "parameter {id} [{index}]: {got} instead of {expected}");
            }
        }
    }

    #[test]
    fn any_number_of_threads_gives_the_same_bits() {
        let model = random(lenet5([3, 5, 9, 4]));
        let batch = random_batch(784, 4, 50);
        let gradients = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Trainer::new(&model, 50).unwrap().gradients(&model, &batch).unwrap().clone())
        };
        let one = gradients(1);
        assert_eq!(one, gradients(2));
        assert_eq!(one, gradients(8));
    }

    #[test]
    fn every_loss_has_the_gradient_of_its_value() {
        let chain = |outputs| Chain::new(vec![5]).linear("a", [6, 5]).relu().linear("b", [outputs, 6]).build();
        assert_gradients_of(random(chain(1)), Loss::CrossEntropy);
        for outputs in [1, 3] {
            assert_gradients_of(random(chain(outputs)), Loss::Squared { spread: 0.7 });
        }
    }

    #[test]
    fn padding_and_memory_of_earlier_batches_change_nothing() {
        let model = random(Chain::new(vec![5]).linear("a", [6, 5]).relu().linear("b", [3, 6]).build());
        let batch = random_batch(5, 3, 41);
        let mut trainer = Trainer::new(&model, 64).unwrap();
        trainer.gradients(&model, &random_batch(5, 3, 64)).unwrap();
        let again = trainer.gradients(&model, &batch).unwrap().clone();
        assert_eq!(&again, Trainer::new(&model, 41).unwrap().gradients(&model, &batch).unwrap());
    }

    #[test]
    fn layers_may_share_a_parameter_and_branches_may_be_dead() {
        let mut model = Chain::new(vec![4]).linear("a", [4, 4]).relu().linear("b", [4, 4]).linear("c", [3, 4]).build();
        let weight = model.graph.layers().next().unwrap().1;
        if let crate::model::Op::Linear(linear) = &mut model.graph.nodes[2].op {
            linear.weight = weight;
        }
        assert_gradients(model.clone());
        // The last layer now reads the first one: the second's parameters get no gradient.
        model.graph.nodes[3].inputs[0] = crate::model::ValueId(1);
        assert_gradients(model);
    }

    #[test]
    fn a_weight_that_is_read_transposed_too_gets_the_gradients_of_both() {
        use crate::model::{Node, Op, ValueId};
        let mut model = Chain::new(vec![5]).linear("a", [3, 5]).relu().build();
        let weight = model.graph.layers().next().unwrap().1;
        let decoder = [
            (Op::Reshape(vec![1, 3]), vec![2]),
            (Op::Parameter(weight), vec![]),
            (Op::MatMul, vec![3, 4]),
            (Op::Flatten, vec![5]),
        ];
        for (op, inputs) in decoder {
            let inputs = inputs.into_iter().map(ValueId).collect();
            model.graph.nodes.push(Node { name: "decoder".into(), op, inputs });
        }
        assert_gradients(model);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let model = random(Chain::new(vec![5]).linear("a", [6, 5]).build());
        let mut trainer = Trainer::new(&model, 8).unwrap();
        for batch in [Batch::new(5, 6, 0), Batch::new(5, 6, 33), Batch::new(4, 6, 8), Batch::new(5, 7, 8)] {
            assert!(matches!(trainer.gradients(&model, &batch), Err(Error::Data(_))));
        }
        let other = random(Chain::new(vec![5]).linear("a", [7, 5]).build());
        assert!(trainer.gradients(&other, &Batch::new(5, 6, 8)).is_err());
    }
}
