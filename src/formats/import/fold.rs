//! What does not depend on the network's input is computed while the file is read: exporters put the arithmetic of shapes into
//! the graph, and scale or turn weights there.
//!
//! Numbers are 64-bit floats here: integers of 53 bits are exact, and a sum, product or quotient of 32-bit floats that is
//! rounded again is what 32-bit arithmetic gives.

use super::graph::Node;
use super::importer::{BATCH, Constant, Importer, Known};
use super::moves::MOVES;
use super::tensor::{BFLOAT16, BOOL, FLOAT, FLOAT16, INT64, Numbers, Tensor, is_float, range, type_name};
use crate::error::LoadError;
use crate::model::{NOWHERE, Op, Pad, broadcast, expand};
use std::rc::Rc;

/// An array that is being computed.
struct Array {
    kind: i64,
    shape: Vec<usize>,
    numbers: Vec<f64>,
}

impl Array {
    /// The numbers broadcast to a shape.
    fn expanded(&self, shape: &[usize]) -> Option<Vec<f64>> {
        let table = expand(&self.shape, shape)?;
        table.into_iter().map(|place| self.numbers.get(place as usize).copied()).collect()
    }
}

impl<'a> Importer<'a> {
    /// Computes a node whose inputs are all constants, if its operator is one of those that are computed here.
    pub fn fold(&mut self, node: &'a Node<'a>) -> Result<bool, LoadError> {
        let mut inputs = Vec::new();
        for index in 0..node.inputs.len() {
            match self.input(node, index)? {
                Some(Known::Value(_)) => return Ok(false),
                Some(Known::Constant(tensor, shape)) => inputs.push(Some((tensor, shape))),
                None => inputs.push(None),
            }
        }
        match node.op {
            "Constant" => return self.constant_node(node).map(|()| true),
            moved if MOVES.contains(&moved) => return self.moved_constant(node).map(|()| true),
            _ => {}
        }
        let result = match node.op {
            "Shape" => return self.constant_shape(node).map(|()| true),
            "Cast" => {
                node.allow_attributes(&["to", "saturate"])?;
                let kind = node.int("to", 0)?;
                let mut array = one(node, self.arrays(&inputs)?)?;
                let (low, high) = range(kind)
                    .ok_or_else(|| node.unsupported(type_name(kind), "floats of 16 to 64 bits, integers of 8 to 64"))?;
                let before = array.numbers.clone();
                if is_float(kind) {
                    self.numbers_only(node, &array)?;
                }
                let batch = (array.kind == INT64).then_some(BATCH as f64);
                for number in &mut array.numbers {
                    // The number of samples stays what it is in any type of integers.
                    if Some(*number) == batch && kind != BOOL {
                        continue;
                    }
                    *number = match kind {
                        BOOL => f64::from(*number != 0.0),
                        FLOAT16 => rounded(*number, 10, -14, 65504.0),
                        BFLOAT16 => rounded(*number, 7, -126, 3.389_531_389_251_535_5e38),
                        _ if is_float(kind) => *number,
                        _ => number.trunc(),
                    };
                    if !is_float(kind) && !(low..=high).contains(number) {
                        return Err(
                            node.unsupported(format!("{number} as {}", type_name(kind)), &format!("{low} to {high}"))
                        );
                    }
                }
                // The same numbers are the same constant, under the name that it has.
                if let Some((tensor, shape)) = inputs.iter().flatten().next()
                    && before == array.numbers
                {
                    let cast = Tensor::computed(self.format, tensor.name.clone(), kind, shape, &array.numbers);
                    return self.define(node, Known::Constant(Rc::new(cast), shape.clone())).map(|()| true);
                }
                Array { kind, ..array }
            }
            "ConstantOfShape" => {
                node.allow_attributes(&["value"])?;
                let sides = self.ints(node, 0)?;
                let shape = self.sizes(node, &sides)?;
                let (kind, value) = match node.tensor("value")? {
                    Some(tensor) => (tensor.kind, tensor.numbers()?.first().copied().unwrap_or(0.0)),
                    None => (FLOAT, 0.0),
                };
                self.count_folded(&shape)?;
                let numbers = vec![value; shape.iter().product()];
                Array { kind, shape, numbers }
            }
            "Range" => {
                let arrays = self.arrays(&inputs)?;
                let [start, limit, step] = &arrays[..] else { return Err(node.malformed("three inputs", "others")) };
                let number = |array: &Array| array.numbers.first().copied().unwrap_or(0.0);
                let (start, limit, step, kind) = (number(start), number(limit), number(step), start.kind);
                let count = ((limit - start) / step).ceil().max(0.0);
                if !count.is_finite() || [start, limit].contains(&(BATCH as f64)) {
                    return Err(self.no_batch(node, format!("a range from {start} to {limit} by {step}")));
                }
                self.count_folded(&[count as usize])?;
                let numbers: Vec<f64> = (0..count as usize).map(|at| start + at as f64 * step).collect();
                Array { kind, shape: vec![numbers.len()], numbers }
            }
            "Concat" => {
                node.allow_attributes(&["axis"])?;
                let arrays = self.arrays(&inputs)?;
                self.joined(node, arrays)?
            }
            "Where" => {
                let [condition, yes, no] = <[Array; 3]>::try_from(self.arrays(&inputs)?)
                    .map_err(|_| node.malformed("three inputs", "others"))?;
                let shape = broadcast(&condition.shape, &yes.shape).and_then(|shape| broadcast(&shape, &no.shape));
                let shape = shape.ok_or_else(|| apart(node, &yes, &no))?;
                self.count_folded(&shape)?;
                let of = |array: &Array| array.expanded(&shape).ok_or_else(|| apart(node, &yes, &no));
                let choices = of(&condition)?.into_iter().zip(of(&yes)?.into_iter().zip(of(&no)?));
                let numbers = choices.map(|(c, (yes, no))| if c != 0.0 { yes } else { no }).collect();
                Array { kind: yes.kind, shape, numbers }
            }
            "Neg" | "Abs" | "Sqrt" | "Floor" | "Ceil" | "Not" => {
                node.allow_attributes(&[])?;
                let mut array = one(node, self.arrays(&inputs)?)?;
                self.numbers_only(node, &array)?;
                let function: fn(f64) -> f64 = match node.op {
                    "Neg" => |x| -x,
                    "Abs" => f64::abs,
                    "Sqrt" => f64::sqrt,
                    "Floor" => f64::floor,
                    "Ceil" => f64::ceil,
                    _ => |x| f64::from(x == 0.0),
                };
                array.numbers.iter_mut().for_each(|number| *number = function(*number));
                array
            }
            "Add" | "Sub" | "Mul" | "Div" | "Mod" | "Min" | "Max" | "Equal" | "Less" | "LessOrEqual" | "Greater"
            | "GreaterOrEqual" | "And" | "Or" => {
                node.allow_attributes(&["axis", "broadcast", "fmod"])?;
                let mut arrays = self.arrays(&inputs)?.into_iter();
                let mut total = arrays.next().ok_or_else(|| node.malformed("two inputs", "none"))?;
                for mut next in arrays {
                    // Before operator set 7 the axes of the second start at one that is named.
                    if self.opset < 7 && node.has("axis") {
                        let (axis, rank) = (node.int("axis", 0)?, total.shape.len());
                        next.shape.resize((rank - self.axis(node, axis, rank)?).max(next.shape.len()), 1);
                    }
                    total = self.arithmetic(node, total, next)?;
                }
                total
            }
            "DequantizeLinear" => {
                node.allow_attributes(&["axis"])?;
                let axis = node.int("axis", 1)?;
                let mut arrays = self.arrays(&inputs)?.into_iter();
                let (Some(x), Some(scale)) = (arrays.next(), arrays.next()) else {
                    return Err(node.malformed("two inputs", "fewer"));
                };
                let rank = x.shape.len();
                let along = |importer: &Self, mut array: Array| -> Result<Array, LoadError> {
                    // A vector goes along an axis: the others are broadcast.
                    if array.numbers.len() > 1 && array.shape.len() == 1 {
                        array.shape.resize(rank - importer.axis(node, axis, rank)?, 1);
                    }
                    Ok(Array { kind: FLOAT, ..array })
                };
                let mut x = Array { kind: FLOAT, ..x };
                let scale = along(self, scale)?;
                if let Some(zero) = arrays.next() {
                    let zero = along(self, zero)?;
                    x = self.paired(node, x, zero, &|x, zero| x - zero)?;
                }
                self.paired(node, x, scale, &|x, scale| x * scale)?
            }
            _ => return Ok(false),
        };
        self.define_array(node, result)?;
        Ok(true)
    }

