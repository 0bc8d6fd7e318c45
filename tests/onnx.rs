//! ONNX files: what is written comes back bit for bit, and what is read computes what another runtime computes.
#![cfg(not(target_arch = "wasm32"))]

mod onnx_files;

use nutshell::data::Samples;
use nutshell::formats::onnx::{read, write};
use nutshell::model::{Conv, Graph, Linear, Model, Node, Op, ParamId, Parameter, Pool, ValueId};
use nutshell::model::{Scaling, presets};
use onnx_files::{File, float, int, int_tensor, ints, tensor, tensor_info, text};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use rten::Value;
use rten_onnx::onnx::Dimension;

const CAP: u64 = 1 << 24;

/// Pixels of two made-up images.
fn pixels(sample: &[usize]) -> Vec<u8> {
    (0..2 * sample.iter().product::<usize>()).map(|at| ((at * 37 + 11) % 256) as u8).collect()
}

/// What rten computes for them.
fn rten(file: Vec<u8>, sample: &[usize]) -> Vec<f32> {
    let shape: Vec<usize> = std::iter::once(2).chain(sample.iter().copied()).collect();
    let inputs = pixels(sample).into_iter().map(|pixel| f32::from(pixel) / 255.0).collect();
    let model = rten::Model::load(file).unwrap();
    match model.run_one(Value::from_shape(shape, inputs).unwrap().into(), None).unwrap() {
        Value::FloatTensor(output) => output.into_data(),
        other => panic!("not floats: {:?}", other.dtype()),
    }
}

/// What our network computes is what rten makes of the file that we write.
fn check_network(what: &str, model: &Model) {
    let mut model = model.clone();
    // Our network answers with logits.
    if model.graph.nodes.last().is_some_and(|node| node.op == Op::Softmax) {
        model.graph.nodes.pop();
    }
    let sample = model.graph.input_shape.clone();
    let samples = Samples::new(sample.clone(), pixels(&sample), Vec::new(), Scaling::Unit).unwrap();
    let logits: Vec<f32> = nutshell::network::logits(&model, &samples).unwrap().into_iter().collect();
    assert_close(&logits, &rten(write(&model).unwrap(), &sample), what);
}

fn assert_close(got: &[f32], expected: &[f32], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() <= 1e-4 * expected.abs().max(1.0), "{what}: {got} is not {expected}");
    }
}

/// Reads a file; what is read has these operators, and computes the same.
fn check(what: &str, file: &File, sample: &[usize], operators: &[&str]) -> Model {
    let bytes = file.bytes();
    let model = read(&bytes, CAP).unwrap_or_else(|error| panic!("{what}: {error}"));
    let names: Vec<&str> = model.graph.nodes.iter().map(|node| node.op.name()).collect();
    assert_eq!(names, operators, "{what}");
    let written = write(&model).unwrap();
    assert_close(&rten(written, &model.graph.input_shape), &rten(bytes, sample), what);
    check_network(what, &model);
    model
}

#[test]
fn presets_come_back_bit_for_bit() {
    for mut model in [presets::lenet5([3, 4, 5, 6]), presets::lenet300([7, 8, 9])] {
        presets::initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(7));
        assert_eq!(read(&write(&model).unwrap(), CAP), Ok(model.clone()));
        check_network("preset", &model);
    }
}

/// Every operator, with every attribute away from its default.
fn every_operator() -> Model {
    let parameter = |name: &str, shape: &[usize]| Parameter {
        name: name.into(),
        values: ndarray::ArrayD::from_shape_fn(shape, |index| {
            ndarray::Dimension::slice(&index).iter().fold(0.3f32, |sum, &i| sum * 1.7 + i as f32) % 1.0 - 0.5
        }),
    };
    let node = |name: &str, op: Op, inputs: &[usize]| Node {
        name: name.into(),
        op,
        inputs: inputs.iter().map(|&id| ValueId(id)).collect(),
    };
    let pool = Pool { kernel: [3, 2], stride: [2, 1], pads: [1, 0, 0, 1], ceil: true, count_pads: false };
    let counted = Pool { kernel: [2, 2], stride: [1, 2], pads: [1, 1, 0, 0], ceil: false, count_pads: true };
    let conv = |weight, bias, pads, groups| {
        Op::Conv(Conv { weight: ParamId(weight), bias, stride: [2, 1], pads, groups, dilation: [1, 1] })
    };
    Model {
        graph: Graph {
            input_name: "image".into(),
            output_names: Vec::new(),
            input_shape: vec![2, 13, 11],
            nodes: vec![
                node("conv", conv(0, Some(ParamId(1)), [1, 2, 0, 1], 2), &[0]),
                node("relu", Op::Relu, &[1]),
                node("max", Op::MaxPool(pool.clone()), &[2]),
                node("mean", Op::AveragePool(counted), &[3]),
                node(
                    "again",
                    Op::Conv(Conv {
                        weight: ParamId(2),
                        bias: None,
                        stride: [1, 1],
                        pads: [0; 4],
                        groups: 1,
                        dilation: [1, 1],
                    }),
                    &[4],
                ),
                node("sum", Op::Add, &[5, 4]),
                node("global", Op::GlobalAveragePool, &[6]),
                node("flat", Op::Flatten, &[7]),
                node("last", Op::Linear(Linear { weight: ParamId(3), bias: None }), &[8]),
                node("probabilities", Op::Softmax, &[9]),
            ],
        },
        parameters: vec![
            parameter("w", &[4, 1, 3, 3]),
            parameter("b", &[4]),
            parameter("w2", &[4, 4, 1, 1]),
            parameter("w3", &[5, 4]),
        ],
    }
}

