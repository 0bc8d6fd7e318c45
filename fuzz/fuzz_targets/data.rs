//! Samples: IDX, npz, npy and CSV, gzipped or not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nutshell::data::Options;
use nutshell::data::open::read;

const CAP: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let _ = read(bytes, &Options { cap: CAP, ..Options::default() });
});
