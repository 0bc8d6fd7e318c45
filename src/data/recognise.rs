//! Which files are samples, by their bytes.

use super::{arrays, csv};
use crate::formats::{Format, numpy, sniff, torch, zip};

/// Whether a file is a data set and no model, by its bytes. Archives of arrays are both: names of inputs make them a data set.
pub fn is_dataset(plain: &[u8]) -> bool {
    match sniff(plain) {
        Some(Format::Idx) => true,
        Some(Format::Zip) => zip::entries(plain).is_ok_and(|entries| match numpy::is_npz(&entries) {
            true => arrays::is_dataset(&entries),
            false => !torch::is_torch(&entries),
        }),
        None => csv::is_csv(plain),
        Some(_) => false,
    }
}

/// Whether a file may be one of several: a table, an array, or an archive of arrays.
pub fn is_part(bytes: &[u8]) -> bool {
    match sniff(bytes) {
        Some(Format::Npy) => true,
        Some(Format::Zip) => zip::entries(bytes).is_ok_and(|entries| numpy::is_npz(&entries)),
        None => csv::is_csv(bytes),
        Some(_) => false,
    }
}