#[test]
fn every_operator_comes_back_bit_for_bit() {
    let model = every_operator();
    let bytes = write(&model).unwrap();
    assert_eq!(read(&bytes, CAP), Ok(model.clone()));
    check_network("every operator", &model);
    let outputs = rten(bytes, &[2, 13, 11]);
    assert_eq!(outputs.len(), 10);
    assert!((outputs[..5].iter().sum::<f32>() - 1.0).abs() < 1e-6);
}

#[test]
fn names_that_clash_are_told_apart() {
    let mut model = presets::lenet300([3, 2, 2]);
    model.graph.nodes.iter_mut().for_each(|node| node.name = "same".into());
    model.parameters.iter_mut().for_each(|parameter| parameter.name = "input".into());
    model.graph.nodes[0].name.clear();
    let again = read(&write(&model).unwrap(), CAP).unwrap();
    assert_eq!(again.graph.nodes.len(), model.graph.nodes.len());
    assert_eq!(rten(write(&again).unwrap(), &[1, 28, 28]).len(), 4);
}

#[test]
fn batch_normalisation_and_factors_are_folded() {
    let file = File::new(&[2, 8, 8])
        .random("w", &[3, 2, 3, 3])
        .random("scale", &[3])
        .random("shift", &[3])
        .random("mean", &[3])
        .positive("variance", &[3])
        .random("fc", &[27, 4])
        .random("c", &[1, 4])
        .random("scale2", &[4])
        .random("shift2", &[4])
        .random("mean2", &[4])
        .positive("variance2", &[4])
        .node("Conv", &["x", "w"], "a", vec![ints("kernel_shape", &[3, 3])])
        .node("BatchNormalization", &["a", "scale", "shift", "mean", "variance"], "b", vec![float("epsilon", 0.01)])
        .node("Relu", &["b"], "d", vec![])
        .node("MaxPool", &["d"], "e", vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])])
        .node("Flatten", &["e"], "f", vec![])
        .node("Gemm", &["f", "fc", "c"], "g", vec![float("alpha", 0.5), float("beta", -2.0)])
        .node("BatchNormalization", &["g", "scale2", "shift2", "mean2", "variance2"], "y", vec![]);
    let model = check("folding", &file, &[2, 8, 8], &["Conv", "Relu", "MaxPool", "Flatten", "Gemm"]);
    let names: Vec<&str> = model.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(names, ["w", "shift", "fc", "c"]);
    assert_eq!(model.graph.nodes[0].name, "a_node");
}

#[test]
fn constants_that_are_added_become_biases() {
    for shape in [&[3, 1, 1][..], &[1, 3, 1, 1], &[1], &[]] {
        let file = File::new(&[2, 5, 5])
            .random("w", &[3, 2, 2, 2])
            .random("c", shape)
            .random("m", &[48, 4])
            .random("d", &[4])
            .node("Conv", &["x", "w"], "a", vec![ints("kernel_shape", &[2, 2])])
            .node("Add", &["c", "a"], "b", vec![])
            .node("Flatten", &["b"], "e", vec![])
            .node("MatMul", &["e", "m"], "f", vec![])
            .node("Identity", &["f"], "g", vec![])
            .node("Add", &["g", "d"], "y", vec![]);
        check(&format!("{shape:?}"), &file, &[2, 5, 5], &["Conv", "Flatten", "Gemm"]);
    }
}

