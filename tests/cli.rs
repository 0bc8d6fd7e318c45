//! The command line from outside: what it prints and writes, and how it ends.

mod place;

use nutshell::Network;
use nutshell::data::idx;
use nutshell::formats::{onnx, open, read};
use nutshell::model::presets;
use nutshell::pipeline::{self, Checkpoint, Data, Effort, Event, Evidence, Observer, Recipe, Stage, Target, Training};
use place::{CLASSES, Place, TEST, TRAINING, VALIDATION, recipe};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use serde_json::Value;
use std::fs;
use std::ops::ControlFlow;

fn samples_and_correct(accuracy: &Value) -> [u64; 2] {
    ["samples", "correct"].map(|field| accuracy[field].as_u64().unwrap())
}

/// Trains `model.onnx` on the samples; what is said of it.
fn train(place: &Place) -> Value {
    place.json(
        "train lenet5 --widths 3,4,6 --data data --recipe recipe.json --epochs 12 --batch 16 --seed 3 \
         --learning-rate 0.005 -o model.onnx",
    )
}

/// The network and the samples.
fn load(place: &Place) -> (Network, Data) {
    let load = |split| idx::load_directory(&place.0.join("data"), split).unwrap();
    let data = Data { training: load(idx::Split::Train), test: Some(load(idx::Split::Test)) };
    (open(&place.read("model.onnx"), 1 << 20).unwrap().network, data)
}

#[test]
fn trains_compresses_evaluates_and_decompresses() {
    let place = Place::new("round_trip");
    let trained = train(&place);
    assert_eq!(trained["file"], "model.onnx");
    assert_eq!(trained["bytes"], place.read("model.onnx").len());
    assert_eq!(trained["seed"], 3);
    assert_eq!(trained["validation"]["samples"], VALIDATION);
    assert_eq!(trained["test"]["samples"], TEST);
    assert!(trained["test"]["accuracy"].as_f64().unwrap() > 0.8, "{trained}");

    let again = place.json("evaluate model.onnx --data data --split validation --recipe recipe.json");
    assert_eq!(again, trained["validation"]);
    let inspected = place.json("inspect model.onnx");
    let parameters = presets::lenet5([3, 4, 6, CLASSES.into()]).parameter_count();
    assert_eq!(inspected["format"], "onnx");
    assert_eq!(inspected["graph"]["parameters"], parameters);
    assert_eq!(inspected["nut"], Value::Null);

    let report = place.json("compress model.onnx --data data --recipe recipe.json --report report.json -o model.nut");
    assert_eq!(report, serde_json::from_slice::<Value>(&place.read("report.json")).unwrap());
    assert_eq!(report["file_bytes"], place.read("model.nut").len());
    assert_eq!(report["baseline_bytes"], 4 * parameters);
    assert_eq!(report["before"]["test"], trained["test"]);
    assert!(report["seconds"].as_f64().unwrap() > 0.0);

    let split = |name: &str| -> (usize, usize) {
        let counts = &report["splits"][name];
        let classes: Vec<usize> = serde_json::from_value(counts["classes"].clone()).unwrap();
        (counts["samples"].as_u64().unwrap() as usize, classes.iter().sum())
    };
    for (name, samples) in [("training", TRAINING), ("validation", VALIDATION), ("test", TEST)] {
        assert_eq!(split(name), (samples, samples), "{name}");
    }

    let inspected = place.json("inspect model.nut");
    assert_eq!(inspected["format"], "nut");
    assert_eq!(inspected["nut"]["ratio"], report["ratio"]);
    let items = inspected["nut"]["items"].as_array().unwrap();
    let kinds: Vec<&str> = items.iter().map(|item| item[0].as_str().unwrap()).collect();
    assert_eq!(kinds, ["head", "factors", "widths", "positions", "signs", "magnitudes", "codebooks", "checksum"]);
    let sum: f64 = items.iter().map(|item| item[1].as_f64().unwrap()).sum();
    assert!((sum - inspected["file_bytes"].as_f64().unwrap()).abs() < 4.0, "{items:?}");

    // What was reported, what the file says, and what is exported from it are one network.
    let evaluate = |model: &str| place.json(&format!("evaluate {model} --data data --predictions {model}.txt"));
    let from_nut = evaluate("model.nut");
    assert_eq!(from_nut, report["after"]["test"]);
    assert_eq!((&from_nut["split"], &from_nut["samples"]), (&Value::from("test"), &Value::from(TEST)));
    assert_eq!(place.json("decompress model.nut -o large.onnx")["parameters"], parameters);
    assert_eq!(
        place.json("decompress model.nut --compact -o small.onnx")["parameters"],
        inspected["graph"]["parameters"]
    );
    for model in ["large.onnx", "small.onnx"] {
        assert_eq!(samples_and_correct(&evaluate(model)), samples_and_correct(&from_nut));
        assert_eq!(place.read(&format!("{model}.txt")), place.read("model.nut.txt"));
    }
    let predictions = String::from_utf8(place.read("model.nut.txt")).unwrap();
    let answers: Vec<u8> = predictions.lines().map(|line| line.parse().unwrap()).collect();
    let labels = &place.read("data/t10k-labels-idx1-ubyte")[8..];
    let correct = answers.iter().zip(labels).filter(|(answer, label)| answer == label).count();
    assert_eq!((answers.len(), correct as u64), (TEST, from_nut["correct"].as_u64().unwrap()));
}

