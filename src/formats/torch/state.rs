//! The weights in what a pickle made: a state dictionary, a module that has one, or whatever has tensors in it.

use super::pickle::Pickle;
use super::value::{FORMAT, Global, Object, Value};
use crate::error::LoadError;
use crate::formats::collect::listed;
use crate::formats::cursor::{MAX_NAME, MAX_TENSORS, malformed};
use std::borrow::Cow;
use std::collections::HashSet;

/// Keys under which training programs keep the weights beside other things: it is the first of them that has tensors.
const WRAPPERS: [&str; 10] = [
    "state_dict",
    "model_state_dict",
    "model",
    "model_state",
    "net_state_dict",
    "net",
    "network",
    "module",
    "params",
    "weights",
];

/// Those of averages of the weights: what is taken if there is nothing else.
const AVERAGES: [&str; 8] = [
    "ema",
    "ema_model",
    "ema_state_dict",
    "model_ema",
    "model_ema_state_dict",
    "state_dict_ema",
    "params_ema",
    "ema_params",
];

/// Wrappers in wrappers that are looked into, at most.
const MAX_WRAPPERS: usize = 8;

/// The deepest that values may nest.
const MAX_DEPTH: usize = 64;

/// Values that are looked at, at most.
const MAX_STEPS: usize = 16 * MAX_TENSORS;

/// A key and what lies under it.
type Item = (Value, Value);

/// The weights that were found.
#[derive(Debug, Default)]
pub struct State {
    /// Names, with dots between those of nested values, and places among the tensors of the pickle.
    pub tensors: Vec<(String, usize)>,
    /// What was left out.
    pub notes: Vec<String>,
}

/// The weights in what a pickle made. If some lie under a key that names a wrapper, it is those, without that key; of a module, those of
/// its state dictionary. `root` comes first in each name, unless it is empty.
///
/// # Errors
/// [`LoadError::Malformed`] if values nest too deeply, or there are too many.
pub fn weights(pickle: &Pickle, value: Value, root: &str) -> Result<State, LoadError> {
    let mut state = State::default();
    let mut value = value;
    let mut seen = HashSet::new();
    for _ in 0..MAX_WRAPPERS {
        let items = inside(pickle, value);
        let Some(chosen) = wrapped(pickle, value, &items) else { break };
        value = items[chosen].1;
        // What is in it is not left out, wherever else it is.
        count(pickle, value, &mut seen);
        let (mut tensors, mut others) = (Vec::new(), Vec::new());
        for (place, (key, value)) in items.iter().enumerate().filter(|(place, _)| *place != chosen) {
            let name = short(&name(pickle, *key, place));
            match count(pickle, *value, &mut seen) {
                0 => others.push(name),
                1 => tensors.push(format!("{name} (1 tensor)")),
                found => tensors.push(format!("{name} ({found} tensors)")),
            }
        }
        let mut note = format!("the weights are those under '{}'", name(pickle, items[chosen].0, chosen));
        for (before, names) in [("left out", tensors), ("without tensors", others)] {
            if !names.is_empty() {
                note += &format!("; {before}: {}", listed(names.iter().map(String::as_str)));
            }
        }
        state.notes.push(note);
    }
    let path = if root.is_empty() { Vec::new() } else { vec![Cow::Borrowed(root)] };
    let (on_path, unread, optimizers) = Default::default();
    let mut walk = Walk { pickle, state, path, on_path, steps: 0, seen: HashSet::new(), unread, optimizers };
    walk.visit(value)?;
    let Walk { mut state, unread, optimizers, .. } = walk;
    for names in [optimizers, unread].into_iter().filter(|names| !names.is_empty()) {
        state.notes.push(format!("left out: {}", listed(names.iter().map(String::as_str))));
    }
    Ok(state)
}

