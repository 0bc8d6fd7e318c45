//! Files of weights that are damaged, or made to do harm: each is an error that says what is wrong, and none does more.
#![cfg(not(target_arch = "wasm32"))]

#[allow(dead_code)]
mod onnx_files;
mod weight_files;

use nutshell::container::packed;
use nutshell::formats::{onnx, open, read};
use nutshell::model::{Dtype, Source, Tensor};
use nutshell::pipeline::{Evidence, Outcome, Quiet, Recipe, Target, compress};
use onnx_files::File;
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use rten_onnx::onnx::{DataLocation, DataType};
use weight_files::{
    Field, Table, legacy, npy, npz, pickle_of, safetensors, samples, state_dict, text, tflite, tflite_graph,
    tflite_operator, tflite_tensor, torch_zip, zip,
};

/// Compresses by the weights alone.
fn by_weights(network: &nutshell::Network, target: Target) -> Result<Outcome, nutshell::Error> {
    compress(network, Evidence::Weights, &Recipe::of_weights(target), None, &mut Quiet)
}

const CAP: u64 = 1 << 20;

/// Each file gives exactly this error, or obstacle to running it, with what comes before the colon of the place.
fn expect_errors(cases: Vec<(Vec<u8>, &str)>) {
    let (got, expected): (Vec<String>, Vec<&str>) = cases
        .into_iter()
        .map(|(bytes, message)| match open(&bytes, CAP) {
            Ok(opened) => (opened.network.obstacle.unwrap().to_string(), message),
            Err(error) => (error.to_string(), message),
        })
        .filter(|(got, message)| got != message)
        .unzip();
    assert_eq!(got, expected);
}

