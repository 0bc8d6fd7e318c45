//! Writes the files that fuzzing starts from: `cargo run --bin seeds` in this folder, once, before `cargo fuzz run TARGET`.

#[allow(dead_code)]
#[path = "../tests/onnx_files/mod.rs"]
mod onnx_files;
#[allow(dead_code)]
#[path = "../tests/weight_files/mod.rs"]
mod weight_files;

use std::fs;
use std::path::Path;

fn main() {
    let [safetensors, npz, npy, torch, legacy, tflite, onnx]: [Vec<u8>; 7] =
        weight_files::samples().try_into().expect("a file of each kind");
    let file = |path: &str| fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).expect(path);
    let graphs: Vec<Vec<u8>> = ["mobile", "moves", "elements", "sums", "shapes", "halves", "whole"]
        .map(|name| file(&format!("tests/data/tflite/{name}.tflite")))
        .to_vec();
    let arrays: Vec<Vec<u8>> = ["older.h5", "newer.h5", "filter.h5", "heap.h5", "index.h5", "lenet.weights.h5"]
        .map(|name| file(&format!("tests/data/hdf5/{name}")))
        .to_vec();
    // Without its checksum, which the target computes.
    let nut = |name: &str| {
        let mut bytes = file(&format!("tests/golden/{name}.nut"));
        bytes.truncate(bytes.len() - 4);
        bytes
    };
    let idx = [&[0u8, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2][..], &[1, 2, 3, 4, 5, 6, 7, 8]].concat();
    let csv = b"width,height,label\n1.5,2,0\n3,4,1\n5,6.25,0\n".to_vec();
    let quoted = b"\"width\nin cm\";species\r\n\"1.5\";\"a \"\"b\"\"\"\r\n3;c\r\n".to_vec();
    for (target, seeds) in [
        ("safetensors", vec![safetensors]),
        ("npy", vec![npy.clone()]),
        ("archive", vec![npz.clone(), torch]),
        ("torch", vec![legacy]),
        ("tflite", [vec![tflite], graphs].concat()),
        ("hdf5", arrays),
        ("onnx", vec![onnx, file("tests/data/onnx/residual.onnx"), file("tests/data/onnx/external.onnx")]),
        ("nut", ["lines", "lenet5", "codebooks"].map(nut).to_vec()),
        ("data", vec![idx, csv, quoted, npz, npy]),
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        fs::create_dir_all(&folder).expect("a folder for the seeds");
        for (index, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("seed-{index}")), seed).expect("a seed is written");
        }
    }
}
