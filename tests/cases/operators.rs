//! Graphs of many exporters, run. `files/graphs/make.py` says where they and the right answers come from.

use crate::place::Place;
use std::path::Path;

/// A place with files of `files/graphs`.
fn place(name: &str, files: &[&str]) -> Place {
    let place = Place::new(name);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/files/graphs");
    for file in files {
        place.write(file, &std::fs::read(folder.join(file)).unwrap());
    }
    place
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// Whether a network answers every test sample with the class that onnxruntime answers with.
fn answers_alike(place: &Place, model: &str, samples: &str, right: &str) {
    place.run(&format!("evaluate {model} --data {samples} --predictions answers.txt"));
    assert_eq!(text(place.read("answers.txt")), text(place.read(right)), "{model}");
}

#[test]
fn graphs_that_cannot_be_run_open_as_weights_and_say_what_helps() {
    let place = place("operators-weights", &["dynamic.onnx", "qlinear.onnx", "digits.npz"]);
    for (model, operator) in [("dynamic.onnx", "DynamicQuantizeLinear"), ("qlinear.onnx", "QLinearConv")] {
        let said = text(place.run(&format!("inspect {model}")));
        let why = said.lines().find(|line| line.starts_with("why it cannot be run: ")).unwrap();
        assert!(why.contains(&format!("operator {operator} is not supported")), "{why}");
        assert!(why.contains("the float model that this one was quantized from") && why.len() < 350, "{why}");
        place.run(&format!("compress {model} --lossless -o small.nut"));
        place.run("decompress small.nut -o again.onnx");
        let said = place.refuse(&format!("compress {model} --data digits.npz -o small.nut"));
        assert!(said.contains(operator) && said.contains("leave out --data"), "{said}");
    }
}

#[test]
fn weights_in_constant_nodes_are_weights() {
    let place = place("operators-constants", &["constants.onnx", "constants.txt", "digits.npz"]);
    answers_alike(&place, "constants.onnx", "digits.npz", "constants.txt");
    place.run("compress constants.onnx --lossless -o small.nut");
    let said = text(place.run("inspect small.nut"));
    assert!(!said.contains("cannot be run"), "{said}");
    place.run("decompress small.nut -o again.onnx");
    assert!(place.read("again.onnx") == place.read("constants.onnx"));
    place.run("compress constants.onnx --snr 40 -o small.nut");
    place.run("evaluate small.nut --data digits.npz --predictions nut.txt");
    for form in ["onnx", "onnx-shared", "onnx-scaled"] {
        place.run(&format!("decompress small.nut --to {form} -o form.onnx"));
        answers_alike(&place, "form.onnx", "digits.npz", "nut.txt");
    }
}

#[test]
fn what_functions_of_the_file_compute_is_computed() {
    let files = ["functions.onnx", "functions.txt", "nested.onnx", "nested.txt", "digits.npz"];
    let place = place("operators-functions", &files);
    answers_alike(&place, "functions.onnx", "digits.npz", "functions.txt");
    answers_alike(&place, "nested.onnx", "digits.npz", "nested.txt");
}

#[test]
fn half_precision_throughout_runs() {
    let place = place("operators-half", &["half.onnx", "half.txt", "digits.npz"]);
    answers_alike(&place, "half.onnx", "digits.npz", "half.txt");
}

#[test]
fn labels_are_cut_off_behind_their_scores() {
    let names = ["int_zip", "pipe_nozip", "str_nozip"];
    let files: Vec<String> = names.iter().flat_map(|name| [format!("{name}.onnx"), format!("{name}.txt")]).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).chain(["digits.npz"]).collect();
    let place = place("operators-labels", &files);
    for name in names {
        answers_alike(&place, &format!("{name}.onnx"), "digits.npz", &format!("{name}.txt"));
    }
    let report = place
        .json("compress int_zip.onnx --data digits.npz --effort quick --validation 200 --budget 3000 -o small.nut");
    assert!(report["after"]["validation"]["accuracy"].as_f64().unwrap() > 0.9, "{report}");
}

#[test]
fn integers_that_name_places_or_are_cast_are_read() {
    let place =
        place("operators-integers", &["text.onnx", "text.npz", "text.txt", "bytes.onnx", "bytes.npz", "bytes.txt"]);
    // The number of words is that of the samples; bytes stay what they are.
    answers_alike(&place, "text.onnx", "text.npz", "text.txt");
    answers_alike(&place, "bytes.onnx", "bytes.npz", "bytes.txt");
    place.run("compress text.onnx --data text.npz --effort quick --validation 60 --budget 3000 -o text.nut");
    place.run("evaluate text.nut --data text.npz --predictions nut.txt");
    // What is written has integers as its input again, or it would not be read.
    place.run("decompress text.nut -o again.onnx");
    answers_alike(&place, "again.onnx", "text.npz", "nut.txt");
}

#[test]
fn sizes_that_are_open_are_those_of_the_samples_or_said() {
    let place = place("operators-sizes", &["sizes.onnx", "sizes.txt", "half.onnx", "digits.npz"]);
    let said = text(place.run("inspect sizes.onnx"));
    assert!(said.contains("sizes are not all known (axes: 2, 3)") && said.contains("--input-shape"), "{said}");
    let said = text(place.run("inspect sizes.onnx --input-shape 1,8,8"));
    assert!(said.contains("graph, from [1, 8, 8]:"), "{said}");
    answers_alike(&place, "sizes.onnx", "digits.npz --shape 1,8,8", "sizes.txt");
    let said = place.refuse("evaluate sizes.onnx --data digits.npz --input-shape 3,8,8");
    assert!(said.contains("expected a sample that fits an input of [any, 1, any, any], got [3, 8, 8]"), "{said}");
    // It is not overlooked where the graph says it.
    let said = place.refuse("inspect half.onnx --input-shape 3,8,8");
    assert!(said.contains("expected an --input-shape like [1, 8, 8]"), "{said}");
}

#[test]
fn recurrent_layers_run_and_train() {
    let names = ["lstm", "lstm_both", "lstm_steps", "gru", "gru_both", "rnn"];
    let files: Vec<String> = names.iter().flat_map(|name| [format!("{name}.onnx"), format!("{name}.txt")]).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).chain(["digits.npz"]).collect();
    let place = place("operators-recurrent", &files);
    for name in names {
        answers_alike(&place, &format!("{name}.onnx"), "digits.npz --shape 8,8", &format!("{name}.txt"));
    }
    for name in ["lstm", "gru"] {
        let run = format!(
            "compress {name}.onnx --data digits.npz --shape 8,8 --effort quick --validation 200 --budget 3000 -o small.nut"
        );
        let report = place.json(&run);
        let accuracy = |when: &str| report[when]["validation"]["accuracy"].as_f64().unwrap();
        // The labels say nothing of a network that was drawn: it keeps its own answers, through every stage.
        assert_eq!(report["criterion"], "outputs");
        assert!(accuracy("after") > 0.9, "{}", report["after"]);
        assert!(report["probes"].as_array().unwrap().iter().any(|probe| probe["stage"] == "prune"));
        place.run("evaluate small.nut --data digits.npz --shape 8,8 --predictions nut.txt");
        place.run("decompress small.nut -o again.onnx");
        answers_alike(&place, "again.onnx", "digits.npz --shape 8,8", "nut.txt");
    }
}
