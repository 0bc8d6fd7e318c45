//! The pickle machine (Python's `pickletools` describes the instructions), as far as state dictionaries need it.
//!
//! Values live in tables and refer to each other by index, so that no cycle can keep memory, and nothing recurses. Each
//! instruction makes at most one value, whose size is bounded by the bytes it takes from the file or from the stack.

use super::value::{FORMAT, GLOBALS, Global, STORAGES, Storage, Strided, Value};
use crate::error::LoadError;
use crate::formats::cursor::{Cursor, unsupported};
use crate::model::Dtype;
use std::collections::HashMap;

/// Memory of an instruction, at most, in bytes, used against the caller's cap.
const INSTRUCTION_BYTES: u64 = 256;

/// The machine.
#[derive(Debug)]
pub struct Pickle<'a> {
    /// What has not been read yet.
    pub cursor: Cursor<'a>,
    /// Strings.
    pub texts: Vec<String>,
    /// Elements of tuples and lists.
    pub sequences: Vec<Vec<Value>>,
    /// Keys and values of dictionaries.
    pub dictionaries: Vec<Vec<(Value, Value)>>,
    /// Each key once.
    pub storages: Vec<Storage>,
    /// The place of each key in `storages`.
    pub keys: HashMap<String, usize>,
    /// Tensors.
    pub tensors: Vec<Strided>,
    stack: Vec<Value>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: Vec<Value>,
    /// Instructions that may still be run.
    left: u64,
}

impl<'a> Pickle<'a> {
    /// A machine with empty tables, which may take `cap` bytes of memory.
    pub fn new(cursor: Cursor<'a>, cap: u64) -> Self {
        let (texts, sequences, dictionaries, storages, keys, tensors) = Default::default();
        let (stack, marks, memo, left) = (Vec::new(), Vec::new(), Vec::new(), cap / INSTRUCTION_BYTES);
        Pickle { cursor, texts, sequences, dictionaries, storages, keys, tensors, stack, marks, memo, left }
    }

    /// Runs a pickle to its end, and gives what it made. The tables keep what they have.
    ///
    /// # Errors
    /// [`LoadError::Unsupported`] names the instruction or the global that is not known.
    pub fn run(&mut self) -> Result<Value, LoadError> {
        (self.stack, self.marks, self.memo) = Default::default();
        loop {
            let place = self.cursor.clone();
            let code = self.cursor.byte()?;
            let Some(left) = self.left.checked_sub(1) else {
                return Err(place.malformed("fewer instructions, by the limit of memory", "more"));
            };
            self.left = left;
            if code == b'.' {
                return self.pop();
            }
            self.step(code, &place)?;
        }
    }

    fn step(&mut self, code: u8, place: &Cursor) -> Result<(), LoadError> {
        let value = match code {
            // PROTO, FRAME: how the rest is written, and its length.
            0x80 => return self.cursor.take(1).map(drop),
            0x95 => return self.cursor.take(8).map(drop),
            b'(' => {
                self.marks.push(self.stack.len());
                return Ok(());
            }
            b'0' => return self.pop().map(drop),
            b'1' => return self.since_mark().map(drop),
            b'2' => {
                let top = self.pop()?;
                self.stack.push(top);
                top
            }
            b'N' => Value::None,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            b'J' => Value::Int(i64::from(self.cursor.u32()? as i32)),
            b'K' => Value::Int(self.cursor.byte()?.into()),
            b'M' => Value::Int(self.cursor.u16()?.into()),
            0x8a => self.long()?,
            b'G' => {
                self.cursor.take(8)?;
                Value::Float
            }
            b'X' | b'T' | b'B' | 0x8c | b'U' | b'C' => {
                let wide = matches!(code, b'X' | b'T' | b'B');
                let length = if wide { self.cursor.u32()? as usize } else { self.cursor.byte()?.into() };
                // What is no text is kept as if it were: only names matter.
                self.texts.push(String::from_utf8_lossy(self.cursor.take(length)?).into_owned());
                Value::Text(self.texts.len() - 1)
            }
            b')' | b't' | 0x85..=0x87 | b']' | b'l' => {
                let values = match code {
                    b')' | b']' => Vec::new(),
                    b't' | b'l' => self.since_mark()?,
                    _ => self.take(usize::from(code - 0x84))?,
                };
                self.sequences.push(values);
                let index = self.sequences.len() - 1;
                if matches!(code, b']' | b'l') { Value::List(index) } else { Value::Tuple(index) }
            }
            b'}' => self.dictionary(),
            b'a' | b'e' => {
                let items = if code == b'a' { self.take(1)? } else { self.since_mark()? };
                return self.append(items);
            }
            b's' | b'u' | b'd' => {
                let items = if code == b's' { self.take(2)? } else { self.since_mark()? };
                if code == b'd' {
                    let dictionary = self.dictionary();
                    self.stack.push(dictionary);
                }
                return self.set(items);
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.global(&module, &name, place)?
            }
            0x93 => {
                let names = self.take(2)?;
                let [Value::Text(module), Value::Text(name)] = names[..] else {
                    return Err(place.malformed("the names of a module and of what is in it", format!("{names:?}")));
                };
                self.global(&self.texts[module], &self.texts[name], place)?
            }
            b'Q' => {
                let id = self.pop()?;
                self.storage(id, place)?
            }
            b'R' => {
                let called = self.take(2)?;
                self.reduce(called[0], called[1], place)?
            }
            // BUILD: attributes of an ordered dictionary, such as the versions of modules.
            b'b' => return self.pop().map(drop),
            b'q' | b'r' | 0x94 => {
                let index = match code {
                    b'q' => self.cursor.byte()?.into(),
                    b'r' => self.cursor.u32()? as usize,
                    _ => self.memo.len(),
                };
                return self.remember(index, place);
            }
            b'h' | b'j' => {
                let index = if code == b'h' { self.cursor.byte()?.into() } else { self.cursor.u32()? as usize };
                let known = self.memo.get(index).copied();
                known.ok_or_else(|| place.malformed(format!("a number below {}", self.memo.len()), index))?
            }
            other => {
                let shown = if other.is_ascii_graphic() {
                    format!("instruction '{}'", char::from(other))
                } else {
                    format!("instruction {other:#04x}")
                };
                let place = format!("pickle, byte {}", place.position());
                return Err(unsupported(FORMAT, place, shown, "those of state dictionaries, protocols 2 to 5"));
            }
        };
        self.stack.push(value);
        Ok(())
    }

