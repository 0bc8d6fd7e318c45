//! Bounded reading of little-endian bytes.

use crate::error::LoadError;
pub(super) use crate::error::{malformed, too_large, unsupported};

/// The most that a name may take, in bytes: errors repeat names.
pub const MAX_NAME: usize = 4096;
/// The most tensors of a file: each takes some hundred bytes of memory beside its numbers.
pub const MAX_TENSORS: usize = 1 << 16;
/// The most sides of a tensor.
pub const MAX_SIDES: usize = 8;

/// Bytes that have not been read yet. Nothing is taken that has not been proved to be there.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    format: &'static str,
    file: &'a [u8],
    /// Invariant: at most `file.len()`.
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Reads from byte `at`; errors name `format` and the byte.
    ///
    /// # Errors
    /// [`LoadError::Malformed`] if that lies behind the end.
    pub fn new(format: &'static str, file: &'a [u8], at: usize) -> Result<Self, LoadError> {
        if at > file.len() {
            return Err(malformed(format, "offset", format!("at most {}", file.len()), at));
        }
        Ok(Cursor { format, file, at })
    }

    /// Where it is, in bytes from the start of the file.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Number of bytes left.
    pub fn left(&self) -> usize {
        self.file.len() - self.at
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], LoadError> {
        let Some(taken) = self.file[self.at..].get(..count) else {
            return Err(self.malformed(format!("{count} more bytes"), self.left()));
        };
        self.at += count;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], LoadError> {
        let taken = self.take(N)?;
        Ok(std::array::from_fn(|index| taken[index]))
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, LoadError> {
        Ok(self.array::<1>()?[0])
    }

    /// The next 16 bits.
    pub fn u16(&mut self) -> Result<u16, LoadError> {
        self.array().map(u16::from_le_bytes)
    }

    /// The next 32 bits.
    pub fn u32(&mut self) -> Result<u32, LoadError> {
        self.array().map(u32::from_le_bytes)
    }

    /// The next 64 bits.
    pub fn u64(&mut self) -> Result<u64, LoadError> {
        self.array().map(u64::from_le_bytes)
    }

    /// An error at this place.
    pub fn malformed(&self, expected: impl ToString, got: impl ToString) -> LoadError {
        malformed(self.format, format!("byte {}", self.at), expected, got)
    }
}
