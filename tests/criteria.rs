//! What a run is held to fits its network: a run keeps it, or fails; none ends well with a ruined network.

use nutshell::data::{Samples, Values};
use nutshell::model::presets::{Chain, initialize};
use nutshell::model::{Function, Linear, Node, Op, ParamId, Scaling, Unary, ValueId};
use nutshell::network::{
    Learner, Loader, Loss, Retrain, Schedule, evaluate, fit, logits, one_hot, predictions, spread,
};
use nutshell::pipeline::{
    Checkpoint, Criterion, Data, Effort, Event, Evidence, Observer, Outcome, Quiet, Recipe, Target, compress,
};
use nutshell::{Error, Model, Network};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Points between -1 and 1, `[count, features]`.
fn points(count: usize, features: usize, seed: u64) -> Samples {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let floats = (0..count * features).map(|_| 2.0 * rng.random::<f32>() - 1.0).collect();
    Samples::of_values(vec![features], Values::Floats(Arc::new(floats)), Vec::new(), Scaling::Unit).unwrap()
}

/// A network that has learnt what `samples` are answered with.
fn taught(mut model: Model, samples: &Samples, seen: u64) -> Model {
    initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(3));
    let (targets, loss) = match samples.selected_targets() {
        Some(targets) => {
            let loss = Loss::Squared { spread: spread(&targets) as f32 };
            (targets, loss)
        }
        None => (one_hot(samples, 1).unwrap(), Loss::CrossEntropy),
    };
    let mut loader =
        Loader::new(samples.clone(), &model.graph.input_shape, Arc::new(targets), 1).unwrap().with_loss(loss);
    let schedule = Schedule { samples: seen, batch: 16, rate: 1e-2, warm_up: 0.02, decay: 1.0 };
    let mut learner = Retrain::new(model);
    fit(&mut learner, &mut loader, &schedule, 0, &mut |_: &mut dyn Learner, _| ControlFlow::Continue(())).unwrap();
    learner.into_model()
}

fn sine(samples: &Samples) -> Samples {
    let values = ndarray::Array2::from_shape_fn((samples.len(), 1), |(index, _)| match samples.row(index) {
        nutshell::data::Row::Floats(floats) => (3.0 * floats[0]).sin(),
        nutshell::data::Row::Bytes(_) => 0.0,
    });
    samples.with_targets(values).unwrap()
}

/// A recipe of a moment.
fn recipe(target: Target) -> Recipe {
    let mut recipe = Recipe::new(Effort::Quick);
    (recipe.target, recipe.split.validation, recipe.split.seed) = (target, 100, 1);
    for training in [&mut recipe.structure.training, &mut recipe.prune.training, &mut recipe.share.training] {
        (training.samples, training.batch) = (1_600, 16);
    }
    (recipe.refine.training.samples, recipe.refine.training.batch) = (6_400, 16);
    recipe
}

fn run(model: &Model, training: &Samples, target: Target) -> Result<Outcome, Error> {
    let data = Data { training: training.clone(), test: None };
    compress(&Network::of_model(model.clone()), Evidence::Samples(&data), &recipe(target), None, &mut Quiet)
}

fn curve() -> Model {
    Chain::new(vec![1]).linear("a", [24, 1]).relu().linear("b", [24, 24]).relu().linear("c", [1, 24]).build()
}

#[test]
fn one_number_is_held_to_its_value_with_and_without_targets() {
    let samples = points(600, 1, 1);
    let known = sine(&samples);
    let model = taught(curve(), &known, 60_000);
    let before = evaluate(&model, &known).unwrap();
    assert!(before.correct.is_none() && before.accuracy() > 0.99, "{before:?}");
    for (samples, criterion) in [(&samples, Criterion::Outputs), (&known, Criterion::Targets)] {
        let outcome = run(&model, samples, Target::Tolerance(2.0)).unwrap();
        let report = &outcome.report;
        let (before, after) = (report.before.unwrap().validation, report.after.unwrap().validation);
        assert_eq!(report.criterion, criterion);
        assert!(before.accuracy - after.accuracy <= 0.02 + 1e-9 && report.ratio > 4.0, "{report:?}");
        // What is reported is what the file answers.
        let decoded = nutshell::formats::open(&outcome.nut, 1 << 20).unwrap().into_model().unwrap();
        assert!(evaluate(&decoded, &known).unwrap().accuracy() > 0.95);
    }
    // Too few bytes for a curve: an error, and no file.
    let error = run(&model, &samples, Target::Budget(40)).unwrap_err();
    assert_eq!(error.kind().name(), "Unreachable", "{error}");
}

