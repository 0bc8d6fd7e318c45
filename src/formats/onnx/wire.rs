//! The wire format of Protocol Buffers (<https://protobuf.dev/programming-guides/encoding/>), as far as ONNX uses it.
//!
//! A message is a sequence of fields; a field is a tag (its number and how its value is stored) and a value. Reading
//! borrows from the file and proves every length first; nothing is recursive, so that no nesting is too deep.

use super::malformed;
use crate::error::LoadError;

/// The longest name, in bytes: errors repeat names.
const MAX_TEXT: usize = 4096;

/// Part of a file. Invariant: `start <= end <= file.len()`.
#[derive(Debug, Clone, Copy)]
pub struct Span<'a> {
    file: &'a [u8],
    start: usize,
    end: usize,
}

/// The value of a field, as it is stored.
#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(Span<'a>),
    Fixed32([u8; 4]),
}

/// A field of a message.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// Its number in the schema.
    pub number: u64,
    value: Value<'a>,
    /// Where it starts, in bytes from the start of the file.
    at: usize,
    /// The bytes of tag and value.
    encoded: &'a [u8],
}

impl<'a> Span<'a> {
    /// All of a file.
    pub fn new(file: &'a [u8]) -> Self {
        Span { file, start: 0, end: file.len() }
    }

    /// Where it starts, in bytes from the start of the file.
    pub fn start(&self) -> usize {
        self.start
    }

    /// The bytes themselves.
    pub fn bytes(&self) -> &'a [u8] {
        &self.file[self.start..self.end]
    }

    /// The next field of the message, or `None` at its end; the span shrinks to what follows.
    ///
    /// # Errors
    /// [`LoadError::Malformed`] with the byte offset if the field is cut, or of a kind that ONNX does not use.
    pub fn next_field(&mut self) -> Result<Option<Field<'a>>, LoadError> {
        if self.start == self.end {
            return Ok(None);
        }
        let at = self.start;
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(self.fixed()?),
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Fixed32(self.fixed()?),
            other => return Err(malformed(offset(at), "a wire type of 0, 1, 2 or 5", other.to_string())),
        };
        Ok(Some(Field { number: tag >> 3, value, at, encoded: &self.file[at..self.start] }))
    }

    /// Base 128, least significant group first; at most 10 bytes.
    fn varint(&mut self) -> Result<u64, LoadError> {
        let at = self.start;
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let Some(&byte) = self.bytes().first() else {
                return Err(malformed(offset(at), "a whole number", "the end of its message".into()));
            };
            self.start += 1;
            // Only one bit is left for the tenth byte.
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(malformed(offset(at), "a number of at most 64 bits", "a longer one".into()))
    }

    fn take(&mut self, length: u64) -> Result<Span<'a>, LoadError> {
        let left = self.end - self.start;
        let Some(length) = usize::try_from(length).ok().filter(|&length| length <= left) else {
            return Err(malformed(offset(self.start), &format!("{length} more bytes"), left.to_string()));
        };
        let taken = Span { end: self.start + length, ..*self };
        self.start += length;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], LoadError> {
        let at = self.start;
        let bytes = self.take(N as u64)?.bytes();
        bytes.try_into().map_err(|_| malformed(offset(at), &format!("{N} bytes"), bytes.len().to_string()))
    }
}

impl<'a> Field<'a> {
    /// The field as it is stored.
    pub fn encoded(&self) -> &'a [u8] {
        self.encoded
    }

    /// An `int32`, `int64` or `enum`.
    ///
    /// # Errors
    /// [`LoadError::Malformed`] if it is stored as something else; so with the others.
    pub fn int(&self) -> Result<i64, LoadError> {
        match self.value {
            Value::Varint(value) => Ok(value as i64),
            _ => Err(self.mismatch("a varint")),
        }
    }

    /// A `float`.
    pub fn float(&self) -> Result<f32, LoadError> {
        match self.value {
            Value::Fixed32(bytes) => Ok(f32::from_le_bytes(bytes)),
            _ => Err(self.mismatch("4 bytes")),
        }
    }

    /// Bytes or an embedded message.
    pub fn span(&self) -> Result<Span<'a>, LoadError> {
        match self.value {
            Value::Bytes(span) => Ok(span),
            _ => Err(self.mismatch("bytes with a length")),
        }
    }

    /// A string: a name, which is never long.
    pub fn text(&self) -> Result<&'a str, LoadError> {
        let bytes = self.span()?.bytes();
        if bytes.len() > MAX_TEXT {
            return Err(malformed(
                offset(self.at),
                &format!("a name of at most {MAX_TEXT} bytes"),
                bytes.len().to_string(),
            ));
        }
        std::str::from_utf8(bytes).map_err(|error| malformed(offset(self.at), "text in UTF-8", error.to_string()))
    }

    /// Appends a repeated integer, packed (one field with all of them) or not (a field each).
    pub fn append_ints(&self, to: &mut Vec<i64>) -> Result<(), LoadError> {
        let Value::Bytes(mut packed) = self.value else {
            to.push(self.int()?);
            return Ok(());
        };
        while packed.start < packed.end {
            to.push(packed.varint()? as i64);
        }
        Ok(())
    }

    /// Appends repeated numbers of `N` bytes, packed or not.
    pub fn append<T, const N: usize>(&self, to: &mut Vec<T>, number: fn([u8; N]) -> T) -> Result<(), LoadError> {
        let bytes = match &self.value {
            Value::Bytes(packed) => packed.bytes(),
            Value::Fixed32(bytes) if N == 4 => bytes,
            Value::Fixed64(bytes) if N == 8 => bytes,
            _ => return Err(self.mismatch(&format!("{N} bytes"))),
        };
        let (numbers, []) = bytes.as_chunks::<N>() else {
            return Err(self.mismatch(&format!("a multiple of {N} bytes")));
        };
        to.extend(numbers.iter().map(|&bytes| number(bytes)));
        Ok(())
    }

    fn mismatch(&self, expected: &str) -> LoadError {
        let got = match self.value {
            Value::Varint(_) => "a varint".into(),
            Value::Fixed64(_) => "8 bytes".into(),
            Value::Bytes(span) => format!("{} bytes with a length", span.end - span.start),
            Value::Fixed32(_) => "4 bytes".into(),
        };
        malformed(format!("field {} at byte {}", self.number, self.at), expected, got)
    }
}

