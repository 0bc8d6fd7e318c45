//! The networks that come with the page.

use crate::process::Outcome;
use crate::{is_fresh, read, root, write};

/// Puts them into www/public/models.
pub fn prepare() -> Outcome {
    for name in ["lenet5.onnx", "lenet300.onnx"] {
        let (source, copy) = (root().join("www/models").join(name), root().join("www/public/models").join(name));
        if !is_fresh(&copy, &[&source]) {
            write(&copy, &read(&source)?)?;
        }
    }
    Ok(())
}
