//! The doors to JavaScript: conversions only, nothing is decided here.
//!
//! There are two, each a module of its own, so that a page loads what it needs: `engine` compresses, runs and looks at networks,
//! `files` reads and writes the files of other programs. A feature of the crate builds each; tests have both.
//!
//! An error is thrown as an `Error` with the message of [`Error`](crate::Error). A panic is thrown as an `Error` whose
//! name is `Panic`; after it, or after a trap, the instance must not be used again.

use crate::error::Error;
use crate::views::picture;
use js_sys::{JsString, Object, Reflect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, prelude::*};
use web_sys::Performance;

#[cfg(feature = "engine")]
mod engine;
#[cfg(feature = "files")]
mod files;
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

/// Objects cross as plain ones, of what JSON knows: they can be cloned to another thread, and kept as text.
fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    Ok(value.serialize(&serde_wasm_bindgen::Serializer::json_compatible())?)
}

fn from_js<T: DeserializeOwned>(what: &str, value: JsValue) -> Result<T, JsValue> {
    serde_wasm_bindgen::from_value(value).map_err(|error| {
        let error = JsValue::from(error);
        let words = error.dyn_ref().map_or_else(|| JsString::from("not to be read"), js_sys::Error::message);
        fault(&format!("{what}: {words}"))
    })
}

fn object<const FIELDS: usize>(fields: [(&str, JsValue); FIELDS]) -> Result<JsValue, JsValue> {
    let object = Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &name.into(), &value)?;
    }
    Ok(object.into())
}

/// What counts milliseconds; a page, a worker and Node have it as the same global.
fn clock() -> Result<Performance, JsValue> {
    let global = Reflect::get(&js_sys::global(), &"performance".into())?;
    global.dyn_into().map_err(|_| fault("clock: expected a global `performance`, got none"))
}

/// A picture of weights, a byte a pixel: 0 is a gap, 1 a weight that is zero, 2 to 255 rise from -reach to reach; of
/// costs, from 0 to reach; of indices, 2 is the first of `reach` values.
#[wasm_bindgen]
pub struct Picture(picture::Picture);

#[wasm_bindgen]
impl Picture {
    /// Pixels of a row.
    #[wasm_bindgen(getter)]
    pub fn width(&self) -> usize {
        self.0.width
    }

    /// Rows.
    #[wasm_bindgen(getter)]
    pub fn height(&self) -> usize {
        self.0.height
    }

    /// The magnitude of the strongest colours.
    #[wasm_bindgen(getter)]
    pub fn reach(&self) -> f32 {
        self.0.reach
    }

    /// Row by row.
    #[wasm_bindgen(getter)]
    pub fn pixels(&self) -> Vec<u8> {
        self.0.pixels.clone()
    }
}

/// The version of this build.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
