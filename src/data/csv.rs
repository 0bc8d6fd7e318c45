//! Tables as text: a record a sample, a column a number, and perhaps one column with the class (RFC 4180; commas, semicolons or
//! tabulators).

use super::{Answers, Samples, Values};
use crate::error::{self, Error, LoadError};
use crate::model::Scaling;
use csv::{Reader, ReaderBuilder, StringRecord};
use ndarray::{Array1, Axis};

const FORMAT: &str = "CSV";
const SEPARATORS: [u8; 3] = *b",;\t";
/// Names of a column with the class.
const NAMES: [&str; 5] = ["label", "class", "target", "y", "species"];
/// A column of integers with more different ones is no classes, unless it is said so.
const MOST_GUESSED: usize = 1000;
/// Classes are below this number.
pub const MOST_CLASSES: usize = 1 << 16;
/// Characters of a field that errors show.
const MOST_SHOWN: usize = 80;
/// Bytes that are looked at to tell a table.
const SNIFFED: usize = 1 << 16;

/// Which column holds the class.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LabelColumn {
    /// The one named label, class, target, y or species; else the first or the last, if just one of them is of words or of a few
    /// integers that occur more than once.
    #[default]
    Guess,
    /// None: the samples are unlabelled.
    None,
    /// The one of this name, or of this number, counted from 1.
    Named(String),
}

/// A table that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The samples: their shape is `[columns]`.
    pub samples: Samples,
    /// The classes' names, in the order of their numbers; empty if the table has numbers.
    pub class_names: Vec<String>,
}

/// Whether these bytes are the start of a table: lines of as many fields, most of them numbers in the second line.
pub fn is_csv(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(SNIFFED)];
    // The last character may be cut.
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or(""),
        Err(_) => return false,
    };
    let Some(separator) = separator(text) else { return false };
    let mut records = Records::new(text, separator);
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

