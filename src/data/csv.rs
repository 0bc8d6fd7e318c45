//! Tables as text: a record a sample, a column a number, and perhaps one column with the class (RFC 4180; commas, semicolons or
//! tabulators).

use super::Dataset;
use super::columns::{Columns, FORMAT, malformed, number, quoted};
pub use super::columns::{LabelColumn, MOST_CLASSES, Table};
use crate::error::{self, Error, LoadError};
use csv::{Reader, ReaderBuilder, StringRecord};
use std::borrow::Cow;

const SEPARATORS: [u8; 3] = *b",;\t";
/// Bytes that are looked at to tell a table.
const SNIFFED: usize = 1 << 16;

impl From<Table> for Dataset {
    fn from(Table { samples, class_names, label, ignored }: Table) -> Self {
        Dataset {
            format: "csv",
            training: Some(samples),
            class_names,
            label_column: label,
            ignored,
            ..Dataset::default()
        }
    }
}

/// The text, without a mark of byte order; as UTF-8 also where it is UTF-16. The last character may be cut off where the looking ends.
fn text_of(bytes: &[u8]) -> Result<Cow<'_, str>, LoadError> {
    let units = |of: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| of([pair[0], pair[1]])).collect();
        Ok(Cow::Owned(String::from_utf16_lossy(&units)))
    };
    match bytes {
        [0xff, 0xfe, ..] => return units(u16::from_le_bytes),
        [0xfe, 0xff, ..] => return units(u16::from_be_bytes),
        _ => {}
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() && bytes.len() == SNIFFED => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or("")
        }
        Err(error) => return Err(malformed("text", "UTF-8 or UTF-16", error.to_string())),
    };
    Ok(Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)))
}

/// With points for commas between digits, where commas are not what separates, and there are no points.
fn with_points(text: Cow<'_, str>, separator: u8) -> Cow<'_, str> {
    let between = |text: &str, mark: u8| {
        text.as_bytes()
            .windows(3)
            .any(|three| three[1] == mark && three[0].is_ascii_digit() && three[2].is_ascii_digit())
    };
    if separator == b',' || between(&text, b'.') || !between(&text, b',') {
        return text;
    }
    let mut bytes = text.into_owned().into_bytes();
    for at in 1..bytes.len().saturating_sub(1) {
        if bytes[at] == b',' && bytes[at - 1].is_ascii_digit() && bytes[at + 1].is_ascii_digit() {
            bytes[at] = b'.';
        }
    }
    Cow::Owned(String::from_utf8(bytes).unwrap_or_default())
}

/// Whether these bytes are the start of a table: lines of as many fields, most of them numbers in the second line.
pub fn is_csv(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(SNIFFED)];
    let Ok(text) = text_of(start) else { return false };
    let Some(separator) = separator(&text) else { return false };
    let text = with_points(text, separator);
    let mut records = Records::new(&text, separator);
    let Ok(Some(first)) = records.next() else { return false };
    let numbers =
        |record: &StringRecord| 2 * record.iter().filter(|field| number(field).is_some()).count() >= record.len();
    match records.next() {
        // A second record that ends where the looking did says nothing.
        Ok(Some(second)) if first.len() == second.len() => numbers(&second),
        Ok(Some(_)) | Err(_) => numbers(&first) && start.len() < bytes.len(),
        Ok(None) => numbers(&first),
    }
}

