//! The networks that come with the page, as its engine reads them.

use crate::process::{Outcome, command, run};
use crate::{is_fresh, root};

/// Puts them into www/public/models. The package is built.
pub fn prepare() -> Outcome {
    let sources = [root().join("www/models/lenet5.onnx"), root().join("pkg/files_bg.wasm")];
    let last = root().join("www/public/models/lenet300.bin");
    if is_fresh(&last, &[&sources[0], &sources[1]]) {
        return Ok(());
    }
    run(&mut command("node", &["xtask/models.js"]))
}
