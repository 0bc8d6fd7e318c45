//! Rounding without training on drawn networks of several kinds: what is held out is answered no worse than after plain rounding.
#![cfg(not(target_arch = "wasm32"))]

#[allow(dead_code)]
mod onnx_files;

use ndarray::Array2;
use nutshell::data::{Samples, Values};
use nutshell::model::Scaling;
use nutshell::network::{input_moments, logits, relative_distance};
use nutshell::pipeline::{Criterion, Data, Effort, Evidence, Outcome, Quiet, Recipe, Stage, Target, compress};
use nutshell::stages::plan::Plan;
use nutshell::{Error, Model, Network, formats};
use onnx_files::{File, ints};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use std::sync::Arc;

/// Samples whose numbers have much in common, as those of real data do: mixtures of few waves.
fn samples(shape: &[usize], count: usize, seed: u64) -> Samples {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let size: usize = shape.iter().product();
    let side = shape.last().copied().unwrap_or(1) as f32;
    let mut floats = Vec::with_capacity(count * size);
    for _ in 0..count {
        let waves: Vec<[f32; 3]> = (0..4).map(|_| [(); 3].map(|()| 2.0 * rng.random::<f32>() - 1.0)).collect();
        for place in 0..size {
            let (x, y) = (place as f32 % side, (place as f32 / side).floor());
            floats.push(0.5 + waves.iter().map(|[a, b, c]| (a * x + b * y + 6.0 * c).sin()).sum::<f32>() / 4.0);
        }
    }
    Samples::of_values(shape.to_vec(), Values::Floats(Arc::new(floats)), Vec::new(), Scaling::Raw).unwrap()
}

fn model(file: File) -> Model {
    formats::open(&file.bytes(), 1 << 24).unwrap().into_model().unwrap()
}

/// Random weights of the size that keeps the outputs of a layer as large as its inputs.
fn weight(file: File, name: &str, shape: &[i64], inputs: i64, rng: &mut Pcg64Mcg) -> File {
    let size = (3.0 / inputs as f32).sqrt();
    let count = shape.iter().product::<i64>() as usize;
    let values: Vec<f32> = (0..count).map(|_| size * (2.0 * rng.random::<f32>() - 1.0)).collect();
    file.floats(name, shape, &values)
}

/// Two residual blocks, one of them with a stride and a projection, as ResNets have them.
fn residual(seed: u64) -> Model {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let pads = || ints("pads", &[1, 1, 1, 1]);
    let mut file = File::new(&[3, 16, 16]);
    for (name, outputs, inputs, side) in
        [("stem", 8, 3, 3), ("a1", 8, 8, 3), ("a2", 8, 8, 3), ("b1", 12, 8, 3), ("b2", 12, 12, 3), ("down", 12, 8, 1)]
    {
        file = weight(file, name, &[outputs, inputs, side, side], inputs * side * side, &mut rng);
        file = file.random(&format!("{name}.b"), &[outputs]);
    }
    file = weight(file, "fc", &[10, 12], 12, &mut rng).random("fc.b", &[10]);
    model(
        file.node("Conv", &["x", "stem", "stem.b"], "s", vec![pads()])
            .node("Relu", &["s"], "s1", vec![])
            .node("Conv", &["s1", "a1", "a1.b"], "a", vec![pads()])
            .node("Relu", &["a"], "ar", vec![])
            .node("Conv", &["ar", "a2", "a2.b"], "aa", vec![pads()])
            .node("Add", &["aa", "s1"], "as", vec![])
            .node("Relu", &["as"], "a3", vec![])
            .node("Conv", &["a3", "b1", "b1.b"], "b", vec![pads(), ints("strides", &[2, 2])])
            .node("Relu", &["b"], "br", vec![])
            .node("Conv", &["br", "b2", "b2.b"], "bb", vec![pads()])
            .node("Conv", &["a3", "down", "down.b"], "d", vec![ints("strides", &[2, 2])])
            .node("Add", &["bb", "d"], "bs", vec![])
            .node("Relu", &["bs"], "b3", vec![])
            .node("GlobalAveragePool", &["b3"], "pooled", vec![])
            .node("Flatten", &["pooled"], "flat", vec![])
            .node("Gemm", &["flat", "fc", "fc.b"], "y", vec![onnx_files::int("transB", 1)]),
    )
}

