//! The door to JavaScript: conversions only, nothing is decided here.
//!
//! An error is thrown as an `Error` with the message of [`Error`](crate::Error), whose name is its [`Kind`](crate::error::Kind), or
//! `Argument` for what no function here takes. A panic is thrown as an `Error` whose
//! name is `Panic`; after it, or after a trap, the instance must not be used again.

use crate::error::Error;
use serde::Serialize;
use wasm_bindgen::prelude::*;

mod engine;
mod files;
mod picture;
mod pictures;
mod sample_file;
mod samples;
mod strict;
mod values;
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

/// The error of an argument that is not what its type says.
fn fault(message: &str) -> JsValue {
    named("Argument", message)
}

fn thrown(error: impl Into<Error>) -> JsValue {
    let error = error.into();
    named(error.kind().name(), &error.to_string())
}

fn named(name: &str, message: &str) -> JsValue {
    let error = js_sys::Error::new(message);
    error.set_name(name);
    error.into()
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