#[test]
fn one_sigmoid_tells_two_classes_apart() {
    let samples = points(600, 2, 2);
    let labels: Vec<usize> = logits(&ring(), &samples).unwrap().iter().map(|&far| usize::from(far > 0.5)).collect();
    let labelled = samples.with_labels(&labels).unwrap();
    let sigmoid = Unary { function: Function::Sigmoid, a: Default::default(), b: Default::default() };
    let mut with_sigmoid = Chain::new(vec![2]).linear("a", [24, 2]).relu().linear("b", [1, 24]).build();
    let inputs = vec![with_sigmoid.graph.output()];
    with_sigmoid.graph.nodes.push(Node { name: "probability".into(), op: Op::Unary(sigmoid), inputs });
    let model = taught(with_sigmoid, &labelled, 60_000);
    assert!(evaluate(&model, &labelled).unwrap().accuracy() > 0.95);
    for (samples, criterion) in [(&labelled, Criterion::Labels), (&samples, Criterion::Agreement)] {
        let report = run(&model, samples, Target::Tolerance(4.0)).unwrap().report;
        assert_eq!(report.criterion, criterion);
        let (before, after) = (report.before.unwrap().validation, report.after.unwrap().validation);
        assert!(100.0 * (before.accuracy - after.accuracy) <= 4.0 + 1e-9 && before.accuracy > 0.9, "{report:?}");
    }
    let decoded = predictions(&logits(&model, &labelled).unwrap());
    assert!(decoded.contains(&0) && decoded.contains(&1));
}

/// Keeps the names of the stages that start, and the warnings.
#[derive(Default)]
struct Heard(Vec<String>);

impl Observer for Heard {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        match event {
            Event::Started { stage } => self.0.push(format!("{stage:?}")),
            Event::Warned { warning } => self.0.push(warning),
            _ => (),
        }
        ControlFlow::Continue(())
    }

    fn checkpoint(&mut self, _checkpoint: &Checkpoint) {}
}

#[test]
fn an_original_at_chance_is_said_before_anything_is_compressed() {
    let samples = points(600, 2, 2);
    let labels: Vec<usize> = (0..600).map(|index| index % 2).collect();
    let mut model = Chain::new(vec![2]).linear("a", [4, 2]).relu().linear("b", [2, 4]).build();
    initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(3));
    let data = Data { training: samples.with_labels(&labels).unwrap(), test: None };
    let (mut heard, recipe) = (Heard::default(), recipe(Target::Tolerance(50.0)));
    let outcome = compress(&Network::of_model(model), Evidence::Samples(&data), &recipe, None, &mut heard).unwrap();
    assert_eq!(heard.0[0], "Original");
    assert!(heard.0[1].starts_with("the original scores "), "{:?}", heard.0);
    assert!(outcome.report.warnings.contains(&heard.0[1]) && heard.0.contains(&"Code".to_owned()), "{:?}", heard.0);
}