#[test]
fn reshapes_that_flatten_are_known_in_every_form() {
    let layers = |file: File| file.random("m", &[24, 3]).node("MatMul", &["f", "m"], "y", vec![]);
    let new = || File::new(&[2, 3, 4]).node("Relu", &["x"], "r", vec![]);
    let constant = |name: &str, value: i64| (name.to_owned(), tensor("value", int_tensor("", &[value])));
    let operators = ["Relu", "Flatten", "Gemm"];
    for target in [[0, -1], [-1, 24], [0, 24]] {
        let file = new().ints("s", &target).node("Reshape", &["r", "s"], "f", vec![]);
        check(&format!("{target:?}"), &layers(file), &[2, 3, 4], &operators);
    }
    let (name, value) = constant("minus", -1);
    let computed = new()
        .node("Shape", &["x"], "shape", vec![])
        .node("Constant", &[], "zero", vec![tensor("value", int_tensor("", &[0]))])
        .node("Constant", &[], &name, vec![value])
        .node("Gather", &["shape", "zero"], "batch", vec![])
        .node("Concat", &["batch", "minus"], "s", vec![int("axis", 0)])
        .node("Reshape", &["r", "s"], "f", vec![]);
    check("computed", &layers(computed), &[2, 3, 4], &operators);
    // As tf2onnx writes it: in integers of 32 bits on the way.
    let cast = new()
        .ints("zero", &[0])
        .ints("one", &[1])
        .ints("minus", &[-1])
        .node("Shape", &["x"], "shape", vec![])
        .node("Cast", &["shape"], "narrow", vec![int("to", 6)])
        .node("Slice", &["narrow", "zero", "one"], "batch", vec![])
        .node("Concat", &["batch", "minus"], "s32", vec![int("axis", 0)])
        .node("Cast", &["s32"], "s", vec![int("to", 7)])
        .node("Reshape", &["r", "s"], "f", vec![]);
    check("computed in 32 bits", &layers(cast), &[2, 3, 4], &operators);
    let negative = new().node("Flatten", &["r"], "f", vec![int("axis", -3)]);
    check("negative axis", &layers(negative), &[2, 3, 4], &operators);
    let same = new().ints("s", &[-1, 2, 3, 4]).node("Reshape", &["r", "s"], "t", vec![]);
    let same = same.node("Flatten", &["t"], "f", vec![]);
    check("to its own shape", &layers(same), &[2, 3, 4], &operators);
}

#[test]
fn the_input_and_weights_may_be_reshaped() {
    let file = File::new(&[5, 5, 1])
        .ints("image", &[-1, 1, 5, 5])
        .ints("matrix", &[32, 3])
        .random("w", &[2, 1, 2, 2])
        .random("m", &[2, 4, 4, 3])
        .node("Reshape", &["x", "image"], "i", vec![])
        .node("Conv", &["i", "w"], "a", vec![ints("kernel_shape", &[2, 2])])
        .node("Flatten", &["a"], "f", vec![])
        .node("Reshape", &["m", "matrix"], "n", vec![])
        .node("MatMul", &["f", "n"], "y", vec![]);
    let model = check("reshape", &file, &[5, 5, 1], &["Reshape", "Conv", "Flatten", "Gemm"]);
    assert_eq!(model.graph.input_shape, [5, 5, 1]);
}

#[test]
fn padding_may_be_automatic() {
    for (auto, stride, pads) in [
        ("SAME_UPPER", 2, [0, 0, 1, 1]),
        ("SAME_LOWER", 2, [1, 1, 0, 0]),
        ("SAME_UPPER", 1, [1; 4]),
        ("VALID", 1, [0; 4]),
    ] {
        let file = File::new(&[1, 8, 8])
            .random("w", &[2, 1, 3, 3])
            .node(
                "Conv",
                &["x", "w"],
                "a",
                vec![text("auto_pad", auto), ints("strides", &[stride, stride]), ints("kernel_shape", &[3, 3])],
            )
            .node("GlobalAveragePool", &["a"], "b", vec![])
            .node("Flatten", &["b"], "y", vec![]);
        let bytes = file.bytes();
        let model = read(&bytes, CAP).unwrap();
        let Op::Conv(conv) = &model.graph.nodes[0].op else { panic!("a Conv") };
        assert_eq!(conv.pads, pads, "{auto} {stride}");
        // rten takes SAME_LOWER for SAME_UPPER.
        if auto != "SAME_LOWER" {
            assert_close(&rten(write(&model).unwrap(), &[1, 8, 8]), &rten(bytes, &[1, 8, 8]), auto);
        }
    }
}

