//! CRC-32 (RFC 1952, section 8), a byte at a time. The tables of faster ways take 16 KB of the wasm, which do not compress.

use std::sync::LazyLock;

/// The generator polynomial, lowest power in the highest bit.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// What each value of a byte adds.
static TABLE: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let divide = |rest: u32, _| if rest & 1 == 1 { (rest >> 1) ^ POLYNOMIAL } else { rest >> 1 };
    (0..=0xff).map(|byte| (0..8).fold(byte, divide)).collect()
});

/// The CRC-32 of the bytes.
pub fn crc32(bytes: &[u8]) -> u32 {
    let table: &[u32] = &TABLE;
    !bytes.iter().fold(!0, |rest: u32, byte| (rest >> 8) ^ table[usize::from(rest as u8 ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The check value of the catalogue of CRC algorithms, for CRC-32/ISO-HDLC.
    #[test]
    fn the_check_value_is_right() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    proptest! {
        #[test]
        fn another_implementation_agrees(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(crc32(&bytes), crc32fast::hash(&bytes));
        }
    }
}
