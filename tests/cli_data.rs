//! The command line from outside: samples in all the formats, with and without labels.

mod place;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use nutshell::formats::{numpy, zip};
use nutshell::model::{Dtype, Network, Origin, Source, Tensor};
use place::{CLASSES, Place, TEST, VALIDATION};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde_json::Value;
use std::fs;

#[test]
fn without_labels_the_original_is_agreed_with() {
    let place = Place::with_model("agreement");
    for name in ["train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte", "t10k-images-idx3-ubyte"] {
        fs::rename(place.0.join("data").join(name), place.0.join(name)).unwrap();
    }
    let started = "compress model.onnx --data data --recipe recipe.json -o out.nut";
    let report = place.json(started);
    assert_eq!((&report["criterion"], &report["before"]["validation"]["accuracy"]), (&"agreement".into(), &1.0.into()));
    assert_eq!(report["after"]["test"], Value::Null);
    let text = String::from_utf8(place.run(started)).unwrap();
    assert!(text.contains("criterion: agreement with the original's answers"), "{text}");
    assert!(text.contains(&format!("validation: {VALIDATION} samples without labels")), "{text}");
    assert!(text.contains("validation agreement: 100.00 % before"), "{text}");

    let compared = "evaluate out.nut --data data --split validation --recipe recipe.json";
    let again = place.json(&format!("{compared} --original model.onnx"));
    assert_eq!(again["correct"], report["after"]["validation"]["correct"]);
    assert_eq!(again["output_distance"], report["output_distance"]["validation"]);
    assert_eq!(again["criterion"], "agreement");
    assert!(place.refuse(compared).contains("labels"));
    assert!(place.refuse("train lenet5 --data data --recipe recipe.json -o out.onnx").contains("labels"));
}

/// The test samples of a place as npz, as CSV, and as pictures in a folder a class, in an archive and on disk.
fn other_formats(place: &Place) {
    let (images, labels) = (place.read("data/t10k-images-idx3-ubyte"), place.read("data/t10k-labels-idx1-ubyte"));
    let (images, labels) = (&images[16..], &labels[8..]);
    let tensor = |name: &str, shape: &[usize], bytes: &[u8]| {
        let (name, shape, bytes) = (name.to_owned(), shape.to_vec(), bytes.to_vec());
        Tensor::new(name, shape, Dtype::U8, bytes)
    };
    let tensors = vec![tensor("images", &[TEST, 28, 28], images), tensor("labels", &[TEST], labels)];
    let origin = Origin { source: Source::Npz, skeleton: Vec::new() };
    place.write("samples.npz", &numpy::write_npz(&Network::new(tensors, origin)).unwrap());

    let (mut table, mut pictures) = (String::from("label"), Vec::new());
    (0..784).for_each(|pixel| table += &format!(",p{pixel}"));
    for (index, (pixels, label)) in images.chunks_exact(784).zip(labels).enumerate() {
        table += &format!("\n{label}");
        pixels.iter().for_each(|pixel| table += &format!(",{pixel}"));
        let mut png = Vec::new();
        PngEncoder::new(&mut png).write_image(pixels, 28, 28, ExtendedColorType::L8).unwrap();
        fs::create_dir_all(place.0.join(format!("pictures/{label}"))).unwrap();
        place.write(&format!("pictures/{label}/{index:03}.png"), &png);
        pictures.push((format!("set/{label}/{index:03}.png"), png));
    }
    place.write("samples.csv", table.as_bytes());
    place.write("samples.zip", &zip::write(&pictures).unwrap());
}

#[test]
fn the_same_samples_in_any_format_are_the_same() {
    let place = Place::with_model("formats");
    other_formats(&place);
    let images = "data/t10k-images-idx3-ubyte";
    let expected = place.json(&format!("inspect {images}"));
    assert_eq!((&expected["format"], &expected["training"]["samples"]), (&"idx".into(), &TEST.into()));
    assert_eq!((&expected["scaling"], &expected["test"]), (&"unit".into(), &Value::Null));
    for (file, format) in [
        (images, "idx"),
        ("samples.npz", "npz"),
        ("samples.csv --shape 1,28,28", "csv"),
        ("samples.zip", "pictures"),
        ("pictures", "pictures"),
    ] {
        let inspected = place.json(&format!("inspect {file}"));
        assert_eq!(inspected["format"], format);
        for field in ["samples", "classes", "shape", "numbers", "low", "high"] {
            assert_eq!(inspected["training"][field], expected["training"][field], "{file}: {field}");
        }
        let mean = |of: &Value| of["training"]["means"][0].as_f64().unwrap();
        assert!((mean(&inspected) - mean(&expected)).abs() < 1e-9, "{file}");
    }

    // Of the same samples the same are held out, where their order is the same.
    let evaluate = |data: &str| {
        let held_out = place.json(&format!("evaluate model.onnx --split-test 0.3 --split-seed 5 --data {data}"));
        let last =
            place.json(&format!("evaluate model.onnx --split validation --validation 60 --split-seed 0 --data {data}"));
        (held_out, last)
    };
    let of_idx = evaluate(images);
    assert_eq!((&of_idx.0["samples"], &of_idx.1["samples"]), (&30.into(), &60.into()));
    assert_eq!(evaluate("samples.npz"), of_idx);
    assert_eq!(evaluate("samples.csv"), of_idx);
    // Without a word, a fifth of so few is held out.
    let usual = place.json("evaluate model.onnx --split validation --data samples.csv");
    assert_eq!(usual["samples"], 20);
    assert_eq!(evaluate("samples.zip"), evaluate("pictures"));
    let piped = place.run_with("inspect - --json", &place.read("samples.csv"));
    let piped: Value = serde_json::from_slice(&piped.stdout).unwrap();
    assert_eq!(piped["training"]["shape"], serde_json::json!([784]));

    let text = String::from_utf8(place.run("inspect pictures")).unwrap();
    assert!(text.contains("each [1, 28, 28], bytes from 0 to") && text.contains("classes: 0, 1, 2, 3"), "{text}");
    assert!(text.contains("suggested scaling: unit"), "{text}");
}

