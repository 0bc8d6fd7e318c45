//! Plain objects from JavaScript as what they are told to be, where a field that is not known is an error: it would be a setting
//! without effect. What has no form in JSON is read as JSON would have it: fields that are undefined are not there, and numbers that
//! are not finite are null.

use js_sys::{Array, Object, Reflect};
use serde::de::value::Error;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, MapAccess, SeqAccess, Unexpected, VariantAccess,
    Visitor,
};
use wasm_bindgen::{JsCast, JsValue};

/// The largest whole number that a number of JavaScript tells from its neighbours.
const SAFE: f64 = 9_007_199_254_740_991.0;

/// Methods that do what another one does: what each does by itself would be made for each type that is read.
macro_rules! forward {
    ($($to:ident: $($name:ident)*;)*) => {$($(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.$to(visitor)
        }
    )*)*};
}

/// A value.
pub struct Strict(pub JsValue);

impl<'de> Deserializer<'de> for Strict {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.kind() {
            Kind::Text => self.deserialize_string(visitor),
            Kind::Items => self.deserialize_seq(visitor),
            Kind::Fields => self.deserialize_map(visitor),
            _ => self.deserialize_f64(visitor),
        }
    }

    /// Numbers of all types, truths and nothing: those that are told apart by their type in Rust only.
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.kind() {
            Kind::Whole(number) => visitor.visit_u64(number),
            Kind::Below(number) => visitor.visit_i64(number),
            Kind::Number(number) => visitor.visit_f64(number),
            Kind::Truth(truth) => visitor.visit_bool(truth),
            Kind::Nothing => visitor.visit_unit(),
            _ => Err(self.unlike(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.as_string() {
            Some(text) => visitor.visit_string(text),
            None => Err(self.unlike(&visitor)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.dyn_into::<Array>() {
            Ok(items) => visitor.visit_seq(Items(items, 0)),
            Err(other) => Err(Strict(other).unlike(&visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.kind() {
            Kind::Fields => visitor.visit_map(Fields::new(self.0)?),
            _ => Err(self.unlike(&visitor)),
        }
    }

    /// Not by its places in an array.
    fn deserialize_struct<V: Visitor<'de>>(self, _: &str, _: &[&str], visitor: V) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let none =
            self.0.is_null() || self.0.is_undefined() || self.0.as_f64().is_some_and(|number| !number.is_finite());
        if none { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &str, _: &[&str], visitor: V) -> Result<V::Value, Error> {
        if self.0.is_string() {
            return visitor.visit_enum(Variant { name: self.0, value: JsValue::UNDEFINED });
        }
        let mut fields = Fields::new(self.0)?;
        match (fields.entries.length(), fields.next()) {
            (1, Some((name, value))) => visitor.visit_enum(Variant { name, value }),
            _ => Err(Error::custom("expected a name, or an object with one field")),
        }
    }

    forward! {
        deserialize_f64: deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
            deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32
            deserialize_unit deserialize_ignored_any;
        deserialize_string: deserialize_char deserialize_str deserialize_identifier;
        deserialize_seq: deserialize_bytes deserialize_byte_buf;
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &str, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &str, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }
}

/// What a value is.
enum Kind {
    Truth(bool),
    Whole(u64),
    Below(i64),
    Number(f64),
    Text,
    Nothing,
    Items,
    Fields,
}

impl Strict {
    #[inline(never)]
    fn kind(&self) -> Kind {
        let value = &self.0;
        if let Some(number) = value.as_f64() {
            return match number {
                _ if !number.is_finite() => Kind::Nothing,
                _ if number.fract() != 0.0 || number.abs() > SAFE => Kind::Number(number),
                0.0.. => Kind::Whole(number as u64),
                _ => Kind::Below(number as i64),
            };
        }
        match value.as_bool() {
            Some(truth) => Kind::Truth(truth),
            None if value.is_string() => Kind::Text,
            None if value.is_null() || value.is_undefined() => Kind::Nothing,
            None if Array::is_array(value) => Kind::Items,
            None => Kind::Fields,
        }
    }

    /// The error where something else was expected.
    #[inline(never)]
    fn unlike(&self, expected: &dyn Expected) -> Error {
        let text = self.0.as_string().unwrap_or_default();
        let got = match self.kind() {
            Kind::Truth(truth) => Unexpected::Bool(truth),
            Kind::Whole(number) => Unexpected::Unsigned(number),
            Kind::Below(number) => Unexpected::Signed(number),
            Kind::Number(number) => Unexpected::Float(number),
            Kind::Text => Unexpected::Str(&text),
            Kind::Nothing => Unexpected::Other("null"),
            Kind::Items => Unexpected::Seq,
            Kind::Fields => Unexpected::Map,
        };
        Error::invalid_type(got, expected)
    }
}

/// The fields of an object that have values, in their order.
struct Fields {
    entries: Array,
    at: u32,
    value: JsValue,
}

impl Fields {
    #[inline(never)]
    fn new(value: JsValue) -> Result<Self, Error> {
        let object = value.dyn_into::<Object>().map_err(|_| Error::custom("expected a plain object"))?;
        let all = Object::entries(&object);
        let known = all.filter(&mut |entry, _, _| !of_pair(&entry, 1).is_undefined());
        Ok(Fields { entries: known, at: 0, value: JsValue::UNDEFINED })
    }

    #[inline(never)]
    fn next(&mut self) -> Option<(JsValue, JsValue)> {
        let entry = (self.at < self.entries.length()).then(|| self.entries.get(self.at))?;
        self.at += 1;
        Some((of_pair(&entry, 0), of_pair(&entry, 1)))
    }
}

fn of_pair(entry: &JsValue, at: u32) -> JsValue {
    Reflect::get_u32(entry, at).unwrap_or(JsValue::UNDEFINED)
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.next() else { return Ok(None) };
        self.value = value;
        seed.deserialize(Strict(name)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(Strict(std::mem::replace(&mut self.value, JsValue::UNDEFINED)))
    }
}

/// The items of an array, from one on.
struct Items(Array, u32);

impl<'de> SeqAccess<'de> for Items {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if self.1 == self.0.length() {
            return Ok(None);
        }
        self.1 += 1;
        seed.deserialize(Strict(self.0.get(self.1 - 1))).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some((self.0.length() - self.1) as usize)
    }
}

/// A variant, by its name, and what it holds.
struct Variant {
    name: JsValue,
    value: JsValue,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = Strict;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Strict), Error> {
        Ok((seed.deserialize(Strict(self.name))?, Strict(self.value)))
    }
}

impl<'de> VariantAccess<'de> for Strict {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.0.is_undefined() || self.0.is_null() {
            true => Ok(()),
            false => Err(Error::custom("expected a name that holds nothing")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.deserialize_struct("", fields, visitor)
    }
}