/// Keeps every checkpoint.
#[derive(Default)]
struct Checkpoints(Vec<Checkpoint>);

impl Observer for Checkpoints {
    fn event(&mut self, _: Event) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) {
        self.0.push(checkpoint.clone());
    }
}

#[test]
fn a_resumed_run_makes_the_same_bytes() {
    let place = Place::with_model("resume");
    let started = "compress model.onnx --data data --recipe recipe.json --checkpoint last -o whole.nut";
    place.run(started);
    let whole = place.read("whole.nut");

    let (model, data) = load(&place);
    let mut checkpoints = Checkpoints::default();
    let outcome = pipeline::compress(&model, Evidence::Samples(&data), &recipe(), None, &mut checkpoints).unwrap();
    assert_eq!(outcome.nut, whole, "the command line and the library");
    let Checkpoints(checkpoints) = checkpoints;
    assert_eq!(checkpoints.len(), 5);
    assert_eq!(place.read("last"), checkpoints[4].to_bytes());
    for checkpoint in checkpoints {
        place.write("middle", &checkpoint.to_bytes());
        place.run("compress model.onnx --data data --resume middle -o resumed.nut");
        assert_eq!(place.read("resumed.nut"), whole, "after {:?}", checkpoint.stage);
    }
    let said = place.refuse("compress model.onnx --data data --resume last --seed 9 -o other.nut");
    assert!(said.contains("another recipe's"), "{said}");
}

#[test]
fn a_run_that_lost_far_too_much_starts_again_with_caution() {
    let place = Place::new("caution");
    train(&place);
    let (model, data) = load(&place);
    let mut recipe = Recipe { target: Target::Tolerance(10.0), ..recipe() };
    // So dear that the first training prunes almost everything.
    recipe.refine.price = 0.5;
    recipe.refine.training = Training { samples: 2_560, learning_rate: 4e-2, ..recipe.refine.training };
    let run = |resume| {
        let mut checkpoints = Checkpoints::default();
        let outcome = pipeline::compress(&model, Evidence::Samples(&data), &recipe, resume, &mut checkpoints).unwrap();
        (outcome, checkpoints.0)
    };
    let (outcome, checkpoints) = run(None);
    let shrink = [Stage::Structure, Stage::Prune, Stage::Share, Stage::Quantize];
    let expected = [&shrink[..], &shrink, &[Stage::Refine]].concat();
    assert_eq!(checkpoints.iter().map(|checkpoint| checkpoint.stage).collect::<Vec<_>>(), expected);
    let reported: Vec<Stage> = outcome.report.stages.iter().map(|state| state.stage).collect();
    assert_eq!(reported, [&[Stage::Original], &shrink[..], &[Stage::Refine, Stage::Code]].concat());
    for (index, checkpoint) in checkpoints.iter().enumerate() {
        assert_eq!(checkpoint.caution < 1.0, index >= shrink.len());
        let read = Checkpoint::from_bytes(&checkpoint.to_bytes()).unwrap();
        assert_eq!(run(Some(read)).0.nut, outcome.nut, "after {index}");
    }
}

#[test]
fn a_budget_that_nothing_fits_into_is_refused() {
    let place = Place::with_model("budget");
    let said = place.refuse("compress model.onnx --data data --recipe recipe.json --budget 3 -o out.nut");
    assert!(said.contains("the target was not reached: bytes: wanted at most 3"), "{said}");
    assert!(!place.0.join("out.nut").exists());
}