/// Reads a table; its numbers may take up to `cap` bytes.
///
/// # Errors
/// [`LoadError`] names the line; [`Error::Data`] if there is no sample.
pub fn read(bytes: &[u8], label: &LabelColumn, cap: u64) -> Result<Table, Error> {
    let text = std::str::from_utf8(bytes).map_err(|error| malformed("text", "UTF-8", error.to_string()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let separator = separator(text).unwrap_or(b',');
    let mut records = Records::new(text, separator);
    let Some(first) = records.next()? else {
        return Err(malformed("text", "at least one line", "none").into());
    };
    let second = records.next()?;
    let names = second.as_ref().and_then(|second| header(&first, second));
    let columns = first.len();
    let label = Label::find(label, names.as_deref(), columns)?;

    // What may be a class is kept as text until all records are known.
    let (mut numbers, mut candidates) = (Vec::new(), vec![StringRecord::new(); label.columns.len()]);
    let mut ahead = [names.is_none().then_some(first), second].into_iter().flatten();
    while let Some(record) = ahead.next().map_or_else(|| records.next(), |record| Ok(Some(record)))? {
        let place = || records.place(&record);
        if record.len() != columns {
            return Err(malformed(place(), format!("{columns} fields"), record.len().to_string()).into());
        }
        for (column, field) in record.iter().enumerate() {
            if let Some(candidate) = label.columns.iter().position(|&candidate| candidate == column) {
                candidates[candidate].push_field(field);
                continue;
            }
            let expected = || format!("a finite number in column {}", column + 1);
            numbers.push(number(field).ok_or_else(|| malformed(place(), expected(), quoted(field)))?);
        }
        let texts = candidates.iter().map(|texts| texts.as_slice().len() + size_of::<usize>() * texts.len());
        let bytes = (size_of::<f32>() * numbers.len() + texts.sum::<usize>()) as u64;
        if bytes > cap {
            return Err(error::too_large(FORMAT, place(), bytes, cap).into());
        }
    }
    label.assemble(numbers, candidates, columns)
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

/// The columns that may hold the class.
struct Label {
    columns: Vec<usize>,
    /// Whether one of them is to be chosen, or none.
    guessed: bool,
}

impl Label {
    fn find(wanted: &LabelColumn, names: Option<&[String]>, columns: usize) -> Result<Self, LoadError> {
        let one = |column| Ok(Label { columns: vec![column], guessed: false });
        let position = |test: &dyn Fn(&String) -> bool| names.and_then(|names| names.iter().position(test));
        match wanted {
            LabelColumn::None => Ok(Label { columns: Vec::new(), guessed: false }),
            LabelColumn::Named(wanted) => {
                let numbered = wanted.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
                match position(&|name| name == wanted).or(numbered.filter(|&column| column < columns)) {
                    Some(column) => one(column),
                    None => {
                        let expected = format!("a column's name, or 1 to {columns}");
                        Err(malformed("label column", expected, format!("'{wanted}'")))
                    }
                }
            }
            LabelColumn::Guess => match position(&|name| NAMES.contains(&name.to_ascii_lowercase().as_str())) {
                Some(column) => one(column),
                None if columns < 2 => Ok(Label { columns: Vec::new(), guessed: false }),
                None => Ok(Label { columns: vec![0, columns - 1], guessed: true }),
            },
        }
    }

    /// Chooses the column with the classes, and puts the others back among the numbers.
    fn assemble(self, numbers: Vec<f32>, candidates: Vec<StringRecord>, columns: usize) -> Result<Table, Error> {
        let rows = candidates.first().map_or(numbers.len() / columns, StringRecord::len);
        if !self.guessed {
            let (answers, class_names) = match candidates.into_iter().next() {
                Some(texts) => answers(&texts)?,
                None => (Answers::Classes(Vec::new()), Vec::new()),
            };
            let width = columns - self.columns.len();
            return table(width, numbers, answers, class_names);
        }
        let likely: Vec<usize> = (0..2).filter(|&side| is_likely(&candidates[side])).collect();
        let chosen = match likely.as_slice() {
            [] => None,
            [side] => Some(*side),
            _ => {
                let got = "both";
                let expected = "the classes in the first column or in the last (say which one, or that there are none)";
                return Err(malformed("label column", expected, got).into());
            }
        };
        let none = || Ok((Vec::new(), Vec::new()));
        let (labels, class_names) = chosen.map_or_else(none, |side| classes(&candidates[side]))?;
        let inner = columns - 2;
        let width = columns - usize::from(chosen.is_some());
        let mut whole = Vec::with_capacity(rows * width);
        for row in 0..rows {
            let side = |side: usize| -> Result<Option<f32>, LoadError> {
                if chosen == Some(side) {
                    return Ok(None);
                }
                let text = &candidates[side][row];
                let expected = "a finite number in the first and last column";
                let fault = || malformed(format!("sample {}", row + 1), expected, quoted(text));
                number(text).map(Some).ok_or_else(fault)
            };
            whole.extend(side(0)?);
            whole.extend_from_slice(&numbers[row * inner..(row + 1) * inner]);
            whole.extend(side(1)?);
        }
        table(width, whole, Answers::Classes(labels), class_names)
    }
}

fn table(width: usize, numbers: Vec<f32>, answers: Answers, class_names: Vec<String>) -> Result<Table, Error> {
    let samples = Samples::of_answers(vec![width], Values::of_floats(numbers), answers, Scaling::Unit)?;
    Ok(Table { samples, class_names })
}

/// Whether a column may be classes: words, or a few integers of which at least one occurs twice.
fn is_likely(texts: &StringRecord) -> bool {
    let mut different: Vec<&str> = texts.iter().map(str::trim).collect();
    different.sort_unstable();
    different.dedup();
    let words = texts.iter().all(|text| number(text).is_none());
    let integers = texts.iter().all(|text| class_number(text).is_some());
    (words || integers) && (2..=MOST_GUESSED).contains(&different.len()) && different.len() < texts.len()
}

/// What the column says: numbers, if one of them is no whole one; else classes and, if they are words, their names.
fn answers(texts: &StringRecord) -> Result<(Answers, Vec<String>), LoadError> {
    let numbers: Option<Vec<f32>> = texts.iter().map(number).collect();
    match numbers {
        Some(numbers) if numbers.iter().any(|number| number.fract() != 0.0) => {
            Ok((Answers::Numbers(Array1::from(numbers).insert_axis(Axis(1))), Vec::new()))
        }
        _ => classes(texts).map(|(labels, names)| (Answers::Classes(labels), names)),
    }
}

/// The number of each class, and the names if they are words: those are numbered in their alphabetical order.
fn classes(texts: &StringRecord) -> Result<(Vec<u32>, Vec<String>), LoadError> {
    if let Some(numbers) = texts.iter().map(class_number).collect::<Option<Vec<u32>>>() {
        return Ok((numbers, Vec::new()));
    }
    let mut names: Vec<&str> = texts.iter().map(str::trim).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() > MOST_CLASSES {
        return Err(malformed("label column", format!("at most {MOST_CLASSES} classes"), names.len().to_string()));
    }
    let number = |text: &str| names.binary_search(&text.trim()).unwrap_or(0) as u32;
    Ok((texts.iter().map(number).collect(), names.iter().map(|&name| name.to_owned()).collect()))
}

/// A class as an integer, also if it is written as 3.0.
fn class_number(text: &str) -> Option<u32> {
    let value = number(text)?;
    (value >= 0.0 && value.fract() == 0.0 && (value as usize) < MOST_CLASSES).then_some(value as u32)
}

fn number(field: &str) -> Option<f32> {
    field.trim().parse::<f32>().ok().filter(|number| number.is_finite())
}

/// The names of the columns, if the first record has them: something in it is no number, where the second one has one.
fn header(first: &StringRecord, second: &StringRecord) -> Option<Vec<String>> {
    let named = first.iter().zip(second).any(|(name, value)| number(name).is_none() && number(value).is_some());
    named.then(|| first.iter().map(|name| name.trim().to_owned()).collect())
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

/// A field as errors show it.
fn quoted(field: &str) -> String {
    let shown: String = field.chars().take(MOST_SHOWN).collect();
    if shown.len() < field.len() { format!("'{shown}...'") } else { format!("'{field}'") }
}

fn malformed(place: impl ToString, expected: impl ToString, got: impl ToString) -> LoadError {
    error::malformed(FORMAT, place, expected, got)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Row;
    use proptest::prelude::*;

    const CAP: u64 = 1 << 20;

    fn guess(text: &str) -> Table {
        assert!(is_csv(text.as_bytes()), "{text}");
        read(text.as_bytes(), &LabelColumn::Guess, CAP).unwrap()
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
            let Table { samples, class_names } = guess(text);
            assert_eq!((samples.shape.as_slice(), samples.labels.as_slice()), (&[shape][..], labels), "{text}");
            assert_eq!(class_names, names, "{text}");
            assert_eq!(samples.row(samples.len() - 1), last, "{text}");
        }
    }

    #[test]
    fn a_label_column_of_fractions_is_numbers_to_answer_with() {
        let Table { samples, class_names } = guess("x,y\n1,0.5\n2,-3\n3,1\n");
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
        let Table { samples, class_names } = guess(text);
        assert_eq!((samples.shape.as_slice(), samples.labels.as_slice()), (&[2][..], &[0, 1, 0][..]));
        assert_eq!(class_names, ["a\r\nb", "c \"d\", e"]);
        assert_eq!(samples.row(0), Row::Floats(&[1.5, 2.0]));
        assert_eq!(samples.row(2), Row::Floats(&[5.0, 6.0]));
        let column = LabelColumn::Named("first\r\n\"width\"".into());
        let error = read(text.as_bytes(), &column, CAP).unwrap_err().to_string();
        assert!(error.contains("line 4: expected a finite number in column 3, got 'a\r\nb'"), "{error}");
    }

    #[test]
    fn a_label_column_can_be_named_numbered_or_denied() {
        let text = "one,2,three\n4,5,6\n7,8,9\n";
        let labels = |wanted: LabelColumn| read(text.as_bytes(), &wanted, CAP).unwrap().samples.labels.to_vec();
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
            ("0.5,1\n0.5,\n", "sample 2: expected a finite number in the first and last column, got ''"),
            ("y,a\n0,\"5\n", "line 2: expected quotes in pairs, got '0,\"5'"),
            ("y,a\n0,\"5\n1\"\n\n0,x\n", "line 2: expected a finite number in column 2, got '5\n1'"),
            ("y,a\n\n0,5\n\n0,x\n", "line 5: expected a finite number in column 2, got 'x'"),
            ("0,1.5,0\n1,1.5,1\n0,2.5,1\n", "label column: expected the classes in the first column or in the last"),
            ("label\n1\n2\n", "samples, numbers"),
        ] {
            let error = read(text.as_bytes(), &LabelColumn::Guess, CAP).unwrap_err().to_string();
            assert!(error.contains(reason), "{text:?}: {error}");
        }
        assert!(read(b"\xff\xfe1,2", &LabelColumn::Guess, CAP).is_err());
        assert!(read(b"1,2", &LabelColumn::Named("3".into()), CAP).is_err());
        let error = read("1,2,3\n".repeat(100).as_bytes(), &LabelColumn::Guess, 1000).unwrap_err();
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
            let _ = (is_csv(text.as_bytes()), read(text.as_bytes(), &LabelColumn::Guess, CAP));
            let _ = read(text.as_bytes(), &LabelColumn::Named(column.to_string()), CAP);
        }

        #[test]
        fn numbers_come_back(rows in prop::collection::vec((-1e6f32..1e6, 0u32..9, -1.0f32..1.0), 1..20)) {
            let lines: String = rows.iter().map(|(a, class, b)| format!("{a},{b},{class}\n")).collect();
            let table = read(format!("a,b,class\n{lines}").as_bytes(), &LabelColumn::Guess, CAP).unwrap();
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
