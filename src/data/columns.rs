//! What the columns of a table hold: numbers, what a sample is answered with, or a running number that says nothing.

use super::decimal;
use super::{Answers, Samples, Values};
use crate::error::{self, Error, LoadError};
use crate::model::Scaling;
use crate::ranking::distinct;
use csv::StringRecord;
use ndarray::{Array1, Axis};

/// What is read, as errors name it.
pub const FORMAT: &str = "CSV";
/// Names of a column with the class.
const CLASSES: [&str; 9] = ["label", "labels", "class", "target", "y", "species", "category", "outcome", "diagnosis"];
/// Names of a column that numbers the records; a table that was written with its index has one without a name.
const INDICES: [&str; 5] = ["", "id", "index", "unnamed: 0", "imageid"];
/// A column of integers with more different ones is no classes, unless it is said so.
const MOST_GUESSED: usize = 1000;
/// Characters of a field that errors show.
const MOST_SHOWN: usize = 80;
/// Classes are below this number.
pub const MOST_CLASSES: usize = 1 << 16;

/// Which column holds the class.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LabelColumn {
    /// The one with a usual name (label, class, target, y, species, ...); else the only one of words; else the first or the last, if just one of them
    /// is of a few integers that occur more than once, and its name is not one of a series such as pixel62, pixel63. None, if a network reads them
    /// all.
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
    /// The column that has what the samples are answered with, by its number from 1 and its name.
    pub label: Option<String>,
    /// Columns that are not used.
    pub ignored: Vec<String>,
}

/// The columns whose use is decided once all records are known; until then they are kept as text.
pub struct Columns {
    count: usize,
    names: Option<Vec<String>>,
    /// Those that may hold the class.
    candidates: Vec<usize>,
    /// Whether the only candidate is it.
    sure: bool,
    /// The one that may number the records.
    index: Option<usize>,
    /// The numbers that a network reads, where one is known.
    inputs: Option<usize>,
}

impl Columns {
    /// `first` is the first record of values.
    ///
    /// # Errors
    /// [`LoadError`] if there is no such column.
    pub fn find(
        wanted: &LabelColumn,
        names: Option<Vec<String>>,
        first: &StringRecord,
        inputs: Option<usize>,
    ) -> Result<Self, LoadError> {
        let count = first.len();
        let position = |test: &dyn Fn(&String) -> bool| names.as_ref().and_then(|names| names.iter().position(test));
        let is_one_of = |all: &[&str], name: &String| all.contains(&name.to_ascii_lowercase().as_str());
        let index = position(&|name| is_one_of(&INDICES, name)).filter(|_| count > 1 && inputs != Some(count));
        let (candidates, sure) = match wanted {
            LabelColumn::None => (Vec::new(), false),
            LabelColumn::Named(wanted) => {
                let numbered = wanted.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
                let column = position(&|name| name == wanted).or(numbered.filter(|&column| column < count));
                let fault =
                    || malformed("label column", format!("a column's name, or 1 to {count}"), format!("'{wanted}'"));
                (vec![column.ok_or_else(fault)?], true)
            }
            LabelColumn::Guess => match position(&|name| is_one_of(&CLASSES, name)) {
                Some(column) => (vec![column], true),
                None if count < 2 || inputs == Some(count - usize::from(index.is_some())) => (Vec::new(), false),
                None => (likely_places(names.as_deref(), first, index), false),
            },
        };
        let index = index.filter(|column| !(sure && candidates.contains(column)));
        Ok(Columns { count, names, candidates, sure, index, inputs })
    }

    /// Those that are kept as text.
    pub fn kept(&self) -> Vec<usize> {
        distinct(&self.candidates.iter().copied().chain(self.index).collect::<Vec<_>>())
    }

