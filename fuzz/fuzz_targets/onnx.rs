//! ONNX: the graph, the weights whatever the graph is, and numbers in other files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nutshell::formats::onnx;

const CAP: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let _ = onnx::read(bytes, CAP);
    let _ = onnx::weights(bytes, CAP);
    let _ = onnx::embed(bytes, &[("external.bin", bytes)], CAP);
});