    /// The numbers of the inputs that are there.
    fn arrays(&mut self, inputs: &[Option<Constant<'a>>]) -> Result<Vec<Array>, LoadError> {
        let mut arrays = Vec::new();
        for (tensor, shape) in inputs.iter().flatten() {
            self.count_folded(shape)?;
            arrays.push(Array { kind: tensor.kind, shape: shape.clone(), numbers: tensor.numbers()? });
        }
        Ok(arrays)
    }

    fn define_array(&mut self, node: &'a Node<'a>, array: Array) -> Result<(), LoadError> {
        let name = node.outputs.first().cloned().unwrap_or_default();
        let tensor = Tensor::computed(self.format, name, array.kind, &array.shape, &array.numbers);
        self.define(node, Known::Constant(Rc::new(tensor), array.shape))
    }

    /// Sides that a node asks for.
    fn sizes(&self, node: &'a Node<'a>, sides: &[i64]) -> Result<Vec<usize>, LoadError> {
        // A constant is the same for all samples: once is enough.
        let size = |&side: &i64| if side == BATCH { Some(1) } else { usize::try_from(side).ok() };
        let sizes = sides.iter().map(size).collect::<Option<Vec<usize>>>();
        sizes.ok_or_else(|| node.malformed("sides of at least 0", format!("{sides:?}")))
    }

    /// Proves that the number of samples is not among the numbers: it is not known, and cannot be calculated with.
    fn numbers_only(&mut self, node: &'a Node<'a>, array: &Array) -> Result<(), LoadError> {
        if array.kind == INT64 && array.numbers.contains(&(BATCH as f64)) {
            return Err(self.no_batch(node, "arithmetic with the number of samples"));
        }
        Ok(())
    }

    fn arithmetic(&mut self, node: &'a Node<'a>, a: Array, b: Array) -> Result<Array, LoadError> {
        // The number of samples is no number that a shape is compared with, such as -1 or 0; with others it may be.
        let batch = BATCH as f64;
        let compared =
            node.op == "Equal" && [&a, &b].iter().all(|side| side.numbers.iter().all(|&x| x <= 0.0 || x == batch));
        if !compared {
            self.numbers_only(node, &a)?;
            self.numbers_only(node, &b)?;
        }
        let whole = !is_float(a.kind);
        let function: &dyn Fn(f64, f64) -> f64 = match node.op {
            "Add" => &|a, b| a + b,
            "Sub" => &|a, b| a - b,
            "Mul" => &|a, b| a * b,
            "Div" if whole => &|a, b| (a / b).trunc(),
            "Div" => &|a, b| a / b,
            "Mod" if node.int("fmod", 0)? == 0 => &|a, b| a - b * (a / b).floor(),
            "Mod" => &|a, b| a % b,
            "Min" => &f64::min,
            "Max" => &f64::max,
            "Equal" => &|a, b| f64::from(a == b),
            "Less" => &|a, b| f64::from(a < b),
            "LessOrEqual" => &|a, b| f64::from(a <= b),
            "Greater" => &|a, b| f64::from(a > b),
            "GreaterOrEqual" => &|a, b| f64::from(a >= b),
            "And" => &|a, b| f64::from(a != 0.0 && b != 0.0),
            _ => &|a, b| f64::from(a != 0.0 || b != 0.0),
        };
        let kind = match node.op {
            "Add" | "Sub" | "Mul" | "Div" | "Mod" | "Min" | "Max" => a.kind,
            _ => BOOL,
        };
        let result = self.paired(node, a, b, function)?;
        if whole && result.numbers.iter().any(|number| number.is_nan() || number.abs() > (1u64 << 53) as f64) {
            return Err(node.unsupported("integers of more than 53 bits, or a division by 0", "smaller ones"));
        }
        Ok(Array { kind, ..result })
    }

    /// A function of two arrays, broadcast; of the type of the first.
    fn paired(
        &mut self,
        node: &'a Node<'a>,
        a: Array,
        b: Array,
        function: &dyn Fn(f64, f64) -> f64,
    ) -> Result<Array, LoadError> {
        let apart = || apart(node, &a, &b);
        let shape = broadcast(&a.shape, &b.shape).ok_or_else(apart)?;
        self.count_folded(&shape)?;
        let pairs = a.expanded(&shape).ok_or_else(apart)?.into_iter().zip(b.expanded(&shape).ok_or_else(apart)?);
        let mut numbers: Vec<f64> = pairs.map(|(a, b)| function(a, b)).collect();
        if is_float(a.kind) {
            numbers.iter_mut().for_each(|number| *number = f64::from(*number as f32));
        }
        Ok(Array { kind: a.kind, shape, numbers })
    }

    /// Arrays one after the other; empty ones add nothing.
    fn joined(&mut self, node: &'a Node<'a>, mut arrays: Vec<Array>) -> Result<Array, LoadError> {
        let kind = arrays.first().map_or(INT64, |array| array.kind);
        if arrays.len() > 1 && arrays.iter().any(|array| !array.numbers.is_empty()) {
            arrays.retain(|array| !array.numbers.is_empty());
        }
        let rank = arrays.first().map_or(0, |array| array.shape.len());
        let axis = self.axis(node, node.int("axis", 1)?, rank)?;
        let shapes: Vec<&[usize]> = arrays.iter().map(|array| array.shape.as_slice()).collect();
        let op = Op::Concat(axis);
        let shape = op.shape(node.label(), &shapes, &[])?;
        self.count_folded(&shape)?;
        let table = op.places(&shapes, &shape).ok_or_else(|| node.malformed("arrays that fit", "others"))?;
        let all: Vec<f64> = arrays.iter().flat_map(|array| &array.numbers).copied().collect();
        Ok(Array { kind, shape, numbers: table.into_iter().map(|place| all[place as usize]).collect() })
    }

    /// A move of a constant. Where only the shape changes, the numbers are not touched.
    fn moved_constant(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        let (tensor, mut shape) = self.constant(node, 0)?.ok_or_else(|| node.malformed("an input 0", "none"))?;
        for index in 1..node.inputs.len() {
            if let Some((other, _)) = self.constant(node, index)?
                && !is_float(other.kind)
                && node.op != "Expand"
                && other.ints()?.contains(&BATCH)
            {
                return Err(self.no_batch(node, "a constant of as many places as samples"));
            }
        }
        let ops = self.moves(node, &shape)?;
        let mut numbers: Option<Vec<f64>> = None;
        for op in &ops {
            let to = match op {
                Op::Reshape(to) => {
                    shape.clone_from(to);
                    continue;
                }
                // Of a constant nothing may be left.
                Op::Slice(slice) => slice.lengths.clone(),
                _ => op.shape(node.label(), &[&shape], &[])?,
            };
            self.count_folded(&to)?;
            let from = match numbers.take() {
                Some(numbers) => numbers,
                None => tensor.numbers()?,
            };
            let table = op.places(&[&shape], &to).ok_or_else(|| node.malformed("a shape that fits", "another"))?;
            let fill = if let Op::Pad(Pad { value, .. }) = op { f64::from(value.get()) } else { 0.0 };
            let take = |place: u32| if place == NOWHERE { Some(fill) } else { from.get(place as usize).copied() };
            let moved = table.into_iter().map(take).collect::<Option<Vec<f64>>>();
            let short = || node.malformed(&format!("numbers for the shape {shape:?}"), from.len().to_string());
            numbers = Some(moved.ok_or_else(short)?);
            shape = to;
        }
        match numbers {
            Some(numbers) => self.define_array(node, Array { kind: tensor.kind, shape, numbers }),
            None => self.define(node, Known::Constant(tensor, shape)),
        }
    }

    /// Gives a node's output numbers that have no name.
    fn define_constant(
        &mut self,
        node: &'a Node<'a>,
        kind: i64,
        shape: Vec<usize>,
        numbers: Numbers<'a>,
    ) -> Result<(), LoadError> {
        let tensor = Tensor { format: self.format, name: "".into(), kind, shape: shape.clone(), numbers };
        self.define(node, Known::Constant(Rc::new(tensor), shape))
    }

    /// A constant in an attribute.
    fn constant_node(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["value", "value_int", "value_ints", "value_float", "value_floats"])?;
        if let Some(tensor) = node.tensor("value")? {
            let shape = tensor.shape.clone();
            return self.define(node, Known::Constant(tensor, shape));
        }
        let (kind, shape, numbers) = if let Some(ints) = node.ints("value_ints")? {
            (INT64, vec![ints.len()], Numbers::Ints(ints))
        } else if let Some(floats) = node.floats("value_floats")? {
            (FLOAT, vec![floats.len()], Numbers::Floats(floats))
        } else if node.has("value_int") {
            (INT64, Vec::new(), Numbers::Ints(vec![node.int("value_int", 0)?]))
        } else if node.has("value_float") {
            (FLOAT, Vec::new(), Numbers::Floats(vec![node.float("value_float", 0.0)?]))
        } else {
            return Err(node.malformed("a value", "none"));
        };
        self.define_constant(node, kind, shape, numbers)
    }

