//! What the words in the names of files, folders and arrays of samples say.

/// What a word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// For training.
    Training,
    /// For testing.
    Test,
    /// For validation.
    Validation,
    /// Classes of samples.
    Classes,
    /// Samples without their classes.
    Inputs,
}

/// The words that are known, in lower case. Of two that begin alike the longer one is later.
pub const WORDS: [(Word, &[&str]); 5] = [
    (Word::Training, &["train", "training"]),
    (Word::Test, &["test", "testing", "t10k"]),
    (Word::Validation, &["val", "valid", "validation", "dev"]),
    (Word::Classes, &["y", "label", "labels", "target", "targets", "class", "classes"]),
    (Word::Inputs, &["x", "image", "images", "data", "feature", "features", "input", "inputs"]),
];

/// What a word in lower case says, if it is known.
pub fn word(text: &str) -> Option<Word> {
    WORDS.iter().find(|(_, all)| all.contains(&text)).map(|&(word, _)| word)
}
