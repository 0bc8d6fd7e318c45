//! The stages in their order.

use super::checkpoint::{Checkpoint, StageNetwork};
use super::criterion::{Criterion, Judge, output_distance};
use super::event::{Event, SplitName, Stage};
use super::recipe::{Recipe, Target};
use super::report::{Accuracies, Baseline, Distances, Report};
use super::run::{Data, Observer, Question, Run, Watched, integer_network, measure, measure_integers};
use super::train_refined::refine;
use super::warnings::known_validation;
use crate::coding::baseline;
use crate::coding::order::reorder;
use crate::container::{self, WriteOptions};
use crate::data::Samples;
use crate::error::{Error, RecipeError};
use crate::model::{FixedPoint, Model};
use crate::network::Retrain;
use crate::resources;
use crate::search::{Interval, half_interval};
use crate::stages::quantize::{quantize_shared, quantize_uniform};
use crate::stages::share::{CentroidTuner, Shared, cluster, share};
use crate::stages::{prune, structure};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

/// What a run makes.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The `.nut` file.
    pub nut: Vec<u8>,
    /// What was done, and what came of it.
    pub report: Report,
}

/// The stages that make the network smaller, in their order.
const WORKING: [Stage; 5] = [Stage::Structure, Stage::Prune, Stage::Share, Stage::Quantize, Stage::Refine];
/// The range of epsilon: the share of a layer's variance that may stay unexplained.
const EPSILONS: Interval = Interval::Geometric { lo: 1e-4, hi: 0.9 };
/// The range of the price of a bit in weight sharing, in relative distortion.
const SHARING_PRICES: Interval = Interval::Geometric { lo: 1e-6, hi: 1.0 };
/// Halvings of the threshold below which weights go that do not fit into the budget.
const TRIM_PROBES: usize = 24;
/// Training samples that the formats of activations are chosen by.
const FORMAT_SAMPLES: usize = 500;
/// Bits of an activation, where integers are all there is.
const ACTIVATION_BITS: u8 = 8;
/// More than any file that this library writes can decode to.
const DECODE_CAP: u64 = 1 << 32;

/// Compresses a network as the recipe says.
///
/// With a checkpoint, the run goes on after the stage that it was made at; its recipe must be the same.
///
/// # Errors
/// [`Error`] if the model does not run on the samples, the recipe is not valid, its target is not reached, or the
/// observer stops the run.
pub fn compress(
    original: &Model,
    data: &Data,
    recipe: &Recipe,
    resume: Option<Checkpoint>,
    observer: &mut dyn Observer,
) -> Result<Outcome, Error> {
    let mut run = Run::new(original, data, recipe, observer)?;
    let mut network = match resume {
        Some(checkpoint) => {
            check_resumable(&checkpoint, original, recipe)?;
            run.stages = checkpoint.stages;
            run.probes = checkpoint.probes;
            run.caution = checkpoint.caution;
            for state in run.stages.clone() {
                run.tell(Event::Finished(state))?;
            }
            checkpoint.network
        }
        None => {
            run.finish(Stage::Original, original, original.parameter_bytes(), None)?;
            StageNetwork::Float(original.clone())
        }
    };
    let finished = run.stages.last().map_or(Stage::Original, |state| state.stage);
    let mut next = WORKING.iter().position(|&stage| stage > finished).unwrap_or(WORKING.len());
    while let Some(&stage) = WORKING.get(next) {
        next += 1;
        if stage == Stage::Refine && recipe.refine.rounds == 0 {
            continue;
        }
        run.start(stage)?;
        network = match (stage, network) {
            (Stage::Structure, StageNetwork::Float(model)) => StageNetwork::Float(compact(&mut run, model)?),
            (Stage::Prune, StageNetwork::Float(model)) => StageNetwork::Float(prune_rounds(&mut run, model)?),
            (Stage::Share, StageNetwork::Float(model)) => StageNetwork::Float(share_weights(&mut run, model)?),
            (Stage::Quantize, StageNetwork::Float(model)) => StageNetwork::Fixed(quantize(&mut run, &model)?),
            (_, StageNetwork::Fixed(fixed)) => match refine(&mut run, fixed)? {
                Some(fixed) => StageNetwork::Fixed(fixed),
                None => {
                    // With more caution from the start: of the stages so far only the original's description still holds.
                    run.stages.truncate(1);
                    next = 0;
                    network = StageNetwork::Float(original.clone());
                    continue;
                }
            },
            (_, float) => float,
        };
        run.checkpoint(stage, network.clone());
    }
    match network {
        StageNetwork::Fixed(fixed) => code(&mut run, &fixed),
        StageNetwork::Float(_) => unreachable!("the quantize stage has run, or the checkpoint is of a later one"),
    }
}

