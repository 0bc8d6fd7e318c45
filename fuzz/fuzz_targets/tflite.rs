//! TensorFlow Lite: the weights, their graph, and the file that they make again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nutshell::formats::tflite;

const CAP: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(weights) = tflite::read(bytes, CAP) {
        let _ = tflite::model(&weights, CAP);
        let _ = tflite::write(&weights);
    }
});