/// The sum of both magnitudes, which no line tells apart.
fn ring() -> Model {
    let mut model = Chain::new(vec![2]).linear("a", [4, 2]).relu().linear("b", [1, 4]).build();
    model.parameters[0].values.assign(&ndarray::arr2(&[[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]).into_dyn());
    model.parameters[2].values.fill(0.5);
    model
}

/// With what the first layer gives added to what the last one gives, and a classifier behind it.
fn residual(mut model: Model, width: usize) -> Model {
    let (start, end) = (ValueId(2), model.graph.output());
    let mut push = |name: &str, op, inputs| {
        model.graph.nodes.push(Node { name: name.into(), op, inputs });
        model.graph.output()
    };
    let sum = push("sum", Op::Add, vec![start, end]);
    let flat = push("flat", Op::Flatten, vec![sum]);
    let tail = Chain::new(vec![36 * width]).linear("out", [3, 36 * width]).build();
    let Op::Linear(linear) = tail.graph.nodes[0].op.clone() else { panic!() };
    let before = model.parameters.len();
    let [weight, bias] = [before, before + 1].map(ParamId);
    let op = Op::Linear(Linear { weight, bias: linear.bias.map(|_| bias) });
    model.graph.nodes.push(Node { name: "out".into(), op, inputs: vec![flat] });
    model.parameters.extend(tail.parameters);
    model
}

/// With the second convolution for each channel alone.
fn depthwise(mut model: Model, width: usize) -> Model {
    for node in &mut model.graph.nodes {
        if let Op::Conv(conv) = &mut node.op
            && node.name == "each"
        {
            conv.groups = width;
        }
    }
    model
}

/// A network of one of several kinds, drawn at random.
fn drawn(kind: usize, width: usize, seed: u64) -> Model {
    let image = || Chain::new(vec![1, 6, 6]).conv("first", [width, 1, 3, 3], 1).relu();
    let mut model = match kind {
        0 => Chain::new(vec![6]).linear("a", [width, 6]).relu().linear("b", [1, width]).build(),
        1 => Chain::new(vec![6]).linear("a", [width, 6]).relu().linear("b", [5, width]).build(),
        2 => Chain::new(vec![6]).linear("a", [width, 6]).relu().linear("b", [6, width]).build(),
        3 => image().max_pool().flatten().linear("out", [3, 9 * width]).build(),
        4 => residual(image().conv("same", [width, width, 3, 3], 1).build(), width),
        5 => depthwise(
            image().conv("each", [width, 1, 3, 3], 1).relu().flatten().linear("out", [4, 36 * width]).build(),
            width,
        ),
        _ => image().conv("second", [2, width, 3, 3], 1).build(),
    };
    initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(seed));
    model
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn a_run_keeps_its_criterion_or_fails(
        (kind, width, seed, labelled) in (0usize..7, 2usize..12, 0u64..1000, any::<bool>()),
        (budget, tolerance) in (prop::option::of(20usize..600), 0.1f64..5.0),
    ) {
        let model = drawn(kind, width, seed);
        let features: usize = model.graph.input_shape.iter().product();
        let samples = points(300, features, seed + 1);
        let samples = Samples { shape: model.graph.input_shape.clone(), ..samples };
        // Labels by chance tell nothing of a network that was drawn: it has to keep its own answers.
        let labels: Vec<usize> = (0..300).map(|index| (index * 7 + seed as usize) % 3).collect();
        let samples = if labelled && matches!(kind, 1 | 3 | 4 | 5) { samples.with_labels(&labels).unwrap() } else { samples };
        let target = budget.map_or(Target::Tolerance(tolerance), Target::Budget);
        match run(&model, &samples, target) {
            Ok(outcome) => {
                let report = &outcome.report;
                let (before, after) = (report.before.unwrap().validation, report.after.unwrap().validation);
                // Labels that were drawn may be met by luck, more often than by chance.
                let by_luck = report.criterion == Criterion::Labels;
                prop_assert!(by_luck || before.accuracy == 1.0);
                match target {
                    Target::Budget(bytes) => {
                        prop_assert!(outcome.nut.len() <= bytes && (by_luck || after.accuracy >= 0.5))
                    }
                    _ => prop_assert!(100.0 * (before.accuracy - after.accuracy) <= tolerance + 1e-9),
                }
                if by_luck {
                    return Ok(());
                }
                // By another way: what the file decodes to is near what the original answers.
                let decoded = nutshell::formats::open(&outcome.nut, 1 << 20).unwrap().into_model().unwrap();
                let [original, small] = [&model, &decoded].map(|model| logits(model, &samples).unwrap());
                if report.criterion == Criterion::Outputs {
                    let error = (&small - &original).iter().map(|&error| f64::from(error).powi(2)).sum::<f64>();
                    let explained = 1.0 - error / original.nrows() as f64 / spread(&original);
                    prop_assert!(explained > 0.3, "{explained}");
                } else {
                    let same = predictions(&original).iter().zip(predictions(&small)).filter(|(a, b)| **a == *b).count();
                    prop_assert!(same as f64 > 0.4 * samples.len() as f64, "{same}");
                }
            }
            Err(error) => prop_assert_eq!(error.kind().name(), "Unreachable", "{}", error),
        }
    }
}