/// The item that has the weights, if the value is a dictionary that has other things beside them.
fn wrapped(pickle: &Pickle, value: Value, items: &[Item]) -> Option<usize> {
    let dictionary = match value {
        Value::Dictionary(_) => true,
        Value::Object(object) => !pickle.objects[object].items.is_empty(),
        _ => false,
    };
    let text = |key: &Value| word(pickle, *key).unwrap_or("");
    // A state dictionary of its own has names with dots.
    let flat = |(key, value): &Item| matches!(value, Value::Tensor(_)) && text(key).contains('.');
    if !dictionary || items.iter().any(flat) {
        return None;
    }
    let mut find = |wanted: &&str| {
        let place = items.iter().rposition(|(key, _)| text(key) == *wanted)?;
        let holds = !matches!(items[place].1, Value::Tensor(_));
        (holds && count(pickle, items[place].1, &mut HashSet::new()) > 0).then_some(place)
    };
    let average = |place: &usize| {
        let mut seen = HashSet::new();
        let mut others = items.iter().enumerate().filter(|(other, _)| other != place);
        others.all(|(_, (key, value))| {
            let single = matches!(value, Value::Tensor(_));
            single || text(key).contains("optim") || count(pickle, *value, &mut seen) == 0
        })
    };
    WRAPPERS.iter().find_map(&mut find).or_else(|| AVERAGES.iter().find_map(find).filter(average))
}

/// Tensors in a value that were not seen yet.
fn count(pickle: &Pickle, value: Value, seen: &mut HashSet<(u8, usize)>) -> usize {
    let (mut found, mut left) = (0, vec![value]);
    while let Some(value) = left.pop() {
        let identity = match value {
            Value::Tensor(tensor) => (0, tensor),
            Value::Tuple(sequence) | Value::List(sequence) => (1, sequence),
            Value::Dictionary(dictionary) => (2, dictionary),
            Value::Object(object) => (3, object),
            _ => continue,
        };
        if seen.insert(identity) {
            found += usize::from(identity.0 == 0);
            left.extend(inside(pickle, value).into_iter().map(|(_, value)| value));
        }
    }
    found
}

/// What lies in a value: of a module, what its state dictionary has.
fn inside(pickle: &Pickle, value: Value) -> Vec<Item> {
    let Value::Object(object) = value else { return items(pickle, value) };
    let object = &pickle.objects[object];
    module(pickle, object).unwrap_or_else(|| {
        let attributes = [object.state, object.arguments].into_iter().flat_map(|value| items(pickle, value));
        object.items.iter().copied().chain(attributes).collect()
    })
}

/// The items of a tuple, a list or a dictionary.
fn items(pickle: &Pickle, value: Value) -> Vec<Item> {
    match value {
        Value::Tuple(sequence) | Value::List(sequence) => {
            (0..).map(Value::Int).zip(pickle.sequences[sequence].iter().copied()).collect()
        }
        Value::Dictionary(dictionary) => pickle.dictionaries[dictionary].clone(),
        Value::Object(object) => pickle.objects[object].items.clone(),
        _ => Vec::new(),
    }
}

/// Of a `torch.nn.Module`: its parameters, its buffers but those that it does not save, and the modules in it.
fn module(pickle: &Pickle, object: &Object) -> Option<Vec<Item>> {
    let state = items(pickle, object.state);
    let get = |wanted: &str| state.iter().find(|(key, _)| word(pickle, *key) == Some(wanted)).map(|(_, value)| *value);
    let (parameters, modules) = (get("_parameters")?, get("_modules")?);
    let transient: HashSet<&str> = match get("_non_persistent_buffers_set") {
        Some(Value::Object(set)) => {
            // The names in a set, or in the list that it was made of.
            let Object { items: set, arguments, .. } = &pickle.objects[set];
            let listed = items(pickle, *arguments).into_iter().flat_map(|(_, list)| items(pickle, list));
            set.iter().copied().chain(listed).filter_map(|(_, name)| word(pickle, name)).collect()
        }
        _ => HashSet::new(),
    };
    let saved = |(key, _): &Item| word(pickle, *key).is_none_or(|key| !transient.contains(key));
    let buffers = get("_buffers").into_iter().flat_map(|buffers| items(pickle, buffers)).filter(saved);
    Some(items(pickle, parameters).into_iter().chain(buffers).chain(items(pickle, modules)).collect())
}

/// A string.
fn word<'a>(pickle: &'a Pickle, value: Value) -> Option<&'a str> {
    match value {
        Value::Text(text) => Some(&pickle.texts[text]),
        _ => None,
    }
}