fn check_resumable(checkpoint: &Checkpoint, original: &Model, recipe: &Recipe) -> Result<(), RecipeError> {
    let same_shapes = checkpoint.original_shapes == original.parameter_shapes();
    if checkpoint.recipe == *recipe && same_shapes {
        return Ok(());
    }
    Err(RecipeError::Invalid {
        field: "checkpoint",
        expected: "one of the same recipe and network".into(),
        got: if same_shapes { "another recipe's" } else { "another network's" }.into(),
    })
}

/// Removes channels and neurons, in rounds of a search and a training.
fn compact(run: &mut Run<'_>, mut model: Model) -> Result<Model, Error> {
    let recipe = run.recipe.structure;
    structure::fold_biases(&mut model)?;
    let before = model.parameter_count() as f64;
    for round in 1..=recipe.rounds {
        let analysis = structure::analyse(&model, &run.training.range(0, recipe.activation_samples))?;
        let judge = Judge::new(&run.validation, recipe.probe_samples, &model)?;
        // With a byte budget the network comes down to so many parameters, by equal factors in each round.
        let goal = match run.recipe.target {
            Target::Budget(bytes) => {
                let goal = (recipe.parameters_per_byte * bytes as f64).min(before);
                before * (goal / before).powf(round as f64 / recipe.rounds as f64)
            }
            Target::Tolerance(_) => f64::INFINITY,
        };
        let question = Question {
            stage: Stage::Structure,
            variable: "epsilon",
            interval: EPSILONS,
            probes: recipe.probes,
            limit: recipe.loss_rise,
        };
        let candidate = |epsilon| Ok(structure::compact(&model, &analysis, epsilon)?);
        let epsilon = run.search(&question, &judge, candidate, |model| model.parameter_count() as f64 > goal)?;
        let mut learner = Retrain::new(structure::compact(&model, &analysis, epsilon)?);
        run.train(Stage::Structure, &mut learner, &recipe.training, |_, _| Ok(Watched::default()))?;
        model = learner.into_model();
        structure::fold_biases(&mut model)?;
    }
    run.finish(Stage::Structure, &model, model.parameter_bytes(), None)?;
    Ok(model)
}

/// Removes single weights, in rounds of a search and a training; units that have died go.
fn prune_rounds(run: &mut Run<'_>, mut model: Model) -> Result<Model, Error> {
    let recipe = run.recipe.prune;
    for _ in 0..recipe.rounds {
        let saliency = prune::path_saliency(&model)?;
        let Some((lo, hi)) = prune::saliency_range(&saliency) else { break };
        let judge = Judge::new(&run.validation, recipe.probe_samples, &model)?;
        let question = Question {
            stage: Stage::Prune,
            variable: "threshold",
            interval: Interval::Geometric { lo, hi },
            probes: recipe.probes,
            limit: recipe.loss_rise,
        };
        let candidate = |threshold| Ok(prune::cut(&model, &saliency, threshold));
        let threshold = run.search(&question, &judge, candidate, |_| false)?;
        let mut learner = Retrain::new(prune::cut(&model, &saliency, threshold)).with_zeros_held();
        run.train(Stage::Prune, &mut learner, &recipe.training, |_, _| Ok(Watched::default()))?;
        model = structure::drop_dead(&learner.into_model())?;
        structure::fold_biases(&mut model)?;
    }
    run.finish(Stage::Prune, &model, resources::pruned_bytes(&model), None)?;
    Ok(model)
}