#[test]
fn files_in_a_folder_are_put_together_by_their_names() {
    let place = Place::with_model("together");
    let folder = place.0.join("arrays");
    fs::create_dir_all(&folder).unwrap();
    // The numbers of an IDX file as an array of numpy.
    let array = |from: &str, to: &str| {
        let bytes = place.read(&format!("data/{from}"));
        let sides = usize::from(bytes[3]);
        let side = |index: usize| u32::from_be_bytes(bytes[4 * index..4 * index + 4].try_into().unwrap());
        let shape: String = (1..=sides).map(|index| format!("{}, ", side(index))).collect();
        let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({shape}), }}");
        let head = [&b"\x93NUMPY\x01\x00"[..], &(header.len() as u16).to_le_bytes(), header.as_bytes()].concat();
        fs::write(folder.join(to), [&head, &bytes[4 + 4 * sides..]].concat()).unwrap();
    };
    array("train-images-idx3-ubyte", "x_train.npy");
    array("train-labels-idx1-ubyte", "y_train.npy");
    array("t10k-images-idx3-ubyte", "x_test.npy");
    array("t10k-labels-idx1-ubyte", "y_test.npy");
    fs::write(folder.join("notes.txt"), "of arrays").unwrap();
    let (inspected, expected) = (place.json("inspect arrays"), place.json("inspect data"));
    for field in ["training", "test", "scaling"] {
        assert_eq!(inspected[field], expected[field], "{field}");
    }
    assert_eq!((&inspected["format"], &inspected["ignored"][0]), (&"npy".into(), &"notes.txt".into()));
    fs::remove_file(folder.join("x_train.npy")).unwrap();
    assert!(place.refuse("inspect arrays").contains("y_train.npy: expected a file of the inputs"));
}

#[test]
fn pictures_alone_are_enough_to_compress() {
    let place = Place::with_model("pictures");
    other_formats(&place);
    fs::create_dir_all(place.0.join("alone")).unwrap();
    for class in 0..CLASSES {
        for entry in fs::read_dir(place.0.join(format!("pictures/{class}"))).unwrap() {
            let entry = entry.unwrap();
            fs::rename(entry.path(), place.0.join("alone").join(entry.file_name())).unwrap();
        }
    }
    let report = place.json(
        "compress model.onnx --data alone --recipe recipe.json --validation 40 --split-test 0.2 --split-seed 3 -o out.nut",
    );
    assert_eq!(report["criterion"], "agreement");
    let samples = |split: &str| report["splits"][split]["samples"].as_u64().unwrap();
    assert_eq!((samples("training"), samples("validation"), samples("test")), (40, 40, 20));
    assert_eq!(report["recipe"]["split"]["seed"], 3);
}

#[test]
fn tables_of_any_numbers_train_a_network() {
    let place = Place::new("table");
    let mut rng = Pcg64Mcg::seed_from_u64(8);
    let mut table = String::from("width;height;weight;class\n");
    for _ in 0..300 {
        let long = rng.random::<bool>();
        let width = 100.0 + rng.random::<f32>() + if long { 1.0 } else { 0.0 };
        table += &format!(
            "{width};{};{};{}\n",
            rng.random::<f32>(),
            1e-3 * rng.random::<f32>(),
            if long { "long" } else { "short" }
        );
    }
    place.write("table.csv", table.as_bytes());
    let inspected = place.json("inspect table.csv");
    assert_eq!(inspected["class_names"], serde_json::json!(["long", "short"]));
    assert!(inspected["scaling"]["per_channel"]["means"][0].as_f64().unwrap() > 100.0);
    let split = "--data table.csv --shape 3,1,1 --validation 50 --split-test 0.2 --split-seed 1 --scaling auto";
    let trained = place.json(&format!("train lenet300 --widths 8,4 {split} --epochs 30 --batch 16 -o model.onnx"));
    assert!(trained["test"]["accuracy"].as_f64().unwrap() > 0.9, "{trained}");
    let report = place.json(&format!("compress model.onnx {split} --recipe recipe.json --budget 500 -o model.nut"));
    assert_eq!((&report["splits"]["test"]["samples"], &report["integer"]), (&60.into(), &Value::Null));
    // The file has the scaling of each channel.
    let evaluated = place.json("evaluate model.nut --data table.csv --shape 3,1,1 --split-test 0.2 --split-seed 1");
    assert_eq!(evaluated, report["after"]["test"]);
}