/// A key as part of a name; one that is no word of a name's length, number or tuple of them is its place.
fn name<'a>(pickle: &'a Pickle, key: Value, place: usize) -> Cow<'a, str> {
    let part = |key: &Value| match key {
        Value::Text(text) => {
            Some(pickle.texts[*text].as_str()).filter(|text| text.len() <= MAX_NAME).map(Cow::Borrowed)
        }
        Value::Int(number) => Some(number.to_string().into()),
        _ => None,
    };
    let name = match key {
        Value::Tuple(tuple) => {
            let parts = &pickle.sequences[tuple];
            let few = parts.iter().take(8).map(part).collect::<Option<Vec<_>>>().map(|parts| parts.join("."));
            few.filter(|_| parts.len() <= 8).map(Cow::Owned)
        }
        _ => part(&key),
    };
    name.unwrap_or_else(|| place.to_string().into())
}

/// A name in a note.
fn short(name: &str) -> String {
    name.chars().take(80).collect()
}

struct Walk<'a, 'b> {
    pickle: &'a Pickle<'b>,
    state: State,
    path: Vec<Cow<'a, str>>,
    /// The values that the one that is looked at lies in: a module may know the one that it is in.
    on_path: Vec<Value>,
    /// Values that were looked at: one dictionary can lie in many places.
    steps: usize,
    /// What was counted among what is left out.
    seen: HashSet<(u8, usize)>,
    /// Tensors of kinds that are not read.
    unread: Vec<String>,
    optimizers: Vec<String>,
}

impl Walk<'_, '_> {
    fn visit(&mut self, value: Value) -> Result<(), LoadError> {
        let pickle = self.pickle;
        // A module has attributes that are looked at and not visited.
        self.steps += match value {
            Value::Object(object) => 1 + items(pickle, pickle.objects[object].state).len(),
            _ => 1,
        };
        if self.steps > MAX_STEPS {
            return Err(malformed(FORMAT, "pickle", format!("at most {MAX_STEPS} values"), "more"));
        }
        match value {
            Value::Tensor(tensor) => {
                let name = self.name()?;
                self.state.tensors.push((name, tensor));
                return Ok(());
            }
            Value::Tuple(_) | Value::List(_) | Value::Dictionary(_) | Value::Object(_) => {}
            _ => return Ok(()),
        }
        if self.on_path.contains(&value) {
            return Ok(());
        }
        if self.on_path.len() == MAX_DEPTH {
            return Err(malformed(FORMAT, "pickle", format!("at most {MAX_DEPTH} nested values"), "more"));
        }
        if let Value::Object(object) = value
            && let Some(function) = rebuilt(pickle, &pickle.objects[object])
        {
            let name = self.name()?;
            self.unread.push(format!("{} ({function})", short(&name)));
            return Ok(());
        }
        let items = inside(pickle, value);
        let has = |wanted: &str| items.iter().any(|(key, _)| word(pickle, *key) == Some(wanted));
        if !self.on_path.is_empty() && has("state") && has("param_groups") {
            let (name, tensors) = (self.name()?, count(pickle, value, &mut self.seen));
            self.optimizers.push(format!("{} (an optimizer's {tensors} tensors)", short(&name)));
            return Ok(());
        }
        self.on_path.push(value);
        for (place, (key, value)) in items.into_iter().enumerate() {
            self.path.push(name(pickle, key, place));
            self.visit(value)?;
            self.path.pop();
        }
        self.on_path.pop();
        Ok(())
    }

    /// The name of what is looked at.
    fn name(&self) -> Result<String, LoadError> {
        let length: usize = self.path.iter().map(|part| part.len() + 1).sum();
        match length {
            0 => Ok("tensor".into()),
            1..=MAX_NAME => Ok(self.path.join(".")),
            _ => Err(malformed(FORMAT, "tensor", format!("a name of at most {MAX_NAME} bytes"), length)),
        }
    }
}

/// The function that would have made a tensor of a kind that is not read, or an array.
fn rebuilt<'a>(pickle: &'a Pickle, object: &Object) -> Option<&'a str> {
    match object.called {
        Value::Global(Global::Other(name)) => {
            let name = pickle.texts[name].as_str();
            (name.contains("._rebuild_") || name.ends_with("multiarray._reconstruct")).then_some(name)
        }
        Value::Global(Global::RebuildTensor | Global::RebuildTyped) => Some("of a type that is not known"),
        Value::Global(Global::RebuildQuantized) => Some("quantized in a way that is not known"),
        _ => None,
    }
}