/// A block of attention with a residual, and one of two layers, as transformers have them.
fn transformer(seed: u64) -> Model {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let (tokens, width) = (6, 16);
    let mut file = File::new(&[tokens, width]);
    for name in ["q", "k", "v", "o"] {
        file = weight(file, name, &[width, width], width, &mut rng);
    }
    file = weight(file, "up", &[width, 4 * width], width, &mut rng);
    file = weight(file, "down", &[4 * width, width], 4 * width, &mut rng);
    file = weight(file, "head", &[tokens * width, 5], tokens * width, &mut rng);
    model(
        file.node("MatMul", &["x", "q"], "queries", vec![])
            .node("MatMul", &["x", "k"], "keys", vec![])
            .node("MatMul", &["x", "v"], "values", vec![])
            .node("Transpose", &["keys"], "turned", vec![ints("perm", &[0, 2, 1])])
            .node("MatMul", &["queries", "turned"], "scores", vec![])
            .node("Softmax", &["scores"], "shares", vec![onnx_files::int("axis", -1)])
            .node("MatMul", &["shares", "values"], "mixed", vec![])
            .node("MatMul", &["mixed", "o"], "attended", vec![])
            .node("Add", &["attended", "x"], "h", vec![])
            .node("MatMul", &["h", "up"], "wide", vec![])
            .node("Relu", &["wide"], "r", vec![])
            .node("MatMul", &["r", "down"], "narrow", vec![])
            .node("Add", &["narrow", "h"], "out", vec![])
            .node("Flatten", &["out"], "flat", vec![])
            .node("MatMul", &["flat", "head"], "y", vec![]),
    )
}

/// The distance of the outputs to held-out samples, by plain rounding and with feedback, at one and the same price of a bit.
fn distances(model: &Model, shape: &[usize], noise: f64) -> (f64, f64) {
    let (seen, held_out) = (samples(shape, 64, 1), samples(shape, 100, 2));
    let shapes = model.parameter_shapes();
    let plain = Plan::new(model, Vec::new(), 0, shapes.clone());
    let plan = Plan::new(model, input_moments(model, &seen).unwrap(), seen.len(), shapes);
    let price = plan.price_of(noise);
    let before: Array2<f32> = logits(model, &held_out).unwrap();
    let after = |plan: &Plan| logits(&plan.round(price).to_model(), &held_out).unwrap();
    (relative_distance(&before, &after(&plain)), relative_distance(&before, &after(&plan)))
}

#[test]
fn drawn_networks_are_never_worse_than_after_plain_rounding() {
    for (draw, shape) in [(residual as fn(u64) -> Model, &[3, 16, 16][..]), (transformer, &[6, 16])] {
        for seed in 0..6 {
            let model = draw(seed);
            for noise in [1e-3, 1e-2, 5e-2] {
                let (plain, better) = distances(&model, shape, noise);
                assert!(better <= plain, "{shape:?} {seed} {noise}: {better} {plain}");
            }
        }
    }
}

/// Rounds the network with residual blocks, with some of its layers locked.
fn rounded(model: &Model, target: Target, locked: &[&str]) -> Result<Outcome, Error> {
    let mut recipe = Recipe::new(Effort::Calibrate);
    (recipe.target, recipe.split.validation, recipe.split.seed) = (target, 40, 1);
    recipe.round.locked = locked.iter().map(|&name| name.to_owned()).collect();
    let data = Data { training: samples(&[3, 16, 16], 120, 1), test: None };
    compress(&Network::of_model(model.clone()), Evidence::Samples(&data), &recipe, None, &mut Quiet)
}

/// The largest error of a layer's weights, over their largest magnitude; in their order by size, since the file has units in another order.
fn error(model: &Model, nut: &[u8], layer: usize) -> f32 {
    let decoded = formats::open(nut, 1 << 24).unwrap().into_model().unwrap();
    let weights = |model: &Model| {
        let (_, weight, _) = model.graph.layers().nth(layer).unwrap();
        let mut sorted: Vec<f32> = model.values(weight).iter().copied().collect();
        sorted.sort_by(f32::total_cmp);
        sorted
    };
    let (before, after) = (weights(model), weights(&decoded));
    let errors = before.iter().zip(&after).map(|(before, after)| (after - before).abs());
    let largest = before.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    errors.fold(0.0, f32::max) / largest
}

