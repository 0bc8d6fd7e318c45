//! HDF5 files that h5py and Keras wrote (`tests/data/hdf5/make.py`), whole, damaged, and against the cap.
#![cfg(not(target_arch = "wasm32"))]

use nutshell::formats::{open, read, reader_of};
use nutshell::model::{Network, Tensor};
use nutshell::network::logits;
use nutshell::pipeline::{Evidence, Quiet, Recipe, Target, compress};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use std::fs;
use std::path::Path;

const CAP: u64 = 1 << 20;

const FILES: [&str; 5] = ["older.h5", "newer.h5", "lenet.keras", "lenet.h5", "lenet.weights.h5"];

fn file(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hdf5").join(name)).unwrap()
}

fn network(name: &str) -> Network {
    read(&file(name), CAP).unwrap().network
}

fn sorted(network: Network) -> Vec<Tensor> {
    let mut tensors = network.tensors;
    tensors.sort_by(|one, other| one.name.cmp(&other.name));
    tensors
}

#[test]
fn arrays_of_h5py_are_read_as_numpy_has_them() {
    for name in ["older", "newer"] {
        let bytes = file(&format!("{name}.h5"));
        assert_eq!(reader_of(&bytes).map(|reader| reader.name), Some("hdf5"));
        let (got, expected) = (sorted(network(&format!("{name}.h5"))), sorted(network(&format!("{name}.npz"))));
        assert!(got.len() >= 12);
        assert_eq!(got, expected, "{name}");
    }
}

#[test]
fn the_three_forms_of_keras_have_the_same_weights_and_are_recognised() {
    let expected = network("lenet.npz");
    let numbers = |network: &Network| {
        let mut numbers: Vec<_> = network.tensors.iter().map(|tensor| tensor.bytes.clone()).collect();
        numbers.sort();
        numbers
    };
    let mut answers = Vec::new();
    for (name, kernel) in [
        ("lenet.keras", "layers/conv1/vars/0"),
        ("lenet.h5", "conv1/sequential/conv1/kernel"),
        ("lenet.weights.h5", "layers/conv1/vars/0"),
        ("lenet.npz", "conv1/kernel"),
    ] {
        let opened = open(&file(name), CAP).unwrap();
        assert!(opened.network.tensors.iter().any(|tensor| tensor.name == kernel), "{name}");
        // Without the state of the optimizer.
        assert_eq!(numbers(&opened.network), numbers(&expected), "{name}");
        let model = opened.network.runnable().unwrap();
        let image: Vec<u8> = (0..784).map(|pixel| (pixel * 7 % 251) as u8).collect();
        let sample = nutshell::data::Samples::new(vec![1, 28, 28], image, Vec::new(), Default::default()).unwrap();
        answers.push(logits(model, &sample).unwrap());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

#[test]
fn what_is_not_supported_is_named() {
    let message = |name: &str| read(&file(name), CAP).unwrap_err().to_string();
    let expected = [
        (
            "heap",
            "HDF5 file, group: a group whose links are in a heap, as libver='latest' writes it, is not supported; supported: libver='earliest', the default",
        ),
        (
            "text",
            "HDF5 file, tensor 'a/text': lists or texts of any length of 16 bytes is not supported; supported: f2 to f8, i1 to i8, u1 to u8 and bool",
        ),
        ("filter", "HDF5 file, tensor 'a/lzf': filter 32000 is not supported; supported: gzip and shuffle"),
        (
            "index",
            "HDF5 file, tensor 'a/chunks': an index of chunks of kind 3, as libver='latest' writes it, is not supported; supported: libver='earliest', the default",
        ),
        ("twice", "HDF5 file, group 'b': a group with a second name is not supported; supported: groups with one"),
        ("empty", "HDF5 file, tensor 'a/empty': an empty value is not supported; supported: arrays"),
    ];
    for (name, expected) in expected {
        assert_eq!(message(&format!("{name}.h5")), expected);
    }
}

#[test]
fn every_truncation_is_an_error() {
    for name in FILES {
        let bytes = file(name);
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length], CAP).is_err(), "{name}, {length} of {}", bytes.len());
        }
    }
}

#[test]
fn nothing_is_allocated_above_the_cap() {
    for name in FILES {
        let bytes = file(name);
        let whole = network(name).bytes() as u64;
        // An archive is unpacked first.
        let needed = if name == "lenet.keras" { bytes.len() as u64 } else { whole };
        assert!(read(&bytes, needed + 1000).is_ok(), "{name}");
        let message = read(&bytes, whole - 1).unwrap_err().to_string();
        assert!(message.contains("more than the limit of"), "{name}: {message}");
    }
}

#[test]
fn changed_files_are_refused_or_read() {
    let mut rng = Pcg64Mcg::seed_from_u64(5);
    for name in ["older.h5", "newer.h5", "lenet.weights.h5"] {
        let sound = file(name);
        // What is not the numbers of the arrays.
        let told: Vec<usize> =
            (0..sound.len()).filter(|&at| sound[at.saturating_sub(8)..sound.len().min(at + 8)].contains(&0)).collect();
        for _ in 0..1000 {
            let mut bytes = sound.clone();
            for _ in 0..rng.random_range(1..4) {
                let place = told[rng.random_range(0..told.len())];
                bytes[place] = [rng.random(), 0, 1, 8, 0x7f, 0x80, 0xff][rng.random_range(0..7)];
            }
            if let Ok(opened) = open(&bytes, CAP) {
                // What is read keeps the rules of its types, so that it can be written.
                assert!(
                    compress(
                        &opened.network,
                        Evidence::Weights,
                        &Recipe::of_weights(Target::Lossless),
                        None,
                        &mut Quiet
                    )
                    .is_ok()
                );
            }
        }
    }
}