/// Gives each layer a codebook, and fine-tunes it.
fn share_weights(run: &mut Run<'_>, model: Model) -> Result<Model, Error> {
    let recipe = run.recipe.share;
    let clusterings = cluster(&model, recipe.centroids);
    let judge = Judge::new(&run.validation, recipe.probe_samples, &model)?;
    let question = Question {
        stage: Stage::Share,
        variable: "price of a bit",
        interval: SHARING_PRICES,
        probes: recipe.probes,
        limit: recipe.loss_rise,
    };
    let price = run.search(&question, &judge, |price| Ok(share(&model, &clusterings, price).model), |_| false)?;
    let mut tuner = CentroidTuner::new(share(&model, &clusterings, price));
    run.train(Stage::Share, &mut tuner, &recipe.training, |_, _| Ok(Watched::default()))?;
    let shared = tuner.finish();
    let bytes = resources::shared_bytes(&shared.model, &shared.codebooks);
    run.finish(Stage::Share, &shared.model, bytes, None)?;
    Ok(shared.model)
}

/// Rounds the shared values to fixed point.
fn quantize(run: &mut Run<'_>, model: &Model) -> Result<FixedPoint, Error> {
    let original_shapes = run.original.parameter_shapes();
    let fixed = if run.recipe.refine.rounds == 0 {
        quantize_shared(&Shared::of_model(model), original_shapes)
    } else {
        quantize_uniform(model, run.recipe.refine.levels, run.recipe.refine.unit, original_shapes)
    };
    run.finish_fixed(Stage::Quantize, &fixed)?;
    Ok(fixed)
}

/// Writes the file, decodes it again, and reports on what was decoded.
fn code(run: &mut Run<'_>, fixed: &FixedPoint) -> Result<Outcome, Error> {
    run.start(Stage::Code)?;
    let mut rng = Pcg64Mcg::seed_from_u64(run.recipe.seed);
    let ordered = reorder(fixed, run.recipe.code.trial_symbols, &mut rng)?;
    let fixed = &within_budget(run.recipe, &ordered)?;
    let encoded = run.finish_fixed(Stage::Code, fixed)?;
    let decoded_integers = container::read(&encoded.bytes, DECODE_CAP)?.network;
    let decoded = decoded_integers.to_model();
    let with_graph = WriteOptions { stored_graph: true, ..run.recipe.write_options() };
    let accuracies = |model: &Model| -> Result<Accuracies, Error> {
        let test = run.test.as_ref().map(|samples| measure(model, samples, SplitName::Test)).transpose()?;
        Ok(Accuracies { validation: run.validate(model)?, test })
    };
    let (before, after) = (accuracies(run.original)?, accuracies(&decoded)?);
    let warnings: Vec<String> = known_validation(&before).into_iter().collect();
    if let Target::Tolerance(points) = run.recipe.target {
        let drop = 100.0 * (before.validation.accuracy - after.validation.accuracy);
        // Both are counts of samples: what differs by rounding only is equal.
        if drop > points + 1e-9 {
            return Err(RecipeError::Unreachable {
                what: match run.criterion {
                    Criterion::Labels => "drop of the validation accuracy, in percentage points",
                    Criterion::Agreement => "drop of the agreement with the original, in percentage points",
                },
                expected: format!("at most {points}"),
                got: [vec![format!("{drop:.2}")], warnings].concat().join("; "),
            }
            .into());
        }
    }
    let distance = |samples: &Samples| output_distance(run.original, &decoded, samples);
    let output_distance = match run.criterion {
        Criterion::Labels => None,
        Criterion::Agreement => Some(Distances {
            validation: distance(&run.validation)?,
            test: run.test.as_ref().map(distance).transpose()?,
        }),
    };
    let baseline_bytes = run.original.parameter_bytes();
    let file_bytes = encoded.bytes.len();
    let report = Report {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        platform: platform(),
        recipe: run.recipe.clone(),
        seed: run.recipe.seed,
        criterion: run.criterion,
        splits: run.splits.clone(),
        output_distance,
        warnings,
        baseline_bytes,
        file_bytes,
        ratio: baseline_bytes as f64 / file_bytes as f64,
        file_bytes_with_graph: container::write(fixed, &with_graph)?.bytes.len(),
        head_bytes: encoded.bytes.len() - encoded.items.payload_bytes,
        before,
        after,
        integer: run_with_integers(run, &decoded_integers)?,
        baselines: baselines(fixed),
        peak_activation_bytes: resources::peak_activation_bytes(&decoded)?,
        stages: run.stages.clone(),
        probes: run.probes.clone(),
        seconds: 0.0,
    };
    Ok(Outcome { nut: encoded.bytes, report })
}

