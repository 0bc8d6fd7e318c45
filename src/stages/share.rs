//! Weight sharing: each layer's nonzero weights take their values from a small codebook.

use super::kmeans::Clusterings;
use super::settings::{Effort, LOSS_RISE, PROBE_SAMPLES, PROBES, Setting, TRAINING, Training};
use super::{Costs, Limit, Meta, Question, Tools};
use crate::error::Error;
use crate::model::{Model, Parameter};
use crate::network::{Adam, Gradients, Learner, Progress};
use crate::search::Interval;
use serde::{Deserialize, Serialize};

/// Weight sharing: a codebook a layer.
pub const META: Meta = Meta {
    name: "share",
    sentence: "lets weights share values",
    settings: &[
        Setting::count("centroids", "the most centroids of a layer, zero aside", 1).at_most(255.0),
        PROBES,
        PROBE_SAMPLES,
        LOSS_RISE,
        TRAINING[0],
        TRAINING[1],
        TRAINING[2],
        TRAINING[3],
    ],
};

/// The numbers of this stage; [`META`] says what they mean. The training moves centroids by their clusters' gradients.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "ShareSettings"))]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Settings {
    pub centroids: usize,
    pub probes: usize,
    pub probe_samples: usize,
    pub loss_rise: f64,
    pub training: Training,
}

/// Bits of one centroid, as the container stores it.
const CENTROID_BITS: f64 = 8.0;
/// The range of the price of a bit, in relative distortion.
const PRICES: Interval = Interval::Geometric { lo: 1e-6, hi: 1.0 };

impl Settings {
    /// Those of an effort.
    pub fn of(effort: Effort) -> Self {
        let training = match effort {
            Effort::Calibrate | Effort::Quick => Training::new(2_000, 32, 5e-4, 0.0),
            Effort::Balanced | Effort::Thorough => Training::new(10_000, 64, 5e-4, 1.0),
        };
        let probes = if effort == Effort::Calibrate { 0 } else { 6 };
        Settings { centroids: 15, probes, probe_samples: 1_000, loss_rise: 0.02, training }
    }

    /// Estimated seconds.
    pub fn work(&self, costs: &Costs) -> f64 {
        costs.round(self.probes, self.probe_samples, &self.training)
    }
}

/// Gives each layer a codebook, and fine-tunes it.
///
/// # Errors
/// Those of [`Tools`].
pub fn run(tools: &mut dyn Tools, model: &Model, settings: &Settings) -> Result<Model, Error> {
    let clusterings = cluster(model, settings.centroids);
    let question = Question {
        variable: "price of a bit",
        interval: PRICES,
        probes: settings.probes,
        samples: settings.probe_samples,
        limit: Limit::Rise(settings.loss_rise),
    };
    let candidate = |price| Ok(share(model, &clusterings, price).model);
    // A search that accepts nothing changes nothing: such a network needs more values than a codebook has.
    let Some(price) = tools.search(&question, model, &candidate, &|_| false)? else { return Ok(model.clone()) };
    let mut tuner = CentroidTuner::new(share(model, &clusterings, price));
    tools.train(&mut tuner, &settings.training)?;
    Ok(tuner.finish().model)
}

/// A model whose layers' nonzero weights are centroids.
#[derive(Debug, Clone, PartialEq)]
pub struct Shared {
    /// The network; every nonzero weight of a layer is one of its centroids.
    pub model: Model,
    /// Rising centroids, none of them 0, indexed like the model's parameters; `None` for vectors, which are not shared.
    pub codebooks: Vec<Option<Vec<f32>>>,
}

impl Shared {
    /// A model whose weights are shared already: its codebooks are the values that occur.
    pub fn of_model(model: &Model) -> Self {
        let codebook = |parameter: &Parameter| {
            let mut centroids: Vec<f32> = parameter.values.iter().copied().filter(|&value| value != 0.0).collect();
            centroids.sort_unstable_by(f32::total_cmp);
            centroids.dedup();
            (parameter.values.ndim() >= 2).then_some(centroids)
        };
        Shared { model: model.clone(), codebooks: model.parameters.iter().map(codebook).collect() }
    }
}

/// The clusterings of each layer's nonzero weights, for every k up to `most`; `None` for vectors.
pub fn cluster(model: &Model, most: usize) -> Vec<Option<Clusterings>> {
    model
        .parameters
        .iter()
        .map(|parameter| {
            let nonzero: Vec<f32> = parameter.values.iter().copied().filter(|&value| value != 0.0).collect();
            (parameter.values.ndim() >= 2).then(|| Clusterings::new(&nonzero, &[], most))
        })
        .collect()
}