#[test]
fn safetensors_that_break_a_rule() {
    let one = |dtype: &str, shape: &str, offsets: &str, data: &[u8]| {
        let header = format!(r#"{{"w":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}}}"#);
        safetensors(&header, data)
    };
    let mut long = one("F32", "[1]", "[0,4]", &[0; 4]);
    long[..8].copy_from_slice(&5000u64.to_le_bytes());
    expect_errors(vec![
        (long, "safetensors file, byte 8: expected 5000 more bytes, got 58"),
        (
            one("F32", "[2]", "[0,4]", &[0; 4]),
            "safetensors file, tensor 'w': expected 8 bytes for the shape [2], got 4",
        ),
        (
            one("F32", "[1]", "[0,8]", &[0; 4]),
            "safetensors file, tensor 'w': expected bytes of its own from 0 on, within 4, got 0..8",
        ),
        (
            one("F32", "[1]", "[4,0]", &[0; 4]),
            "safetensors file, tensor 'w': expected bytes of its own from 0 on, within 4, got 4..0",
        ),
        (
            one("F32", "[1]", "[4,8]", &[0; 8]),
            "safetensors file, tensor 'w': expected bytes of its own from 0 on, within 8, got 4..8",
        ),
        (one("F32", "[1]", "[0,4]", &[0; 9]), "safetensors file, end: expected 4 bytes of numbers, got 9"),
        (
            one("F32", "[4294967296,4294967296]", "[0,4]", &[0; 4]),
            "safetensors file, tensor 'w': expected dimensions whose product fits, got [4294967296, 4294967296]",
        ),
        (
            one("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]", &[0; 4]),
            "safetensors file, tensor 'w': expected at most 8 dimensions, got 9",
        ),
        (
            one("F32", "[-1]", "[0,4]", &[0; 4]),
            "safetensors file, tensor 'w': expected dtype, shape and data_offsets, got invalid value: integer `-1`, expected \
             usize",
        ),
        (
            one("F32", "[1000000]", "[0,4000000]", &[0; 4]),
            "safetensors file, tensor 'w': expected bytes of its own from 0 on, within 4, got 0..4000000",
        ),
        (
            one("U8", "[1048577]", "[0,1048577]", &[0; 1048577]),
            "safetensors file, tensor 'w': 1048577 bytes are more than the limit of 1048576",
        ),
        (
            safetensors(
                r#"{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
                &[1, 2],
            ),
            "safetensors file, file: expected tensors with different names, got 'w' twice",
        ),
        (
            safetensors(r#"{"w":{"dtype":"U8","shape":[1]}}"#, &[1]),
            "safetensors file, tensor 'w': expected dtype, shape and data_offsets, got missing field `data_offsets`",
        ),
        (
            safetensors(r#"{"w":{"deep":[[[[]]]]}}"#, &[]),
            "safetensors file, tensor 'w': expected dtype, shape and data_offsets, got unknown field `deep`, expected one of \
             `dtype`, `shape`, `data_offsets`",
        ),
        (
            safetensors(r#"{"w"}"#, &[]),
            "safetensors file, header: expected a JSON object, got expected `:` at line 1 column 5",
        ),
        (
            safetensors("{} x", &[]),
            "safetensors file, header: expected a JSON object, got trailing characters at line 1 column 4",
        ),
        (
            safetensors(&format!(r#"{{"w":{}"#, "[".repeat(100_000)), &[]),
            "safetensors file, header: expected a JSON object, got EOF while parsing a list at line 1 column 100005",
        ),
        (
            safetensors(r#"{"__metadata__":{"epoch":1}}"#, &[]),
            "safetensors file, __metadata__: expected an object of texts, got invalid type: integer `1`, expected a \
             string",
        ),
        (
            safetensors("{\"\u{fffd}", &[]).into_iter().map(|byte| if byte == 0xbf { 0xff } else { byte }).collect(),
            "safetensors file, header: expected text in UTF-8, got invalid utf-8 sequence of 1 bytes from index 2",
        ),
    ]);
}

#[test]
fn numpy_files_that_break_a_rule() {
    let array = |descr: &str, shape: &str, data: &[u8]| npy(descr, false, shape, data);
    let structured =
        b"\x93NUMPY\x01\x00\x2e\x00{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }".to_vec();
    let version = b"\x93NUMPY\x09\x00\x00\x00".to_vec();
    let mut bomb = zip(&[("w.npy", &array("|u1", "(1000000,)", &[0; 1_000_000]))], true);
    let directory = bomb.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    let claimed = directory + 24;
    let honest = bomb.clone();
    bomb[claimed..claimed + 4].copy_from_slice(&1000u32.to_le_bytes());
    let mut broken = npz(&[("w.npy", array("<f4", "(1,)", &[0; 4]))]);
    broken[45] ^= 0x10;
    expect_errors(vec![
        (array("<f4", "(2,)", &[0; 4]), "numpy file, tensor 'array': expected 8 bytes for the shape [2], got 4"),
        (
            npy("<f4", true, "(2, 2)", &[0; 4]),
            "numpy file, tensor 'array': expected 16 bytes for the shape [2, 2], got 4",
        ),
        (
            array("<c8", "(1,)", &[0; 8]),
            "numpy file, tensor 'array': an array of complex numbers (type <c8) is not supported; supported: real numbers of 8 to 64 \
             bits, which numpy.savez('weights.npz', w=w, b=b) writes with an array for each name",
        ),
        (
            array("|O", "(1,)", &[0; 8]),
            "numpy file, tensor 'array': an array of Python objects (type |O) is not supported; supported: real numbers of 8 to 64 \
             bits, which numpy.savez('weights.npz', w=w, b=b) writes with an array for each name",
        ),
        (structured[..10].iter().copied().chain(structured[10..].iter().copied()).collect(), STRUCTURED),
        (version, "numpy file, tensor 'array': version 9 is not supported; supported: 1 to 3"),
        (
            array("<f4", "(-1,)", &[]),
            "numpy file, tensor 'array': expected sides that are whole numbers and fit, got '{'descr': '<f4', \
             'fortran_order': False, 'shape': (-1,), }'",
        ),
        (
            array("|u1", "(2000000,)", &[0; 4]),
            "numpy file, tensor 'array': 2000000 bytes are more than the limit of 1048576",
        ),
        (bomb, "ZIP file, entry 'w.npy': expected 1000 bytes, got 1001"),
        (
            zip(&[("w.npy", &[0; 2_000_000])], true),
            "ZIP file, entry 'w.npy': 2000000 bytes are more than the limit of 1048576",
        ),
        (
            zip(&[("a.npy", &array("<f4", "(1,)", &[0; 4])), ("a.npy", &array("<f4", "(1,)", &[0; 4]))], false),
            "numpy file, file: expected tensors with different names, got 'a' twice",
        ),
    ]);
    assert!(open(&honest, CAP).is_ok());
    let error = open(&broken, CAP).map(drop).unwrap_err().to_string();
    assert!(error.starts_with("ZIP file, entry 'w.npy': expected"), "{error}");
}

const STRUCTURED: &str = "numpy file, tensor 'array': a type of several fields is not supported; supported: real numbers of 8 to 64 bits, which \
     numpy.savez('weights.npz', w=w, b=b) writes with an array for each name";

#[test]
fn archives_that_break_a_rule() {
    let edit = |change: fn(&mut Vec<u8>, usize)| {
        let mut file = zip(&[("a.npy", b"x")], false);
        let directory = file.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        change(&mut file, directory);
        file
    };
    expect_errors(vec![
        (b"PK\x03\x04".to_vec(), "ZIP file, directory: expected a sound one at the end of the file, got none"),
        (
            edit(|file, directory| file[directory + 8] = 1),
            "ZIP file, entry 'a.npy': encryption is not supported; supported: plain entries",
        ),
        (
            edit(|file, directory| file[directory + 20..directory + 24].fill(0xff)),
            "ZIP file, byte 38: expected 4294967295 more bytes, got 74",
        ),
        (
            edit(|file, directory| file[directory + 42] = 9),
            "ZIP file, entry 'a.npy': expected the header of an entry, got other bytes",
        ),
        (
            edit(|file, directory| file[directory] = b'Q'),
            "ZIP file, directory: expected a sound one at the end of the file, got other bytes where an entry begins",
        ),
        (
            zip(&[("readme.txt", b"x")], false),
            "not a file that Nutshell can open: an archive (ZIP) of other files: unpack it, and open the model in it; expected \
             a model as .nut, npz, npy, PyTorch state dictionary, TFLite, HDF5 (Keras), safetensors or ONNX",
        ),
    ]);
}

#[test]
fn pickles_that_would_do_something() {
    let file = |body: &[u8]| torch_zip(&pickle_of(body), &[("0", &[0; 8])]);
    let nothing =
        "PyTorch file, pickle: expected tensors; torch.save(model.state_dict(), 'model.pt') writes them, got none";
    let view = |count, offset, shape: &[u8], strides: &[u8]| {
        torch_zip(
            &pickle_of(&state_dict(&[("w", "FloatStorage", "0", count, offset, shape, strides)])),
            &[("0", &[0; 8])],
        )
    };
    let instructions = "is not supported; supported: those that torch.save writes";
    let instruction = |code: &str| format!("PyTorch file, pickle, byte 2: instruction {code} {instructions}");
    let codes = [instruction("0x82"), instruction("'P'")];
    let mut nested = Vec::new();
    for _ in 0..65 {
        nested.extend([b"}".to_vec(), text("k")].concat());
    }
    nested.extend(b"}");
    nested.extend([b's'; 65]);
    let cyclic = [&b"}q\x00"[..], &text("model"), b"h\x00s"].concat();
    let wide = state_dict(&[("w", "FloatStorage", "0", 2, 0, &[200, 200, 200], &[0, 0, 0])]);
    let mut cases: Vec<(Vec<u8>, &str)> = vec![
        (file(b"cposix\nsystem\nX\x04\0\0\0true\x85R"), nothing),
        (file(b"cbuiltins\neval\n)R}b"), nothing),
        (file(b"ctorch\nload\n)\x81}b"), nothing),
        (file(b"(ios\nsystem\n"), nothing),
        (file(b"(cos\nsystem\no"), nothing),
        (file(b"ios\nsystem\n"), "PyTorch file, byte 13: expected a mark on the stack, got none"),
        (file(b"(o"), "PyTorch file, byte 3: expected a class on the stack, got none"),
        (file(b"\x81"), "PyTorch file, byte 3: expected 2 values on the stack, got 0"),
        (file(b"\x82\x01"), &codes[0]),
        (file(b"P0\n"), &codes[1]),
        (file(b"ccollections\nOrderedDict\nK\x01\x85R"), nothing),
        // An object that is its own attribute, item and argument.
        (file(b"cx\ny\n)\x81q\0h\0bh\0ah\0h\0s"), nothing),
        (file(b"(lq\0h\0a"), nothing),
        (file(b"r\xff\xff\xff\xff"), "PyTorch file, byte 2: expected a number of at most 0, got 4294967295"),
        (file(b"h\x05"), "PyTorch file, byte 2: expected a number below 0, got 5"),
        (file(b"0"), "PyTorch file, byte 3: expected a value on the stack, got none"),
        (file(b"t"), "PyTorch file, byte 3: expected a mark on the stack, got none"),
        (file(b"K\x01K\x02a"), "PyTorch file, byte 7: expected a list to append to, got Some(Int(1))"),
        (file(b"X\xff\xff\xff\xff"), "PyTorch file, byte 7: expected 4294967295 more bytes, got 1"),
        (file(b"}"), nothing),
        (file(&nested), "PyTorch file, pickle: expected at most 64 nested values, got more"),
        (file(&cyclic), nothing),
        (file(&wide), "PyTorch file, tensor 'w': 32000000 bytes are more than the limit of 1048576"),
        (
            view(2, 1, &[2], &[1]),
            "PyTorch file, tensor 'w': expected a view within 2 elements, got offset 1, shape [2], strides [1]",
        ),
        (
            view(200, 0, &[2], &[100]),
            "PyTorch file, tensor 'w': expected a view within 2 elements, got offset 0, shape [2], strides [100]",
        ),
        (
            view(2, 0, &[2, 2], &[1]),
            "PyTorch file, byte 136: expected a tensor with as many strides as sides, none below 0, at most 8, got another",
        ),
        (
            torch_zip(&pickle_of(&state_dict(&[("w", "FloatStorage", "7", 2, 0, &[2], &[1])])), &[("0", &[0; 8])]),
            "PyTorch file, archive: expected an entry */data/7, got none",
        ),
    ];
    let legacy_file = |count: u64, bytes: &[u8]| {
        legacy(&state_dict(&[("w", "FloatStorage", "0", 2, 0, &[2], &[1])]), &[("0", count, bytes)])
    };
    let end = legacy_file(2, &[0; 8]).len() - 8;
    let short = format!("PyTorch file, byte {end}: expected 8 more bytes, got 3");
    let other = format!("PyTorch file, byte {}: expected 2 elements in a storage, got 3", end - 8);
    cases.push((legacy_file(2, &[0; 3]), &short));
    cases.push((legacy_file(3, &[0; 12]), &other));
    expect_errors(cases);
    assert!(open(&legacy_file(2, &[0; 8]), CAP).is_ok());
}

#[test]
fn a_dictionary_in_many_places_does_not_multiply() {
    // Each dictionary holds the one before 60 times, under names of their own.
    let mut body = state_dict(&[("w", "FloatStorage", "0", 2, 0, &[2], &[1])]);
    body.extend(b"q\x00");
    for level in 1..7u8 {
        body.extend(b"0}(");
        for name in 0..60u8 {
            body.extend([text(&format!("k{name}")), vec![b'h', level - 1]].concat());
        }
        body.extend([b'u', b'q', level]);
    }
    let file = torch_zip(&pickle_of(&body), &[("0", &[0; 8])]);
    let error = open(&file, CAP).map(drop).unwrap_err().to_string();
    assert_eq!(error, "PyTorch file, pickle: expected at most 1048576 values, got more");
}

#[test]
fn tflite_files_that_break_a_rule() {
    let one = |tensor: Table, data: &[u8]| tflite(vec![tensor], &[&[], data]);
    let mut outside = one(tflite_tensor("w", &[1], 0, 1, &[], &[]), &[0; 4]);
    outside[..4].copy_from_slice(&9999u32.to_le_bytes());
    let length = outside.len();
    let message = format!("TFLite file, byte 0: expected an offset within {length}, got 9999");
    let external = {
        let buffer = Table(vec![(1, Field::U32(100)), (2, Field::U32(4))]);
        let tensors = Field::Tables(vec![tflite_tensor("w", &[1], 0, 0, &[], &[])]);
        let model = Table(vec![(2, Field::Tables(vec![Table(vec![(0, tensors)])])), (4, Field::Tables(vec![buffer]))]);
        weight_files::root(&model)
    };
    expect_errors(vec![
        (outside, &message),
        (
            one(tflite_tensor("w", &[2], 0, 1, &[], &[]), &[0; 4]),
            "TFLite file, tensor 'w': expected 8 bytes for the shape [2], got 4",
        ),
        (
            one(tflite_tensor("w", &[1], 0, 7, &[], &[]), &[0; 4]),
            "TFLite file, tensor 'w': expected a buffer below 2, got 7",
        ),
        (
            one(tflite_tensor("w", &[2], 17, 1, &[], &[]), &[0; 4]),
            "TFLite file, tensor 'w': type 17 is not supported; supported: floats of 16 to 64 bits, integers of 8 to 64, \
             bool",
        ),
        (
            one(tflite_tensor("w", &[u32::MAX], 0, 1, &[], &[]), &[0; 4]),
            "TFLite file, tensor 'w': expected sides of at least 0, got one below",
        ),
        (
            one(tflite_tensor("w", &[2, 2], 9, 1, &[1.0, 2.0, 3.0], &[]), &[0; 4]),
            "TFLite file, tensor 'w': expected scales and zero points for one or 2 channels, got 3 and 0",
        ),
        (
            one(tflite_tensor("w", &[2, 3], 9, 1, &[1.0], &[]), &[0; 4]),
            "TFLite file, tensor 'w': expected 6 bytes for the shape [2, 3], got 4",
        ),
        (
            one(tflite_tensor("w", &[1 << 20], 9, 1, &[1.0], &[]), &[0; 1 << 20]),
            "TFLite file, tensor 'w': 4194304 bytes are more than the limit of 1048576",
        ),
        (external, "TFLite file, tensor 'w': numbers behind the FlatBuffer is not supported; supported: numbers in it"),
    ]);
}

/// A TFLite file of one operator, on an image of 4 x 4 pixels, a kernel of 3 x 3, and what it makes.
fn tflite_with(code: u32, inputs: &[u32], outputs: &[u32], kind: u8, options: Vec<(usize, Field)>) -> Vec<u8> {
    let tensors = vec![
        tflite_tensor("image", &[1, 4, 4, 1], 0, 0, &[], &[]),
        tflite_tensor("kernel", &[2, 3, 3, 1], 0, 1, &[], &[]),
        tflite_tensor("made", &[1, 2, 2, 2], 0, 0, &[], &[]),
        tflite_tensor("huge", &[1, 1 << 30, 1 << 30, 1 << 30], 0, 0, &[], &[]),
        tflite_tensor("list", &[4], 2, 2, &[], &[]),
    ];
    let list: Vec<u8> = [0, 1, 2, 0].map(u32::to_le_bytes).concat();
    let operator = tflite_operator(0, inputs, outputs, kind, Table(options));
    tflite_graph(tensors, &[&[], &[0; 72], &list], [&[0], &[2]], &[code], vec![operator])
}

#[test]
fn tflite_graphs_that_break_a_rule() {
    const CONV: u32 = 3;
    let steps = |height: u32, width: u32| vec![(0, Field::Byte(1)), (1, Field::U32(width)), (2, Field::U32(height))];
    let conv = |inputs: &[u32], outputs: &[u32]| tflite_with(CONV, inputs, outputs, 1, steps(1, 1));
    assert!(open(&conv(&[0, 1], &[2]), CAP).unwrap().network.model.is_some());
    let none = u32::MAX;
    expect_errors(vec![
        (conv(&[0, 9], &[2]), "TFLite file, operator 0: expected a tensor below 5, got 9"),
        (conv(&[0, 1], &[none]), "TFLite file, operator 0: expected a tensor below 5, got -1"),
        (conv(&[0, 1], &[]), "TFLite file, operator 0: expected an output, got none"),
        (conv(&[0, none], &[2]), "TFLite file, CONV_2D 'made': expected an input 1, got none"),
        (
            conv(&[2, 1], &[2]),
            "TFLite file, CONV_2D 'made': expected tensors that an earlier operator makes, got 'made'",
        ),
        (conv(&[0, 4], &[2]), "TFLite file, CONV_2D 'made': expected a weight of four dimensions, got [4]"),
        (
            tflite_with(CONV, &[0, 1], &[2], 1, steps(0, 1)),
            "TFLite file, CONV_2D 'made': expected kernels and steps of 1 to 32768, got 0",
        ),
        (
            tflite_with(CONV, &[0, 1], &[2], 5, steps(1, 1)),
            "TFLite file, CONV_2D 'made': expected kernels and steps of 1 to 32768, got 0",
        ),
        (
            tflite_with(17, &[0], &[2], 5, steps(1, 1)),
            "TFLite file, MAX_POOL_2D 'made': expected kernels and steps of 1 to 32768, got 0",
        ),
        (
            tflite_with(39, &[0, 4], &[2], 0, Vec::new()),
            "TFLite file, TRANSPOSE 'made': expected each axis of 4, got [0, 1, 2, 0]",
        ),
    ]);
}

#[test]
fn tflite_graphs_that_cannot_be_run_open_as_weights() {
    let obstacle = |bytes: Vec<u8>| match open(&bytes, CAP) {
        Ok(opened) if opened.network.model.is_none() => opened.network.obstacle.unwrap().to_string(),
        other => panic!("{other:?}"),
    };
    let steps = |stride: u32| vec![(0, Field::Byte(1)), (1, Field::U32(stride)), (2, Field::U32(stride))];
    for (bytes, expected) in [
        (tflite_with(97, &[0], &[2], 0, Vec::new()), "RESIZE_NEAREST_NEIGHBOR 'made': the operator is not supported"),
        (tflite_with(9999, &[0], &[2], 0, Vec::new()), "operator 9999 'made': the operator is not supported"),
        (tflite_with(u32::MAX, &[0], &[2], 0, Vec::new()), "operator 4294967295 'made': the operator is"),
        (tflite_with(3, &[0, 1], &[2], 1, steps(2)), "CONV_2D 'made': an output of [1, 1, 1, 2] where the file says"),
        (tflite_with(3, &[0, 0], &[2], 1, steps(1)), "CONV_2D 'made': a computed input 1 is not supported"),
        (tflite_with(40, &[0, 1], &[2], 0, Vec::new()), "MEAN 'made': float32 as input 1 is not supported"),
        (tflite_with(22, &[0], &[2], 0, Vec::new()), "RESHAPE 'made': 16 elements in the shape [1, 2, 2, 2]"),
    ] {
        let obstacle = obstacle(bytes);
        assert!(obstacle.starts_with(&format!("TFLite file, {expected}")), "{obstacle}");
    }
}

#[test]
fn the_largest_steps_of_a_tflite_slice_are_taken() {
    const STRIDED_SLICE: u32 = 45;
    // Begins, ends and strides of 64-bit integers: one place of four in axis 1.
    let open_with = |start: i64, end: i64, step: i64| {
        let list = |name: &str, buffer: u32| tflite_tensor(name, &[2], 4, buffer, &[], &[]);
        let tensors = vec![
            tflite_tensor("image", &[1, 4, 4, 1], 0, 0, &[], &[]),
            list("begin", 1),
            list("end", 2),
            list("strides", 3),
            tflite_tensor("made", &[1, 1, 4, 1], 0, 0, &[], &[]),
        ];
        let bytes = [[0, start], [1, end], [1, step]].map(|list| list.map(i64::to_le_bytes).concat());
        let operator = tflite_operator(0, &[0, 1, 2, 3], &[4], 32, Table(Vec::new()));
        let buffers = [&[][..], &bytes[0], &bytes[1], &bytes[2]];
        open(&tflite_graph(tensors, &buffers, [&[0], &[4]], &[STRIDED_SLICE], vec![operator]), CAP)
    };
    for (start, end, step) in [(1, 4, i64::MAX), (3, 0, i64::MIN), (3, 0, i64::MIN + 1), (0, i64::MAX, i64::MAX)] {
        assert!(open_with(start, end, step).unwrap().network.model.is_some(), "{start} {end} {step}");
    }
}

#[test]
fn changed_tflite_graphs_are_refused_or_read() {
    let mut rng = Pcg64Mcg::seed_from_u64(17);
    for name in ["mobile", "moves", "elements", "sums", "shapes", "whole"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/tflite/{name}.tflite"));
        let sound = std::fs::read(path).unwrap();
        for length in (0..sound.len()).step_by(7) {
            let _ = open(&sound[..length], CAP);
        }
        for _ in 0..1500 {
            let mut bytes = sound.clone();
            for _ in 0..rng.random_range(1..4) {
                let place = rng.random_range(0..bytes.len());
                bytes[place] = [rng.random(), 0, 1, 0x7f, 0x80, 0xff][rng.random_range(0..6)];
            }
            if let Some(model) = open(&bytes, CAP).ok().and_then(|opened| opened.network.model) {
                assert!(model.shapes().is_ok());
            }
        }
    }
}

#[test]
fn onnx_files_whose_weights_cannot_be_had() {
    let start = || File::new(&[4]).random("w", &[4, 30]).node("MatMul", &["x", "w"], "a", vec![]);
    let with = |change: fn(&mut rten_onnx::onnx::TensorProto)| {
        let mut file = start().node("Sin", &["a"], "y", vec![]);
        change(&mut file.graph.initializer[0]);
        file.bytes()
    };
    expect_errors(vec![
        (
            with(|tensor| tensor.data_location = Some(DataLocation::EXTERNAL)),
            "ONNX file, tensor 'w': data in another file ('') that was not opened with this one is not supported; supported: both files together, or data in the file itself",
        ),
        (with(|tensor| tensor.dims[0] = 5), "ONNX file, tensor 'w': expected 600 bytes for the shape [5, 30], got 480"),
        (
            with(|tensor| tensor.dims = vec![1 << 40]),
            "ONNX file, tensor 'w': 4398046511104 bytes are more than the limit of 1048576",
        ),
        (with(|tensor| tensor.dims[0] = -4), "ONNX file, tensor 'w': expected dimensions of at least 0, got [-4, 30]"),
    ]);
    // Types that are no numbers of whole bytes stay in the graph.
    let file = with(|tensor| tensor.data_type = Some(DataType(8)));
    assert!(read(&file, CAP).unwrap().network.tensors.is_empty());
    // Not the skeleton of these weights.
    let weights = onnx::weights(&with(|_| ()), CAP).unwrap();
    let tensor = |bytes| Tensor::new("w".into(), vec![4, 30], Dtype::F32, vec![0; bytes]);
    for (tensors, message) in [
        (vec![], "skeleton: expected as many weights as there are tensors, got more"),
        (vec![tensor(480), tensor(0)], "skeleton: expected as many weights as there are tensors, got fewer"),
        (vec![tensor(4)], "tensor 'w': expected bytes for the shape [4, 30], got 4"),
    ] {
        let skeleton = weights.skeleton(Source::Onnx).unwrap();
        let error = onnx::fill(skeleton, &tensors, |_| Err(""), &mut Vec::new()).unwrap_err().to_string();
        assert_eq!(error, format!("ONNX file, {message}"));
    }
}

/// A `.nut` of each sample.
fn nuts() -> Vec<Vec<u8>> {
    let compress = |bytes: Vec<u8>| {
        let weights = read(&bytes, CAP).unwrap().network;
        by_weights(&weights, Target::Lossless).unwrap().nut
    };
    samples().into_iter().map(compress).collect()
}

/// A file with its checksum made right.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let body = bytes.len().saturating_sub(4);
    bytes.truncate(body);
    let checksum = crc32fast::hash(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes
}

#[test]
fn every_truncation_is_an_error() {
    for (index, bytes) in samples().into_iter().enumerate() {
        for length in 0..bytes.len() {
            // An ONNX file may end after any field of its model: this one ends with its operator sets.
            let read = read(&bytes[..length], CAP);
            assert!(read.is_err() || index == 6, "sample {index}, {length} of {}", bytes.len());
        }
    }
    for bytes in nuts() {
        for length in 0..bytes.len() {
            assert!(packed::read(&bytes[..length], CAP).is_err());
            let _ = packed::read(&sealed(bytes[..length].to_vec()), CAP);
        }
    }
}

/// Pieces of pickles: instructions, names and values that the reader of PyTorch's files knows, and some that it does not.
fn pieces() -> Vec<Vec<u8>> {
    let mut pieces: Vec<Vec<u8>> =
        b"])}(tldusaeebbRoN012Q.\x88\x81\x92\x8f\x90\x91".iter().map(|&code| vec![code]).collect();
    for module_and_name in [
        "collections\nOrderedDict",
        "torch\nFloatStorage",
        "torch\nQInt8Storage",
        "torch\nComplexFloatStorage",
        "torch.storage\nUntypedStorage",
        "torch\nfloat8_e4m3fn",
        "torch\nSize",
        "torch._utils\n_rebuild_tensor_v2",
        "torch._utils\n_rebuild_tensor_v3",
        "torch._utils\n_rebuild_qtensor",
        "torch._utils\n_rebuild_sparse_tensor",
        "torch._utils\n_rebuild_parameter",
        "torch._tensor\n_rebuild_from_type_v2",
        "net\nNet",
    ] {
        pieces.push(format!("c{module_and_name}\n").into_bytes());
    }
    for word in
        ["state_dict", "model", "ema", "_parameters", "_buffers", "_modules", "_non_persistent_buffers_set", "state"]
    {
        pieces.push(text(word));
    }
    pieces.extend(["param_groups", "storage", "module", "0", "w", "w.w"].map(text));
    pieces.extend(
        (0..4u8).flat_map(|memo| [vec![b'q', memo], vec![b'h', memo], vec![b'K', memo], vec![0x85 + memo % 3]]),
    );
    let storage = |class: &str, count: u8| {
        [&b"("[..], &text("storage"), class.as_bytes(), &text("0"), &text("cpu"), &[b'K', count, b't', b'Q']].concat()
    };
    pieces.push(storage("ctorch\nFloatStorage\n", 2));
    pieces.push(storage("ctorch\nQInt8Storage\n", 8));
    let quantizer = |scale: &[u8]| [b"(ctorch\nper\n", scale, b"K\0t"].concat();
    pieces.push(quantizer(b"G\x3f\xe0\0\0\0\0\0\0K\x01"));
    pieces.push(quantizer(b"h\0h\0"));
    pieces.push(state_dict(&[("w", "FloatStorage", "0", 2, 0, &[2], &[1])]));
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn pickles_of_any_instructions_are_refused_or_read(chosen in prop::collection::vec(prop::sample::select(pieces()), 0..40)) {
        let file = torch_zip(&pickle_of(&chosen.concat()), &[("0", &[0; 8])]);
        if let Ok(loaded) = open(&file, CAP) {
            prop_assert!(by_weights(&loaded.network, Target::Lossless).is_ok());
        }
    }

    #[test]
    fn changed_files_are_refused_or_read(
        which in 0usize..14,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..5),
    ) {
        let mut bytes = if which < 7 { samples() } else { nuts() }.swap_remove(which % 7);
        for (place, value, kind) in changes {
            let place = place.index(bytes.len());
            match kind {
                0 => bytes[place] = value,
                1 => bytes[place] ^= 1 << (value % 8),
                2 => bytes.insert(place, value),
                _ => drop(bytes.remove(place)),
            }
        }
        let bytes = if which < 7 { bytes } else { sealed(bytes) };
        if let Ok(loaded) = read(&bytes, CAP) {
            // What is read keeps the rules of its types, so that it can be written.
            let outcome = by_weights(&loaded.network, Target::Lossless);
            prop_assert!(outcome.is_ok());
        }
        let _ = open(&bytes, CAP);
    }
}
