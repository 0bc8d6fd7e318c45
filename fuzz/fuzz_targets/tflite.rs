//! TensorFlow Lite.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nutshell::formats::tflite;

const CAP: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let _ = tflite::read(bytes, CAP);
});
