//! PyTorch's older format.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nutshell::formats::torch;

const CAP: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let _ = torch::read_legacy(bytes, CAP);
});
