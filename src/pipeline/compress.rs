//! Compression: the stages one after the other, and the report on what came of them.

use super::checkpoint::Checkpoint;
use super::criterion::{Criterion, chance};
use super::event::{Accuracy, SplitName};
use super::recipe::{Recipe, Stage};
use super::report::{Accuracies, Baseline, Distances, Outcome, Report};
use super::run::{Data, Observer, ROUNDING, Run, integer_network, measure_integers, of_split};
use super::warnings::known_validation;
use super::weights::by_weights;
use crate::coding::baseline;
use crate::container::{self, Encoded, WriteOptions};
use crate::data::Samples;
use crate::error::{Error, RecipeError};
use crate::model::{FixedPoint, Model, Network};
use crate::network::{Evaluation, logits, relative_distance};
use crate::resources;
use crate::stages::expected::known;
use crate::stages::refine::kept_clear;
use crate::stages::settings::{Effort, Target};
use crate::stages::share::Shared;
use crate::stages::{StageNetwork, plan, round};

/// What a run judges its networks by.
#[derive(Debug, Clone, Copy)]
pub enum Evidence<'a> {
    /// Samples: the network that can be run is pruned, trained and rounded.
    Samples(&'a Data),
    /// Pictures that were drawn, because there are none: what the network's normalisations tell of its layers counts more.
    Drawn(&'a Data),
    /// The weights alone: the tensors are rounded.
    Weights,
}

/// Training samples that the formats of activations are chosen by.
const FORMAT_SAMPLES: usize = 500;
/// Bits of an activation, where integers are all there is.
const ACTIVATION_BITS: u8 = 8;
/// More than any file that this library writes can decode to.
const DECODE_CAP: u64 = 1 << 32;

/// Compresses a network as the recipe says.
///
/// With a checkpoint, a run on samples goes on after the stage that it was made at; its recipe must be the same.
///
/// ```
/// use nutshell::formats;
/// use nutshell::pipeline::{Evidence, Quiet, Recipe, Target, compress};
/// # let mut made = nutshell::model::presets::lenet300([40, 30, 10]);
/// # nutshell::model::presets::initialize(&mut made, &mut <rand_pcg::Pcg64Mcg as rand::SeedableRng>::seed_from_u64(1));
/// # let file = formats::onnx::write(&made).unwrap();
/// let network = formats::open(&file, 1 << 20)?.network;
/// let recipe = Recipe::of_weights(Target::Snr(30.0));
/// let outcome = compress(&network, Evidence::Weights, &recipe, None, &mut Quiet)?;
/// assert!(outcome.report.ratio > 5.0 && outcome.report.snr > Some(29.9));
/// # Ok::<(), nutshell::Error>(())
/// ```
///
/// # Errors
/// [`Error`] if the model does not run on the samples, the recipe is not valid, its target is not reached, or the
/// observer stops the run.
pub fn compress(
    network: &Network,
    evidence: Evidence<'_>,
    recipe: &Recipe,
    resume: Option<Checkpoint>,
    observer: &mut dyn Observer,
) -> Result<Outcome, Error> {
    recipe.check()?;
    let outcome = match (evidence, recipe.target) {
        (Evidence::Weights, _) => by_weights(network, recipe, observer, DECODE_CAP),
        (Evidence::Samples(data) | Evidence::Drawn(data), Target::Tolerance(_) | Target::Budget(_)) => {
            let original = network.runnable()?;
            // Before anything else takes time.
            plan::locked(&original.graph, &recipe.round.locked)?;
            let mut run = Run::new(original, data, recipe, observer)?;
            if let Evidence::Drawn(_) = evidence {
                run.expected = known(network, original);
            }
            by_samples(original, run, resume)
        }
        (Evidence::Samples(_) | Evidence::Drawn(_), target) => {
            let (expected, got) = ("tolerance or budget, which samples judge".into(), format!("{target:?}"));
            Err(RecipeError::Invalid { field: "target".into(), expected, got }.into())
        }
    };
    // What is not in the file is not in the result.
    outcome.map(|mut outcome| {
        outcome.report.warnings.splice(0..0, network.notes.iter().cloned());
        outcome
    })
}

/// All stages, or those after a checkpoint.
fn by_samples(original: &Model, mut run: Run<'_>, resume: Option<Checkpoint>) -> Result<Outcome, Error> {
    let recipe = run.recipe;
    let mut network = match resume {
        Some(checkpoint) => {
            check_resumable(&checkpoint, original, recipe)?;
            run.go_on(checkpoint)?
        }
        None => {
            run.finish(Stage::Original, original, original.parameter_bytes(), None)?;
            StageNetwork::Float(original.clone())
        }
    };
    let finished = run.stages.last().map_or(Stage::Original, |state| state.stage);
    let mut next = finished as usize + 1;
    while let Some(&stage) = Stage::ALL.get(next) {
        next += 1;
        if !recipe.includes(stage) {
            continue;
        }
        run.start(stage, &network.to_model())?;
        network = match recipe.apply(stage, &mut run, network)? {
            Some(network) => network,
            None => {
                // With more caution from the start: of the stages so far only the original's description still holds.
                run.stages.truncate(1);
                next = Stage::Original as usize + 1;
                network = StageNetwork::Float(original.clone());
                continue;
            }
        };
        if stage == Stage::Code {
            break;
        }
        describe(&mut run, stage, &network)?;
        run.checkpoint(stage, network.clone());
    }
    match network {
        StageNetwork::Fixed(fixed) => {
            let outcome = conclude(&mut run, &fixed);
            by_rounding(&mut run, outcome)
        }
        StageNetwork::Float(_) => unreachable!("the quantize stage has run, or the checkpoint is of a later one"),
    }
}

/// Describes the network after a stage by what it would take on disk, and tells the observer.
fn describe(run: &mut Run<'_>, stage: Stage, network: &StageNetwork) -> Result<Option<Encoded>, Error> {
    let (model, bytes) = match network {
        StageNetwork::Fixed(fixed) => {
            let encoded = container::write(fixed, &run.recipe.write_options())?;
            let coded: Vec<_> = encoded.items.parameters.iter().map(|(_, bits)| *bits).collect();
            run.finish(stage, &fixed.to_model(), encoded.bytes.len(), Some((fixed, &coded)))?;
            return Ok(Some(encoded));
        }
        StageNetwork::Float(model) => (
            model,
            match stage {
                Stage::Original | Stage::Structure => model.parameter_bytes(),
                Stage::Prune => resources::pruned_bytes(model),
                _ => resources::shared_bytes(model, &Shared::of_model(model).codebooks),
            },
        ),
    };
    run.finish(stage, model, bytes, None)?;
    Ok(None)
}

/// The outcome itself, or that of rounding the original, if that is better: where training does not pay, it is taken back.
///
/// Rounding is better if it alone meets the target, or if it keeps the tolerance in fewer bytes, with as much to spare as refinement has, or has a higher score within the budget.
fn by_rounding(run: &mut Run<'_>, outcome: Result<Outcome, Error>) -> Result<Outcome, Error> {
    let original = run.original;
    let missed = matches!(outcome, Err(Error::Recipe(RecipeError::Unreachable { .. })));
    let limit = match (&outcome, run.recipe.target) {
        (_, Target::Budget(bytes)) => bytes,
        (Ok(outcome), Target::Tolerance(_)) => outcome.nut.len(),
        _ => usize::MAX,
    };
    if run.recipe.round.probes > 0 || (outcome.is_err() && !missed) || round::least_bytes(original) > limit {
        return outcome;
    }
    run.start(Stage::Round, original)?;
    let before = run.validate_original()?.accuracy;
    if let (Ok(_), Target::Tolerance(points)) = (&outcome, run.recipe.target) {
        // As much as refinement keeps clear: else the one that goes to the edge would be smaller.
        run.clear = kept_clear([before, before - 0.01 * points], run.validation.len(), points);
    }
    let fixed = round::run(run, original, &round::Settings::of(Effort::Calibrate))?;
    let clear = std::mem::take(&mut run.clear);
    let after = run.validate(&fixed.to_model())?.accuracy;
    let bytes = container::write(&fixed, &run.recipe.write_options())?.bytes.len();
    let better = match run.recipe.target {
        Target::Tolerance(points) => 100.0 * (before - after) <= points - clear + ROUNDING && bytes < limit,
        Target::Budget(_) => after > score(&outcome) && bytes <= limit,
        Target::Snr(_) | Target::Lossless => false,
    };
    if !better || after < least_useful(before, chance(&run.validation)) {
        return outcome;
    }
    let given_up = match &outcome {
        Ok(Outcome { nut, .. }) => format!("{} bytes with a score of {:.4}", nut.len(), score(&outcome)),
        Err(Error::Recipe(RecipeError::Unreachable { what, got, .. })) => format!("{got} ({what})"),
        Err(error) => error.to_string(),
    };
    // What the stages did is given up: only the original's description still holds.
    run.stages.truncate(1);
    describe(run, Stage::Round, &StageNetwork::Fixed(fixed.clone()))?;
    run.start(Stage::Code, original)?;
    run.warn(format!("pruning and training came to {given_up}: the original is rounded instead"))?;
    conclude(run, &fixed)
}

/// What an outcome scores on the validation samples.
fn score(outcome: &Result<Outcome, Error>) -> f64 {
    outcome.as_ref().ok().and_then(|outcome| outcome.report.after).map_or(0.0, |after| after.validation.accuracy)
}

fn check_resumable(checkpoint: &Checkpoint, original: &Model, recipe: &Recipe) -> Result<(), RecipeError> {
    let same_shapes = checkpoint.original_shapes == original.parameter_shapes();
    if checkpoint.recipe == *recipe && same_shapes {
        return Ok(());
    }
    Err(RecipeError::Invalid {
        field: "checkpoint".into(),
        expected: "one of the same recipe and network".into(),
        got: if same_shapes { "another recipe's" } else { "another network's" }.into(),
    })
}

/// Writes the file, decodes it again, and reports on what was decoded.
fn conclude(run: &mut Run<'_>, fixed: &FixedPoint) -> Result<Outcome, Error> {
    let encoded = container::write(fixed, &run.recipe.write_options())?;
    let coded: Vec<_> = encoded.items.parameters.iter().map(|(_, bits)| *bits).collect();
    run.finish(Stage::Code, &fixed.to_model(), encoded.bytes.len(), Some((fixed, &coded)))?;
    let decoded_integers = container::read(&encoded.bytes, DECODE_CAP)?.network;
    let decoded = decoded_integers.to_model();
    let with_graph = WriteOptions { stored_graph: true, ..run.recipe.write_options() };
    let before = run.validate_original()?;
    let validation = compare(run, &decoded, &run.validation, SplitName::Validation, Some(before))?;
    let test = run.test.as_ref().map(|samples| compare(run, &decoded, samples, SplitName::Test, None)).transpose()?;
    let before = Accuracies { validation: validation.before, test: test.map(|test| test.before) };
    let after = Accuracies { validation: validation.after, test: test.map(|test| test.after) };
    let chance = chance(&run.validation);
    let warnings: Vec<String> = run.warnings.iter().cloned().chain(known_validation(&before)).collect();
    if let Target::Tolerance(points) = run.recipe.target {
        let drop = 100.0 * (before.validation.accuracy - after.validation.accuracy);
        if drop > points + ROUNDING {
            return Err(RecipeError::Unreachable {
                what: match run.criterion {
                    Criterion::Agreement => "drop of the agreement with the original, in percentage points",
                    Criterion::Outputs => "drop of R2 to the original's outputs, in percentage points",
                    Criterion::Targets => "drop of the validation R2, in percentage points",
                    _ => "drop of the validation accuracy, in percentage points",
                },
                expected: format!("at most {points}"),
                got: [vec![format!("{drop:.2}")], warnings].concat().join("; "),
            }
            .into());
        }
    }
    let (least, kept) = (least_useful(before.validation.accuracy, chance), after.validation.accuracy);
    let distance = validation.distance.filter(|_| run.criterion == Criterion::Agreement);
    if kept < least - doubt(least, run.validation.len(), distance) {
        return Err(RecipeError::Unreachable {
            what: "a network that still works: validation score, 0 to 1",
            expected: format!("at least {least:.4}, where the original has {:.4}", before.validation.accuracy),
            got: format!("{kept:.4}"),
        }
        .into());
    }
    let test_distance = test.and_then(|test| test.distance);
    let output_distance = validation.distance.map(|validation| Distances { validation, test: test_distance });
    let report = Report {
        warnings,
        splits: Some(run.splits.clone()),
        before: Some(before),
        after: Some(after),
        integer: run_with_integers(run, &decoded_integers)?,
        output_distance,
        file_bytes_with_graph: Some(container::write(fixed, &with_graph)?.bytes.len()),
        peak_activation_bytes: Some(resources::peak_activation_bytes(&decoded)?),
        baselines: baselines(fixed),
        stages: run.stages.clone(),
        probes: run.probes.clone(),
        ..Report::new(run.recipe, run.criterion, run.original.parameter_bytes(), &encoded)
    };
    Ok(Outcome { nut: encoded.bytes, report })
}

/// What two networks answer on the same samples.
#[derive(Clone, Copy)]
struct Comparison {
    before: Accuracy,
    after: Accuracy,
    /// Of the outputs, relative to the original's, where these are the criterion.
    distance: Option<f64>,
}

/// Compares the decoded network with the original, whose accuracy may be known.
fn compare(
    run: &Run<'_>,
    decoded: &Model,
    samples: &Samples,
    split: SplitName,
    known: Option<Accuracy>,
) -> Result<Comparison, Error> {
    let to = logits(decoded, samples)?;
    let accuracy = |logits| Ok::<_, Error>(of_split(Evaluation::of_outputs(logits, samples)?, split));
    let after = accuracy(&to)?;
    let by_outputs = matches!(run.criterion, Criterion::Agreement | Criterion::Outputs);
    if let Some(before) = known.filter(|_| !by_outputs) {
        return Ok(Comparison { before, after, distance: None });
    }
    let from = logits(run.original, samples)?;
    Ok(Comparison { before: accuracy(&from)?, after, distance: by_outputs.then(|| relative_distance(&from, &to)) })
}

/// The distance of the outputs at which about half of the answers change: MobileNetV2 keeps 55 % of them at 0.43, and 29 % at 0.81 (docs/RESULTS.md).
const FAR: f64 = 0.5;

/// What a network has to score to be of any use: half of what the original has above an answer that is always the same.
fn least_useful(original: f64, chance: f64) -> f64 {
    chance + 0.5 * (original - chance).max(0.0)
}

/// By how much the share of answers that stayed may lie below the least one: a handful of answers without labels tell little by their number, and nothing
/// is wrong with a network whose outputs hardly moved. Two standard errors, but none where there are labels, or the outputs have moved far.
fn doubt(least: f64, samples: usize, distance: Option<f64>) -> f64 {
    match distance {
        Some(distance) if distance < FAR => 2.0 * (least * (1.0 - least) / samples.max(1) as f64).sqrt(),
        _ => 0.0,
    }
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

/// What other coders make of the same symbols.
pub fn baselines(fixed: &FixedPoint) -> Vec<Baseline> {
    let baseline = |name: &str, bytes: Vec<u8>| Baseline { name: name.to_owned(), bytes: bytes.len() };
    vec![
        baseline("relative index + Huffman", baseline::relative_index_huffman(&fixed.parameters)),
        baseline("DEFLATE", baseline::deflate(&fixed.parameters)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MobileNetV2 in 1.5 MB answered 6 of 12 validation pictures as before, with a distance of 0.13, and 85 % of 360 others.
    #[test]
    fn a_handful_of_answers_refuses_only_networks_whose_outputs_moved_far() {
        let least = least_useful(1.0, 1.0 / 12.0);
        let refused = |kept: f64, samples: usize, distance| kept < least - doubt(least, samples, distance);
        assert!(!refused(0.5, 12, Some(0.13)));
        assert!(refused(0.5, 12, Some(0.6)) && refused(0.5, 12, None));
        assert!(refused(0.2, 12, Some(0.13)) && refused(0.5, 1_000, Some(0.13)));
    }
}