fn offset(at: usize) -> String {
    format!("byte {at}")
}

/// The first text of a field's number in a message; empty if there is none.
pub fn first_text(mut span: Span<'_>, number: u64) -> Result<&str, LoadError> {
    while let Some(field) = span.next_field()? {
        if field.number == number {
            return field.text();
        }
    }
    Ok("")
}

/// A message that is being written.
#[derive(Debug, Default)]
pub struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// The finished bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Its size in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Appends whole fields as they are stored.
    pub fn raw(&mut self, fields: &[u8]) {
        self.bytes.extend_from_slice(fields);
    }

    /// Appends an `int64` or `enum`.
    pub fn int(&mut self, number: u64, value: i64) {
        self.varint(number << 3);
        self.varint(value as u64);
    }

    /// Appends a `float`.
    pub fn float(&mut self, number: u64, value: f32) {
        self.varint(number << 3 | 5);
        self.bytes.extend(value.to_le_bytes());
    }

    /// Appends bytes.
    pub fn bytes(&mut self, number: u64, value: &[u8]) {
        self.varint(number << 3 | 2);
        self.varint(value.len() as u64);
        self.bytes.extend(value);
    }

    /// Appends a string.
    pub fn text(&mut self, number: u64, value: &str) {
        self.bytes(number, value.as_bytes());
    }

    /// Appends an embedded message.
    pub fn message(&mut self, number: u64, value: Message) {
        self.bytes(number, &value.bytes);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut inner = Message::default();
        inner.text(1, "nut");
        let mut message = Message::default();
        message.int(1, -1);
        message.int(2, 300);
        message.message(4, inner);
        let bytes = message.into_bytes();
        let mut span = Span::new(&bytes);
        let mut next = || span.next_field().unwrap().unwrap();
        assert_eq!(next().int(), Ok(-1));
        assert_eq!(next().int(), Ok(300));
        let mut inner = next().span().unwrap();
        assert_eq!(inner.next_field().unwrap().unwrap().text(), Ok("nut"));
        assert!(span.next_field().unwrap().is_none());
    }

    #[test]
    fn repeated_fields_are_read_packed_or_not() {
        let bytes = [0x0a, 3, 1, 0x80, 1, 0x08, 5, 0x12, 8, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40];
        let mut span = Span::new(&bytes);
        let (mut ints, mut floats) = (Vec::new(), Vec::new());
        span.next_field().unwrap().unwrap().append_ints(&mut ints).unwrap();
        span.next_field().unwrap().unwrap().append_ints(&mut ints).unwrap();
        span.next_field().unwrap().unwrap().append(&mut floats, f32::from_le_bytes).unwrap();
        assert_eq!((ints, floats), (vec![1, 128, 5], vec![1.0, 2.0]));
    }

    #[test]
    fn refuses_what_breaks_the_wire_format() {
        let cases: [(&[u8], &str); 6] = [
            (&[0x08], "byte 1: expected a whole number, got the end of its message"),
            (&[0x08, 0x80], "byte 1: expected a whole number, got the end of its message"),
            (&[0x0a, 2, 0], "byte 2: expected 2 more bytes, got 1"),
            (&[0x0b], "byte 0: expected a wire type of 0, 1, 2 or 5, got 3"),
            (&[0x0d, 1, 2, 3], "byte 1: expected 4 more bytes, got 3"),
            (
                &[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2],
                "byte 1: expected a number of at most 64 bits, got a longer one",
            ),
        ];
        for (bytes, message) in cases {
            let error = Span::new(bytes).next_field().unwrap_err();
            assert_eq!(error.to_string(), format!("ONNX file, {message}"), "{bytes:?}");
        }
        let long = [&[0x0a, 0x81, 0x20][..], &[b'a'; 4097]].concat();
        let field = Span::new(&long).next_field().unwrap().unwrap();
        let message = "ONNX file, byte 0: expected a name of at most 4096 bytes, got 4097";
        assert_eq!(field.text().unwrap_err().to_string(), message);
        let longest = [0x0a, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
        assert!(Span::new(&longest).next_field().is_err());
    }
}
