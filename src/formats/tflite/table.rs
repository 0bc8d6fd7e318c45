//! FlatBuffers (<https://flatbuffers.dev/internals/>): tables whose fields are found through a table of offsets. Each offset is
//! followed only once it is proved to lie in the file, and none is followed twice from one table, so that no cycle can hang.

use super::FORMAT;
use crate::error::LoadError;
use crate::formats::cursor::{Cursor, MAX_NAME, MAX_TENSORS, malformed};

/// A table in a file.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    file: &'a [u8],
    at: usize,
    /// The offsets of the fields, from `at`; 0 for a field that is left out.
    fields: &'a [[u8; 2]],
}

/// The place that lies `at` an offset beyond a place.
fn follow(file: &[u8], at: usize) -> Result<usize, LoadError> {
    let offset = Cursor::new(FORMAT, file, at)?.u32()? as usize;
    let place = at.saturating_add(offset);
    if place >= file.len() {
        return Err(malformed(FORMAT, format!("byte {at}"), format!("an offset within {}", file.len() - at), offset));
    }
    Ok(place)
}

impl<'a> Table<'a> {
    /// The root of a file.
    pub fn root(file: &'a [u8]) -> Result<Self, LoadError> {
        Table::new(file, follow(file, 0)?)
    }

    /// The table that starts at a place.
    fn new(file: &'a [u8], at: usize) -> Result<Self, LoadError> {
        let mut cursor = Cursor::new(FORMAT, file, at)?;
        // The table of offsets lies before or behind.
        let back = cursor.u32()? as i32;
        let start = usize::try_from(at as i64 - i64::from(back));
        let start = start.map_err(|_| cursor.malformed("an offset within the file", back))?;
        let mut offsets = Cursor::new(FORMAT, file, start)?;
        let bytes = usize::from(offsets.u16()?);
        let _table_bytes = offsets.u16()?;
        let fields = offsets.take(bytes.saturating_sub(4))?.as_chunks().0;
        Ok(Table { file, at, fields })
    }

    /// Where a field is, if it is there.
    pub fn field(&self, number: usize) -> Result<Option<Cursor<'a>>, LoadError> {
        match self.fields.get(number).map(|&offset| usize::from(u16::from_le_bytes(offset))) {
            None | Some(0) => Ok(None),
            Some(offset) => Cursor::new(FORMAT, self.file, self.at + offset).map(Some),
        }
    }

    /// What a field that is an offset points to.
    fn target(&self, number: usize) -> Result<Option<usize>, LoadError> {
        self.field(number)?.map(|field| follow(self.file, field.position())).transpose()
    }

    /// A table in a field.
    pub fn table(&self, number: usize) -> Result<Option<Table<'a>>, LoadError> {
        self.target(number)?.map(|at| Table::new(self.file, at)).transpose()
    }

    /// The bytes of a vector's elements of `size` bytes, and where they are in the file.
    pub fn vector_at(&self, number: usize, size: usize) -> Result<(usize, &'a [u8]), LoadError> {
        let Some(at) = self.target(number)? else { return Ok((0, &[])) };
        let mut cursor = Cursor::new(FORMAT, self.file, at)?;
        let count = cursor.u32()? as usize;
        Ok((cursor.position(), cursor.take(count.saturating_mul(size))?))
    }

    /// The bytes of a vector's elements of `size` bytes.
    pub fn vector(&self, number: usize, size: usize) -> Result<&'a [u8], LoadError> {
        Ok(self.vector_at(number, size)?.1)
    }

    /// The elements of a vector of 32-bit integers.
    pub fn ints(&self, number: usize) -> Result<impl ExactSizeIterator<Item = i32> + use<'a>, LoadError> {
        Ok(self.vector(number, 4)?.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes)))
    }

    /// The tables of a vector.
    pub fn tables(&self, number: usize) -> Result<Vec<Table<'a>>, LoadError> {
        let Some(at) = self.target(number)? else { return Ok(Vec::new()) };
        let mut cursor = Cursor::new(FORMAT, self.file, at)?;
        let count = cursor.u32()? as usize;
        if count > MAX_TENSORS {
            return Err(cursor.malformed(format!("at most {MAX_TENSORS} tables"), count));
        }
        let first = cursor.position();
        cursor.take(4 * count)?;
        (0..count).map(|index| Table::new(self.file, follow(self.file, first + 4 * index)?)).collect()
    }

    /// Text in a field.
    pub fn text(&self, number: usize) -> Result<&'a str, LoadError> {
        let bytes = self.vector(number, 1)?;
        if bytes.len() > MAX_NAME {
            return Err(malformed(FORMAT, "name", format!("at most {MAX_NAME} bytes"), bytes.len()));
        }
        std::str::from_utf8(bytes).map_err(|error| malformed(FORMAT, "name", "text in UTF-8", error))
    }

    /// A number of 32 bits, or 0.
    pub fn u32(&self, number: usize) -> Result<u32, LoadError> {
        self.field(number)?.map_or(Ok(0), |mut field| field.u32())
    }

    /// A byte, or 0.
    pub fn byte(&self, number: usize) -> Result<u8, LoadError> {
        self.field(number)?.map_or(Ok(0), |mut field| field.byte())
    }
}
