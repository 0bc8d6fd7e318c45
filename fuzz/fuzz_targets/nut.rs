//! `.nut` files, of networks and of named weights, with the checksum made right: a wrong one would hide all that is behind it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nutshell::container::{packed, read};

const CAP: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let mut file = bytes.to_vec();
    file.extend(crc32(bytes).to_le_bytes());
    if let Ok(nut) = read(&file, CAP) {
        let _ = nut.network.to_model();
    }
    let _ = packed::read(&file, CAP);
});

/// CRC-32 as in ZIP, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}
