//! Objects from JavaScript, and to it.

use super::fault;
use super::strict::Strict;
use js_sys::{JsString, Object, Reflect};
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, prelude::*};
use web_sys::Performance;

/// Reads a plain object; `what` it is stands before what is wrong with it.
pub fn from_js<T: DeserializeOwned>(what: &str, value: JsValue) -> Result<T, JsValue> {
    serde_wasm_bindgen::from_value(value).map_err(|error| {
        let error = JsValue::from(error);
        let words = error.dyn_ref().map_or_else(|| JsString::from("not to be read"), js_sys::Error::message);
        fault(&format!("{what}: {words}"))
    })
}

/// As [`from_js`], where a field that is not known is an error too: it would be a setting without effect.
pub fn strict_from_js<T: DeserializeOwned>(what: &str, value: JsValue) -> Result<T, JsValue> {
    T::deserialize(Strict(value)).map_err(|error| fault(&format!("{what}: {error}")))
}

/// An object with these fields.
pub fn object<const FIELDS: usize>(fields: [(&str, JsValue); FIELDS]) -> Result<JsValue, JsValue> {
    let object = Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &name.into(), &value)?;
    }
    Ok(object.into())
}

/// What counts milliseconds; a page, a worker and Node have it as the same global.
pub fn clock() -> Result<Performance, JsValue> {
    let global = Reflect::get(&js_sys::global(), &"performance".into())?;
    global.dyn_into().map_err(|_| fault("clock: expected a global `performance`, got none"))
}
