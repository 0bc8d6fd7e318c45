//! An array of numpy.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nutshell::formats::numpy;

const CAP: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let _ = numpy::read_npy(bytes, CAP);
});
