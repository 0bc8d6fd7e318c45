//! ONNX files that are damaged, or made to do harm: each is an error that says what is wrong, and none does more.
#![cfg(not(target_arch = "wasm32"))]

mod onnx_files;

use nutshell::formats::onnx::{read, write};
use nutshell::model::presets;
use onnx_files::{File, float, int, int_tensor, ints, tensor, tensor_info, text};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use rten_onnx::onnx::{DataLocation, DataType, Dimension, TensorProto};
use std::cell::{Cell, RefCell};

const CAP: u64 = 1 << 20;

/// `x` through a linear layer to `a`: what most cases start with.
fn start() -> File {
    File::new(&[4]).random("w", &[4, 3]).node("MatMul", &["x", "w"], "a", vec![])
}

/// An image through a convolution to `a`.
fn image() -> File {
    File::new(&[2, 4, 4]).random("w", &[3, 2, 2, 2]).node("Conv", &["x", "w"], "a", vec![])
}

fn edit(mut file: File, change: impl FnOnce(&mut File)) -> File {
    change(&mut file);
    file
}

fn tensor_of(file: &mut File) -> &mut TensorProto {
    &mut file.graph.initializer[0]
}

#[test]
fn graphs_that_break_a_rule() {
    let relu = |file: File, from: &str| file.node("Relu", &[from], "y", vec![]);
    let side = |value: i64| Dimension { dim_value: Some(value), ..Dimension::default() };
    let cases: Vec<(File, &str)> = vec![
        (
            File::new(&[4]).node("Relu", &["b"], "a", vec![]).node("Relu", &["a"], "b", vec![]).node(
                "Add",
                &["a", "b"],
                "y",
                vec![],
            ),
            "Relu node 'a_node': expected inputs that an earlier node makes, got 'b'",
        ),
        (relu(start(), "y"), "Relu node 'y_node': expected inputs that an earlier node makes, got 'y'"),
        (relu(start(), "lost"), "Relu node 'y_node': expected inputs that an earlier node makes, got 'lost'"),
        (File::new(&[4]).node("Relu", &["x"], "z", vec![]), "graph: expected an output that a node makes, got 'y'"),
        (
            relu(start().node("Relu", &["a"], "a", vec![]), "a"),
            "Relu node 'a_node': expected outputs with names of their own, got 'a' again",
        ),
        (relu(start().random("w", &[4, 3]), "a"), "graph: expected initializers with different names, got 'w' twice"),
        (
            edit(relu(start(), "a"), |file| file.graph.input.clear()),
            "graph: 0 inputs is not supported; supported: at least one input",
        ),
        (
            edit(relu(start(), "a"), |file| file.graph.input.push(tensor_info("x", vec![side(1), side(1)]))),
            "graph: expected inputs with different names, got 'x' twice",
        ),
        (
            edit(relu(start(), "a"), |file| file.graph.input[0] = tensor_info("x", vec![side(1), side(-4)])),
            "input 'x': an input whose sizes are not all known (axes: 1) is not supported; supported: a batch of any size \
             only: --input-shape with the shape of one sample, or samples (--data) of that shape, give the others",
        ),
        (relu(start(), "a").opset(5), "model: operator set 5 is not supported; supported: 6 to 28"),
        (
            edit(relu(start(), "a"), |file| file.graph.node[1].domain = Some("com.microsoft".into())),
            "Relu node 'y_node': operator Relu of the domain 'com.microsoft', which the file does not define, is not \
             supported; supported: the model before onnxruntime optimized or quantized it",
        ),
        (
            edit(relu(start(), "a"), |file| file.graph.node[1].output.clear()),
            "graph: expected an output that a node makes, got 'y'",
        ),
    ];
    for (file, message) in cases {
        assert_eq!(read(&file.bytes(), CAP).unwrap_err().to_string(), format!("ONNX file, {message}"));
    }
}

