//! What is written in other formats: types, names, sizes. `files/exports/make.py` makes the tied networks and has onnxruntime answer them;
//! `files/exports/check.py` has onnxruntime load and answer whatever is exported here.

use crate::place::Place;
use nutshell::formats::{export::export, open};
use nutshell::model::{Network, Tensor};
use nutshell::network::evaluate::answers;
use rten_onnx::onnx::{GraphProto, ModelProto};
use serde_json::Value;
use std::collections::HashSet;
use std::path::Path;

fn file(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/files/exports").join(name)).unwrap()
}

/// A place with these files, and the digits.
fn place(name: &str, files: &[&str]) -> Place {
    let place = Place::new(name);
    files.iter().chain(&["digits.npz"]).for_each(|name| place.write(name, &file(name)));
    place
}

fn network(bytes: &[u8]) -> Network {
    open(bytes, 1 << 24).unwrap().network
}

fn graph(bytes: &[u8]) -> GraphProto {
    ModelProto::parse_buf(bytes).unwrap().graph.unwrap()
}

/// Proves that each value has one maker, which comes before its readers.
fn assert_sound(bytes: &[u8]) {
    let graph = graph(bytes);
    let inputs = graph.input.iter().map(|input| input.name.clone().unwrap());
    let mut known: HashSet<String> = inputs.collect();
    for tensor in &graph.initializer {
        assert!(known.insert(tensor.name.clone().unwrap()), "{:?} twice", tensor.name);
    }
    for node in &graph.node {
        node.input.iter().for_each(|name| assert!(name.is_empty() || known.contains(name), "{name} is not made"));
        node.output.iter().for_each(|name| assert!(known.insert(name.clone()), "{name} twice"));
    }
    graph.output.iter().for_each(|output| assert!(known.contains(output.name.as_deref().unwrap())));
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.values()
}

/// The numbers of an array in an npz file.
fn array(bytes: &[u8], name: &str) -> (Vec<usize>, Vec<f32>) {
    let arrays = network(bytes);
    let array = arrays.tensors.iter().find(|tensor| tensor.name == name).unwrap();
    (array.shape.clone(), numbers(array))
}

