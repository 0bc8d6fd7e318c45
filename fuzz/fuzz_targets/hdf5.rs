//! HDF5.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nutshell::formats::hdf5;

const CAP: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let _ = hdf5::read(bytes, CAP);
});