#[test]
fn locked_layers_keep_16_bits_in_the_file_and_a_budget_is_kept_or_refused() {
    let model = residual(3);
    let names: Vec<&str> = model.graph.layers().map(|(node, ..)| model.graph.nodes[node].name.as_str()).collect();
    let (last, locked) = (names.len() - 1, [names[1], names[names.len() - 1]]);
    for target in [Target::Tolerance(20.0), Target::Budget(4_000)] {
        let free = rounded(&model, target, &[]).unwrap();
        let bound = rounded(&model, target, &locked).unwrap();
        assert!(error(&model, &free.nut, last) > 1e-3);
        for layer in [1, last] {
            assert!(error(&model, &bound.nut, layer) <= 1.0 / 32_767.0, "{target:?} {layer}");
        }
        if let Target::Budget(most) = target {
            assert!(bound.nut.len() <= most && bound.nut.len() > most * 9 / 10, "{}", bound.nut.len());
        }
        // Of each layer it is told how sensitive it is and in which steps it is; the same whether it is locked or not.
        let layers = |outcome: &Outcome| {
            let stages = &outcome.report.stages;
            stages.iter().find(|state| state.stage == Stage::Round).unwrap().layers.clone()
        };
        for (free, bound) in layers(&free).iter().zip(layers(&bound)) {
            assert!(free.sensitivity.is_some_and(|own| own > 0.0) && free.sensitivity == bound.sensitivity, "{free:?}");
            assert!(bound.step.is_some_and(|step| step > 0.0));
            assert!(!locked.contains(&free.name.as_str()) || bound.step < free.step);
        }
    }
    let refused = rounded(&model, Target::Budget(1_500), &names).unwrap_err();
    assert_eq!(refused.kind().name(), "Unreachable", "{refused}");
    assert!(refused.to_string().contains("with the locked layers in 16 bits"), "{refused}");
    let refused = rounded(&model, Target::Tolerance(1.0), &["no such layer"]).unwrap_err();
    assert_eq!(refused.kind().name(), "Setting", "{refused}");
}

/// One linear layer: its answers are of all classes.
fn linear(seed: u64) -> Model {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let file = weight(File::new(&[3, 16, 16]), "fc", &[10, 768], 768, &mut rng).random("fc.b", &[10]);
    let transposed = vec![onnx_files::int("transB", 1)];
    model(file.node("Flatten", &["x"], "flat", vec![]).node("Gemm", &["flat", "fc", "fc.b"], "y", transposed))
}

#[test]
fn a_tolerance_holds_the_outputs_too_where_few_samples_judge_it() {
    // Three of them judge: their answers may stay the same while the outputs move far.
    let mut recipe = Recipe::new(Effort::Calibrate);
    (recipe.target, recipe.split.validation, recipe.split.seed) = (Target::Tolerance(1.0), 3, 1);
    let data = Data { training: samples(&[3, 16, 16], 60, 1), test: None };
    for seed in 0..8 {
        let network = Network::of_model(linear(seed));
        let report = compress(&network, Evidence::Samples(&data), &recipe, None, &mut Quiet).unwrap().report;
        assert_eq!(report.criterion, Criterion::Agreement);
        let distance = report.output_distance.unwrap().validation;
        assert!(distance * distance <= 0.01, "{distance}");
        // And no more than that.
        let refused = report.probes.iter().filter(|probe| !probe.accepted);
        assert!(refused.filter_map(|probe| probe.distance).all(|distance| distance * distance > 0.001));
    }
}

#[test]
fn a_trellis_moves_the_outputs_less_in_as_many_bytes() {
    let mut distances = [0.0; 2];
    for seed in 0..3 {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let file = weight(File::new(&[3, 16, 16]), "fc", &[64, 768], 768, &mut rng).random("fc.b", &[64]);
        let transposed = vec![onnx_files::int("transB", 1)];
        let file = file.node("Flatten", &["x"], "flat", vec![]).node("Gemm", &["flat", "fc", "fc.b"], "y", transposed);
        let network = Network::of_model(model(file));
        let data = Data { training: samples(&[3, 16, 16], 60, 1), test: None };
        for (trellis, sum) in distances.iter_mut().enumerate() {
            let mut recipe = Recipe::new(Effort::Calibrate);
            (recipe.target, recipe.split.validation, recipe.round.trellis) = (Target::Budget(24_000), 20, trellis);
            let outcome = compress(&network, Evidence::Samples(&data), &recipe, None, &mut Quiet).unwrap();
            assert!(outcome.nut.len() <= 24_000);
            *sum += outcome.report.output_distance.unwrap().validation;
        }
    }
    let [without, with] = distances;
    assert!(with < 0.95 * without, "{with} {without}");
}