/// Reads a table; its numbers may take up to `cap` bytes. `inputs` are the numbers of one sample that a network reads, where one is known.
///
/// # Errors
/// [`LoadError`] names the line; [`Error::Data`] if there is no sample.
pub fn read(bytes: &[u8], label: &LabelColumn, inputs: Option<usize>, cap: u64) -> Result<Table, Error> {
    let text = text_of(bytes)?;
    let separator = separator(&text).unwrap_or(b',');
    let text = with_points(text, separator);
    let mut records = Records::new(&text, separator);
    let Some(first) = records.next()? else {
        return Err(malformed("text", "at least one line", "none").into());
    };
    let second = records.next()?;
    let names = second.as_ref().and_then(|second| header(&first, second));
    let (named, count) = (names.is_some(), first.len());
    let values = second.as_ref().filter(|_| named).unwrap_or(&first);
    let columns = Columns::find(label, names, values, inputs)?;
    let kept = columns.kept();

    // What may be a class is kept as text until all records are known.
    let (mut numbers, mut texts) = (Vec::new(), vec![StringRecord::new(); kept.len()]);
    let mut ahead = [(!named).then_some(first), second].into_iter().flatten();
    while let Some(record) = ahead.next().map_or_else(|| records.next(), |record| Ok(Some(record)))? {
        let place = || records.place(&record);
        if record.len() != count {
            return Err(malformed(place(), format!("{count} fields"), record.len().to_string()).into());
        }
        for (column, field) in record.iter().enumerate() {
            if let Some(text) = kept.iter().position(|&it| it == column) {
                texts[text].push_field(field);
                continue;
            }
            let expected = || format!("a finite number in column {}", column + 1);
            numbers.push(number(field).ok_or_else(|| malformed(place(), expected(), quoted(field)))?);
        }
        let kept = texts.iter().map(|texts| texts.as_slice().len() + size_of::<usize>() * texts.len());
        let bytes = (size_of::<f32>() * numbers.len() + kept.sum::<usize>()) as u64;
        if bytes > cap {
            return Err(error::too_large(FORMAT, place(), bytes, cap).into());
        }
    }
    columns.assemble(numbers, &texts)
}

/// The records of a text, without those that are blank.
struct Records<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
}