#[test]
fn prints_recipes_that_it_reads() {
    let place = Place::new("recipes");
    for (name, effort) in [("quick", Effort::Quick), ("balanced", Effort::Balanced), ("thorough", Effort::Thorough)] {
        let printed = place.run(&format!("recipe --effort {name}"));
        assert_eq!(serde_json::from_slice::<Recipe>(&printed).unwrap(), Recipe::new(effort));
    }
    let expected = Recipe { target: Target::Budget(1553), seed: 7, ..Recipe::new(Effort::Balanced) };
    let printed = place.json("recipe --budget 1553 --seed 7");
    assert_eq!(serde_json::from_value::<Recipe>(printed).unwrap(), expected);
    assert!(place.refuse("recipe --tolerance 101").contains("recipe, target"));
}

#[test]
fn a_vgg_is_trained_and_known_again_by_its_weights() {
    let place = Place::with_model("vgg");
    let trained = place.json(
        "train vgg --widths 4,4,6,8 --data data --recipe recipe.json --epochs 16 --batch 16 --learning-rate 0.005 \
         --augmentation 0.2 --mirror 0 -o vgg.onnx",
    );
    assert!(trained["test"]["accuracy"].as_f64().unwrap() > 0.8, "{trained}");
    place.run("convert vgg.onnx -o vgg.safetensors");
    let evaluate = |file: &str| place.json(&format!("evaluate {file} --data data --recipe recipe.json"));
    assert_eq!(evaluate("vgg.safetensors"), trained["test"]);
}

#[test]
fn standard_streams_stand_for_files() {
    let place = Place::with_model("streams");
    let onnx = place.read("model.onnx");
    let inspected = place.run_with("inspect - --json", &onnx);
    assert_eq!(serde_json::from_slice::<Value>(&inspected.stdout).unwrap()["file_bytes"], onnx.len());
    let trained = place.run_with("train lenet300 --widths 5,4 --data data --recipe recipe.json --epochs 0 -o -", &[]);
    let model = onnx::read(&trained.stdout, 1 << 20).unwrap();
    assert_eq!(model.graph, presets::lenet300([5, 4, CLASSES.into()]).graph);
    assert!(String::from_utf8_lossy(&trained.stderr).contains("test accuracy"));
}

#[test]
fn wrong_usage_ends_with_2() {
    let place = Place::with_model("usage");
    for arguments in [
        "",
        "shrink",
        "inspect",
        "train lenet6 --data data -o out.onnx",
        "train lenet300 --relu --data data -o out.onnx",
        "train vgg --padding 1 --data data -o out.onnx",
        "compress model.onnx --data data --tolerance 1 --budget 1000 -o out.nut",
        "compress model.onnx --data data --effort quick --recipe recipe.json -o out.nut",
        "compress model.onnx --data data --report - -o -",
        "decompress model.nut --json -o -",
        "evaluate model.onnx --data data --split training",
        "recipe --effort none",
    ] {
        place.fail(arguments, 2);
    }
    assert!(String::from_utf8_lossy(&place.run("--help")).contains("Exit codes"));
}

#[test]
fn shells_get_their_completions_and_speeds_are_measured() {
    let place = Place::with_model("bench");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = String::from_utf8(place.run(&format!("completions {shell}"))).unwrap();
        assert!(script.contains("split-test") && script.contains("decompress"), "{shell}");
        assert_eq!(place.json(&format!("completions {shell}"))["shell"], shell);
    }
    let rates = place.json("bench --seconds 0.01");
    assert_eq!(rates["rates"].as_array().unwrap().len(), 9);
    place.run("compress model.onnx --lossless -o model.nut");
    for file in ["model.onnx", "model.nut"] {
        let measured = place.json(&format!("bench {file} --seconds 0.01 --samples 16"));
        assert_eq!((&measured["samples"], &measured["bytes"]), (&16.into(), &place.read(file).len().into()));
        for speed in ["milliseconds", "milliseconds_of_many", "open_milliseconds", "open_megabytes_per_second"] {
            assert!(measured[speed].as_f64().unwrap() > 0.0, "{measured}");
        }
        let layers = measured["layers"].as_array().unwrap();
        assert!(!layers.is_empty() && layers.iter().all(|layer| layer["microseconds"].as_f64().unwrap() > 0.0));
        let shares: f64 = layers.iter().map(|layer| layer["share"].as_f64().unwrap()).sum();
        assert!((shares - 1.0).abs() < 1e-6, "{measured}");
    }
    place.refuse("bench recipe.json");
    place.fail("bench model.onnx --samples 0", 2);
    place.fail("completions cmd", 2);
}

