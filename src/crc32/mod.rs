//! CRC-32 (that of zlib, gzip, ZIP and PNG), with the interface of the crate `crc32fast`, in whose place it stands (`[patch.crates-io]` in `Cargo.toml`).
//!
//! That crate's table would be 16 KiB of the module that a page loads, since random numbers do not compress. Here it is made when it is first used;
//! the loop is the same: sixteen bytes at a time ("slicing", Kounavis and Berry 2005).

use std::sync::LazyLock;

/// The polynomial, the lowest power in the highest bit.
const POLYNOMIAL: u32 = 0xedb8_8320;
/// `x^0` in that order.
const ONE: u32 = 1 << 31;
/// Bytes that are taken at a time.
const BLOCK: usize = 16;

/// `TABLES[k][byte]`: what a byte adds when `k` more bytes follow it.
static TABLES: LazyLock<Vec<[u32; 256]>> = LazyLock::new(|| {
    let mut tables = vec![[0u32; 256]; BLOCK];
    tables[0] = std::array::from_fn(|byte| (0..8).fold(byte as u32, |rest, _| times_x(rest)));
    for k in 1..BLOCK {
        tables[k] = tables[k - 1].map(|before| (before >> 8) ^ tables[0][(before & 0xff) as usize]);
    }
    tables
});

fn times_x(value: u32) -> u32 {
    if value & 1 != 0 { (value >> 1) ^ POLYNOMIAL } else { value >> 1 }
}

/// The product of two polynomials, without the multiples of [`POLYNOMIAL`].
fn product(a: u32, mut b: u32) -> u32 {
    let mut sum = 0;
    for power in (0..32).rev() {
        if a >> power & 1 != 0 {
            sum ^= b;
        }
        b = times_x(b);
    }
    sum
}

/// The CRC-32 of some bytes.
pub fn hash(bytes: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(bytes);
    hasher.finalize()
}

/// The CRC-32 of what is added to it.
#[derive(Debug, Clone, Default)]
pub struct Hasher {
    state: u32,
    /// Bytes so far.
    count: u64,
}

impl Hasher {
    /// Of no bytes.
    pub fn new() -> Self {
        Hasher::default()
    }

    /// Of bytes whose CRC-32 is known.
    pub fn new_with_initial(state: u32) -> Self {
        Hasher { state, count: 0 }
    }

    /// Of so many bytes whose CRC-32 is known.
    pub fn new_with_initial_len(state: u32, count: u64) -> Self {
        Hasher { state, count }
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let tables = TABLES.as_slice();
        let mut state = !self.state;
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        for block in blocks {
            let mut block = *block;
            for (byte, state) in block.iter_mut().zip(state.to_le_bytes()) {
                *byte ^= state;
            }
            state = block.iter().zip(tables.iter().rev()).fold(0, |sum, (&byte, table)| sum ^ table[usize::from(byte)]);
        }
        for byte in rest {
            state = (state >> 8) ^ tables[0][((state & 0xff) as u8 ^ byte) as usize];
        }
        self.state = !state;
        self.count += bytes.len() as u64;
    }

    /// The CRC-32.
    pub fn finalize(self) -> u32 {
        self.state
    }

    /// Forgets all bytes.
    pub fn reset(&mut self) {
        *self = Hasher::default();
    }

    /// Adds the bytes that another one was given.
    pub fn combine(&mut self, other: &Self) {
        // x^(8 count), by squares.
        let (mut shift, mut power, mut left) = (ONE, ONE >> 8, other.count);
        while left > 0 {
            if left & 1 != 0 {
                shift = product(shift, power);
            }
            power = product(power, power);
            left >>= 1;
        }
        self.state = product(shift, self.state) ^ other.state;
        self.count += other.count;
    }
}

impl std::hash::Hasher for Hasher {
    fn finish(&self) -> u64 {
        self.state.into()
    }

    fn write(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bit by bit, as the definition says.
    fn plain(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |state, &byte| (0..8).fold(state ^ u32::from(byte), |state, _| times_x(state)))
    }

    #[test]
    fn the_check_value_is_that_of_the_catalogue() {
        assert_eq!(hash(b"123456789"), 0xcbf4_3926);
        assert_eq!(hash(b""), 0);
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_parts_have_the_plain_remainder(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            cut in any::<prop::sample::Index>(),
        ) {
            let (first, second) = bytes.split_at(cut.index(bytes.len() + 1));
            let mut hasher = Hasher::new();
            hasher.update(first);
            let mut other = Hasher::new();
            other.update(second);
            let mut both = hasher.clone();
            both.combine(&other);
            hasher.update(second);
            prop_assert_eq!(hasher.finalize(), plain(&bytes));
            prop_assert_eq!(both.finalize(), plain(&bytes));
        }
    }
}