#[test]
fn nodes_that_are_not_supported() {
    let one = |op: &str, attributes| start().node(op, &["a"], "y", attributes);
    let convolve =
        |attributes| File::new(&[2, 4, 4]).random("w", &[3, 2, 2, 2]).node("Conv", &["x", "w"], "y", attributes);
    let pool = |op: &str, attributes| image().node(op, &["a"], "y", attributes);
    let reshape = |target: &[i64]| image().ints("s", target).node("Reshape", &["a", "s"], "y", vec![]);
    let cases: Vec<(File, &str)> = vec![
        (
            one("TopK", vec![]),
            "TopK node 'y_node': operator TopK is not supported; supported: the graph cut before this node, at 'a'",
        ),
        (
            one("QLinearConv", vec![]),
            "QLinearConv node 'y_node': operator QLinearConv is not supported; supported: the float model that this one",
        ),
        (one("Relu", vec![int("alpha", 1)]), "Relu node 'y_node': attribute 'alpha' is not supported; supported: []"),
        (one("Softmax", vec![int("axis", 2)]), "Softmax node 'y_node': expected an axis of 2, got 2"),
        (
            convolve(vec![ints("dilations", &[0, 1])]),
            "Conv node 'y_node': expected strides and dilations of at least 1, got [1, 1], [0, 1]",
        ),
        (
            convolve(vec![ints("dilations", &[32768, 32768]), ints("pads", &[32768, 32768, 32768, 32768])]),
            "Conv node 'y_node': dilation: expected kernels of at most 67108864 pixels, got [32768, 32768]",
        ),
        (
            convolve(vec![ints("strides", &[0, 1])]),
            "Conv node 'y_node': expected strides and dilations of at least 1, got [0, 1], [1, 1]",
        ),
        (convolve(vec![ints("pads", &[0, 0])]), "Conv node 'y_node': pads of 2 numbers is not supported; supported: 4"),
        (
            convolve(vec![ints("pads", &[0, 0, 0, -1])]),
            "Conv node 'y_node': expected pads of 0 to 32768, got [0, 0, 0, -1]",
        ),
        (
            convolve(vec![ints("kernel_shape", &[3, 3])]),
            "Conv node 'y_node': expected a kernel_shape of [2, 2], got another",
        ),
        (
            convolve(vec![int("group", 2), int("group", 1)]),
            "Conv node 'y_node': expected each attribute once, got 'group' twice",
        ),
        (convolve(vec![int("group", -1)]), "Conv node 'y_node': expected a group of at least 1, got -1"),
        (convolve(vec![text("group", "2")]), "Conv node 'y_node': expected attribute 'group' of type 2, got type 3"),
        (
            convolve(vec![text("auto_pad", "SAME")]),
            "Conv node 'y_node': expected auto_pad of NOTSET, VALID, SAME_UPPER or SAME_LOWER, got SAME",
        ),
        (
            image().random("v", &[3, 3, 2, 2, 2]).node("Conv", &["a", "v"], "y", vec![]),
            "Conv node 'y_node': a weight of shape [3, 3, 2, 2, 2] is not supported; supported: [out, in, (height,) width]",
        ),
        (
            File::new(&[2, 3, 4]).random("w", &[3, 2, 2]).node("Conv", &["x", "w"], "y", vec![]),
            "Conv node 'y_node': an input of",
        ),
        (
            File::new(&[4]).node("Conv", &["x", "x"], "y", vec![]),
            "Conv node 'y_node': a computed input 1 is not supported; supported: a constant",
        ),
        (
            File::new(&[4]).random("w", &[4, 4]).node("MatMul", &["w", "x"], "y", vec![]),
            "MatMul node 'y_node': shapes: expected one that fits [4, 4], got [1, 4]",
        ),
        (
            File::new(&[4]).random("w", &[4, 4]).node("Gemm", &["x", "w"], "y", vec![int("transA", 1)]),
            "MatMul node 'y_node.1': shapes: expected one that fits [4, 1], got [4, 4]",
        ),
        (
            File::new(&[4]).random("w", &[4, 4]).node("Gemm", &["x", "w"], "y", vec![float("alpha", f32::INFINITY)]),
            "Gemm node 'y_node': expected finite numbers, got alpha = inf",
        ),
        (
            File::new(&[4]).random("w", &[4, 4]).random("c", &[3]).node("Gemm", &["x", "w", "c"], "y", vec![]),
            "Gemm node 'y_node': a bias of shape [3] is not supported; supported: [4]",
        ),
        (
            File::new(&[1]).floats("w", &[1, 1], &[3e38]).node("Gemm", &["x", "w"], "y", vec![float("alpha", 2.0)]),
            "tensor 'w': expected finite numbers once factors are folded in, got inf",
        ),
        (pool("MaxPool", vec![]), "MaxPool node 'y_node': expected a kernel_shape, got none"),
        (
            pool("MaxPool", vec![ints("kernel_shape", &[i64::MAX, 2])]),
            "MaxPool node 'y_node': expected kernel_shape of 0 to 32768, got [9223372036854775807, 2]",
        ),
        (
            image().random("c", &[2]).node("Add", &["a", "c"], "y", vec![]),
            "Add node 'y_node': shapes: expected one that fits [3, 3, 3], got [2]",
        ),
        (
            image().random("s", &[3]).random("v", &[2]).node(
                "BatchNormalization",
                &["a", "s", "s", "s", "v"],
                "y",
                vec![],
            ),
            "BatchNormalization node 'y_node': expected statistics of shape [3], got [2]",
        ),
        (
            image().random("s", &[3]).floats("v", &[3], &[1.0, -1.0, 1.0]).node(
                "BatchNormalization",
                &["a", "s", "s", "s", "v"],
                "y",
                vec![],
            ),
            "BatchNormalization node 'y_node': expected variances above -epsilon, got -1",
        ),
        (pool("Flatten", vec![int("axis", 5)]), "Flatten node 'y_node': expected an axis of 5, got 5"),
        (
            reshape(&[-1, -1]),
            "Reshape node 'y_node': expected a shape of as many elements as [1, 3, 3, 3], got [-1, -1]",
        ),
        (reshape(&[0, 26]), "Reshape node 'y_node': expected a shape of as many elements as [1, 3, 3, 3], got [0, 26]"),
        (reshape(&[5, 27]), "Reshape node 'y_node': expected a shape of as many elements as [1, 3, 3, 3], got [5, 27]"),
        (reshape(&[]), "Reshape node 'y_node': expected a shape of as many elements as [1, 3, 3, 3], got []"),
        (
            reshape(&[-1, i64::MIN]),
            "Reshape node 'y_node': expected a shape of as many elements as [1, 3, 3, 3], got [-1, -9223372036854775808]",
        ),
        (
            pool("Transpose", vec![ints("perm", &[0, 1, 1, 2])]),
            "Transpose node 'y_node': order of the axes: expected each axis below 3, got [0, 0, 1]",
        ),
        (
            image().ints("i", &[3]).node("Gather", &["a", "i"], "y", vec![int("axis", 2)]),
            "Gather node 'y_node': expected an index into 3 numbers, got 3",
        ),
        (
            image().ints("s", &[2]).ints("e", &[2]).ints("k", &[1]).node("Slice", &["a", "s", "e", "k"], "y", vec![]),
            " node 'y_node': number of elements: expected 1 to 2147483648, got [",
        ),
        (
            image().ints("s", &[0]).ints("e", &[2]).ints("z", &[0]).node(
                "Slice",
                &["a", "s", "e", "s", "z"],
                "y",
                vec![],
            ),
            "Slice node 'y_node': expected steps other than 0",
        ),
        (
            image().ints("p", &[0, 0, -2, 0, 0, 0, -1, 0]).node("Pad", &["a", "p"], "y", vec![]),
            "Pad node 'y_node': expected pads that leave something, got [0, 0, -2, 0, 0, 0, -1, 0]",
        ),
        (
            image().ints("p", &[0, 0, 0, 0, 0, 0, 0, i64::MIN]).node("Pad", &["a", "p"], "y", vec![]),
            "Pad node 'y_node': expected 8 pads that fit",
        ),
        (
            image().ints("t", &[4, 3, 3, 3]).ints("u", &[2, 2]).node("Expand", &["u", "t"], "b", vec![]).node(
                "Add",
                &["a", "b"],
                "y",
                vec![],
            ),
            "Expand node 'b_node': expected a shape that [2] can be broadcast with, got [4, 3, 3, 3]",
        ),
        (
            image().floats("z", &[], &[0.0]).ints("n", &[1 << 40]).node("ConstantOfShape", &["n"], "c", vec![]).node(
                "Add",
                &["a", "c"],
                "y",
                vec![],
            ),
            "computed constants: 8796093022208 bytes are more than the limit of 1048576",
        ),
        (
            image()
                .ints("t", &[1, 1, 1, 1 << 40])
                .floats("z", &[], &[0.0])
                .node("Expand", &["z", "t"], "c", vec![])
                .node("Add", &["a", "c"], "y", vec![]),
            " node 'c_node': number of elements: expected 1 to 2147483648, got [1, 1, 1, 1099511627776]",
        ),
        (
            image().floats("i", &[3], &[0.0, 1e30, 1.0]).node("Constant", &[], "n", vec![]).node(
                "Add",
                &["a", "n"],
                "y",
                vec![],
            ),
            "Constant node 'n_node': expected a value, got none",
        ),
        (
            start()
                .node("Constant", &[], "c", vec![tensor("value", int_tensor("", &[9]))])
                .node("Shape", &["x"], "s", vec![])
                .node("Gather", &["s", "c"], "g", vec![])
                .node("Reshape", &["a", "g"], "y", vec![]),
            "Gather node 'g_node': expected an index into 2 numbers, got 9",
        ),
    ];
    for (file, message) in cases {
        let got = read(&file.bytes(), CAP).unwrap_err().to_string();
        let got = got.strip_prefix("ONNX file, ").unwrap_or(&got);
        assert!(got.starts_with(message), "{got}\nis not\n{message}");
    }
}

