//! A graph as a file has it: operators, attributes and values by their names. The names and what they mean are those of ONNX, whatever
//! the format; numbers are borrowed from the file where they lie in it as they are.

use super::tensor::{Numbers, Tensor};
use crate::error::LoadError;
use crate::formats::cursor::{MAX_NAME, malformed, unsupported};
use std::borrow::Cow;
use std::rc::Rc;

/// A graph.
#[derive(Debug, Default)]
pub struct Graph<'a> {
    /// The format of the file, for errors.
    pub format: &'static str,
    /// Version of the standard operator set.
    pub opset: i64,
    /// In the order in which they run.
    pub nodes: Vec<Node<'a>>,
    /// Tensors that are in the file.
    pub constants: Vec<Rc<Tensor<'a>>>,
    /// Inputs; constants may be among them.
    pub inputs: Vec<Input<'a>>,
    /// Names of the outputs.
    pub outputs: Vec<Cow<'a, str>>,
}

/// An input.
#[derive(Debug, Default)]
pub struct Input<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Type of an element, as in [`Tensor::kind`]; 0 if it is not a tensor.
    pub kind: i64,
    /// Its dimensions; `None` where one is a symbol or missing.
    pub dimensions: Vec<Option<i64>>,
    /// Whether not even their number is known.
    pub unranked: bool,
}

/// An operator.
#[derive(Debug, Clone, Default)]
pub struct Node<'a> {
    /// The format of the file, for errors.
    pub format: &'static str,
    /// Its name; may be empty.
    pub name: Cow<'a, str>,
    /// What it does.
    pub op: &'a str,
    /// The operator set; empty is the standard one.
    pub domain: &'a str,
    /// Names of what it reads; an empty name is an optional input that is left out.
    pub inputs: Vec<Cow<'a, str>>,
    /// Names of what it makes.
    pub outputs: Vec<Cow<'a, str>>,
    /// By their names.
    pub attributes: Vec<(&'a str, Attribute<'a>)>,
    /// Version of the standard operator set, if another than the graph's; otherwise 0.
    pub opset: i64,
    /// Which of several functions of its name it calls.
    pub overload: &'a str,
}

