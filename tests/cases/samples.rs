//! Data sets as people have them. The right values are onnxruntime's, or follow from how the files were made.

use crate::files;
use nutshell::model::presets::Chain;
use serde_json::Value;
use std::path::Path;

fn correct(answer: &Value) -> [u64; 2] {
    ["correct", "samples"].map(|field| answer[field].as_u64().unwrap())
}

#[test]
fn case_13_a_competitions_folder_has_samples_with_and_without_labels() {
    let place = files("13_kaggle_digit_folder");
    let folder = place.json("inspect data");
    assert_eq!([&folder["training"]["samples"], &folder["test"]["samples"]], [300, 100]);
    assert_eq!(folder["label_column"], "column 1, 'label'");
    assert_eq!(folder["ignored"][0], "sample_submission.csv");
    // A table without labels has none: its last pixel is no class.
    let test = place.json("inspect data/test.csv");
    assert_eq!((&test["label_column"], &test["training"]["shape"][0]), (&Value::Null, &64.into()));
    for data in ["data", "data/train.csv"] {
        assert_eq!(correct(&place.json(&format!("evaluate model.onnx --data {data}"))), [282, 300]);
    }
    place.run("evaluate model.onnx --data data/test.csv --predictions answers.txt");
    assert_eq!(place.read("answers.txt"), place.read("predictions.txt"));
    assert!(place.refuse("evaluate model.onnx --data data/test.csv").contains("--predictions FILE writes the answers"));
    let report = place.json("compress model.onnx --data data --effort quick --tolerance 5 -o small.nut");
    assert_eq!(report["splits"]["validation"]["samples"], 60);
    assert!(report["warnings"].to_string().contains("test samples have no labels"), "{}", report["warnings"]);
}

#[test]
fn case_14_emnists_names_and_labels_from_one() {
    let place = files("14_emnist_letters");
    assert_eq!(place.json("inspect data")["training"]["samples"], 260);
    for model in ["out26.onnx", "out27.onnx"] {
        assert_eq!(correct(&place.json(&format!("evaluate {model} --data data"))), [104, 104], "{model}");
    }
    // Said otherwise, it is as it is said.
    assert!(place.refuse("evaluate out26.onnx --data data --class-order given").contains("below 26"));
}

#[test]
fn case_15_a_class_that_does_not_occur() {
    let place = files("15_sign_gap_class");
    for model in ["out25.onnx", "out24.onnx"] {
        assert_eq!(correct(&place.json(&format!("evaluate {model} --data data"))), [120, 120], "{model}");
    }
}