    /// Chooses the column with the classes, and puts the others back among the numbers: those of the columns that were not kept, record by record.
    ///
    /// # Errors
    /// [`LoadError`] if two may be it, or a field of another is no number; [`Error::Data`] if there is no sample.
    pub fn assemble(self, numbers: Vec<f32>, texts: &[StringRecord]) -> Result<Table, Error> {
        let kept = self.kept();
        let text = |column: usize| kept.iter().position(|&it| it == column).map(|place| &texts[place]);
        let chosen = self.chosen(&text)?;
        let dropped = self.index.filter(|&index| Some(index) != chosen && text(index).is_some_and(is_index));
        let (answers, class_names) = match chosen.and_then(text) {
            Some(texts) => answers(texts)?,
            None => (Answers::Classes(Vec::new()), Vec::new()),
        };
        let back: Vec<usize> = kept.iter().copied().filter(|&it| Some(it) != chosen && Some(it) != dropped).collect();
        let width = self.count - kept.len() + back.len();
        let whole = match back.is_empty() {
            true => numbers,
            false => {
                let rows = texts.first().map_or(0, StringRecord::len);
                let mut numbers = numbers.into_iter();
                let mut whole = Vec::with_capacity(rows * width);
                for row in 0..rows {
                    for column in 0..self.count {
                        if back.contains(&column) {
                            let field = text(column).map_or("", |texts| &texts[row]);
                            let expected = || format!("a finite number in column {}", column + 1);
                            let fault = || malformed(format!("sample {}", row + 1), expected(), quoted(field));
                            whole.push(number(field).ok_or_else(fault)?);
                        } else if !kept.contains(&column) {
                            whole.extend(numbers.next());
                        }
                    }
                }
                whole
            }
        };
        let samples = Samples::of_answers(vec![width], Values::of_floats(whole), answers, Scaling::Unit)?;
        let named = |column: usize| match self.names.as_ref().map(|names| names[column].as_str()) {
            Some(name) if !name.is_empty() => format!("column {}, '{name}'", column + 1),
            _ => format!("column {}", column + 1),
        };
        let ignored = dropped.map(|column| format!("{}, which numbers the records", named(column)));
        Ok(Table { samples, class_names, label: chosen.map(named), ignored: ignored.into_iter().collect() })
    }

    fn chosen<'a>(&self, text: &dyn Fn(usize) -> Option<&'a StringRecord>) -> Result<Option<usize>, LoadError> {
        if self.sure {
            return Ok(self.candidates.first().copied());
        }
        let likely: Vec<usize> =
            self.candidates.iter().copied().filter(|&column| text(column).is_some_and(is_likely)).collect();
        match likely.as_slice() {
            // One column more than the network reads has to be what it answers with.
            [] if self.inputs == Some(self.count - 1 - usize::from(self.index.is_some())) => {
                Ok(self.candidates.last().copied())
            }
            [] => Ok(None),
            [column] => Ok(Some(*column)),
            several => {
                let columns: Vec<String> = several.iter().map(|column| (column + 1).to_string()).collect();
                let expected = "one column that looks like classes (say which one, or none, by --label-column)";
                Err(malformed("label column", expected, format!("columns {}", columns.join(" and "))))
            }
        }
    }
}

/// The only column of words; else the first and the last, if their names are not of a series.
fn likely_places(names: Option<&[String]>, first: &StringRecord, index: Option<usize>) -> Vec<usize> {
    let is_word = |&column: &usize| decimal::parse(first[column].trim()).is_none() && Some(column) != index;
    if let [column] = (0..first.len()).filter(is_word).collect::<Vec<_>>()[..] {
        return vec![column];
    }
    let stem = |column: usize| Some(names?.get(column)?.trim_end_matches(|letter: char| letter.is_ascii_digit()));
    let start = usize::from(index == Some(0));
    let end = first.len() - 1 - usize::from(index == Some(first.len() - 1));
    let in_series =
        |column: usize, beside: usize| names.is_some() && stem(column) == stem(beside) && stem(column) != Some("");
    let mut places: Vec<usize> = [(start, start + 1), (end, end.saturating_sub(1))]
        .into_iter()
        .filter(|&(column, beside)| column <= end && (column == beside || !in_series(column, beside)))
        .map(|(column, _)| column)
        .collect();
    places.dedup();
    places
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

/// Whether a column numbers the records: whole numbers, none twice.
fn is_index(texts: &StringRecord) -> bool {
    let mut different: Vec<&str> = texts.iter().map(str::trim).collect();
    different.sort_unstable();
    different.dedup();
    different.len() == texts.len() && texts.iter().all(|text| text.trim().parse::<i64>().is_ok())
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

/// A finite number.
pub fn number(field: &str) -> Option<f32> {
    decimal::parse(field.trim()).filter(|number| number.is_finite())
}

/// A field as errors show it.
pub fn quoted(field: &str) -> String {
    let shown: String = field.chars().take(MOST_SHOWN).collect();
    if shown.len() < field.len() { format!("'{shown}...'") } else { format!("'{field}'") }
}

/// An error about a table.
pub fn malformed(place: impl ToString, expected: impl ToString, got: impl ToString) -> LoadError {
    error::malformed(FORMAT, place, expected, got)
}
