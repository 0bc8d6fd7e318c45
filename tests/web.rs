//! The crate in a browser and natively: the same tests.

use nutshell::container;
use nutshell::data::Samples;
use nutshell::formats::{onnx, open};
use nutshell::model::Scaling;
use nutshell::model::presets::{Chain, initialize};
use nutshell::network::{logits, predictions};
use nutshell::pipeline::{
    Checkpoint, CheckpointHeader, Criterion, Data, Effort, Event, Evidence, Observer, Outcome, Recipe, SplitName,
    Stage, Target, TrainRecipe, Training, compress, measure, train,
};
use nutshell::views::summary::Summary;
use nutshell::{Error, Model, Network};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use std::ops::ControlFlow;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

const CAP: u64 = 1 << 24;

/// Files of format version 1 that runs have made, and the digest of the weights in each. They decode to the same bits for ever.
const GOLDEN: &[(&str, &[u8])] = &[
    ("lines.nut", include_bytes!("golden/lines.nut")),
    ("lenet5.nut", include_bytes!("golden/lenet5.nut")),
    ("lenet300.nut", include_bytes!("golden/lenet300.nut")),
    ("codebooks.nut", include_bytes!("golden/codebooks.nut")),
    ("rounded.nut", include_bytes!("golden/rounded.nut")),
];
const DIGESTS: &str = include_str!("golden/digests.txt");

/// Images of a bright row or a bright column, in noise.
fn lines(count: usize, seed: u64) -> Samples {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let (mut bytes, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let (label, line) = (rng.random_range(0..2u8), rng.random_range(0..8));
        for pixel in 0..64 {
            let bright = if label == 0 { pixel / 8 == line } else { pixel % 8 == line };
            bytes.push(rng.random_range(0..100) + if bright { 100 } else { 0 });
        }
        labels.push(label);
    }
    Samples::new(vec![1, 8, 8], bytes, labels, Scaling::Unit).unwrap()
}

fn network() -> Model {
    let mut model = Chain::new(vec![1, 8, 8])
        .conv("conv", [6, 1, 3, 3], 1)
        .relu()
        .max_pool()
        .flatten()
        .linear("hidden", [16, 96])
        .relu()
        .linear("out", [2, 16])
        .build();
    initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(1));
    model
}

/// What a run said.
#[derive(Default)]
struct Notes {
    finished: Vec<Stage>,
    checkpoints: Vec<(CheckpointHeader, Vec<u8>)>,
}

impl Observer for Notes {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        if let Event::Finished(state) = event {
            self.finished.push(state.stage);
        }
        ControlFlow::Continue(())
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) {
        self.checkpoints.push(checkpoint.to_parts());
    }
}

/// With so many rounds of refinement.
fn recipe(refinements: usize) -> Recipe {
    let mut recipe = Recipe::new(Effort::Quick);
    recipe.target = Target::Budget(400);
    recipe.split.validation = 300;
    recipe.structure.training.samples = 1600;
    recipe.prune.training.samples = 1600;
    recipe.refine.training.samples = 6400;
    recipe.refine.rounds = refinements;
    recipe
}