#[test]
fn case_16_tables_as_people_have_them() {
    let place = files("");
    let rows = |line: fn(u32) -> String| (0..40).map(|row| line(row) + "\n").collect::<String>();
    let utf16 = |text: String| [vec![0xff, 0xfe], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat();
    for (name, text, label) in [
        ("comma.csv", rows(|row| format!("{row},5;2;{}", row % 3)).into_bytes(), "column 3"),
        ("utf16.csv", utf16(rows(|row| format!("{row}.5,2.25,{}", row % 3))), "column 3"),
        (
            "index.csv",
            (",a,b,kind\n".to_owned() + &rows(|row| format!("{row},1.5,2,{}", row % 3))).into_bytes(),
            "column 4, 'kind'",
        ),
        (
            "middle.csv",
            ("id,diagnosis,a,b\n".to_owned()
                + &rows(|row| format!("{},{},1.5,2.5", 900 + row * 7, ["B", "M", "C"][row as usize % 3])))
                .into_bytes(),
            "column 2, 'diagnosis'",
        ),
        (
            "spaces.csv",
            ("\"a\", \"b\", \"label\"\n".to_owned() + &rows(|row| format!("{row}.5, 2.25, {}", row % 3))).into_bytes(),
            "column 3, 'label'",
        ),
    ] {
        place.write(name, &text);
        let inspected = place.json(&format!("inspect {name}"));
        assert_eq!(inspected["label_column"], label, "{name}");
        assert_eq!(inspected["training"]["shape"][0], 2, "{name}: {inspected}");
        assert_eq!(inspected["training"]["classes"].as_array().unwrap().len(), 3, "{name}");
    }
    for (name, text, reason) in [
        ("empty.csv", "", "an empty file"),
        ("hole.csv", "a,b,label\n1,2,0\n1,NA,1\n", "line 3: expected a finite number in column 2, got 'NA'"),
        ("short.csv", "a,b,label\n1,2,0\n3,1\n2,2,1\n", "line 3: expected 3 fields, got 2"),
    ] {
        place.write(name, text.as_bytes());
        let said = place.refuse(&format!("inspect {name}"));
        assert!(said.contains(reason) && said.contains(name), "{said}");
    }
}

#[test]
fn case_17_numbers_to_answer_with_are_told_by_the_network() {
    let place = files("17_regression_sine");
    // Nothing names the column, but the network reads one number of the two.
    let score = place.json("evaluate sine.onnx --data named.csv");
    assert!((score["accuracy"].as_f64().unwrap() - 0.999_925).abs() < 1e-4, "{score}");
    let report = place.json("compress sine.onnx --data named.csv --effort quick -o small.nut");
    assert_eq!(report["criterion"], "targets");
    assert!(report["after"]["validation"]["accuracy"].as_f64().unwrap() > 0.99, "{}", report["after"]);
}

#[test]
fn without_samples_pictures_are_drawn_to_calibrate_with() {
    let place = files("");
    let lenet = Path::new(env!("CARGO_MANIFEST_DIR")).join("www/models/lenet5.onnx");
    place.write("lenet5.onnx", &std::fs::read(lenet).unwrap());
    let report = place.json("compress lenet5.onnx --effort calibrate --budget 60000 -o small.nut");
    assert!(report["file_bytes"].as_u64().unwrap() <= 60_000 && report["criterion"] == "agreement", "{report}");
    assert!(report["warnings"][0].as_str().unwrap().contains("pictures were drawn"), "{}", report["warnings"]);
    // What is drawn follows from the seed.
    place.run("compress lenet5.onnx --effort calibrate --budget 60000 -o again.nut");
    assert_eq!(place.read("small.nut"), place.read("again.nut"));
    // The other efforts train, and nothing can be drawn for a network of anything but pictures.
    let misused = place.run_with("compress lenet5.onnx --effort quick -o other.nut", &[]);
    assert_eq!(misused.status.code(), Some(2));
    place.write("sine.onnx", &std::fs::read(files("17_regression_sine").0.join("sine.onnx")).unwrap());
    let said = place.refuse("compress sine.onnx --effort calibrate -o other.nut");
    assert!(said.contains("a network of pictures, or samples: --data DATA"), "{said}");
}

#[test]
fn numbers_to_answer_with_tell_the_scaling() {
    let place = files("");
    let mut model = Chain::new(vec![3]).linear("layer", [1, 3]).build();
    for (parameter, values) in model.parameters.iter_mut().zip([&[0.5, -0.2, 0.1][..], &[1.0]]) {
        parameter.values.iter_mut().zip(values).for_each(|(to, from)| *to = *from);
    }
    place.write("line.onnx", &nutshell::formats::onnx::write(&model).unwrap());
    // Whole numbers from 0 to 255, which are no pixels.
    let rows = (0..200u32).map(|row| {
        let [a, b, c] = [row * 7 % 256, row * 13 % 256, row * 29 % 256];
        format!("{a},{b},{c},{:.4}\n", 0.5 * f64::from(a) - 0.2 * f64::from(b) + 0.1 * f64::from(c) + 1.0)
    });
    place.write("table.csv", ("a,b,c,y\n".to_owned() + &rows.collect::<String>()).as_bytes());
    let said = place.run_with("evaluate line.onnx --data table.csv", &[]);
    let [said, noted] = [said.stdout, said.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(said.contains("1.0000") && noted.contains("read with --scaling raw"), "{said} {noted}");
    let preview = place.json("inspect line.onnx --data table.csv");
    assert_eq!(preview["readings"][preview["likely"].as_u64().unwrap() as usize]["scaling"], "raw");
    assert!(place.json("evaluate line.onnx --data table.csv --scaling unit")["accuracy"].as_f64().unwrap() < 0.0);
}

#[test]
fn case_24_the_order_of_the_classes_is_the_networks() {
    let place = files("24_class_order");
    for model in ["words.onnx", "numbers.onnx"] {
        assert_eq!(correct(&place.json(&format!("evaluate {model} --data pictures.zip"))), [60, 60], "{model}");
        let report =
            place.json(&format!("compress {model} --data pictures.zip --effort quick --tolerance 9 -o {model}.nut"));
        assert_eq!(report["before"]["validation"]["accuracy"], 1.0, "{model}");
    }
    let said = String::from_utf8(place.run_with("evaluate words.onnx --data pictures.zip", &[]).stderr).unwrap();
    assert!(said.contains("read with --class-order text: so 100.00 % of 120 samples"), "{said}");
    let readings = place.json("inspect words.onnx --data pictures.zip");
    assert_eq!(readings["readings"][readings["likely"].as_u64().unwrap() as usize]["classes"], "text");
    assert_eq!(readings["shown"].as_array().unwrap().len(), 5);
    // An order that no rule gives is told by the answers, and can be said.
    let given = "evaluate numbers.onnx --data pictures.zip --class-order";
    assert_eq!(correct(&place.json(&format!("{given} 1,0,2,3,4,5,6,7,8,9,10,11")))[0], 50);
}

#[test]
fn case_26_channels_last_and_graphs_that_scale() {
    let place = files("26_nhwc_keras_onnx");
    for (model, data) in [
        ("grey", "grey_bytes"),
        ("grey", "grey_floats"),
        ("grey", "grey_floats255"),
        ("rgb", "rgb_bytes"),
        ("rgb", "rgb_floats"),
        ("rescale", "grey_bytes"),
        ("rescale", "grey_floats"),
        ("rescale", "grey_floats255"),
    ] {
        let score = place.json(&format!("evaluate {model}.onnx --data {data}.npz"));
        assert_eq!(correct(&score), [194, 200], "{model} {data}");
    }
}

#[test]
fn case_29_a_tolerance_is_kept() {
    let place = files("29_tolerance_given_up");
    let report = place
        .json("compress model.onnx --data digits.npz --effort quick --validation 300 --tolerance 0.3 -o small.nut");
    let accuracy = |part: &str| report[part]["validation"]["accuracy"].as_f64().unwrap();
    assert!(accuracy("before") - accuracy("after") <= 0.003 + 1e-9, "{report}");
}
