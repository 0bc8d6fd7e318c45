//! The little of JSON (RFC 8259) that headers of model files use: objects, strings, lists of whole numbers. What nests deeper than
//! the caller asks for is an error, so that nothing recurses.

use super::cursor::malformed;
use crate::error::LoadError;

/// Text that has not been read yet.
#[derive(Debug)]
pub struct Json<'a> {
    format: &'static str,
    place: &'static str,
    text: &'a str,
    /// Invariant: at the start of a character of `text`, or at its end.
    at: usize,
}

impl<'a> Json<'a> {
    /// Reads `text`; errors name `format` and `place`.
    pub fn new(format: &'static str, place: &'static str, text: &'a str) -> Self {
        Json { format, place, text, at: 0 }
    }

    /// Where the next value starts, in bytes; after [`Json::next`], where it ended.
    pub fn position(&mut self) -> usize {
        self.skip_space();
        self.at
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.text[self.at..].trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn peek(&mut self) -> Option<char> {
        self.skip_space();
        self.text[self.at..].chars().next()
    }

    fn fault(&mut self, expected: impl ToString) -> LoadError {
        let got = self.peek().map_or("the end".into(), |next| format!("{next:?} at byte {}", self.at));
        malformed(self.format, self.place, expected, got)
    }

    fn expect(&mut self, wanted: char) -> Result<(), LoadError> {
        if self.peek() != Some(wanted) {
            return Err(self.fault(format!("{wanted:?}")));
        }
        self.at += wanted.len_utf8();
        Ok(())
    }

    /// Enters an object or list; whether there is anything in it. If there is not, its end is read.
    pub fn open(&mut self, bracket: char) -> Result<bool, LoadError> {
        self.expect(bracket)?;
        let end = if bracket == '{' { '}' } else { ']' };
        if self.peek() != Some(end) {
            return Ok(true);
        }
        self.at += 1;
        Ok(false)
    }

    /// Reads the comma after a value, or the `end` of its object or list: whether another value follows.
    pub fn next(&mut self, end: char) -> Result<bool, LoadError> {
        match self.peek() {
            Some(',') => {
                self.at += 1;
                Ok(true)
            }
            Some(next) if next == end => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.fault(format!("',' or {end:?}"))),
        }
    }

    /// The name of a member, and the colon after it.
    pub fn key(&mut self) -> Result<String, LoadError> {
        let key = self.string()?;
        self.expect(':')?;
        Ok(key)
    }

    /// A string.
    pub fn string(&mut self) -> Result<String, LoadError> {
        self.expect('"')?;
        let mut string = String::new();
        loop {
            let Some(next) = self.text[self.at..].chars().next().filter(|next| *next >= ' ') else {
                return Err(self.fault("the end of a string"));
            };
            self.at += next.len_utf8();
            match next {
                '"' => return Ok(string),
                '\\' => string.push(self.escape()?),
                other => string.push(other),
            }
        }
    }

    fn escape(&mut self) -> Result<char, LoadError> {
        let bytes = self.text.as_bytes();
        let escape = bytes.get(self.at).copied();
        let plain = match escape {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b @ (b'"' | b'\\' | b'/')) => b.into(),
            Some(b'u') => {
                self.at += 1;
                let mut code = self.hex()?;
                if (0xd800..0xdc00).contains(&code) && self.text[self.at..].starts_with("\\u") {
                    self.at += 2;
                    let low = self.hex()?;
                    code = 0x10000 + ((code - 0xd800) << 10) + (low.wrapping_sub(0xdc00) & 0x3ff);
                }
                return char::from_u32(code).ok_or_else(|| self.fault("a character"));
            }
            _ => return Err(self.fault("an escape that JSON knows")),
        };
        self.at += 1;
        Ok(plain)
    }

    fn hex(&mut self) -> Result<u32, LoadError> {
        let digits = self.text.get(self.at..self.at + 4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let code = code.ok_or_else(|| self.fault("four hexadecimal digits"))?;
        self.at += 4;
        Ok(code)
    }

    /// A list of whole numbers.
    pub fn sizes(&mut self) -> Result<Vec<usize>, LoadError> {
        let mut sizes = Vec::new();
        let mut more = self.open('[')?;
        while more {
            self.skip_space();
            let rest = &self.text[self.at..];
            let digits = rest.len() - rest.trim_start_matches(|next: char| next.is_ascii_digit()).len();
            let size = rest[..digits].parse().map_err(|_| self.fault("a whole number that fits"))?;
            self.at += digits;
            sizes.push(size);
            more = self.next(']')?;
        }
        Ok(sizes)
    }

    /// That nothing is left but spaces.
    pub fn finish(&mut self) -> Result<(), LoadError> {
        if self.peek().is_none() { Ok(()) } else { Err(self.fault("the end")) }
    }
}

/// A string with its quotes.
pub fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for next in text.chars() {
        match next {
            '"' | '\\' => quoted.extend(['\\', next]),
            '\0'..' ' => quoted += &format!("\\u{:04x}", u32::from(next)),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back() {
        for text in ["", "conv1.weight", "a\"b\\c\n\u{1}", "größer \u{1f95c}"] {
            let quoted = quote(text);
            let mut json = Json::new("test", "text", &quoted);
            assert_eq!(json.string().unwrap(), text);
            json.finish().unwrap();
        }
        let escaped = r#""\u00e9\ud83e\udd5c\/\t""#;
        assert_eq!(Json::new("test", "text", escaped).string().unwrap(), "é\u{1f95c}/\t");
    }

    #[test]
    fn says_what_is_wrong() {
        let cases = [
            ("\"a", "expected the end of a string, got the end"),
            ("\"\\x\"", "expected an escape that JSON knows, got 'x' at byte 2"),
            ("\"\\u12g4\"", "expected four hexadecimal digits, got '1' at byte 3"),
            ("\"\\ud800\"", "expected a character, got '\"' at byte 7"),
            ("7", "expected '\"', got '7' at byte 0"),
        ];
        for (text, message) in cases {
            let error = Json::new("test", "text", text).string().unwrap_err().to_string();
            assert_eq!(error, format!("test file, text: {message}"));
        }
        let sizes = |text| Json::new("test", "text", text).sizes();
        assert_eq!(sizes("[ 1, 20 ]").unwrap(), [1, 20]);
        assert!(sizes("[-1]").is_err() && sizes("[99999999999999999999]").is_err() && sizes("[1").is_err());
    }
}
