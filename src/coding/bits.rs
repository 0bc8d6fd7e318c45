//! Bits in bytes, the first in the highest place: what the baselines are written with.

/// Appends bits to bytes.
#[derive(Debug, Default)]
pub struct BitWriter {
    bytes: Vec<u8>,
    used: u32,
}

impl BitWriter {
    /// Appends the lowest `count` bits of `value`, the highest of them first; at most 64.
    pub fn put(&mut self, value: u64, count: u32) {
        for place in (0..count).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> place & 1) as u8) << (7 - self.used % 8);
            }
            self.used = (self.used + 1) % 8;
        }
    }

    /// Appends a number in groups of four bits, the lowest first, each led by a bit that says whether more follow.
    pub fn put_number(&mut self, mut value: u64) {
        loop {
            let more = value >> 4 != 0;
            self.put(u64::from(more), 1);
            self.put(value & 15, 4);
            value >>= 4;
            if !more {
                return;
            }
        }
    }

    /// The bytes; the last is filled up with zeros.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Takes bits from bytes.
#[derive(Debug)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    taken: usize,
}

impl<'a> BitReader<'a> {
    /// Reads from the start.
    pub fn new(bytes: &'a [u8]) -> Self {
        BitReader { bytes, taken: 0 }
    }

    /// The next bit, or `None` at the end.
    pub fn bit(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.taken / 8)?;
        let bit = byte >> (7 - self.taken % 8) & 1 != 0;
        self.taken += 1;
        Some(bit)
    }

    /// The next `count` bits as a number; at most 64.
    pub fn take(&mut self, count: u32) -> Option<u64> {
        (0..count).try_fold(0, |value, _| Some(value << 1 | u64::from(self.bit()?)))
    }

    /// The next number, see [`BitWriter::put_number`].
    pub fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(4) {
            let more = self.bit()?;
            value |= self.take(4)? << shift;
            if !more {
                return Some(value);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_and_numbers_come_back() {
        let numbers = [0, 1, 15, 16, 255, 1 << 20, u64::MAX];
        let mut writer = BitWriter::default();
        for (count, &number) in numbers.iter().enumerate() {
            writer.put(number, count as u32);
            writer.put_number(number);
        }
        let bytes = writer.finish();
        let mut reader = BitReader::new(&bytes);
        for (count, &number) in numbers.iter().enumerate() {
            assert_eq!(reader.take(count as u32), Some(number & ((1 << count) - 1)));
            assert_eq!(reader.number(), Some(number));
        }
        assert_eq!(reader.take(8), None);
    }
}
