//! The pickle machine (Python's `pickletools` describes the instructions), as far as files of PyTorch need it.
//!
//! Nothing is called: what a function or a class that is not known would make is kept as an object, with what it was given.
//! Values live in tables and refer to each other by index, so that no cycle can keep memory, and nothing recurses. Each
//! instruction makes at most one value, whose size is bounded by the bytes it takes from the file or from the stack.

use super::value::{Element, FIRST, FORMAT, Global, Object, Scale, Storage, Strided, Value};
use crate::error::LoadError;
use crate::formats::cursor::{Cursor, MAX_NAME, MAX_SIDES, unsupported};
use std::collections::HashMap;

/// Memory of an instruction, at most, in bytes, used against the caller's cap.
const INSTRUCTION_BYTES: u64 = 256;
/// Arguments that a function that is known can have.
const MOST_ARGUMENTS: usize = 8;

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
    /// What is not known.
    pub objects: Vec<Object>,
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
        let (texts, sequences, dictionaries, storages, keys, tensors, objects) = Default::default();
        let (stack, marks, memo, left) = (Vec::new(), Vec::new(), Vec::new(), cap / INSTRUCTION_BYTES);
        Pickle { cursor, texts, sequences, dictionaries, storages, keys, tensors, objects, stack, marks, memo, left }
    }

    /// Runs a pickle to its end, and gives what it made. The tables keep what they have.
    ///
    /// # Errors
    /// [`LoadError::Unsupported`] names the instruction that is not known.
    pub fn run(&mut self) -> Result<Value, LoadError> {
        (self.stack, self.marks, self.memo) = Default::default();
        loop {
            let place = self.cursor.clone();
            let code = self.cursor.byte()?;
            self.spend(1, &place)?;
            if code == b'.' {
                return self.pop();
            }
            self.step(code, &place)?;
        }
    }

    /// Counts the memory of so many instructions.
    fn spend(&mut self, count: usize, place: &Cursor) -> Result<(), LoadError> {
        let left = self.left.checked_sub(count as u64);
        self.left = left.ok_or_else(|| place.malformed("fewer instructions, by the limit of memory", "more"))?;
        Ok(())
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
            // A whole number in words, and truth values as protocol 1 has them.
            b'I' | b'L' => match self.line()?.trim_end_matches('L') {
                "00" => Value::Bool(false),
                "01" => Value::Bool(true),
                number => number.parse().map_or(Value::Other, Value::Int),
            },
            0x8a | 0x8b => {
                let length = if code == 0x8a { self.cursor.byte()?.into() } else { self.cursor.u32()? as usize };
                whole(self.cursor.take(length)?)
            }
            b'G' => Value::Float(f64::from_be_bytes(self.cursor.array()?)),
            b'X' | b'T' | b'B' | 0x8c | b'U' | b'C' | 0x8d | 0x8e | 0x96 => {
                let length = match code {
                    b'X' | b'T' | b'B' => self.cursor.u32()? as usize,
                    0x8d | 0x8e | 0x96 => usize::try_from(self.cursor.u64()?).unwrap_or(usize::MAX),
                    _ => self.cursor.byte()?.into(),
                };
                // What is no text is kept as if it were: only names matter.
                let text = String::from_utf8_lossy(self.cursor.take(length)?).into_owned();
                Value::Text(self.text(text))
            }
            b')' | b't' | 0x85..=0x87 | b']' | b'l' => {
                let values = match code {
                    b')' | b']' => Vec::new(),
                    b't' | b'l' => self.since_mark()?,
                    _ => self.take(usize::from(code - 0x84))?,
                };
                let index = self.sequence(values);
                if matches!(code, b']' | b'l') { Value::List(index) } else { Value::Tuple(index) }
            }
            // Sets.
            0x8f => self.object(Value::Other, Value::None),
            0x91 => {
                let items = self.since_mark()?;
                let items = Value::List(self.sequence(items));
                self.object(Value::Other, items)
            }
            b'}' => self.dictionary(),
            b'a' | b'e' | 0x90 => {
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
                self.global(&module, &name)
            }
            0x93 => {
                let names = self.take(2)?;
                let [Value::Text(module), Value::Text(name)] = names[..] else {
                    return Err(place.malformed("the names of a module and of what is in it", format!("{names:?}")));
                };
                let [module, name] = [module, name].map(|text| short(&self.texts[text]));
                self.global(&module, &name)
            }
            b'Q' => {
                let id = self.pop()?;
                self.persistent(id, place)?
            }
            b'R' => {
                let called = self.take(2)?;
                self.call(called[0], called[1], place)?
            }
            0x81 | 0x92 => {
                let made = self.take(if code == 0x81 { 2 } else { 3 })?;
                self.object(made[0], made[1])
            }
            b'o' | b'i' => {
                let class = match code {
                    b'i' => {
                        let (module, name) = (self.line()?, self.line()?);
                        Some(self.global(&module, &name))
                    }
                    _ => None,
                };
                let mut arguments = self.since_mark()?;
                let class = match class {
                    Some(class) => class,
                    None if arguments.is_empty() => return Err(place.malformed("a class on the stack", "none")),
                    None => arguments.remove(0),
                };
                let arguments = Value::Tuple(self.sequence(arguments));
                self.object(class, arguments)
            }
            // Attributes. Those of a dictionary, such as the versions of modules, or of a tensor are not needed.
            b'b' => {
                let state = self.pop()?;
                if let Some(&Value::Object(object)) = self.stack.last() {
                    self.objects[object].state = state;
                }
                return Ok(());
            }
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
                return Err(unsupported(FORMAT, place, shown, "those that torch.save writes"));
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

    fn text(&mut self, text: String) -> usize {
        self.texts.push(text);
        self.texts.len() - 1
    }

    fn sequence(&mut self, values: Vec<Value>) -> usize {
        self.sequences.push(values);
        self.sequences.len() - 1
    }

    fn dictionary(&mut self) -> Value {
        self.dictionaries.push(Vec::new());
        Value::Dictionary(self.dictionaries.len() - 1)
    }

    fn object(&mut self, called: Value, arguments: Value) -> Value {
        self.objects.push(Object { called, arguments, items: Vec::new(), state: Value::None });
        Value::Object(self.objects.len() - 1)
    }

    /// Appends to the list, or to what may be one, on top of the stack.
    fn append(&mut self, items: Vec<Value>) -> Result<(), LoadError> {
        match self.stack.last() {
            Some(&Value::List(list)) => self.sequences[list].extend(items),
            Some(&Value::Object(object)) => {
                let known = &mut self.objects[object].items;
                let first = known.len() as i64;
                known.extend((first..).map(Value::Int).zip(items));
            }
            other => return Err(self.cursor.malformed("a list to append to", format!("{other:?}"))),
        }
        Ok(())
    }

    /// Sets items, keys and values in turn, of the dictionary, or of what may be one, on top of the stack.
    fn set(&mut self, items: Vec<Value>) -> Result<(), LoadError> {
        let (pairs, rest) = items.as_chunks::<2>();
        let known = match self.stack.last() {
            Some(&Value::Dictionary(dictionary)) if rest.is_empty() => &mut self.dictionaries[dictionary],
            Some(&Value::Object(object)) if rest.is_empty() => &mut self.objects[object].items,
            other => {
                let got = format!("{} for {other:?}", items.len());
                return Err(self.cursor.malformed("pairs for a dictionary", got));
            }
        };
        known.extend(pairs.iter().map(|&[key, value]| (key, value)));
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) -> Value {
        let torch = module.split('.').next() == Some("torch");
        let storage = Element::of_storage(name).filter(|_| torch);
        Value::Global(match (name, storage) {
            (_, Some(element)) => Global::StorageOf(element),
            ("OrderedDict", _) if module == "collections" => Global::OrderedDict,
            ("_rebuild_tensor" | "_rebuild_tensor_v2", _) if torch => Global::RebuildTensor,
            ("_rebuild_tensor_v3", _) if torch => Global::RebuildTyped,
            ("_rebuild_qtensor", _) if torch => Global::RebuildQuantized,
            ("_rebuild_from_type" | "_rebuild_from_type_v2", _) if torch => Global::RebuildFromType,
            (first, _) if torch && FIRST.contains(&first) => Global::First,
            _ => Global::Other(self.text(format!("{}.{}", short(module), short(name)))),
        })
    }

    /// What a persistent id stands for: a storage, `('storage', type, key, location, count)`; in the older format also the class of a
    /// module, `('module', class, file, source)`.
    fn persistent(&mut self, id: Value, place: &Cursor) -> Result<Value, LoadError> {
        let parts = match id {
            Value::Tuple(tuple) => self.sequences[tuple].as_slice(),
            _ => &[],
        };
        let (element, key, count) = match *parts {
            [Value::Text(kind), class, ..] if self.texts[kind] == "module" => return Ok(class),
            [_, Value::Global(Global::StorageOf(element)), Value::Text(key), _, Value::Int(count), ..] => {
                (element, key, count)
            }
            _ => return Ok(self.object(Value::Other, id)),
        };
        // A sixth part tells that it shows some of another storage, as only very old files have it.
        if !matches!(parts.get(5), None | Some(Value::None)) {
            let place = format!("pickle, byte {}", place.position());
            return Err(unsupported(FORMAT, place, "a storage that shows part of another", "whole storages"));
        }
        let count = usize::try_from(count).map_err(|_| place.malformed("a storage of at least 0 elements", count))?;
        let key = &self.texts[key];
        if key.len() > MAX_NAME {
            return Err(place.malformed(format!("the key of a storage, of at most {MAX_NAME} bytes"), key.len()));
        }
        if let Some(&known) = self.keys.get(key) {
            let storage = &self.storages[known];
            if (storage.element, storage.count) != (element, count) {
                return Err(place.malformed("a storage of one type and count", format!("'{key}' as another")));
            }
            return Ok(Value::Storage(known));
        }
        let key = key.clone();
        self.keys.insert(key.clone(), self.storages.len());
        self.storages.push(Storage { element, key, count });
        Ok(Value::Storage(self.storages.len() - 1))
    }

    /// What a call gives: of a function that is known and given what PyTorch gives it, what that means; else an object.
    fn call(&mut self, mut called: Value, mut arguments: Value, place: &Cursor) -> Result<Value, LoadError> {
        if let (Value::Global(Global::RebuildFromType), [inner, _, Value::Tuple(given), ..]) =
            (called, &self.arguments(arguments)[..])
        {
            (called, arguments) = (*inner, Value::Tuple(*given));
        }
        let given = self.arguments(arguments);
        let Value::Global(global) = called else { return Ok(self.object(called, arguments)) };
        match (global, &given[..]) {
            (Global::OrderedDict, []) => Ok(self.dictionary()),
            // As Python 2 has it: a list of pairs.
            (Global::OrderedDict, &[Value::List(list)]) => {
                self.spend(self.sequences[list].len(), place)?;
                let pair = |value: &Value| match value {
                    Value::Tuple(pair) | Value::List(pair) => match self.sequences[*pair][..] {
                        [key, value] => Some((key, value)),
                        _ => None,
                    },
                    _ => None,
                };
                let pairs = self.sequences[list].iter().filter_map(pair).collect();
                self.dictionaries.push(pairs);
                Ok(Value::Dictionary(self.dictionaries.len() - 1))
            }
            (Global::First, &[first, ..]) => Ok(first),
            (
                Global::RebuildTensor | Global::RebuildTyped | Global::RebuildQuantized,
                &[
                    Value::Storage(storage),
                    Value::Int(offset),
                    Value::Tuple(shape),
                    Value::Tuple(strides),
                    ref rest @ ..,
                ],
            ) => {
                let mut element = Some(self.storages[storage].element);
                let mut scale = None;
                match (global, rest) {
                    (Global::RebuildTyped, &[_, _, Value::Global(Global::Other(name)), ..]) => {
                        element = self.texts[name].strip_prefix("torch.").and_then(Element::named);
                    }
                    (Global::RebuildQuantized, &[Value::Tuple(quantizer), ..]) => {
                        scale = self.scale(quantizer);
                        element = element.filter(|_| scale.is_some());
                    }
                    _ => {}
                }
                // What is said of a tensor in the end: that its numbers are to be negated, or conjugated.
                let changed =
                    |value: &Value| matches!(value, Value::Dictionary(said) if !self.dictionaries[*said].is_empty());
                if rest.iter().skip(2).any(changed) {
                    element = None;
                }
                let tensor = format!("a tensor with as many strides as sides, none below 0, at most {MAX_SIDES}");
                let Some(element) = element else { return Ok(self.object(called, arguments)) };
                match (usize::try_from(offset), self.sizes(shape), self.sizes(strides)) {
                    (Ok(offset), Some(shape), Some(strides)) if shape.len() == strides.len() => {
                        self.tensors.push(Strided { storage, element, offset, shape, strides, scale });
                        Ok(Value::Tensor(self.tensors.len() - 1))
                    }
                    _ => Err(place.malformed(tensor, "another")),
                }
            }
            _ => Ok(self.object(called, arguments)),
        }
    }

    /// As many arguments as a function that is known can have.
    fn arguments(&self, arguments: Value) -> Vec<Value> {
        match arguments {
            Value::Tuple(tuple) => self.sequences[tuple].iter().copied().take(MOST_ARGUMENTS).collect(),
            _ => Vec::new(),
        }
    }

    /// What the integers of a quantized tensor stand for: `(scheme, scale, zero point)`, or `(scheme, scales, zero points, axis)`.
    fn scale(&self, quantizer: usize) -> Option<Scale> {
        match self.sequences[quantizer][..] {
            [_, Value::Float(scale), Value::Int(zero)] => Some(Scale::Whole(scale, zero)),
            [_, Value::Tensor(scales), Value::Tensor(zeros), Value::Int(axis)] => {
                Some(Scale::Along(scales, zeros, usize::try_from(axis).ok()?))
            }
            _ => None,
        }
    }

    fn sizes(&self, tuple: usize) -> Option<Vec<usize>> {
        let side = |value: &Value| match value {
            Value::Int(side) => usize::try_from(*side).ok(),
            _ => None,
        };
        let sides = &self.sequences[tuple];
        if sides.len() > MAX_SIDES {
            return None;
        }
        sides.iter().map(side).collect()
    }
}

/// A name that is not copied at length again and again.
fn short(name: &str) -> String {
    name.chars().take(160).collect()
}

/// A whole number, little-endian.
fn whole(bytes: &[u8]) -> Value {
    let negative = bytes.last().is_some_and(|&last| last >= 0x80);
    let mut wide = [if negative { 0xff } else { 0 }; 8];
    match wide.get_mut(..bytes.len()) {
        Some(low) => {
            low.copy_from_slice(bytes);
            Value::Int(i64::from_le_bytes(wide))
        }
        None => Value::Other,
    }
}