/// Gives each layer the codebook that is cheapest in distortion plus `price` times bits, and each nonzero weight its
/// nearest centroid.
///
/// Distortion is relative to the layer's mean square, so that one price serves all layers; bits are the entropy of the
/// indices and the centroids themselves.
pub fn share(model: &Model, clusterings: &[Option<Clusterings>], price: f64) -> Shared {
    let mut model = model.clone();
    let codebooks = model
        .parameters
        .iter_mut()
        .zip(clusterings)
        .map(|(parameter, clusterings)| {
            let clusterings = clusterings.as_ref()?;
            let energy: f64 = parameter.values.iter().map(|&value| f64::from(value).powi(2)).sum();
            let cheapest = (1..=clusterings.most())
                .map(|k| (k, description_length(clusterings, k, energy, price)))
                .min_by(|a, b| a.1.total_cmp(&b.1));
            let centroids: Vec<f32> = match cheapest {
                Some((k, _)) => clusterings.centroids(k).into_iter().map(|(centroid, _)| centroid).collect(),
                None => Vec::new(),
            };
            for value in parameter.values.iter_mut().filter(|value| **value != 0.0) {
                *value = centroids[nearest(&centroids, *value)];
            }
            Some(centroids.into_iter().filter(|&centroid| centroid != 0.0).collect())
        })
        .collect();
    Shared { model, codebooks }
}

/// Relative distortion plus the price of the bits, for a layer clustered into `k`.
fn description_length(clusterings: &Clusterings, k: usize, energy: f64, price: f64) -> f64 {
    let centroids = clusterings.centroids(k);
    let total: f64 = centroids.iter().map(|centroid| centroid.1).sum();
    let entropy: f64 = centroids.iter().map(|&(_, weight)| weight * (total / weight).log2()).sum();
    total * clusterings.cost(k) / energy + price * (entropy + CENTROID_BITS * k as f64)
}

/// Index of the centroid nearest to a value; `centroids` are rising and not empty.
fn nearest(centroids: &[f32], value: f32) -> usize {
    let above = centroids.partition_point(|&centroid| centroid < value).min(centroids.len() - 1);
    let below = above.saturating_sub(1);
    if (value - centroids[below]).abs() <= (centroids[above] - value).abs() { below } else { above }
}

/// Fine-tunes centroids: a centroid's gradient is the sum of its weights' gradients (Han et al. 2016, section 3.3).
#[derive(Debug, Clone)]
pub struct CentroidTuner {
    shared: Shared,
    /// For each shared parameter, each weight's centroid; `u16::MAX` where it is zero.
    indices: Vec<Vec<u16>>,
    adam: Adam,
}

/// The index of a weight that is zero.
const PRUNED: u16 = u16::MAX;

impl CentroidTuner {
    /// Starts from a shared model.
    pub fn new(shared: Shared) -> Self {
        let indices = shared
            .model
            .parameters
            .iter()
            .zip(&shared.codebooks)
            .map(|(parameter, centroids)| {
                let index = |&value: &f32| match centroids {
                    Some(centroids) if value != 0.0 => nearest(centroids, value) as u16,
                    _ => PRUNED,
                };
                parameter.values.iter().map(index).collect()
            })
            .collect();
        let adam = Adam::new(shared.codebooks.iter().map(|centroids| centroids.as_ref().map_or(0, Vec::len)));
        CentroidTuner { shared, indices, adam }
    }

    /// The model with its fine-tuned centroids.
    pub fn finish(mut self) -> Shared {
        // Training may carry a centroid past its neighbour.
        for centroids in self.shared.codebooks.iter_mut().flatten() {
            centroids.sort_unstable_by(f32::total_cmp);
            centroids.dedup();
        }
        self.shared
    }
}

impl Learner for CentroidTuner {
    fn model(&self) -> &Model {
        &self.shared.model
    }

    fn learn(&mut self, gradients: &Gradients, step: &Progress) {
        let before = self.shared.codebooks.clone();
        let sums: Vec<Vec<f32>> = self
            .indices
            .iter()
            .zip(&gradients.parameters)
            .zip(&before)
            .map(|((members, gradients), centroids)| {
                let mut sums = vec![0.0; centroids.as_ref().map_or(0, Vec::len)];
                for (&member, &gradient) in members.iter().zip(gradients).filter(|(member, _)| **member != PRUNED) {
                    sums[usize::from(member)] += gradient;
                }
                sums
            })
            .collect();
        let centroids = self.shared.codebooks.iter_mut().map(|centroids| centroids.as_deref_mut().unwrap_or_default());
        self.adam.step(step.rate, centroids.zip(sums.iter().map(Vec::as_slice)));
        for (index, (centroids, before)) in self.shared.codebooks.iter_mut().zip(before).enumerate() {
            let (Some(centroids), Some(before)) = (centroids, before) else { continue };
            // A centroid never crosses zero: its weights would come to be pruned, or change sign together.
            for (moved, before) in centroids.iter_mut().zip(before).filter(|(moved, before)| **moved * before <= 0.0) {
                *moved = before;
            }
            let values = &mut self.shared.model.parameters[index].values;
            for (value, &member) in values.iter_mut().zip(&self.indices[index]).filter(|(_, member)| **member != PRUNED)
            {
                *value = centroids[usize::from(member)];
            }
        }
    }
}