/// Names and numbers of a file's tensors.
fn tensors(bytes: &[u8]) -> Vec<(String, Vec<f32>)> {
    let weights = read(bytes, 1 << 24).unwrap().network;
    weights.tensors.iter().map(|tensor| (tensor.name.clone(), tensor.values())).collect()
}

#[test]
fn weights_alone_are_compressed_and_written_again() {
    let place = Place::new("weights");
    let mut model = presets::lenet5([8, 16, 40, CLASSES.into()]);
    presets::initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(2));
    place.write("model.onnx", &onnx::write(&model).unwrap());
    let original = tensors(&place.read("model.onnx"));
    let report = place.json("compress model.onnx --lossless -o lossless.nut --report report.json");
    assert_eq!((&report["criterion"], &report["snr"]), (&Value::from("none"), &Value::Null));
    assert_eq!(report["file_bytes"], place.read("lossless.nut").len());
    assert_eq!(serde_json::from_slice::<Value>(&place.read("report.json")).unwrap(), report);
    for kind in ["onnx", "safetensors", "npz"] {
        let said = place.json(&format!("decompress lossless.nut -o again.{kind}"));
        let bytes = place.read(&format!("again.{kind}"));
        assert_eq!((&said["bytes"], &said["input_bytes"]), (&bytes.len().into(), &report["file_bytes"]));
        assert!(said["zipped_bytes"].as_u64().unwrap() < bytes.len() as u64);
        assert_eq!(tensors(&bytes), original);
        // From standard input to standard output.
        let output = place.run_with(&format!("convert - --to {kind} -o -"), &place.read("model.onnx"));
        assert_eq!((output.status.code(), output.stdout), (Some(0), bytes));
    }
    let [small, smaller] = ["30", "15"].map(|snr| {
        let report = place.json(&format!("compress again.npz --snr {snr} -o {snr}.nut"));
        let got = report["snr"].as_f64().unwrap();
        assert!(got >= snr.parse::<f64>().unwrap() && got < snr.parse::<f64>().unwrap() + 1.0, "{got}");
        report["file_bytes"].as_u64().unwrap()
    });
    assert!(smaller < small && small < report["file_bytes"].as_u64().unwrap());
    let report = place.json(&format!("compress again.npz --budget {small} -o budget.nut"));
    assert!(report["file_bytes"].as_u64().unwrap() <= small);
    let inspected = place.json("inspect 30.nut");
    assert_eq!((&inspected["source"], &inspected["graph"]["recognised"]), (&Value::from("npz"), &Value::from(true)));
    assert!(inspected["nut"]["items"].to_string().contains("origin"));
    let text = place.run("inspect 30.nut");
    assert!(String::from_utf8_lossy(&text).contains("conv2.weight: float32 [16, 8, 5, 5]"));
    // Its names and shapes say what it is.
    assert!(String::from_utf8_lossy(&place.run("inspect again.npz")).contains("recognised by its weights"));
    let answered = place.json("evaluate 30.nut --data data");
    place.run("decompress 30.nut -o known.onnx");
    assert_eq!(place.json("evaluate known.onnx --data data")["correct"], answered["correct"]);
    for (arguments, reason) in [
        ("decompress 30.nut --compact -o out.onnx", "expected a network with a graph"),
        ("convert model.onnx -o out.txt", "expected a name that ends in .onnx, .tflite, .safetensors, .npz, or --to"),
        ("convert model.onnx -o out.tflite", "writing it as TFLite, which it did not come from, is not supported"),
        ("compress 30.nut --data data --recipe recipe.json -o out.nut", "which is small already"),
        ("compress model.onnx --budget 100 -o out.nut", "the target was not reached: bytes of the file"),
        ("compress model.onnx --snr=-3 -o out.nut", "recipe, target.snr: expected 0 to 200, got -3"),
    ] {
        let said = place.refuse(arguments);
        assert!(said.contains(reason), "nutshell {arguments}: {said}");
    }
    for arguments in [
        "compress model.onnx --snr 30 --budget 9 -o out.nut",
        "compress model.onnx --snr 30 --data data -o out.nut",
        "compress model.onnx --effort quick -o out.nut",
        "compress model.onnx --tolerance 1 -o out.nut",
        "compress model.onnx --seed 1 -o out.nut",
        "compress model.onnx --split-test 0.5 -o out.nut",
        "evaluate - --data -",
        "compress - --data - -o out.nut",
        "compress model.onnx --data - --recipe - -o out.nut",
    ] {
        place.fail(arguments, 2);
    }
}

