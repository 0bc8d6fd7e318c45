//! TFLite graphs: what is read computes what LiteRT computes. The files, and what they compute, are made by `tests/data/tflite/make.py`.
#![cfg(not(target_arch = "wasm32"))]

use ndarray::Array2;
use nutshell::formats::export::{export, writer};
use nutshell::formats::{add_model, onnx, open};
use nutshell::model::channels::channel_groups;
use nutshell::model::{Model, Network, Op};
use nutshell::network::answers;
use nutshell::pipeline::{Evidence, Outcome, Quiet, Recipe, Target, compress};
use std::path::Path;

/// Compresses by the weights alone.
fn by_weights(network: &nutshell::Network, target: Target) -> Result<Outcome, nutshell::Error> {
    compress(network, Evidence::Weights, &Recipe::of_weights(target), None, &mut Quiet)
}

const CAP: u64 = 1 << 24;
const NAMES: [&str; 9] = ["mobile", "flatten", "direct", "shapes", "elements", "moves", "sums", "halves", "whole"];

fn file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tflite");
    std::fs::read(folder.join(name)).unwrap()
}

/// A file, with its graph.
fn opened(name: &str) -> Network {
    open(&file(&format!("{name}.tflite")), CAP).unwrap().network
}

fn model(name: &str) -> Model {
    opened(name).model.unwrap()
}

/// Two samples, and the answers of LiteRT.
fn recorded(name: &str) -> [Array2<f32>; 2] {
    let record: serde_json::Value = serde_json::from_slice(&file(&format!("{name}.json"))).unwrap();
    ["inputs", "outputs"].map(|key| {
        let rows: Vec<Vec<f32>> = serde_json::from_value(record[key].clone()).unwrap();
        Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
    })
}

/// How far a network's answers are from what was recorded, at most, of 1 or of the answer if that is more.
fn difference(name: &str, model: &Model) -> f32 {
    let [inputs, expected] = recorded(name);
    let got = answers(model, &inputs).unwrap();
    assert_eq!(got.dim(), expected.dim(), "{name}");
    let apart = got.iter().zip(&expected).map(|(got, expected)| (got - expected).abs() / expected.abs().max(1.0));
    apart.fold(0.0, f32::max)
}

#[test]
fn graphs_compute_what_litert_computes() {
    for name in NAMES {
        // Integers throughout are rounded after each layer, which is left out here.
        let limit = if name == "whole" { 0.1 } else { 2e-5 };
        let apart = difference(name, &model(name));
        assert!(apart <= limit, "{name}: {apart}");
    }
}

fn operators(model: &Model) -> Vec<&'static str> {
    model.graph.nodes.iter().map(|node| node.op.name()).collect()
}

#[test]
fn images_have_their_channels_first_and_nothing_is_turned() {
    let mobile = model("mobile");
    assert_eq!(mobile.graph.input_shape, [3, 9, 8]);
    let expected = "Conv Clip Conv Relu Conv Conv Clip Conv Add Clip HardSwish GlobalAveragePool Flatten Gemm Softmax";
    assert_eq!(operators(&mobile), expected.split(' ').collect::<Vec<_>>());
    let Op::Conv(conv) = &mobile.graph.nodes[0].op else { panic!("{:?}", mobile.graph.nodes[0]) };
    // The padding that is an operator of its own is that of the convolution.
    assert_eq!((conv.stride, conv.pads), ([2, 2], [0, 0, 1, 1]));
    assert!(operators(&model("direct")).iter().filter(|&&name| name == "Transpose").count() <= 2);
}

#[test]
fn channels_are_followed_through_a_flattening() {
    let flatten = model("flatten");
    assert_eq!(
        operators(&flatten),
        ["Conv", "Relu", "MaxPool", "Tanh", "Flatten", "Gemm", "Clip", "Gemm", "LogSoftmax"]
    );
    let groups = channel_groups(&flatten).unwrap();
    let seen: Vec<_> = groups.iter().map(|group| (group.channels, group.removable)).collect();
    assert_eq!(seen, [(4, true), (6, true), (3, false)]);
    assert_eq!(groups[0].consumers[0].columns, 10);
}

#[test]
fn a_graph_stays_with_its_compressed_weights() {
    for name in NAMES {
        let nut = by_weights(&opened(name), Target::Lossless).unwrap().nut;
        let again = open(&nut, CAP).unwrap().network;
        assert_eq!(again.model, Some(model(name)));
        assert_eq!(export(&again, "tflite"), Ok(file(&format!("{name}.tflite"))), "{name}");
    }
}

#[test]
fn exports_are_those_that_the_weights_allow() {
    let [floats, integers] = ["mobile", "whole"].map(|name| {
        let mut loaded = opened(name);
        assert!(writes_tflite(&loaded), "{name}");
        for tensor in loaded.tensors.iter_mut().filter(|tensor| tensor.shape.len() > 1 && tensor.dtype.is_float()) {
            let values: Vec<f32> = tensor.values().iter().map(|value| value * 0.75).collect();
            tensor.bytes = tensor.dtype.of_floats(&values).unwrap();
        }
        loaded
    });
    // Numbers that changed are in the file; integers with a scale cannot take them.
    let written = export(&floats, "tflite").unwrap();
    assert_eq!(open(&written, CAP).unwrap().network.tensors, floats.tensors);
    assert!(!writes_tflite(&integers));
    let error = export(&integers, "tflite").unwrap_err().to_string();
    assert!(error.contains("other numbers than its integers can hold is not supported"), "{error}");
    for loaded in [&floats, &integers] {
        let changed = Network { model: None, ..loaded.clone() };
        let network = with_model(changed);
        let written = export(&network, "onnx").unwrap();
        assert_eq!(answers_of(&onnx::read(&written, CAP).unwrap()), answers_of(network.runnable().unwrap()));
    }
}

/// The weights with the graph that they make now.
fn with_model(mut weights: Network) -> Network {
    add_model(&mut weights, CAP);
    weights
}

fn writes_tflite(weights: &Network) -> bool {
    writer("tflite").is_some_and(|writer| (writer.suits)(weights))
}

/// Answers to the first samples of `mobile`, or zeros.
fn answers_of(model: &Model) -> Array2<f32> {
    let size = model.graph.input_shape.iter().product();
    let [inputs, _] = recorded("mobile");
    let inputs = if inputs.dim().1 == size { inputs } else { Array2::zeros((1, size)) };
    answers(model, &inputs).unwrap()
}