/// A network that has learnt to tell rows from columns, and the samples.
fn trained() -> (Model, Data) {
    let data = Data { training: lines(1000, 1), test: Some(lines(500, 2)) };
    let mut settings = TrainRecipe { split: recipe(0).split, ..TrainRecipe::default() };
    settings.training = Training { samples: 6400, batch: 16, learning_rate: 1e-2, augmentation: 0.0 };
    let (model, before) = train(network(), &data, &settings, &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(before.validation.accuracy > 0.97, "{before:?}");
    (model, data)
}

fn on_samples(
    model: &Model,
    data: &Data,
    recipe: &Recipe,
    resume: Option<Checkpoint>,
    notes: &mut Notes,
) -> Result<Outcome, Error> {
    compress(&Network::of_model(model.clone()), Evidence::Samples(data), recipe, resume, notes)
}

#[wasm_bindgen_test(unsupported = test)]
fn the_report_is_of_the_file() {
    let (model, data) = trained();
    let mut notes = Notes::default();
    let outcome = on_samples(&model, &data, &recipe(0), None, &mut notes).unwrap();
    let report = &outcome.report;
    assert!(report.ratio > 10.0 && report.after.unwrap().validation.accuracy > 0.9, "{report:?}");
    assert_eq!(report.file_bytes, outcome.nut.len());
    assert_eq!(notes.finished.first(), Some(&Stage::Original));
    assert_eq!(notes.finished.last(), Some(&Stage::Code));

    let opened = open(&outcome.nut, CAP).unwrap();
    let summary = Summary::new(&opened, outcome.nut.len()).unwrap();
    assert_eq!(
        (summary.file_bytes, summary.graph.unwrap().baseline_bytes),
        (report.file_bytes, model.parameter_bytes())
    );
    let decoded = measure(&opened.into_model().unwrap(), data.test.as_ref().unwrap(), SplitName::Test).unwrap();
    assert_eq!(Some(decoded), report.after.unwrap().test);
}

#[wasm_bindgen_test(unsupported = test)]
fn without_labels_the_network_is_held_to_agree_with_the_original() {
    let (model, labelled) = trained();
    let unlabelled = |samples: &Samples| Samples { labels: Default::default(), ..samples.clone() };
    let test = labelled.test.unwrap();
    let data = Data { training: unlabelled(&labelled.training), test: Some(unlabelled(&test)) };
    let mut recipe = recipe(1);
    recipe.target = Target::Tolerance(6.0);
    (recipe.structure.training.samples, recipe.prune.rounds) = (6400, 2);
    recipe.refine.training.samples = 16_000;
    let outcome = on_samples(&model, &data, &recipe, None, &mut Notes::default()).unwrap();
    let report = &outcome.report;
    assert_eq!(report.criterion, Criterion::Agreement);
    assert_eq!(
        (report.before.unwrap().validation.correct, report.before.unwrap().test.unwrap().correct),
        (Some(300), Some(500))
    );
    assert!(report.ratio > 10.0 && report.after.unwrap().validation.accuracy >= 0.94, "{report:?}");

    // Both measures, once more and in other words, of what the file decodes to.
    let decoded = open(&outcome.nut, CAP).unwrap().into_model().unwrap();
    let [original, small] = [&model, &decoded].map(|model| logits(model, &test).unwrap());
    let agreed = predictions(&original).iter().zip(predictions(&small)).filter(|(a, b)| *a == b).count();
    assert_eq!(report.after.unwrap().test.unwrap().correct, Some(agreed));
    let squares = |values: ndarray::Array2<f32>| values.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>();
    let distance = (squares(&small - &original) / squares(original)).sqrt();
    assert!((report.output_distance.unwrap().test.unwrap() - distance).abs() < 1e-5);

    // It still does what the original had learnt from labels, which the run has not seen. Those of the test samples alone change nothing.
    assert!(measure(&decoded, &test, SplitName::Test).unwrap().accuracy > 0.9);
    let data = Data { test: Some(test), ..data };
    assert!(on_samples(&model, &data, &recipe, None, &mut Notes::default()).unwrap().nut == outcome.nut);
    let data = Data { training: labelled.training, test: Some(unlabelled(data.test.as_ref().unwrap())) };
    // Test samples without labels, as a competition has them, are left out.
    let report = on_samples(&model, &data, &recipe, None, &mut Notes::default()).unwrap().report;
    assert!(report.warnings[0].starts_with("the test samples have no labels"), "{:?}", report.warnings);
    assert!(report.after.unwrap().test.is_none());
}

#[wasm_bindgen_test(unsupported = test)]
fn going_on_from_any_checkpoint_gives_the_same_file() {
    let (model, data) = trained();
    let mut notes = Notes::default();
    let outcome = on_samples(&model, &data, &recipe(1), None, &mut notes).unwrap();
    assert_eq!(notes.checkpoints.len(), 5);
    for (header, numbers) in notes.checkpoints {
        let checkpoint = Checkpoint::from_parts(header, &numbers).unwrap();
        let stage = checkpoint.stage;
        let resumed = on_samples(&model, &data, &recipe(1), Some(checkpoint), &mut Notes::default()).unwrap();
        assert!(resumed.nut == outcome.nut, "resumed after {stage:?}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn onnx_out_and_in_gives_the_same_answers() {
    let (model, samples) = (network(), lines(64, 3));
    let bytes = onnx::write(&model).unwrap();
    let read = open(&bytes, CAP).unwrap().into_model().unwrap();
    assert_eq!(logits(&model, &samples).unwrap(), logits(&read, &samples).unwrap());
}

/// A digest of a network's weights, bit by bit.
fn digest(model: &Model) -> u64 {
    let values = model.parameters.iter().flat_map(|parameter| parameter.values.iter());
    values.fold(0, |digest: u64, value| {
        // Rotated, since the low bits of such floats are all zero.
        (digest.rotate_left(29) ^ u64::from(value.to_bits())).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[wasm_bindgen_test(unsupported = test)]
fn golden_files_decode_to_the_same_bits_everywhere() {
    assert_eq!(DIGESTS.lines().count(), GOLDEN.len());
    for ((name, bytes), line) in GOLDEN.iter().zip(DIGESTS.lines()) {
        let nut = container::read(bytes, 1 << 24).unwrap();
        assert_eq!(format!("{name} {:016x}", digest(&nut.network.to_model())), line);
    }
}