#[test]
fn tensors_that_do_not_hold_what_they_declare() {
    let file = || start().node("Relu", &["a"], "y", vec![]);
    let cases: Vec<(File, &str)> = vec![
        (
            edit(file(), |file| tensor_of(file).raw_data = Some(RefCell::new(vec![0; 47]))),
            "ONNX file, tensor 'w': expected 12 values of 4 bytes, got 47 bytes",
        ),
        (edit(file(), |file| tensor_of(file).raw_data = None), "ONNX file, tensor 'w': expected 12 values, got 0"),
        (
            edit(file(), |file| tensor_of(file).dims = vec![4, -3]),
            "ONNX file, tensor 'w': expected dimensions of at least 0, got [4, -3]",
        ),
        (
            edit(file(), |file| tensor_of(file).dims = vec![i64::MAX, i64::MAX]),
            "ONNX file, tensor 'w': expected dimensions whose product fits, got \
             [9223372036854775807, 9223372036854775807]",
        ),
        (
            edit(file(), |file| {
                tensor_of(file).dims = vec![0, i64::MAX];
                tensor_of(file).raw_data = Some(RefCell::new(vec![]));
            }),
            "ONNX file, tensor 'w': expected dimensions of at least 1, got [9223372036854775807, 0]",
        ),
        (
            edit(file(), |file| tensor_of(file).data_type = Some(DataType::INT8)),
            "ONNX file, tensor 'w': int8 for weights is not supported; supported: float, float16, double and bfloat16",
        ),
        (
            edit(file(), |file| tensor_of(file).data_location = Some(DataLocation::EXTERNAL)),
            "ONNX file, tensor 'w': data in another file ('') that was not opened with this one is not supported; supported: both files together, or data in the file itself",
        ),
        (
            edit(file(), |file| tensor_of(file).raw_data = Some(RefCell::new(f32::NAN.to_le_bytes().repeat(12)))),
            "ONNX file, tensor 'w': expected finite numbers, got NaN",
        ),
        (
            edit(file(), |file| {
                tensor_of(file).dims = vec![3, 4];
            }),
            "Gemm node 'a_node': shape of the input: expected [3], got [4]",
        ),
    ];
    for (file, message) in cases {
        assert_eq!(read(&file.bytes(), CAP).unwrap_err().to_string(), message);
    }
}

