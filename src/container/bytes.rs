//! Bounded reading of bytes and varints.

use crate::error::DecodeError;

/// Most sides of an array.
pub const MOST_SIDES: usize = 8;

/// Bytes that have not been read yet. Nothing is taken that has not been proved to be there.
#[derive(Debug)]
pub struct Reader<'a> {
    place: &'static str,
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads `bytes`; errors name `place`.
    pub fn new(place: &'static str, bytes: &'a [u8]) -> Self {
        Reader { place, bytes }
    }

    /// Number of bytes left.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let Some((taken, rest)) = self.bytes.split_at_checked(count) else {
            return Err(DecodeError::Truncated { place: self.place, expected: count, got: self.bytes.len() });
        };
        self.bytes = rest;
        Ok(taken)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, DecodeError> {
        Ok(self.take(1)?[0])
    }

    /// The next varint.
    pub fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if part << shift >> shift != part {
                break;
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.malformed("a number below 2^64", "a longer one"))
    }

    /// The next varint, which must not exceed `most`.
    pub fn size(&mut self, most: usize) -> Result<usize, DecodeError> {
        let value = self.varint()?;
        match usize::try_from(value) {
            Ok(size) if size <= most => Ok(size),
            _ => Err(self.malformed(format!("at most {most}"), value)),
        }
    }

    /// A number of sides, and the sides, each of 31 bits at most.
    pub fn shape(&mut self) -> Result<Vec<usize>, DecodeError> {
        let sides = self.size(MOST_SIDES)?;
        (0..sides).map(|_| self.size(i32::MAX as usize)).collect()
    }

    /// That nothing is left.
    pub fn finish(&self) -> Result<(), DecodeError> {
        if self.bytes.is_empty() {
            Ok(())
        } else {
            Err(self.malformed("its end", format!("{} more bytes", self.len())))
        }
    }

    /// An error at this place.
    pub fn malformed(&self, expected: impl ToString, got: impl ToString) -> DecodeError {
        DecodeError::Malformed { place: self.place, expected: expected.to_string(), got: got.to_string() }
    }
}

/// Appends a varint.
pub fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Appends varints.
pub fn put_sizes(bytes: &mut Vec<u8>, sizes: &[usize]) {
    for &size in sizes {
        put_varint(bytes, size as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_come_back() {
        for value in [0, 1, 127, 128, 300, 1 << 31, u64::MAX >> 1, u64::MAX] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            let mut reader = Reader::new("test", &bytes);
            assert_eq!(reader.varint(), Ok(value));
            assert_eq!(reader.finish(), Ok(()));
            assert!(Reader::new("test", &bytes[..bytes.len() - 1]).varint().is_err());
        }
        assert!(Reader::new("test", &[0xff; 11]).varint().is_err());
        assert!(Reader::new("test", &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]).varint().is_err());
    }
}