/// The largest distance of a network's answers from onnxruntime's.
fn distance(bytes: &[u8], expected: &str) -> f32 {
    let expected = file(expected);
    let ((shape, x), (_, y)) = (array(&expected, "x"), array(&expected, "y"));
    let inputs = ndarray::Array2::from_shape_vec((shape[0], shape[1]), x).unwrap();
    let got = answers(network(bytes).runnable().unwrap(), &inputs).unwrap();
    assert_eq!(got.len(), y.len());
    got.iter().zip(&y).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Names of the tensors that an export said it left as they are.
fn as_before(said: &Value) -> Vec<String> {
    said["as_before"].as_array().unwrap().iter().map(|tensor| tensor["name"].as_str().unwrap().to_owned()).collect()
}

/// onnxruntime 1.32 answers the same, to the bit, to the plain file and both small ones (`check.py`).
#[test]
fn halves_sparse_numbers_and_those_of_functions_and_branches_become_small() {
    let files = ["half_a", "half_b", "half_c", "sparse_init", "sparse_const", "const_in_function", "if"];
    let names: Vec<String> = files.iter().map(|name| format!("{name}.onnx")).collect();
    let place = place("exports_small", &names.iter().map(String::as_str).collect::<Vec<_>>());
    for name in &names {
        let report = place.json(&format!("compress {name} --snr 20 -o small.nut"));
        assert!(report["ratio"].as_f64().unwrap() > 2.5, "{name}: {}", report["ratio"]);
        let plain = place.json("decompress small.nut -o plain.onnx");
        assert!(as_before(&plain).is_empty());
        for form in ["onnx-shared", "onnx-scaled"] {
            let said = place.json(&format!("decompress small.nut --to {form} -o form.onnx"));
            let (bytes, plain) = (said["bytes"].as_f64().unwrap(), plain["bytes"].as_f64().unwrap());
            assert!(bytes < 0.65 * plain, "{name} as {form}: {bytes} of {plain}");
            if !name.starts_with("if") && !name.starts_with("const_in") {
                assert_sound(&place.read("form.onnx"));
            }
        }
    }
    // What can be run here answers the same.
    let run = |file: &str| {
        place.run(&format!("evaluate {file} --data digits.npz --predictions p.txt"));
        place.read("p.txt")
    };
    place.run("compress half_a.onnx --snr 20 -o small.nut");
    let wanted = run("small.nut");
    for form in ["onnx", "onnx-shared", "onnx-scaled"] {
        place.run(&format!("decompress small.nut --to {form} -o form.onnx"));
        assert_eq!(run("form.onnx"), wanted, "{form}");
    }
}

#[test]
fn what_stays_as_it_is_is_said_with_the_reason() {
    let place = place("exports_said", &["half_a.onnx", "qdq.onnx", "int4.onnx"]);
    let said = String::from_utf8(place.run("convert half_a.onnx --to onnx-scaled -o out.onnx")).unwrap();
    assert!(said.contains("as before, no multiples of a step: c1.w") || said.contains("f1.w"), "{said}");
    place.run("compress int4.onnx --lossless -o small.nut");
    let said = place.json("decompress small.nut --to onnx-shared -o out.onnx");
    assert!(as_before(&said).contains(&"q4".into()), "{said}");
    // What has 8 bits is not rounded further without samples, and the ratio counts all that is in the file.
    for model in ["qdq.onnx", "int4.onnx"] {
        let said = String::from_utf8(place.run(&format!("compress {model} --snr 10 -o small.nut"))).unwrap();
        assert!(said.contains("quantized already and stay as they are"), "{said}");
        assert!(!said.contains("0.9") || said.contains("times as large"), "{said}");
    }
}

#[test]
fn new_names_are_none_of_the_files() {
    let place = place("exports_names", &["clash.onnx", "wild.onnx"]);
    for model in ["clash.onnx", "wild.onnx"] {
        place.run(&format!("compress {model} --snr 20 -o small.nut"));
        for form in ["onnx-shared", "onnx-scaled"] {
            place.run(&format!("decompress small.nut --to {form} -o out.onnx"));
            assert_sound(&place.read("out.onnx"));
            // A small file made small again.
            place.run("compress out.onnx --snr 12 -o again.nut");
            for again in ["onnx-shared", "onnx-scaled"] {
                place.run(&format!("decompress again.nut --to {again} -o again.onnx"));
                assert_sound(&place.read("again.onnx"));
            }
        }
    }
}

const QUICK: &str = "--data digits.npz --effort quick --validation 300 --tolerance 3";

/// Names of inputs and outputs of a file.
fn ends(bytes: &[u8]) -> [Vec<String>; 2] {
    let graph = graph(bytes);
    [graph.input, graph.output].map(|infos| infos.into_iter().map(|info| info.name.unwrap()).collect())
}

#[test]
fn tied_kernels_stay_one() {
    let place = place("exports_tied", &["tied_direct.onnx", "tied_transposed.onnx"]);
    for model in ["tied_direct.onnx", "tied_transposed.onnx"] {
        let inspected = place.json(&format!("inspect {model}"));
        // 1,954 numbers, 7,816 bytes, by numpy.
        assert_eq!(inspected["graph"]["parameters"], 1954, "{model}");
        let report = place.json(&format!("compress {model} {QUICK} -o small.nut"));
        assert_eq!(report["baseline_bytes"], 7816, "{model}");
        assert_eq!(place.json("inspect small.nut")["graph"]["baseline_bytes"], 7816);
        for form in ["", "--compact", "--to onnx-scaled", "--compact --to onnx-scaled", "--compact --to onnx-shared"] {
            place.run(&format!("decompress small.nut {form} -o out.onnx"));
            let out = place.read("out.onnx");
            // What is written has other names than the original, and as many numbers.
            let most = if form.contains("to") { file(model).len() / 2 } else { file(model).len() + 900 };
            assert!(out.len() < most, "{form}: {} bytes", out.len());
            assert_eq!(ends(&out), [vec!["x".to_owned()], vec!["y".to_owned()]]);
            assert_eq!(network(&out).runnable().unwrap().parameters.len(), 6, "{form}");
        }
    }
}

#[test]
fn a_decoder_that_is_its_encoder_transposed_has_one_weight() {
    for name in ["autoencoder", "copies"] {
        let bytes = file(&format!("{name}.onnx"));
        assert!(distance(&bytes, &format!("{name}.npz")) < 1e-5, "{name}");
        let model = network(&bytes).model.unwrap();
        assert_eq!(model.parameter_count(), 6 * 16 + 6 + 16, "{name}");
        // Written and read again it is the same network.
        let written = nutshell::formats::onnx::write(&model).unwrap();
        assert!(distance(&written, &format!("{name}.npz")) < 1e-5, "{name}");
        assert_eq!(network(&written).model.unwrap().parameter_count(), 118, "{name}");
        assert_eq!(
            graph(&written)
                .initializer
                .iter()
                .filter(|tensor| tensor.dims.contains(&6) && tensor.dims.len() == 2)
                .count(),
            1
        );
    }
}

#[test]
fn branches_share_layers_and_outputs_keep_their_names_and_order() {
    let bytes = file("siamese.onnx");
    assert!(distance(&bytes, "siamese.npz") < 1e-5);
    let model = network(&bytes).model.unwrap();
    // The normalisation is folded into both branches alike.
    assert_eq!(model.parameter_count(), 4 * 9 + 4 + 3 * 64 + 3);
    let written = nutshell::formats::onnx::write(&model).unwrap();
    assert!(distance(&written, "siamese.npz") < 1e-5);
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    assert_eq!(ends(&written), [names(&["right", "left"]), names(&["right code", "difference", "left code"])]);
}

/// A .nut of a network with its graph remembers the names, and says them in each export.
#[test]
fn names_of_inputs_and_outputs_outlive_a_run_with_data() {
    let place = place("exports_ends", &["wild.onnx", "clash.onnx"]);
    for (model, input, output) in [("wild.onnx", "input", "output"), ("clash.onnx", "x", "y")] {
        place.run(&format!("compress {model} {QUICK} -o small.nut"));
        for form in ["", "--compact", "--to onnx-shared"] {
            place.run(&format!("decompress small.nut {form} -o out.onnx"));
            let out = place.read("out.onnx");
            assert_sound(&out);
            assert_eq!(ends(&out), [vec![input.to_owned()], vec![output.to_owned()]], "{model} {form}");
        }
    }
}

/// onnxruntime: 97.98 % and 97.73 % on the test samples.
#[test]
fn quantized_networks_are_trained_as_the_numbers_that_they_mean() {
    let place = place("exports_qdq", &["qdq.onnx", "qdq_u8.onnx"]);
    for (model, right) in [("qdq.onnx", 389), ("qdq_u8.onnx", 388)] {
        let report = place.json(&format!("compress {model} {QUICK} -o small.nut"));
        let correct = |when: &str| report[when]["test"]["correct"].as_u64().unwrap();
        assert!(correct("before").abs_diff(right) <= 1, "{model}: {}", correct("before"));
        assert!(correct("after") + 16 > right, "{model}: {}", correct("after"));
        // Nothing was given up.
        assert_eq!(
            report["warnings"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|text| text.as_str().unwrap().contains("instead"))
                .count(),
            0
        );
    }
}

/// PyTorch's nine views, by numpy 44,736 bytes as copies: what tensors share is stored and counted once, and each comes back.
#[test]
fn tensors_that_share_a_storage_are_stored_once() {
    let place = place("exports_views", &["views.pt"]);
    let report = place.json("compress views.pt --lossless -o small.nut");
    assert!(place.read("small.nut").len() < file("views.pt").len());
    assert_eq!(report["baseline_bytes"], 4 * (48 * 32 + 30 * 7 + 16 * 8 * 9 + 48 * 32));
    let (was, is) = (network(&file("views.pt")), network(&place.read("small.nut")));
    assert_eq!(was.tensors, is.tensors);
    let exported = network(&export(&is, "safetensors").unwrap());
    let bytes = |network: &Network| {
        network.tensors.iter().map(|tensor| (tensor.name.clone(), tensor.bytes.clone())).collect::<HashSet<_>>()
    };
    assert_eq!(bytes(&exported), bytes(&was));
    // Rounded, they are still views of one another.
    place.run("compress views.pt --snr 20 -o small.nut");
    let rounded = network(&place.read("small.nut"));
    let of = |name: &str| numbers(rounded.tensors.iter().find(|tensor| tensor.name == name).unwrap());
    let (a, c) = (of("a.weight"), of("c.weight"));
    assert!((0..48 * 32).all(|at| a[at] == c[at % 32 * 48 + at / 32]));
    assert_eq!(of("row"), a[3 * 32..4 * 32]);
}