#[test]
fn sizes_are_held_against_the_cap() {
    let bytes = start().node("Relu", &["a"], "y", vec![]).bytes();
    let message = read(&bytes, 100).unwrap_err().to_string();
    assert_eq!(message, format!("ONNX file, file: {} bytes are more than the limit of 100", bytes.len()));
    // One tensor that a thousand layers share would be a thousand parameters.
    let mut file = File::new(&[64]).random("w", &[64, 64]);
    let mut last = "x".to_owned();
    for layer in 0..1000 {
        let next = if layer == 999 { "y".to_owned() } else { format!("v{layer}") };
        file = file.node("MatMul", &[&last, "w"], &next, vec![]);
        last = next;
    }
    let message = read(&file.bytes(), CAP).unwrap_err().to_string();
    assert_eq!(message, format!("ONNX file, parameters: {} bytes are more than the limit of {CAP}", 65 * 64 * 64 * 4));
    // A small kernel on a padded image would be a large value.
    let file = File::new(&[1, 1, 1]).random("w", &[1, 1, 1, 1]).node(
        "Conv",
        &["x", "w"],
        "y",
        vec![ints("pads", &[10_000, 10_000, 10_000, 10_000])],
    );
    let message = read(&file.bytes(), CAP).unwrap_err().to_string();
    assert_eq!(
        message,
        format!("ONNX file, Conv node 'y_node': {} bytes are more than the limit of {CAP}", 20_001u64.pow(2) * 4)
    );
}

