//! Which files are samples, by their bytes.

use super::{arrays, csv};
use crate::formats::{is_idx, numpy, reader_of, zip};

/// Whether a file is a data set and no model, by its bytes. Archives of arrays are both: names of inputs make them a data set.
pub fn is_dataset(plain: &[u8]) -> bool {
    if plain.starts_with(&zip::MAGIC) {
        return zip::entries(plain).is_ok_and(|entries| match numpy::is_npz(&entries) {
            true => arrays::is_dataset(&entries),
            false => reader_of(plain).is_none() && !entries.iter().any(is_model),
        });
    }
    is_idx(plain) || is_table(plain)
}

/// Whether a file in an archive is a model, by its name.
fn is_model(entry: &zip::Entry) -> bool {
    [".onnx", ".pt", ".pth", ".safetensors", ".tflite", ".h5", ".pb"].iter().any(|ending| entry.name.ends_with(ending))
}

/// Whether a file may be one of several: a table, an array, or an archive of arrays.
pub fn is_part(bytes: &[u8]) -> bool {
    let archive = || zip::entries(bytes).is_ok_and(|entries| numpy::is_npz(&entries));
    is_array(bytes) || (bytes.starts_with(&zip::MAGIC) && archive()) || is_table(bytes)
}

/// Whether a file is one array.
pub fn is_array(bytes: &[u8]) -> bool {
    bytes.starts_with(&numpy::MAGIC)
}

/// Whether a file is a table: no format that is told by its first bytes.
fn is_table(bytes: &[u8]) -> bool {
    !is_idx(bytes) && reader_of(bytes).is_none() && csv::is_csv(bytes)
}