    /// The shape of a value; the number of samples is what it is in the file, or a symbol.
    pub fn shape(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        let Known::Value(id) = self.required(node, 0)? else { return self.constant_shape(node) };
        let mut sides: Vec<i64> = self.shape_of(id).iter().map(|&side| side as i64).collect();
        if self.batched {
            sides.insert(self.batch_axes[id.0], self.batch.map_or(BATCH, |batch| batch as i64));
        }
        self.define_shape(node, sides)
    }

    fn constant_shape(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        let (_, shape) = self.constant(node, 0)?.ok_or_else(|| node.malformed("an input 0", "none"))?;
        self.define_shape(node, shape.into_iter().map(|side| side as i64).collect())
    }

    fn define_shape(&mut self, node: &'a Node<'a>, sides: Vec<i64>) -> Result<(), LoadError> {
        node.allow_attributes(&["start", "end"])?;
        let rank = sides.len() as i64;
        let index = |at: i64| (if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank) as usize;
        let (start, end) = (index(node.int("start", 0)?), index(node.int("end", rank)?));
        let part = sides.get(start..end).unwrap_or(&[]).to_vec();
        self.define_constant(node, INT64, vec![part.len()], Numbers::Ints(part))
    }
}

/// A number in a float of fewer bits: to the nearest with so many of fraction, halves to the even one; the smallest exponent
/// of a normal number, and the largest number.
fn rounded(number: f64, fraction: i32, least: i32, largest: f64) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return number;
    }
    let exponent = (number.to_bits() >> 52 & 0x7ff) as i32 - 1023;
    let unit = 2f64.powi(exponent.max(least) - fraction);
    let rounded = (number / unit).round_ties_even() * unit;
    if rounded.abs() > largest { f64::INFINITY.copysign(number) } else { rounded }
}

fn apart(node: &Node, a: &Array, b: &Array) -> LoadError {
    node.malformed("shapes that can be broadcast", format!("{:?} and {:?}", a.shape, b.shape))
}

fn one(node: &Node, mut arrays: Vec<Array>) -> Result<Array, LoadError> {
    if arrays.len() > 1 {
        return Err(node.malformed("one input", arrays.len().to_string()));
    }
    arrays.pop().ok_or_else(|| node.malformed("one input", "none"))
}