/// A message inside a message, 100,000 deep, where a graph may hold an attribute that holds a graph.
#[test]
fn deep_nesting_is_not_followed() {
    let mut bytes: Vec<u8> = Vec::new();
    for level in 0..100_000 {
        // Attribute 6 is a graph, and graph 1 a node, and node 5 an attribute.
        let tag = [6 << 3 | 2, 5 << 3 | 2, 1 << 3 | 2][level % 3];
        let mut outer = vec![tag];
        let mut length = bytes.len();
        while length >= 128 {
            outer.push(length as u8 | 128);
            length >>= 7;
        }
        outer.push(length as u8);
        // What grows at the front is kept reversed.
        bytes.extend(outer.into_iter().rev());
        if bytes.len() > 400_000 {
            break;
        }
    }
    bytes.reverse();
    let mut file = vec![0x08, 8, 0x42, 2, 0x10, 13, 0x3a];
    let mut length = bytes.len();
    while length >= 128 {
        file.push(length as u8 | 128);
        length >>= 7;
    }
    file.push(length as u8);
    file.extend(bytes);
    assert!(read(&file, CAP).is_err());
}

/// A network with one of everything that has attributes, in a small file.
fn small_file() -> Vec<u8> {
    File::new(&[1, 4, 4])
        .random("w", &[2, 1, 2, 2])
        .random("s", &[2])
        .positive("v", &[2])
        .random("m", &[2, 2])
        .ints("t", &[0, -1])
        .node("Conv", &["x", "w"], "a", vec![ints("pads", &[1, 1, 0, 0]), int("group", 1)])
        .node("BatchNormalization", &["a", "s", "s", "s", "v"], "b", vec![float("epsilon", 1e-5)])
        .node("Relu", &["b"], "c", vec![])
        .node("MaxPool", &["c"], "d", vec![ints("kernel_shape", &[4, 4]), text("auto_pad", "VALID")])
        .node("Reshape", &["d", "t"], "e", vec![])
        .node("MatMul", &["e", "m"], "f", vec![])
        .node("Add", &["f", "s"], "y", vec![])
        .bytes()
}

