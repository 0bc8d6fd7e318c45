//! Round: each layer to a grid of its own, without training.
//!
//! The steps follow from one price of a bit over all layers ([`noise`](super::noise)). A row's errors are made up for by the weights that are still to be
//! rounded, as far as the inputs are correlated ([`feedback`](super::feedback)); what is left of their mean goes into the bias (Nagel et al. 2019,
//! "Data-free quantization", section 4.2).

use super::expected::input_means;
use super::noise::{Layer, noise_at, price_of_bits, price_of_noise};
use super::plan::{LARGEST_VECTOR, Plan, layer};
use super::quantize::fitting_fraction_bits;
use super::settings::{Effort, Setting, Target};
use super::{Costs, Limit, Meta, Question, Tools};
use crate::data::Samples;
use crate::error::{Error, RecipeError};
use crate::model::{FixedPoint, Model};
use crate::network::{input_moments, logits, relative_distance};
use crate::search::{Interval, Step, half_interval};
use serde::{Deserialize, Serialize};

/// Rounding with feedback.
pub const META: Meta = Meta {
    name: "round",
    sentence: "rounds weights, and lets the others of a row make up for it",
    settings: &[
        Setting::count("probes", "halvings of the search for the price of a bit; 0 leaves this stage out", 0),
        Setting::count("samples", "the most training samples whose activations are looked at", 1),
        Setting::count(
            "trellis",
            "1: large layers are rounded along a trellis, for a smaller file; 0: no trellis, for smaller exports with integers",
            0,
        )
        .at_most(1.0),
    ],
};

/// The numbers of this stage; [`META`] says what they mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "RoundSettings"))]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Settings {
    pub probes: usize,
    pub samples: usize,
    #[serde(default = "one")]
    pub trellis: usize,
    /// Names of layers whose numbers keep 16 bits.
    #[serde(default)]
    pub locked: Vec<String>,
}

impl Default for Settings {
    /// Of recipes that were written before this stage was there.
    fn default() -> Self {
        Settings::of(Effort::Balanced)
    }
}

/// The default for recipes that were written before trellises.
fn one() -> usize {
    1
}

/// What is searched.
const VARIABLE: &str = "noise over energy of the layers";
/// Noise over energy of a layer, in the mean: from 70 to 2 dB.
const NOISES: (f64, f64) = (1e-7, 0.6);
/// What is left if nothing is accepted: 60 dB.
const LEAST_NOISE: f64 = 1e-6;
/// Samples on which the layers are tried one by one, and mirrored ones compared: as many as run together.
const LOOKED_AT: usize = 8;
/// The work of rounding all layers once and judging that, in samples that are run.
pub const OF_A_PROBE: usize = 200;
/// The same of the covariances of what a sample makes layers multiply.
const OF_MOMENTS: usize = 20;
/// The same of trying all layers.
const OF_TRIES: usize = 1_500;
/// The distance of the outputs up to which mirrored pictures are of the same kind. MobileNetV2's on photographs is 0.23, LeNet-5's on digits 1.08.
const ALIKE: f64 = 0.5;
/// Noise over energy of every layer, with which hardly a network answers as before: 5 dB.
const TOO_NOISY: f64 = 0.3;
/// Trials of a budget: each knows better what the coder makes of the symbols.
const TRIALS: usize = 4;
/// A network that takes at least this part of the budget is near enough.
const NEAR: f64 = 0.998;
/// Networks of fewer weights are written so quickly that a budget is searched for.
const FEW: usize = 500_000;

impl Settings {
    /// Those of an effort.
    pub fn of(effort: Effort) -> Self {
        let probes = if effort == Effort::Calibrate { 12 } else { 0 };
        Settings { probes, samples: 128, trellis: 1, locked: Vec::new() }
    }

    /// Estimated seconds.
    pub fn work(&self, costs: &Costs) -> f64 {
        costs.forward * (self.probes * OF_A_PROBE + OF_MOMENTS * self.samples + OF_TRIES) as f64
    }
}