#[test]
fn bad_input_is_refused_with_its_reason() {
    let place = Place::with_model("bad_input");
    place.write("other.json", b"{\"effort\": \"quick\"}");
    place.write("page.onnx", b"<!DOCTYPE html><html></html>");
    place.write("narrow.onnx", &onnx::write(&presets::lenet5([3, 4, 6, 3])).unwrap());
    for (arguments, reason) in [
        ("inspect none.onnx", "none.onnx: expected a readable file"),
        ("inspect data --shape 27,28", "samples, shape"),
        ("inspect recipe.json", "can open: JSON: a recipe is given by --recipe"),
        ("inspect recipe.json", "or samples as IDX, npz, CSV, or a ZIP archive of pictures"),
        ("evaluate data/t10k-images-idx3-ubyte --data data", "expected a model, got samples"),
        ("compress data/t10k-images-idx3-ubyte -o out.nut", "name the model first, and give the samples as --data"),
        ("compress data --data model.onnx -o out.nut", "expected a model, or a folder with one"),
        ("compress data -o out.nut", "expected a model, or a folder with one"),
        ("inspect data/t10k-labels-idx1-ubyte", "number of dimensions 2, 3 or 4"),
        ("inspect -", "can open: an empty file"),
        ("compress page.onnx -o out.nut", "page.onnx: not a file that Nutshell can open"),
        ("convert page.onnx -o out.npz", "can open: a web page: download the file itself"),
        ("decompress model.onnx -o out.onnx", "expected a .nut file"),
        ("evaluate model.onnx --data none", "none: expected samples as IDX, npz, npy or CSV files, or PNG and JPEG"),
        ("evaluate model.onnx --data recipe.json", "expected samples as IDX, npz"),
        ("evaluate model.onnx --data model.onnx", "can open: a model; expected samples"),
        ("evaluate model.onnx --data data --split-test 0.1", "no test samples in the data set"),
        ("evaluate model.onnx --data data/t10k-images-idx3-ubyte --split-test 1.5", "above 0 and below 1"),
        ("evaluate model.onnx --data data --split validation --validation 400", "validation split"),
        ("evaluate narrow.onnx --data data", "label"),
        ("evaluate model.onnx --data data --recipe other.json", "missing field"),
        ("evaluate model.onnx --data data --predictions none/out", "no directory 'none'"),
        ("train lenet5 --data data --validation 400 -o out.onnx", "validation split"),
        ("train lenet5 --data data --recipe recipe.json --batch 0 -o out.onnx", "training.batch"),
        ("train lenet5 --data data --recipe recipe.json --batch 1000000000000 -o out.onnx", "training.batch"),
        ("train lenet5 --data data --recipe recipe.json --learning-rate nan -o out.onnx", "training.learning_rate"),
        ("train lenet5 --data data --recipe recipe.json --widths 0,1,2 -o out.onnx", "width"),
        ("train vgg --data data --recipe recipe.json --mirror 1.5 -o out.onnx", "mirror"),
        ("train vgg --data data --recipe recipe.json --augmentation=-1 -o out.onnx", "training.augmentation"),
        ("train vgg --data data --recipe recipe.json --widths 1,1,1,1,1,1,1,1,1,1,1,9 -o out.onnx", "window"),
        ("compress model.onnx --data data --recipe recipe.json --tolerance nan -o out.nut", "recipe, target"),
        ("compress narrow.onnx --data data --recipe recipe.json -o out.nut", "label"),
        ("compress model.onnx --data data --resume model.onnx -o out.nut", "checkpoint file, start"),
        ("compress model.onnx --data data --recipe recipe.json --checkpoint none/at -o out.nut", "no directory 'none'"),
        (
            "compress model.onnx --data data --recipe recipe.json --checkpoint data -o out.nut",
            "none of those that are read",
        ),
    ] {
        let said = place.refuse(arguments);
        assert!(said.contains(reason), "nutshell {arguments}: {said}");
    }
    assert!(!place.0.join("out.onnx").exists() && !place.0.join("out.nut").exists());
    assert!(
        fs::read_dir(&place.0).unwrap().all(|entry| !entry.unwrap().file_name().to_string_lossy().ends_with(".part"))
    );
}