#[test]
fn every_truncation_is_an_error() {
    let own = write(&presets::lenet5([1, 1, 1, 1])).unwrap();
    for whole in [small_file(), own] {
        assert!(read(&whole, CAP).is_ok());
        for length in 0..whole.len() {
            assert!(read(&whole[..length], CAP).is_err(), "{length} of {} bytes", whole.len());
        }
    }
}

/// 100,000 files with a few bytes changed, cut out or put in: whatever is still read can be written, and read again.
#[test]
fn mutations_do_not_panic() {
    let whole = small_file();
    let config = Config { cases: 100_000, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..Config::default() };
    let change = (0..whole.len(), any::<u8>(), 0..4u8);
    let sound = Cell::new(0);
    let check = |changes| {
        let bytes = mutate(&whole, changes);
        if let Ok(model) = read(&bytes, CAP) {
            sound.set(sound.get() + 1);
            let again = read(&write(&model).unwrap(), CAP);
            prop_assert_eq!(again.map(|again| again.parameter_count()), Ok(model.parameter_count()));
        }
        Ok(())
    };
    TestRunner::new(config).run(&prop::collection::vec(change, 1..4), check).unwrap();
    // Some are changed where it does not matter, such as in a weight.
    assert!((1_000..50_000).contains(&sound.get()), "{}", sound.get());
}

/// The ONNX project's cases with a few bytes changed: whatever is still read can be run, written, and read again.
#[test]
fn mutations_of_the_cases_do_not_panic() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/onnx/backend");
    let folders = |path: &std::path::Path| {
        let mut paths: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let files = folders(&root).into_iter().flat_map(|group| folders(&group)).map(|case| case.join("model.onnx"));
    let files: Vec<Vec<u8>> = files.map(|file| std::fs::read(file).unwrap()).collect();
    let config = Config { cases: 20_000, failure_persistence: None, rng_seed: RngSeed::Fixed(2), ..Config::default() };
    let change = (0usize..1 << 16, any::<u8>(), 0..4u8);
    let sound = Cell::new(0);
    let check = |(file, changes): (usize, Vec<(usize, u8, u8)>)| {
        let whole = &files[file];
        let changes = changes.into_iter().map(|(at, byte, kind)| (at % whole.len(), byte, kind)).collect();
        if let Ok(model) = read(&mutate(whole, changes), CAP) {
            sound.set(sound.get() + 1);
            let features: usize = model.graph.input_shape.iter().product();
            let sizes: usize = model.shapes().unwrap().iter().map(|shape| shape.iter().product::<usize>()).sum();
            if sizes < 1 << 14 {
                let inputs = ndarray::Array2::from_elem((1, features), 0.5);
                prop_assert!(nutshell::network::answers(&model, &inputs).is_ok());
            }
            // An axis of samples that only some of the values have is not written.
            if let Ok(written) = write(&model) {
                prop_assert!(read(&written, CAP).is_ok(), "{:?}", model);
            }
        }
        Ok(())
    };
    TestRunner::new(config).run(&(0..files.len(), prop::collection::vec(change, 1..4)), check).unwrap();
    assert!((500..15_000).contains(&sound.get()), "{}", sound.get());
}

/// Changes bytes at places: sets one, flips a bit, takes up to seven out, or puts one in.
fn mutate(whole: &[u8], changes: Vec<(usize, u8, u8)>) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for (at, byte, kind) in changes {
        let at = at.min(bytes.len() - 1);
        match kind {
            0 => bytes[at] = byte,
            1 => bytes[at] ^= 1 << (byte % 8),
            2 => drop(bytes.drain(at..(at + usize::from(byte % 8)).min(bytes.len() - 1))),
            _ => bytes.insert(at, byte),
        }
    }
    bytes
}