/// How good the network is with 8-bit activations and integers only; `None` if it cannot be computed so.
fn run_with_integers(run: &Run<'_>, fixed: &FixedPoint) -> Result<Option<Accuracies>, Error> {
    let Some(network) = integer_network(fixed, &run.training.range(0, FORMAT_SAMPLES), ACTIVATION_BITS)? else {
        return Ok(None);
    };
    let measure = |samples: &Samples, split| measure_integers(&network, samples, split);
    let test = run.test.as_ref().map(|samples| measure(samples, SplitName::Test)).transpose()?;
    Ok(Some(Accuracies { validation: measure(&run.validation, SplitName::Validation)?, test }))
}

/// The network itself if it fits into the recipe's budget; else without its least salient weights, as many as have to go.
fn within_budget(recipe: &Recipe, fixed: &FixedPoint) -> Result<FixedPoint, Error> {
    let Target::Budget(budget) = recipe.target else { return Ok(fixed.clone()) };
    let options = recipe.write_options();
    let size = |fixed: &FixedPoint| -> Result<usize, Error> { Ok(container::write(fixed, &options)?.bytes.len()) };
    let full = size(fixed)?;
    if full <= budget {
        return Ok(fixed.clone());
    }
    let unreachable = |least: usize| {
        let (expected, got) = (format!("at most {budget}"), format!("{least} with every weight pruned"));
        RecipeError::Unreachable { what: "bytes", expected, got }
    };
    let saliency = prune::path_saliency(&fixed.to_model())?;
    let cut = |threshold: f64| structure::drop_dead_fixed(&prune::cut_fixed(fixed, &saliency, threshold));
    // No weight is left that could go.
    let Some((low, high)) = prune::saliency_range(&saliency) else { return Err(unreachable(full).into()) };
    let everything = 2.0 * high;
    let least = size(&cut(everything)?)?;
    if least > budget {
        return Err(unreachable(least).into());
    }
    // The search finds the largest accepted value, and the smallest threshold is wanted: it looks at the reciprocal.
    let interval = Interval::Geometric { lo: 1.0 / everything, hi: 1.0 / low };
    let found = half_interval(interval, TRIM_PROBES, |step| Ok::<_, Error>(size(&cut(1.0 / step.mid)?)? <= budget))?;
    Ok(cut(1.0 / found)?)
}

/// What other coders make of the same symbols.
pub fn baselines(fixed: &FixedPoint) -> Vec<Baseline> {
    let baseline = |name: &str, bytes: Vec<u8>| Baseline { name: name.to_owned(), bytes: bytes.len() };
    vec![
        baseline("relative index + Huffman", baseline::relative_index_huffman(&fixed.parameters)),
        baseline("DEFLATE", baseline::deflate(&fixed.parameters)),
    ]
}

/// Architecture, and the instruction set that the kernels use.
fn platform() -> String {
    #[cfg(target_arch = "x86_64")]
    let instructions = if std::arch::is_x86_feature_detected!("fma") { "AVX2 and FMA" } else { "SSE2" };
    #[cfg(target_arch = "wasm32")]
    let instructions = "simd128";
    #[cfg(not(any(target_arch = "x86_64", target_arch = "wasm32")))]
    let instructions = "plain";
    format!("{}, {instructions}", std::env::consts::ARCH)
}
