//! Code: the order of hidden units is free, and some orders take fewer bytes; what does not fit into a budget goes.

use super::settings::{Setting, Target};
use super::{Costs, Meta, Tools, prune, structure};
use crate::coding::order::reorder;
use crate::error::{Error, RecipeError};
use crate::model::FixedPoint;
use crate::search::{Interval, half_interval};
use crate::stages::settings::Effort;
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};

/// Lossless coding.
pub const META: Meta = Meta {
    name: "code",
    sentence: "writes the file",
    settings: &[Setting::count("trial_symbols", "symbols coded in trials while a good order of units is searched", 0)],
};

/// The numbers of this stage; [`META`] says what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "CodeSettings"))]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Settings {
    pub trial_symbols: u64,
}

/// Halvings of the threshold below which weights go that do not fit into the budget.
const TRIM_PROBES: usize = 24;

impl Settings {
    /// Those of an effort.
    pub fn of(effort: Effort) -> Self {
        let trial_symbols = match effort {
            Effort::Calibrate => 0,
            Effort::Quick | Effort::Balanced => 2_000_000,
            Effort::Thorough => 20_000_000,
        };
        Settings { trial_symbols }
    }

    /// Estimated seconds.
    pub fn work(&self, costs: &Costs) -> f64 {
        costs.symbol * self.trial_symbols as f64
    }
}

/// Puts the hidden units in an order that is coded in fewer bytes, and removes the least salient weights that do not fit into a budget.
///
/// # Errors
/// [`RecipeError::Unreachable`] if the network costs more than the budget with every weight pruned; those of [`Tools`].
pub fn run(tools: &mut dyn Tools, fixed: &FixedPoint, settings: &Settings, seed: u64) -> Result<FixedPoint, Error> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let objective = tools.objective();
    let reordered = reorder(fixed, settings.trial_symbols, &mut rng)?;
    // Rows that are coded by tables, in a trellis above all, may take more.
    let better = reordered == *fixed || objective.cost(&reordered)? <= objective.cost(fixed)?;
    let fixed = if better { reordered } else { fixed.clone() };
    let Target::Budget(budget) = tools.target() else { return Ok(fixed) };
    let full = objective.cost(&fixed)?;
    if full <= budget {
        return Ok(fixed);
    }
    let unreachable = |least: usize| {
        let (expected, got) = (format!("at most {budget}"), format!("{least} with every weight pruned"));
        RecipeError::Unreachable { what: objective.unit(), expected, got }
    };
    let saliency = prune::path_saliency(&fixed.to_model())?;
    let cut = |threshold: f64| structure::drop_dead_fixed(&prune::cut_fixed(&fixed, &saliency, threshold));
    // No weight is left that could go.
    let Some((low, high)) = prune::saliency_range(&saliency) else { return Err(unreachable(full).into()) };
    let everything = 2.0 * high;
    let least = objective.cost(&cut(everything)?)?;
    if least > budget {
        return Err(unreachable(least).into());
    }
    // The search finds the largest accepted value, and the smallest threshold is wanted: it looks at the reciprocal.
    let interval = Interval::Geometric { lo: 1.0 / everything, hi: 1.0 / low };
    let fits = |threshold: f64| Ok::<_, Error>(objective.cost(&cut(threshold)?)? <= budget);
    let found = half_interval(interval, TRIM_PROBES, |step| fits(1.0 / step.mid))?;
    // Where nothing between fits, everything goes, which does.
    Ok(cut(found.map_or(everything, |found| 1.0 / found))?)
}