    fn pop(&mut self) -> Result<Value, LoadError> {
        let bottom = self.marks.last().copied().unwrap_or(0);
        let top = if self.stack.len() > bottom { self.stack.pop() } else { None };
        top.ok_or_else(|| self.cursor.malformed("a value on the stack", "none"))
    }

    /// The last `count` values.
    fn take(&mut self, count: usize) -> Result<Vec<Value>, LoadError> {
        let bottom = self.marks.last().copied().unwrap_or(0);
        match self.stack.len().checked_sub(count).filter(|&first| first >= bottom) {
            Some(first) => Ok(self.stack.split_off(first)),
            None => Err(self.cursor.malformed(format!("{count} values on the stack"), self.stack.len() - bottom)),
        }
    }

    /// The values since the last mark, which is taken away.
    fn since_mark(&mut self) -> Result<Vec<Value>, LoadError> {
        let mark = self.marks.pop().ok_or_else(|| self.cursor.malformed("a mark on the stack", "none"))?;
        Ok(self.stack.split_off(mark))
    }

    fn remember(&mut self, index: usize, place: &Cursor) -> Result<(), LoadError> {
        // Numbers are given in their order; a file that skips some could ask for any amount of memory.
        if index > self.memo.len() {
            return Err(place.malformed(format!("a number of at most {}", self.memo.len()), index));
        }
        let top = self.pop()?;
        self.stack.push(top);
        if index == self.memo.len() {
            self.memo.push(top);
        } else {
            self.memo[index] = top;
        }
        Ok(())
    }

    /// A whole number of up to 8 bytes.
    fn long(&mut self) -> Result<Value, LoadError> {
        let place = self.cursor.clone();
        let length = usize::from(self.cursor.byte()?);
        if length > 8 {
            return Err(place.malformed("a number of at most 8 bytes", length));
        }
        let bytes = self.cursor.take(length)?;
        let negative = bytes.last().is_some_and(|&last| last >= 0x80);
        let mut wide = [if negative { 0xff } else { 0 }; 8];
        wide[..length].copy_from_slice(bytes);
        Ok(Value::Int(i64::from_le_bytes(wide)))
    }

    /// Text up to the end of a line.
    fn line(&mut self) -> Result<String, LoadError> {
        let mut line = Vec::new();
        loop {
            match self.cursor.byte()? {
                b'\n' => return Ok(String::from_utf8_lossy(&line).into_owned()),
                next => line.push(next),
            }
        }
    }

    fn dictionary(&mut self) -> Value {
        self.dictionaries.push(Vec::new());
        Value::Dictionary(self.dictionaries.len() - 1)
    }

    /// Appends to the list on top of the stack.
    fn append(&mut self, items: Vec<Value>) -> Result<(), LoadError> {
        match self.stack.last() {
            Some(&Value::List(list)) => self.sequences[list].extend(items),
            other => return Err(self.cursor.malformed("a list to append to", format!("{other:?}"))),
        }
        Ok(())
    }