#[test]
fn no_file_is_lost_to_an_output() {
    let place = Place::with_model("outputs");
    let model = place.read("model.onnx");
    place.write("notes.txt", b"what I want to keep");
    place.write("empty.nut", b"");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("model.onnx", place.0.join("link.nut")).unwrap();
        fs::hard_link(place.0.join("model.onnx"), place.0.join("hard.nut")).unwrap();
        for link in ["link.nut", "hard.nut"] {
            let said = place.refuse(&format!("compress model.onnx -o {link} --force"));
            assert!(said.contains("none of those that are read, got model.onnx"), "{said}");
        }
    }
    for (arguments, reason) in [
        (
            "compress model.onnx -o model.onnx",
            "expected a name that ends in .nut, got .onnx: compress writes .nut files",
        ),
        ("compress model.onnx -o small", "expected a name that ends in .nut, got none"),
        ("convert model.onnx -o model.onnx", "none of those that are read"),
        ("convert model.onnx -o out.pt", "a name that ends in .onnx"),
        (
            "convert model.onnx --to npz -o out.safetensors",
            "expected a name that ends in .npz, since --to says so, got safetensors",
        ),
        (
            "compress model.onnx -o out.nut --report notes.txt",
            "expected no file, or one of the same kind (JSON), got text: --force",
        ),
        ("compress model.onnx -o out.nut --report model.onnx", "none of those that are read"),
        ("compress model.onnx -o out.nut --report out.nut", "a name of its own for each file to write"),
        ("train lenet5 --data data --recipe recipe.json -o out.nut", "expected a name that ends in .onnx"),
        ("evaluate model.onnx --data data --predictions recipe.json", "got JSON: --force replaces it"),
    ] {
        let said = place.refuse(arguments);
        assert!(said.contains(reason), "nutshell {arguments}: {said}");
    }
    assert!(!place.0.join("out.nut").exists() && place.read("model.onnx") == model);
    // What is of the same kind is replaced, and what is empty; anything else if the user says so.
    for _ in 0..2 {
        place.run("compress model.onnx -o empty.nut --report report.json");
    }
    place.refuse("decompress empty.nut -o out.txt");
    place.refuse("decompress empty.nut -o empty.nut");
    place.run("evaluate model.onnx --data data --predictions notes.txt");
    place.run("evaluate model.onnx --data data --predictions report.json --force");
}

#[test]
fn numbers_may_have_their_units() {
    let place = Place::with_model("units");
    let plain = place.json("recipe --budget 4000");
    assert_eq!(place.json("recipe --budget 4kB"), plain);
    assert_eq!(place.json("recipe --tolerance 0.5%")["target"]["tolerance"], 0.5);
    assert_eq!(place.json("recipe --mirror 50%")["mirror"], 0.5);
    let [decibels, number] = ["30dB", "30"].map(|snr| place.json(&format!("compress model.onnx --snr {snr} -o a.nut")));
    assert_eq!(decibels["file_bytes"], number["file_bytes"]);
    assert!(place.fail("recipe --budget 4parsecs", 2).contains("expected a size in bytes, such as 4479, 4kB"));
    assert!(place.refuse("recipe --tolerance -1").contains("target.tolerance: expected 0 to 100, got -1"));
    let said = place.fail("compress model.onnx --bits 8 -o a.nut", 2);
    assert!(said.contains("unexpected argument '--bits'") && !said.contains("as a value"), "{said}");
}

#[test]
fn truncated_files_are_refused() {
    let place = Place::with_model("truncated");
    place.run("compress model.onnx --data data --recipe recipe.json --checkpoint at -o model.nut");
    for (file, arguments) in [
        ("model.onnx", "inspect model.onnx"),
        ("model.nut", "inspect model.nut"),
        ("model.nut", "decompress model.nut -o out.onnx"),
        ("at", "compress model.onnx --data data --resume at -o out.nut"),
        ("recipe.json", "evaluate model.onnx --data data --recipe recipe.json"),
        ("data/t10k-images-idx3-ubyte", "evaluate model.onnx --data data"),
        ("data/t10k-labels-idx1-ubyte", "evaluate model.onnx --data data"),
        ("data/train-images-idx3-ubyte", "train lenet5 --data data --recipe recipe.json -o out.onnx"),
    ] {
        let whole = place.read(file);
        for length in [0, 1, 3, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
            place.write(file, &whole[..length]);
            place.refuse(arguments);
        }
        place.write(file, &whole);
    }
    assert!(!place.0.join("out.onnx").exists() && !place.0.join("out.nut").exists());
}