#[test]
fn pools_groups_branches_and_softmax() {
    let file = File::new(&[2, 9, 9])
        .random("w", &[4, 1, 3, 3])
        .random("b", &[4])
        .random("v", &[4, 4, 1, 1])
        .node(
            "Conv",
            &["x", "w", "b"],
            "a",
            vec![int("group", 2), ints("kernel_shape", &[3, 3]), ints("pads", &[1, 1, 1, 1])],
        )
        .node(
            "AveragePool",
            &["a"],
            "p",
            vec![
                ints("kernel_shape", &[3, 3]),
                ints("strides", &[2, 2]),
                ints("pads", &[1, 1, 0, 0]),
                int("count_include_pad", 1),
            ],
        )
        .node("Conv", &["p", "v"], "c", vec![ints("kernel_shape", &[1, 1])])
        .node("Add", &["p", "c"], "s", vec![])
        .node("GlobalAveragePool", &["s"], "g", vec![])
        .node("Flatten", &["g"], "f", vec![])
        .node("Softmax", &["f"], "y", vec![int("axis", 1)]);
    let operators = ["Conv", "AveragePool", "Conv", "Add", "GlobalAveragePool", "Flatten", "Softmax"];
    check("branches", &file, &[2, 9, 9], &operators);
}

#[test]
fn initializers_may_be_listed_as_inputs_and_shared_and_left_unused() {
    let fixed = |side: i64| Dimension { dim_value: Some(side), ..Dimension::default() };
    let mut file = File::new(&[3])
        .random("w", &[3, 3])
        .random("never used", &[3, 3])
        .node("MatMul", &["x", "w"], "a", vec![])
        .node("Relu", &["a"], "c", vec![])
        .node("Dropout", &["c"], "b", vec![float("ratio", 0.5)])
        .node("NonMaxSuppression", &["b"], "unused", vec![])
        .node("MatMul", &["b", "w"], "y", vec![])
        .opset(7);
    file.graph.input.push(tensor_info("w", vec![fixed(3), fixed(3)]));
    let model = read(&file.bytes(), CAP).unwrap();
    let names: Vec<&str> = model.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(names, ["w"], "both layers have the one tensor");
    assert_eq!(model.graph.layers().map(|(_, weight, _)| weight.0).collect::<Vec<_>>(), [0, 0]);
}

/// A file by the reference library, and what ONNX Runtime computes with it: see `tests/data/onnx/make.py`.
#[test]
fn a_file_of_the_reference_library() {
    let model = read(include_bytes!("data/onnx/residual.onnx"), CAP).unwrap();
    let record: serde_json::Value = serde_json::from_str(include_str!("data/onnx/residual.json")).unwrap();
    let numbers = |key: &str| record[key].as_array().unwrap().iter().map(|value| value.as_f64().unwrap());
    let pixels = numbers("pixels").map(|pixel| pixel as u8).collect();
    let expected: Vec<f32> = numbers("outputs").map(|output| output as f32).collect();
    let samples = Samples::new(vec![1, 7, 7], pixels, Vec::new(), Scaling::Unit).unwrap();
    let logits: Vec<f32> = nutshell::network::logits(&model, &samples).unwrap().into_iter().collect();
    assert_close(&logits, &expected, "residual.onnx");
    check_network("residual.onnx", &model);
}

/// Writes models, inputs and our outputs for `tests/oracle_onnx.py`, which runs them in ONNX Runtime.
#[test]
#[ignore = "its files are for a script that needs Python"]
fn write_files_for_the_oracle() {
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("oracle");
    std::fs::create_dir_all(&directory).unwrap();
    let relative = presets::Lenet {
        input_shape: [1, 28, 28],
        convolutions: vec![6, 16],
        padding: 2,
        relu: true,
        linears: vec![120, 84, 10],
    };
    let mut operators = every_operator();
    operators.graph.nodes.pop();
    let models = [
        ("lenet5", presets::lenet5(presets::LENET5_WIDTHS)),
        ("lenet300", presets::lenet300(presets::LENET300_WIDTHS)),
        ("relative", relative.build().unwrap()),
        ("operators", operators),
    ];
    for (name, mut model) in models {
        if name != "operators" {
            presets::initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(1));
        }
        let shape = model.graph.input_shape.clone();
        let samples = Samples::new(shape.clone(), pixels(&shape), Vec::new(), Scaling::Unit).unwrap();
        let logits: Vec<f32> = nutshell::network::logits(&model, &samples).unwrap().into_iter().collect();
        let record = serde_json::json!({ "shape": shape, "pixels": pixels(&shape), "outputs": logits });
        std::fs::write(directory.join(format!("{name}.json")), record.to_string()).unwrap();
        std::fs::write(directory.join(format!("{name}.onnx")), write(&model).unwrap()).unwrap();
    }
    println!("{}", directory.display());
}