    /// Sets items, keys and values in turn, of the dictionary on top of the stack.
    fn set(&mut self, items: Vec<Value>) -> Result<(), LoadError> {
        let (pairs, rest) = items.as_chunks::<2>();
        match self.stack.last() {
            Some(&Value::Dictionary(dictionary)) if rest.is_empty() => {
                self.dictionaries[dictionary].extend(pairs.iter().map(|&[key, value]| (key, value)));
                Ok(())
            }
            other => Err(self.cursor.malformed("pairs for a dictionary", format!("{} for {other:?}", items.len()))),
        }
    }

    fn global(&self, module: &str, name: &str, place: &Cursor) -> Result<Value, LoadError> {
        let storage = STORAGES.into_iter().find(|(known, _)| module == "torch" && *known == name);
        let global = match (module, name) {
            ("collections", "OrderedDict") => Global::OrderedDict,
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Global::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Global::RebuildParameter,
            ("torch", "Size") => Global::Size,
            _ if storage.is_some() => Global::StorageOf(storage.map_or(Dtype::F32, |(_, dtype)| dtype)),
            _ => {
                let short = |text: &str| text.chars().take(80).collect::<String>();
                let what = format!("the global {}.{}", short(module), short(name));
                return Err(unsupported(FORMAT, format!("pickle, byte {}", place.position()), what, GLOBALS));
            }
        };
        Ok(Value::Global(global))
    }

    /// The storage of a persistent id: `('storage', type, key, location, count)`.
    fn storage(&mut self, id: Value, place: &Cursor) -> Result<Value, LoadError> {
        let parts = match id {
            Value::Tuple(tuple) => self.sequences[tuple].as_slice(),
            _ => &[],
        };
        let &[Value::Text(kind), Value::Global(Global::StorageOf(dtype)), Value::Text(key), _, Value::Int(count), ..] =
            parts
        else {
            return Err(place.malformed("a storage with type, key, location and count", format!("{parts:?}")));
        };
        let fault = |got: String| place.malformed("a storage with a count of at least 0", got);
        if self.texts[kind] != "storage" {
            return Err(fault(format!("'{}'", self.texts[kind])));
        }
        // A sixth part tells that it shows some of another storage, as only very old files have it.
        if !matches!(parts.get(5), None | Some(Value::None)) {
            let place = format!("pickle, byte {}", place.position());
            return Err(unsupported(FORMAT, place, "a storage that shows part of another", "whole storages"));
        }
        let count = usize::try_from(count).map_err(|_| fault(count.to_string()))?;
        let key = self.texts[key].clone();
        if let Some(&known) = self.keys.get(&key) {
            let storage = &self.storages[known];
            if (storage.dtype, storage.count) != (dtype, count) {
                return Err(place.malformed("a storage of one type and count", format!("'{key}' as another")));
            }
            return Ok(Value::Storage(known));
        }
        self.keys.insert(key.clone(), self.storages.len());
        self.storages.push(Storage { dtype, key, count });
        Ok(Value::Storage(self.storages.len() - 1))
    }

    /// What a call of a known global gives.
    fn reduce(&mut self, called: Value, arguments: Value, place: &Cursor) -> Result<Value, LoadError> {
        let given = match arguments {
            Value::Tuple(tuple) => self.sequences[tuple].clone(),
            _ => return Err(place.malformed("a tuple of arguments", format!("{arguments:?}"))),
        };
        match (called, &given[..]) {
            (Value::Global(Global::OrderedDict), []) => Ok(self.dictionary()),
            (Value::Global(Global::Size), &[Value::Tuple(sides)]) => Ok(Value::Tuple(sides)),
            (Value::Global(Global::RebuildParameter), &[tensor @ Value::Tensor(_), ..]) => Ok(tensor),
            (
                Value::Global(Global::RebuildTensor),
                &[Value::Storage(storage), Value::Int(offset), Value::Tuple(shape), Value::Tuple(strides), ..],
            ) => {
                let (shape, strides) = (self.sizes(shape), self.sizes(strides));
                match (usize::try_from(offset), shape, strides) {
                    (Ok(offset), Some(shape), Some(strides)) if shape.len() == strides.len() => {
                        self.tensors.push(Strided { storage, offset, shape, strides });
                        Ok(Value::Tensor(self.tensors.len() - 1))
                    }
                    _ => Err(place.malformed("a tensor with as many strides as sides, none below 0", "another")),
                }
            }
            _ => Err(place.malformed("a call of a known global as PyTorch makes it", format!("{called:?}"))),
        }
    }

    fn sizes(&self, tuple: usize) -> Option<Vec<usize>> {
        let side = |value: &Value| match value {
            Value::Int(side) => usize::try_from(*side).ok(),
            _ => None,
        };
        self.sequences[tuple].iter().map(side).collect()
    }
}
