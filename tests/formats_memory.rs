//! Reading a file of weights, damaged or hostile, allocates no more than the caller's cap allows.
#![cfg(not(target_arch = "wasm32"))]

mod counting;
#[allow(dead_code)]
mod onnx_files;
mod weight_files;

use nutshell::formats::{open, read};
use nutshell::pipeline::{Evidence, Outcome, Quiet, Recipe, Target, compress};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use weight_files::{legacy, pickle_of, safetensors, samples, state_dict, torch_zip, zip};

/// Compresses by the weights alone.
fn by_weights(network: &nutshell::Network, target: Target) -> Result<Outcome, nutshell::Error> {
    compress(network, Evidence::Weights, &Recipe::of_weights(target), None, &mut Quiet)
}

/// The most that reading allocates at once, beside the file.
fn peak(bytes: &[u8], cap: u64) -> usize {
    counting::peak(|| drop(read(bytes, cap)))
}

// One test, because the counts are of the whole process.
#[test]
fn memory_stays_within_the_cap() {
    const CAP: u64 = 1 << 20;
    /// Tables of the coder and of DEFLATE, and room for the lists of tensors.
    const BASE: usize = 3 << 20;
    let sound = samples();
    let nuts: Vec<Vec<u8>> = sound
        .iter()
        .map(|bytes| {
            let weights = read(bytes, CAP).unwrap().network;
            by_weights(&weights, Target::Lossless).unwrap().nut
        })
        .collect();
    let mut rng = Pcg64Mcg::seed_from_u64(31);
    let files: Vec<&Vec<u8>> = sound.iter().chain(&nuts).collect();
    for round in 0..4000 {
        let index = round % files.len();
        let mut bytes = files[index].clone();
        for _ in 0..rng.random_range(1..4) {
            let place = rng.random_range(2..bytes.len());
            bytes[place] = [rng.random(), 0xff, 0x7f, 0x80][rng.random_range(0..4)];
        }
        if index >= sound.len() {
            let body = bytes.len() - 4;
            bytes.truncate(body);
            bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        }
        let most = peak(&bytes, CAP);
        assert!(most < 5 * CAP as usize + BASE, "{index}: {most}");
    }

    // Graphs of TFLite: once as what was translated, once as the network.
    let graphs = ["mobile", "moves", "sums", "whole"].map(|name| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tflite");
        std::fs::read(folder.join(format!("{name}.tflite"))).unwrap()
    });
    for round in 0..2000 {
        let mut bytes = graphs[round % graphs.len()].clone();
        for _ in 0..rng.random_range(1..4) {
            let place = rng.random_range(8..bytes.len());
            bytes[place] = [rng.random(), 0xff, 0x7f, 0x80][rng.random_range(0..4)];
        }
        let most = counting::peak(|| drop(open(&bytes, CAP)));
        assert!(most < 8 * CAP as usize + BASE, "{round}: {most}");
    }

    // A bomb, in an archive of arrays and as a storage.
    let zeros = vec![0; 100 << 20];
    assert!(peak(&zip(&[("w.npy", &zeros)], true), CAP) < BASE);
    let dictionary = state_dict(&[("w", "FloatStorage", "0", 200, 0, &[200, 200, 200], &[0, 0, 0])]);
    assert!(peak(&torch_zip(&pickle_of(&dictionary), &[("0", &zeros[..800])]), CAP) < BASE);
    assert!(peak(&legacy(&dictionary, &[("0", 200, &zeros[..800])]), CAP) < BASE);

    // As many instructions as bytes, each of which makes something.
    for instruction in [&b"]"[..], b")", b"}", b"N", b"(", b"X\0\0\0\0", b"\x85", b"K\x01\x94", b"]\x94"] {
        let pickle = pickle_of(&instruction.repeat(400_000));
        let most = peak(&torch_zip(&pickle, &[]), CAP);
        assert!(most < 2 * pickle.len() + 2 * CAP as usize + BASE, "{instruction:?}: {most}");
    }

    // A header of nothing but names.
    let entry = |index: usize| format!(r#""{index}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#);
    let header: Vec<String> = (0..60_000).map(entry).collect();
    let header = format!("{{{}}}", header.join(","));
    let most = peak(&safetensors(&header, &[]), CAP);
    assert!(most < 12 * header.len() + BASE, "{most} for {}", header.len());
}
