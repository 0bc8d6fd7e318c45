//! The tensors of a state dictionary, or of one that lies in a wrapper.

use super::pickle::Pickle;
use super::value::{FORMAT, Strided, Value};
use crate::error::LoadError;
use crate::formats::cursor::{MAX_TENSORS, malformed};

/// Keys under which training programs keep the state dictionary beside other things.
const WRAPPERS: [&str; 8] =
    ["state_dict", "model_state_dict", "model", "net", "network", "module", "params", "weights"];

/// The deepest that dictionaries may nest.
const MAX_DEPTH: usize = 8;

/// The tensors of what a pickle made, by their keys; those of nested dictionaries have dots between. If some of them lie under a key that names a wrapper, it is those, without that key.
///
/// # Errors
/// [`LoadError::Malformed`] if there are none, or dictionaries nest too deeply.
pub fn views<'a>(pickle: &'a Pickle, root: Value) -> Result<Vec<(String, &'a Strided)>, LoadError> {
    let mut root = root;
    while let Some(inner) = wrapped(pickle, root) {
        root = inner;
    }
    let mut walk = Walk { pickle, views: Vec::new(), steps: 0 };
    walk.visit(root, &mut Vec::new())?;
    if walk.views.is_empty() {
        return Err(malformed(FORMAT, "pickle", "a dictionary with tensors", "none"));
    }
    Ok(walk.views)
}

/// What lies under the key of a wrapper, if there are no tensors beside it. A dictionary that lies in itself does not: its number is
/// not above that of what it lies in.
fn wrapped(pickle: &Pickle, value: Value) -> Option<Value> {
    let Value::Dictionary(outer) = value else { return None };
    let items = &pickle.dictionaries[outer];
    if items.iter().any(|(_, value)| matches!(value, Value::Tensor(_))) {
        return None;
    }
    let under = |wanted: &str| {
        items.iter().find_map(|&(key, value)| match (key, value) {
            (Value::Text(key), Value::Dictionary(inner)) if pickle.texts[key] == wanted && inner > outer => Some(value),
            _ => None,
        })
    };
    WRAPPERS.into_iter().find_map(under)
}

struct Walk<'a, 'b> {
    pickle: &'a Pickle<'b>,
    views: Vec<(String, &'a Strided)>,
    /// Values that were looked at: one dictionary can lie in many places.
    steps: usize,
}

impl<'a> Walk<'a, '_> {
    fn visit(&mut self, value: Value, path: &mut Vec<&'a str>) -> Result<(), LoadError> {
        self.steps += 1;
        if self.steps > 4 * MAX_TENSORS {
            return Err(malformed(FORMAT, "pickle", format!("at most {} values", 4 * MAX_TENSORS), "more"));
        }
        match value {
            Value::Tensor(index) => {
                let pickle = self.pickle;
                self.views.push((path.join("."), &pickle.tensors[index]));
            }
            Value::Dictionary(index) => {
                if path.len() == MAX_DEPTH {
                    let expected = format!("at most {MAX_DEPTH} nested dictionaries");
                    return Err(malformed(FORMAT, "pickle", expected, "more"));
                }
                let pickle = self.pickle;
                for &(key, value) in &pickle.dictionaries[index] {
                    // Other keys, such as the numbers of an optimizer's parameters, name no weights.
                    if let Value::Text(key) = key {
                        path.push(&pickle.texts[key]);
                        self.visit(value, path)?;
                        path.pop();
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}