/// Rounds a network.
///
/// # Errors
/// [`RecipeError`] if a locked layer is not there, or a budget does not suffice for those that are locked; those of [`Tools`].
pub fn run(tools: &mut dyn Tools, model: &Model, settings: &Settings) -> Result<FixedPoint, Error> {
    // Drawn, since files may be in the order of their classes.
    let training = tools.training();
    let samples = with_mirrored(model, training.at_most(settings.samples.min(training.len()), 1)?)?;
    let mut moments = input_moments(model, &samples)?;
    let mut expected = input_means(model, tools.expected())?;
    for moments in &mut moments {
        if let Some(mean) = expected.remove(&moments.weight).filter(|mean| mean.len() == moments.mean.len()) {
            moments.mean = mean;
        }
    }
    tools.worked(OF_MOMENTS * samples.len())?;
    let mut plan = Plan::new(model, moments, samples.len(), tools.original().parameter_shapes());
    plan.lock(&settings.locked)?;
    let (looked_at, layers) = (tools.validation().range(0, LOOKED_AT), model.graph.layers().count());
    plan.weigh(&looked_at, &mut |layer, sensitivity| {
        tools.tried(layer, sensitivity)?;
        tools.worked(OF_TRIES / layers.max(1))
    })?;
    if settings.trellis == 1 {
        plan.choose_trellises();
    }
    let price = match tools.target() {
        Target::Budget(budget) => within(&plan, tools, budget, settings)?,
        _ => {
            let question = Question {
                variable: VARIABLE,
                interval: Interval::Geometric { lo: NOISES.0, hi: NOISES.1 },
                probes: settings.probes,
                samples: usize::MAX,
                limit: Limit::Tolerance,
            };
            let candidate = |noise: f64| Ok(plan.round(plan.price_of(noise)).to_model());
            let noise = tools.search(&question, model, &candidate, &|_| false)?;
            plan.price_of(noise.unwrap_or(LEAST_NOISE))
        }
    };
    let rounded = plan.round(price);
    if let (Target::Budget(budget), false) = (tools.target(), settings.locked.is_empty()) {
        // Else the coder's stage would make it fit, by removing weights of any layer.
        let objective = tools.objective();
        let cost = objective.cost(&rounded)?;
        if cost > budget {
            let expected = format!("at most {budget}");
            let got = format!("{cost} with the locked layers in 16 bits");
            return Err(RecipeError::Unreachable { what: objective.unit(), expected, got }.into());
        }
    }
    Ok(rounded)
}

/// About how many bytes the weights take at least, if the network shall still answer as before.
pub fn least_bytes(model: &Model) -> usize {
    let mut layers: Vec<Layer> = model.parameters.iter().filter_map(layer).collect();
    price_of_noise(&mut layers, TOO_NOISY, &mut |_| ());
    (layers.iter().map(Layer::bits).sum::<f64>() / 8.0) as usize
}

/// The samples, and beside them mirrored pictures if the network answers those nearly alike: then they are pictures of the same kind, and tell more
/// of what the layers see.
fn with_mirrored(model: &Model, samples: Samples) -> Result<Samples, Error> {
    let Some(mirrored) = samples.mirrored() else { return Ok(samples) };
    let answers = |samples: &Samples| logits(model, &samples.range(0, LOOKED_AT));
    match relative_distance(&answers(&samples)?, &answers(&mirrored)?) > ALIKE {
        true => Ok(samples),
        false => Ok(samples.and(&mirrored)?),
    }
}

/// The lowest price at which the network fits into a budget.
fn within(plan: &Plan, tools: &mut dyn Tools, budget: usize, settings: &Settings) -> Result<f64, Error> {
    let objective = tools.objective();
    if plan.model().parameter_count() < FEW {
        // The search finds the largest accepted value, and the least noise is wanted: it looks at the reciprocal.
        let (lo, hi) = NOISES;
        let fits = |step: Step| Ok::<_, Error>(objective.cost(&plan.round(plan.price_of(1.0 / step.mid)))? <= budget);
        let found = half_interval(Interval::Geometric { lo: 1.0 / hi, hi: 1.0 / lo }, 2 * settings.probes, fits)?;
        return Ok(plan.price_of(found.map_or(hi, |found| 1.0 / found)));
    }
    let mut layers = plan.chosen(false);
    let step = |layer: &Layer| (-f32::from(fitting_fraction_bits(layer.largest(), LARGEST_VECTOR))).exp2();
    let fixed: f64 = plan.chosen(true).iter().map(|layer| layer.plain_bits(step(layer))).sum();
    // In units of the objective, which a bit of a symbol is about an eighth of.
    let mut allowed = 8.0 * budget as f64 - fixed;
    let (mut best, mut price): (Option<(usize, f64)>, f64) = (None, 1.0);
    for _ in 0..TRIALS {
        price = price_of_bits(&mut layers, allowed, &mut |_| ());
        let rounded = plan.round(price);
        let cost = objective.cost(&rounded)?;
        tools.looked(VARIABLE, noise_at(&layers, price), &rounded.to_model(), cost)?;
        if cost <= budget && best.is_none_or(|(most, _)| cost > most) {
            best = Some((cost, price));
        }
        if cost <= budget && cost as f64 > NEAR * budget as f64 {
            break;
        }
        // A little less, so that the next one is not just above.
        allowed = (allowed + fixed) * (0.999 * budget as f64 / cost.max(1) as f64) - fixed;
    }
    Ok(best.map_or(price, |(_, price)| price))
}