impl<'a> Records<'a> {
    fn new(text: &'a str, separator: u8) -> Self {
        let mut builder = ReaderBuilder::new();
        let reader = builder.has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_bytes());
        Records { text, reader }
    }

    /// The next record.
    ///
    /// # Errors
    /// [`LoadError`] names the line of quotes that are not in pairs.
    fn next(&mut self) -> Result<Option<StringRecord>, LoadError> {
        let mut record = StringRecord::new();
        let fault = |error: csv::Error| malformed("text", "a table", error.to_string());
        while self.reader.read_record(&mut record).map_err(fault)? {
            // The crate takes quotes that are left open to end with the text.
            let start = record.position().map_or(0, |position| position.byte() as usize);
            let written = self.text.get(start..self.reader.position().byte() as usize).unwrap_or("");
            if written.matches('"').count() % 2 == 1 {
                return Err(malformed(self.place(&record), "quotes in pairs", quoted(written.trim())));
            }
            if record.len() > 1 || record.iter().any(|field| !field.trim().is_empty()) {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// The line that a record starts in.
    fn place(&self, record: &StringRecord) -> String {
        let position = record.position();
        let rest = position.and_then(|position| self.text.get(position.byte() as usize..)).unwrap_or("");
        // The position is that before blank lines.
        let blank = &rest[..rest.len() - rest.trim_start_matches(['\r', '\n']).len()];
        format!("line {}", position.map_or(1, csv::Position::line) + blank.matches('\n').count() as u64)
    }
}

/// The names of the columns, if the first record has them: something in it is no number, where the second one has one.
fn header(first: &StringRecord, second: &StringRecord) -> Option<Vec<String>> {
    let named = first.iter().zip(second).any(|(name, value)| number(name).is_none() && number(value).is_some());
    named.then(|| first.iter().map(|name| unquoted(name.trim()).to_owned()).collect())
}

/// Without the quotes around it, which are kept where a blank stands before them.
fn unquoted(name: &str) -> &str {
    name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name)
}

/// The separator that the first line has most of, outside of quotes.
fn separator(text: &str) -> Option<u8> {
    let (mut counts, mut quoted) = ([0; SEPARATORS.len()], false);
    for byte in text.trim_start().bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ if quoted => {}
            _ => SEPARATORS
                .iter()
                .zip(&mut counts)
                .for_each(|(&separator, count)| *count += usize::from(byte == separator)),
        }
    }
    let most = SEPARATORS.into_iter().zip(counts).rev().max_by_key(|(_, count)| *count);
    most.filter(|(_, count)| *count > 0).map(|(separator, _)| separator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Row;
    use proptest::prelude::*;

    const CAP: u64 = 1 << 20;

    fn guess(text: &str) -> Table {
        assert!(is_csv(text.as_bytes()), "{text}");
        read(text.as_bytes(), &LabelColumn::Guess, None, CAP).unwrap()
    }

    #[test]
    fn headers_separators_and_label_columns_are_told() {
        struct Case {
            text: &'static str,
            shape: usize,
            labels: &'static [u32],
            names: &'static [&'static str],
            last: Row<'static>,
        }
        let cases = [
            Case {
                text: "label,a,b\n1,0,255\n0,7,9\n",
                shape: 2,
                labels: &[1, 0],
                names: &[],
                last: Row::Bytes(&[7, 9]),
            },
            Case {
                text: "a;b;Target\r\n1.5;2;1.0\r\n-3;4e-1;2\r\n",
                shape: 2,
                labels: &[1, 2],
                names: &[],
                last: Row::Floats(&[-3.0, 0.4]),
            },
            Case {
                text: "5.1,3.5,setosa\n4.9,3,virginica\n6,2,setosa",
                shape: 2,
                labels: &[0, 1, 0],
                names: &["setosa", "virginica"],
                last: Row::Floats(&[6.0, 2.0]),
            },
            // The first column never changes, so it is no classes.
            Case {
                text: "0,5,13,3\n0,9,1,4\n0,2,2,3",
                shape: 3,
                labels: &[3, 4, 3],
                names: &[],
                last: Row::Bytes(&[0, 2, 2]),
            },
            Case { text: "0.5\t1\n0.25\t1.5\n", shape: 2, labels: &[], names: &[], last: Row::Floats(&[0.25, 1.5]) },
            Case {
                text: "species,\"width, in cm\"\n\"a, b\",1.5\n\"a \"\"c\"\"\",2\n",
                shape: 1,
                labels: &[1, 0],
                names: &["a \"c\"", "a, b"],
                last: Row::Floats(&[2.0]),
            },
        ];
        for Case { text, shape, labels, names, last } in cases {
            let Table { samples, class_names, .. } = guess(text);
            assert_eq!((samples.shape.as_slice(), samples.labels.as_slice()), (&[shape][..], labels), "{text}");
            assert_eq!(class_names, names, "{text}");
            assert_eq!(samples.row(samples.len() - 1), last, "{text}");
        }
    }

    #[test]
    fn a_label_column_of_fractions_is_numbers_to_answer_with() {
        let Table { samples, class_names, .. } = guess("x,y\n1,0.5\n2,-3\n3,1\n");
        assert!(!samples.labelled() && class_names.is_empty());
        assert_eq!(samples.selected_targets(), Some(ndarray::arr2(&[[0.5], [-3.0], [1.0]])));
        let held_out = samples.split(1, 0).unwrap().1;
        assert_eq!(held_out.selected_targets(), Some(ndarray::arr2(&[[1.0]])));
        // Whole numbers are classes.
        assert_eq!(*guess("x,y\n1,0\n2,1\n3,1.0\n").samples.labels, [0, 1, 1]);
    }

    #[test]
    fn quoted_fields_follow_rfc_4180() {
        // A byte order mark, lines that end in CRLF, and in quotes: line breaks of both kinds, separators, and quotes doubled.
        let text = "\u{feff}\"first\r\n\"\"width\"\"\",\"second, \nlength\",species\r\n\
                    \"1.5\",2,\"a\r\nb\"\r\n\
                    3,\"4\",\"c \"\"d\"\", e\"\r\n\r\n\
                    5,6,\"a\r\nb\"";
        let Table { samples, class_names, .. } = guess(text);
        assert_eq!((samples.shape.as_slice(), samples.labels.as_slice()), (&[2][..], &[0, 1, 0][..]));
        assert_eq!(class_names, ["a\r\nb", "c \"d\", e"]);
        assert_eq!(samples.row(0), Row::Floats(&[1.5, 2.0]));
        assert_eq!(samples.row(2), Row::Floats(&[5.0, 6.0]));
        let column = LabelColumn::Named("first\r\n\"width\"".into());
        let error = read(text.as_bytes(), &column, None, CAP).unwrap_err().to_string();
        assert!(error.contains("line 4: expected a finite number in column 3, got 'a\r\nb'"), "{error}");
    }

    #[test]
    fn a_label_column_can_be_named_numbered_or_denied() {
        let text = "one,2,three\n4,5,6\n7,8,9\n";
        let labels = |wanted: LabelColumn| read(text.as_bytes(), &wanted, None, CAP).unwrap().samples.labels.to_vec();
        assert_eq!(labels(LabelColumn::Named("three".into())), [6, 9]);
        // A name goes before a number.
        assert_eq!(labels(LabelColumn::Named("2".into())), [5, 8]);
        assert_eq!(labels(LabelColumn::Named("1".into())), [4, 7]);
        assert_eq!(labels(LabelColumn::None), [0u32; 0]);
    }

    #[test]
    fn what_is_not_sound_is_refused_with_its_line() {
        for (text, reason) in [
            ("", "expected at least one line, got none"),
            ("a,b\n1,2\n3\n", "line 3: expected 2 fields, got 1"),
            ("0.5,1,0.5\n1,x,0.5\n", "line 2: expected a finite number in column 2, got 'x'"),
            ("0.5,nan,0.5\n", "line 1: expected a finite number in column 2, got 'nan'"),
            ("0.5,1\n0.5,\n", "sample 2: expected a finite number in column 2, got ''"),
            ("y,a\n0,\"5\n", "line 2: expected quotes in pairs, got '0,\"5'"),
            ("y,a\n0,\"5\n1\"\n\n0,x\n", "line 2: expected a finite number in column 2, got '5\n1'"),
            ("y,a\n\n0,5\n\n0,x\n", "line 5: expected a finite number in column 2, got 'x'"),
            ("0,1.5,0\n1,1.5,1\n0,2.5,1\n", "label column: expected one column that looks like classes"),
            ("label\n1\n2\n", "samples, numbers"),
        ] {
            let error = read(text.as_bytes(), &LabelColumn::Guess, None, CAP).unwrap_err().to_string();
            assert!(error.contains(reason), "{text:?}: {error}");
        }
        assert!(read(b"\xff\xfe1,2", &LabelColumn::Guess, None, CAP).is_err());
        assert!(read(b"1,2", &LabelColumn::Named("3".into()), None, CAP).is_err());
        let error = read("1,2,3\n".repeat(100).as_bytes(), &LabelColumn::Guess, None, 1000).unwrap_err();
        assert!(error.to_string().contains("more than the limit of 1000"), "{error}");
    }

    #[test]
    fn other_text_is_no_table() {
        for text in ["", "{\"effort\": \"quick\",\n\"seed\": 1}", "Dear all,\nyes, no, perhaps\n", "1 2 3\n4 5 6"] {
            assert!(!is_csv(text.as_bytes()), "{text}");
        }
        assert!(!is_csv(&[0, 0, 8, 3, b',', 0xff]));
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[-0-9a,;\"\t\n. ]{0,80}", column in 0usize..4) {
            let _ = (is_csv(text.as_bytes()), read(text.as_bytes(), &LabelColumn::Guess, None, CAP));
            let _ = read(text.as_bytes(), &LabelColumn::Named(column.to_string()), None, CAP);
        }

        #[test]
        fn numbers_come_back(rows in prop::collection::vec((-1e6f32..1e6, 0u32..9, -1.0f32..1.0), 1..20)) {
            let lines: String = rows.iter().map(|(a, class, b)| format!("{a},{b},{class}\n")).collect();
            let table = read(format!("a,b,class\n{lines}").as_bytes(), &LabelColumn::Guess, None, CAP).unwrap();
            for (index, &(a, class, b)) in rows.iter().enumerate() {
                prop_assert_eq!(table.samples.label(index), Some(class as usize));
                match table.samples.row(index) {
                    Row::Floats(row) => prop_assert_eq!(row, [a, b]),
                    Row::Bytes(row) => prop_assert_eq!([f32::from(row[0]), f32::from(row[1])], [a, b]),
                }
            }
        }
    }
}
