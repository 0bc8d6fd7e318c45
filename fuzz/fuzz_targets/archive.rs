//! ZIP archives: of arrays, and as `torch.save` writes them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nutshell::formats::read;

const CAP: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let _ = read(bytes, CAP);
});