/// What a node has beside its inputs.
#[derive(Debug, Clone)]
pub enum Attribute<'a> {
    Float(f32),
    Int(i64),
    /// Text in UTF-8, if a reader of it finds it to be that.
    Text(&'a [u8]),
    Tensor(Rc<Tensor<'a>>),
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    /// Several texts.
    Texts(Vec<&'a [u8]>),
    /// In a function: what its call has under this name.
    Reference(&'a str),
    /// What no operator here has, such as a graph, by ONNX's number of the type.
    Other(i64),
}

impl Graph<'_> {
    /// Puts the sides of a sample in the place of those that inputs leave open beside the samples' axis. Sides of 1 may be missing in it.
    ///
    /// # Errors
    /// [`LoadError`] if there is no input that it fits.
    pub fn fit(&mut self, sample: &[usize]) -> Result<(), LoadError> {
        if sample.is_empty() {
            return Ok(());
        }
        let open = |input: &Input| input.unranked || input.dimensions.iter().skip(1).any(Option::is_none);
        let mut fits = !self.inputs.iter().any(open);
        for input in &mut self.inputs {
            if self.constants.iter().any(|constant| constant.name == input.name) {
                continue;
            }
            if std::mem::take(&mut input.unranked) {
                input.dimensions = vec![None; sample.len() + 1];
            }
            // Where the samples are along another axis than the first, one is taken at a time.
            let open: Vec<usize> =
                (0..input.dimensions.len()).filter(|&axis| input.dimensions[axis].is_none()).collect();
            let others = input.dimensions.iter().flatten().map(|&side| side as usize);
            if let (&[axis], Some(Some(2..))) = (&open[..], input.dimensions.first())
                && others.eq(sample.iter().copied())
            {
                input.dimensions[axis] = Some(1);
                fits = true;
                continue;
            }
            let Some((_, sides)) = input.dimensions.split_first_mut() else { continue };
            let ones = vec![1; sides.len().saturating_sub(sample.len())];
            let fitting = [[&ones, sample].concat(), [sample, &ones].concat()].into_iter().find(|wide| {
                let same = |(side, &wide): (&Option<i64>, &usize)| side.is_none_or(|side| side == wide as i64);
                wide.len() == sides.len() && sides.iter().zip(wide).all(same)
            });
            if let Some(wide) = fitting {
                fits = true;
                sides.iter_mut().zip(wide).for_each(|(side, wide)| *side = Some(wide as i64));
            }
        }
        let side = |side: &Option<i64>| side.map_or_else(|| "any".to_owned(), |side| side.to_string());
        let shape = |input: &Input| input.dimensions.iter().map(side).collect::<Vec<_>>().join(", ");
        let expected =
            || format!("a sample that fits an input of [{}]", self.inputs.first().map(shape).unwrap_or_default());
        if fits { Ok(()) } else { Err(malformed(self.format, "graph", expected(), format!("{sample:?}"))) }
    }
}

/// Whether a domain is that of the standard operators.
pub fn is_standard(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

impl Attribute<'_> {
    /// Sizes as integers.
    pub fn sizes(sizes: &[usize]) -> Self {
        Attribute::Ints(sizes.iter().map(|&size| size as i64).collect())
    }

    /// ONNX's number of its type.
    pub fn kind(&self) -> i64 {
        match self {
            Attribute::Float(_) => 1,
            Attribute::Int(_) => 2,
            Attribute::Text(_) => 3,
            Attribute::Tensor(_) => 4,
            Attribute::Floats(_) => 6,
            Attribute::Ints(_) => 7,
            Attribute::Texts(_) => 8,
            Attribute::Reference(_) => 0,
            Attribute::Other(kind) => *kind,
        }
    }
}

impl<'a> Node<'a> {
    /// Gives the tensor of a Constant the name of what the node makes: its own may be that of many.
    pub fn name_constant(&mut self) {
        if let ("Constant", Some(output), Some((_, Attribute::Tensor(tensor)))) =
            (self.op, self.outputs.first(), self.attributes.first_mut())
        {
            let borrowed = matches!(tensor.numbers, Numbers::Raw(Cow::Borrowed(_)));
            match Rc::get_mut(tensor) {
                Some(tensor) => tensor.name = output.clone(),
                // Only what is borrowed is copied for a name.
                None if borrowed => *tensor = Rc::new(Tensor { name: output.clone(), ..Tensor::clone(tensor) }),
                None => {}
            }
        }
    }

    /// Where an error is: the node's name, or else its first output, and its operator.
    pub fn place(&self) -> String {
        format!("{} node '{}'", self.op, self.label())
    }

    /// Its name, or else that of its first output.
    pub fn label(&self) -> &str {
        let mut names = std::iter::once(&self.name).chain(&self.outputs);
        names.find(|name| !name.is_empty()).map_or("", |name| name)
    }

    /// The error for a feature of this node.
    pub fn unsupported(&self, feature: impl Into<String>, supported: &str) -> LoadError {
        unsupported(self.format, self.place(), feature.into(), supported)
    }

    /// The error for a broken rule in this node.
    pub fn malformed(&self, expected: &str, got: impl Into<String>) -> LoadError {
        malformed(self.format, self.place(), expected, got.into())
    }

    /// Proves that there are no attributes but these, and none twice: one that is ignored could change the result.
    pub fn allow_attributes(&self, names: &[&str]) -> Result<(), LoadError> {
        for (index, (name, _)) in self.attributes.iter().enumerate() {
            if !names.contains(name) {
                return Err(self.unsupported(format!("attribute '{name}'"), &format!("{names:?}")));
            }
            if self.attributes[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(self.malformed("each attribute once", format!("'{name}' twice")));
            }
        }
        Ok(())
    }

    pub fn attribute(&self, name: &str) -> Option<&Attribute<'a>> {
        self.attributes.iter().find(|(candidate, _)| *candidate == name).map(|(_, attribute)| attribute)
    }

    /// Whether the attribute is there.
    pub fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    /// What an attribute of a type, by ONNX's number of it, holds, if it is there.
    fn get<T>(
        &self,
        name: &str,
        kind: i64,
        value: impl FnOnce(&Attribute<'a>) -> Option<T>,
    ) -> Result<Option<T>, LoadError> {
        let Some(attribute) = self.attribute(name) else { return Ok(None) };
        let mismatch = || {
            let expected = format!("attribute '{name}' of type {kind}");
            self.malformed(&expected, format!("type {}", attribute.kind()))
        };
        value(attribute).ok_or_else(mismatch).map(Some)
    }

    /// An integer.
    pub fn int(&self, name: &str, default: i64) -> Result<i64, LoadError> {
        let value = self.get(name, 2, |value| if let Attribute::Int(value) = value { Some(*value) } else { None });
        Ok(value?.unwrap_or(default))
    }

    /// A number.
    pub fn float(&self, name: &str, default: f32) -> Result<f32, LoadError> {
        let value = self.get(name, 1, |value| if let Attribute::Float(value) = value { Some(*value) } else { None });
        let value = value?.unwrap_or(default);
        if value.is_finite() { Ok(value) } else { Err(self.malformed("finite numbers", format!("{name} = {value}"))) }
    }

    /// Text.
    pub fn text(&self, name: &str, default: &'static str) -> Result<&'a str, LoadError> {
        let bytes = self.get(name, 3, |value| if let Attribute::Text(bytes) = value { Some(*bytes) } else { None });
        let bytes = bytes?.unwrap_or(default.as_bytes());
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= MAX_NAME);
        let expected = || format!("at most {MAX_NAME} bytes of UTF-8 as attribute '{name}'");
        text.ok_or_else(|| self.malformed(&expected(), format!("{} bytes", bytes.len())))
    }

    /// Integers.
    pub fn ints(&self, name: &str) -> Result<Option<Vec<i64>>, LoadError> {
        self.get(name, 7, |value| if let Attribute::Ints(values) = value { Some(values.clone()) } else { None })
    }

    /// Numbers.
    pub fn floats(&self, name: &str) -> Result<Option<Vec<f32>>, LoadError> {
        self.get(name, 6, |value| if let Attribute::Floats(values) = value { Some(values.clone()) } else { None })
    }

    /// Texts.
    pub fn texts(&self, name: &str) -> Result<Vec<&'a [u8]>, LoadError> {
        let texts =
            self.get(name, 8, |value| if let Attribute::Texts(texts) = value { Some(texts.clone()) } else { None });
        Ok(texts?.unwrap_or_default())
    }

    /// A tensor.
    pub fn tensor(&self, name: &str) -> Result<Option<Rc<Tensor<'a>>>, LoadError> {
        self.get(name, 4, |value| if let Attribute::Tensor(tensor) = value { Some(tensor.clone()) } else { None })
    }
}
