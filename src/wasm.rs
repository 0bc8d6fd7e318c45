//! The doors to JavaScript: conversions only, nothing is decided here.
//!
//! There are three, each a module of its own, so that a page loads what it needs: `engine` compresses, runs and looks at networks,
//! `files` reads and writes the files of other programs, `samples` reads files of samples. A feature of the crate builds each; tests have all.
//!
//! An error is thrown as an `Error` with the message of [`Error`](crate::Error). A panic is thrown as an `Error` whose
//! name is `Panic`; after it, or after a trap, the instance must not be used again.

use crate::error::Error;
use serde::Serialize;
use wasm_bindgen::prelude::*;

#[cfg(feature = "engine")]
mod engine;
#[cfg(feature = "files")]
mod files;
#[cfg(any(feature = "engine", feature = "files"))]
mod picture;
#[cfg(feature = "samples")]
mod pictures;
#[cfg(feature = "samples")]
mod sample_file;
#[cfg(feature = "engine")]
mod samples;
#[cfg(any(feature = "engine", feature = "files"))]
mod values;
#[cfg(feature = "engine")]
mod view;

/// The most that a file may take once it is unpacked, in bytes: 1 GiB, a quarter of what wasm can address.
const CAP: u64 = 1 << 30;

#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| {
        let error = js_sys::Error::new(&panic.to_string());
        error.set_name("Panic");
        wasm_bindgen::throw_val(error.into());
    }));
}

fn fault(message: &str) -> JsValue {
    js_sys::Error::new(message).into()
}

fn thrown(error: impl Into<Error>) -> JsValue {
    fault(&error.into().to_string())
}

/// Objects cross as plain ones, of what JSON knows: they can be cloned to another thread, and kept as text. By way of JSON, a 32-bit 0.1
/// crosses as 0.1, not as the 0.10000000149011612 that its bits say.
fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let text = serde_json::to_string(value).map_err(|error| fault(&error.to_string()))?;
    js_sys::JSON::parse(&text)
}

/// The version of this build.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
