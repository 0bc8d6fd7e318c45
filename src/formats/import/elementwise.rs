//! The operators on each element: functions of one value, of two, and of a value and a constant.

use super::graph::Node;
use super::importer::{Importer, Known, Readers};
use super::tensor::{BFLOAT16, BOOL, FLOAT, INT8, INT16, Tensor, UINT8, UINT16, is_float, range, type_name};
use super::written::{Context, Written};
use crate::error::LoadError;
use crate::model::{Binary, Function, Op, Unary, ValueId};
use std::rc::Rc;

/// The operators that are read here, beside the functions of each element, which are found by their names.
pub const READERS: Readers = &[
    (&["Add", "Sub", "Mul", "Div", "Pow", "PRelu", "Equal"], |importer, node| importer.binary(node)),
    (&["Sum", "Min", "Max"], |importer, node| importer.several(node)),
    (&["Where"], |importer, node| importer.choose(node)),
    (&["Relu"], |importer, node| importer.relu(node)),
    (&["QuantizeLinear", "DequantizeLinear"], |importer, node| importer.quantization(node)),
    (&["Cast"], |importer, node| importer.cast(node)),
    (&["Dropout"], |importer, node| importer.dropout(node)),
    (&["Identity"], |importer, node| importer.identity(node)),
    (&["Scaler"], |importer, node| importer.scaler(node)),
];

/// How the operators of this file are written; others are `None`.
pub fn written(context: &Context) -> Option<Written> {
    let made = Written::new(context.node.op.name());
    let unary = match &context.node.op {
        Op::Add | Op::Relu | Op::Binary(_) => return Some(made),
        Op::Unary(unary) => unary,
        _ => return None,
    };
    let (a, b) = (unary.a.get(), unary.b.get());
    let limit = |made: Written, what, limit: f32| {
        if limit.is_finite() { made.number_input(what, limit) } else { made.no_input() }
    };
    Some(match unary.function {
        Function::Clip => limit(limit(made, "min", a), "max", b),
        Function::Over | Function::Plus | Function::Power | Function::Times | Function::Equals => {
            made.number_input("constant", a)
        }
        Function::Elu | Function::LeakyRelu => made.float("alpha", a),
        Function::HardSigmoid => made.float("alpha", a).float("beta", b),
        Function::Selu => made.float("alpha", a).float("gamma", b),
        Function::HardSwish => made.since(14),
        Function::Gelu => made.since(20),
        Function::GeluTanh => made.text("approximate", "tanh").since(20),
        _ => made,
    })
}

/// The function of two values that has a name; the sum for all others.
fn of_two(name: &str) -> Op {
    Binary::ALL.iter().find(|binary| binary.name() == name).map_or(Op::Add, |&binary| Op::Binary(binary))
}

/// The function of each element that has a name.
pub fn function(name: &str) -> Option<Function> {
    Function::ALL.iter().copied().find(|function| function.name() == name)
}

impl<'a> Importer<'a> {
    /// A function of each element, by its name.
    pub fn unary(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        let named = function(node.op).ok_or_else(|| node.unsupported(format!("operator {}", node.op), "others"))?;
        let (mut function, mut a, mut b, mut allowed): (_, _, _, &[&str]) = (named, 0.0, 0.0, &[]);
        match named {
            Function::Clip => {
                allowed = &["min", "max"];
                [a, b] = self.limits(node)?;
            }
            Function::Gelu | Function::GeluTanh => {
                allowed = &["approximate"];
                function = match node.text("approximate", "none")? {
                    "none" => Function::Gelu,
                    "tanh" => Function::GeluTanh,
                    other => return Err(node.malformed("approximate of none or tanh", other)),
                };
            }
            Function::Elu | Function::LeakyRelu => {
                allowed = &["alpha"];
                a = node.float("alpha", if named == Function::Elu { 1.0 } else { 0.01 })?;
            }
            Function::HardSigmoid => {
                allowed = &["alpha", "beta"];
                (a, b) = (node.float("alpha", 0.2)?, node.float("beta", 0.5)?);
            }
            Function::Selu => {
                allowed = &["alpha", "gamma"];
                (a, b) = (node.float("alpha", 1.673_263_2)?, node.float("gamma", 1.050_701)?);
            }
            _ => {}
        }
        node.allow_attributes(allowed)?;
        let input = self.value(node, 0)?;
        self.push(node, Op::Unary(Unary::new(function, a, b)), vec![input])
    }

    /// The limits of a Clip: attributes up to operator set 10, inputs since.
    fn limits(&self, node: &'a Node<'a>) -> Result<[f32; 2], LoadError> {
        let mut limits = [f32::NEG_INFINITY, f32::INFINITY];
        for (index, (limit, name)) in limits.iter_mut().zip(["min", "max"]).enumerate() {
            if node.has(name) {
                *limit = node.float(name, 0.0)?;
            } else if let Some((tensor, _)) = self.constant(node, index + 1)? {
                let [number] = tensor.numbers()?[..] else {
                    return Err(node.malformed(&format!("one number as {name}"), "several"));
                };
                *limit = number as f32;
            }
        }
        Ok(limits)
    }

    /// A rectified linear unit.
    pub fn relu(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&[])?;
        let input = self.value(node, 0)?;
        self.push(node, Op::Relu, vec![input])
    }

    /// A node that passes its first input on.
    pub fn identity(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        let known = self.required(node, 0)?;
        self.define(node, known)
    }

    /// Dropout does nothing at inference.
    pub fn dropout(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["ratio", "seed", "is_test"])?;
        // Since operator set 12, an optional flag asks for training.
        if let Some((tensor, _)) = self.constant(node, 2)?
            && tensor.numbers()?.iter().any(|&training| training != 0.0)
        {
            return Err(node.unsupported("the input training_mode", "inference"));
        }
        self.identity(node)
    }

    /// A conversion of a value, which has 32 bits here where the file has 16 or 64.
    pub fn cast(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["to", "saturate"])?;
        let to = node.int("to", 0)?;
        let Known::Value(id) = self.required(node, 0)? else { return self.identity(node) };
        match self.integers.contains_key(&*node.inputs[0]) {
            // That the input is integers is said by what rounds it.
            true if is_float(to) => self.push(node, Op::Unary(Unary::new(Function::Floor, 0.0, 0.0)), vec![id]),
            true if range(to).is_some() && to != BOOL => self.identity(node),
            false if (is_float(to) && to != BFLOAT16) || (to == BOOL && self.is_truth(id)) => self.identity(node),
            _ => {
                Err(node
                    .unsupported(format!("a conversion of a value to {}", type_name(to)), "float, float16 and double"))
            }
        }
    }

    /// What scikit-learn's scalers become: an offset is taken away, and the rest multiplied.
    pub fn scaler(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["offset", "scale"])?;
        let mut id = self.value(node, 0)?;
        for (name, op) in [("offset", Op::Binary(Binary::Sub)), ("scale", Op::Binary(Binary::Mul))] {
            let numbers: Vec<f64> = node.floats(name)?.unwrap_or_default().into_iter().map(f64::from).collect();
            if !numbers.is_empty() {
                let name = format!("{}.{name}", node.label()).into();
                let tensor = Tensor::computed(node.format, name, FLOAT, &[numbers.len()], &numbers);
                id = self.with(node, op, id, Known::Constant(Rc::new(tensor), vec![numbers.len()]))?;
            }
        }
        self.define(node, Known::Value(id))
    }

    /// Whether a value is 0 or 1, as the truths of a comparison are here.
    fn is_truth(&self, mut id: ValueId) -> bool {
        while let Some(index) = id.0.checked_sub(1) {
            let node = &self.model.graph.nodes[index];
            match &node.op {
                Op::Binary(Binary::Equal) => return true,
                Op::Unary(unary) => return unary.function == Function::Equals,
                Op::Reshape(_) | Op::Flatten | Op::Transpose(_) | Op::Slice(_) | Op::Gather(_) | Op::Expand(_) => {
                    id = node.inputs[0];
                }
                _ => return false,
            }
        }
        false
    }

    /// A function of two operands.
    pub fn binary(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["axis", "broadcast"])?;
        let (first, mut second) = (self.required(node, 0)?, self.required(node, 1)?);
        if self.opset < 7 {
            second = self.aligned(node, &first, second)?;
        }
        if let ("Add", Known::Value(id), Known::Constant(tensor, shape))
        | ("Add", Known::Constant(tensor, shape), Known::Value(id)) = (node.op, &first, &second)
            && self.add_to_bias(node, *id, tensor, shape)?
        {
            return Ok(());
        }
        let id = self.pair(node, of_two(node.op), first, second)?;
        self.define(node, Known::Value(id))
    }

    /// Before operator set 7 the axes of a second operand start at one that is named, and a slope's is that of the channels:
    /// axes of 1 behind them say the same since.
    fn aligned(&self, node: &'a Node<'a>, first: &Known<'a>, second: Known<'a>) -> Result<Known<'a>, LoadError> {
        let (Known::Value(id), Known::Constant(tensor, mut shape)) = (first, second.clone()) else { return Ok(second) };
        let rank = self.whole_shape(*id).len();
        let axis = match (node.op, node.has("axis")) {
            ("PRelu", _) if shape.len() == 1 && rank > 1 => 1,
            (_, true) => node.int("axis", 0)?,
            _ => return Ok(second),
        };
        let axis = self.axis(node, axis, rank)?;
        shape.resize((rank - axis).max(shape.len()), 1);
        Ok(Known::Constant(tensor, shape))
    }

    /// One of two operands for each element: the first where a condition holds plus the second where it does not, either
    /// left out if it is 0.
    pub fn choose(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&[])?;
        let condition = self.required(node, 0)?;
        let mut sum = None;
        for (index, function) in [(1, Binary::Mask), (2, Binary::MaskNot)] {
            let operand = self.required(node, index)?;
            let zero = match &operand {
                Known::Constant(tensor, shape) => shape.iter().all(|&side| side == 1) && tensor.numbers()? == [0.0],
                Known::Value(_) => false,
            };
            // Of two zeros one stays: there has to be something.
            if zero && (index == 1 || sum.is_some()) {
                continue;
            }
            let part = self.pair(node, Op::Binary(function), condition.clone(), operand)?;
            sum = match sum {
                Some(sum) => Some(self.pair(node, Op::Add, Known::Value(sum), Known::Value(part))?),
                None => Some(part),
            };
        }
        let sum = sum.ok_or_else(|| node.malformed("three inputs", "fewer"))?;
        self.define(node, Known::Value(sum))
    }

    /// A sum, a maximum or a minimum of any number of operands.
    pub fn several(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&[])?;
        let op = of_two(node.op);
        let mut all = self.required(node, 0)?;
        for index in 1..node.inputs.len() {
            let next = self.required(node, index)?;
            // Values first: two constants together would need a parameter for each.
            let (first, second) = if matches!(all, Known::Constant(..)) { (next, all) } else { (all, next) };
            all = Known::Value(self.pair(node, op.clone(), first, second)?);
        }
        self.define(node, all)
    }

    /// An operator on two operands, broadcast.
    fn pair(&mut self, node: &'a Node<'a>, op: Op, first: Known<'a>, second: Known<'a>) -> Result<ValueId, LoadError> {
        match (first, second) {
            (Known::Value(id), second) => self.with(node, op, id, second),
            (Known::Constant(tensor, shape), Known::Value(id)) => {
                let constant = Known::Constant(tensor.clone(), shape.clone());
                match (&op, self.scalar(id, &constant)?) {
                    (Op::Add | Op::Binary(Binary::Mul | Binary::Max | Binary::Min | Binary::Equal), Some(_)) => {
                        self.with(node, op, id, constant)
                    }
                    (Op::Binary(Binary::Sub), Some(number)) => {
                        let negative = self.function(node, Function::Neg, 0.0, 0.0, id)?;
                        self.function(node, Function::Plus, number, 0.0, negative)
                    }
                    (Op::Binary(Binary::Div), Some(number)) => {
                        let reciprocal = self.function(node, Function::Reciprocal, 0.0, 0.0, id)?;
                        self.function(node, Function::Times, number, 0.0, reciprocal)
                    }
                    _ => {
                        let a = self.operand(node, id, constant)?;
                        self.emit(node, op, vec![a, id])
                    }
                }
            }
            (Known::Constant(..), _) if self.batched => Err(self.no_batch(node, "two constants")),
            (Known::Constant(tensor, shape), constant) => {
                let a = self.constant_value(tensor, shape, true)?;
                self.with(node, op, a, constant)
            }
        }
    }

    /// An operator on a value and a second operand. One number as that is a constant of a function, and no parameter: it is
    /// never trained, and never rounded.
    pub fn with(&mut self, node: &'a Node<'a>, op: Op, id: ValueId, second: Known<'a>) -> Result<ValueId, LoadError> {
        if let Some(number) = self.scalar(id, &second)? {
            let function = match op {
                Op::Add => Some((Function::Plus, number, 0.0)),
                Op::Binary(Binary::Sub) => Some((Function::Plus, -number, 0.0)),
                Op::Binary(Binary::Mul) => Some((Function::Times, number, 0.0)),
                Op::Binary(Binary::Div) => Some((Function::Over, number, 0.0)),
                Op::Binary(Binary::Equal) => Some((Function::Equals, number, 0.0)),
                Op::Binary(Binary::Pow) => Some((Function::Power, number, 0.0)),
                Op::Binary(Binary::PRelu) => Some((Function::LeakyRelu, number, 0.0)),
                Op::Binary(Binary::Max) => Some((Function::Clip, number, f32::INFINITY)),
                Op::Binary(Binary::Min) => Some((Function::Clip, f32::NEG_INFINITY, number)),
                _ => None,
            };
            if let Some((function, a, b)) = function {
                return self.function(node, function, a, b, id);
            }
        }
        let second = self.operand(node, id, second)?;
        self.emit(node, op, vec![id, second])
    }

    fn function(
        &mut self,
        node: &'a Node<'a>,
        function: Function,
        a: f32,
        b: f32,
        id: ValueId,
    ) -> Result<ValueId, LoadError> {
        self.emit(node, Op::Unary(Unary::new(function, a, b)), vec![id])
    }

    /// The number that a constant is, if it is one that gives the value no further axes.
    fn scalar(&self, id: ValueId, known: &Known<'a>) -> Result<Option<f32>, LoadError> {
        match known {
            Known::Constant(tensor, shape)
                if shape.iter().all(|&side| side == 1) && shape.len() <= self.whole_shape(id).len() =>
            {
                Ok(tensor.numbers()?.first().map(|&number| number as f32))
            }
            _ => Ok(None),
        }
    }

    /// The second operand beside a value. A constant's axis of samples has to be 1, and is left out.
    fn operand(&mut self, node: &'a Node<'a>, id: ValueId, known: Known<'a>) -> Result<ValueId, LoadError> {
        match known {
            Known::Value(other) => {
                if self.batched && self.shape_of(id).len() != self.shape_of(other).len() {
                    return Err(self.no_batch(node, "two values of different rank"));
                }
                Ok(other)
            }
            Known::Constant(tensor, mut shape) => {
                let rank = self.whole_shape(id).len();
                if self.batched && shape.len() >= rank {
                    if shape.len() > rank || shape[0] != 1 {
                        return Err(self.no_batch(node, format!("a constant of shape {shape:?}")));
                    }
                    shape.remove(0);
                }
                self.constant_value(tensor, shape, true)
            }
        }
    }

    /// Rounding to integers of 8 or 16 bits by scale and zero point, and back: functions of each element, whose values are
    /// the integers as floats.
    pub fn quantization(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["axis", "saturate"])?;
        let id = self.value(node, 0)?;
        let (scale, mut of_scale) = self.constant(node, 1)?.ok_or_else(|| node.malformed("a scale", "none"))?;
        let zero = self.constant(node, 2)?;
        let whole = self.whole_shape(id);
        let axis = node.int("axis", 1)?;
        // A vector goes along an axis: the others are broadcast.
        if let &[length] = of_scale.as_slice()
            && length > 1
        {
            let axis = self.axis(node, axis, whole.len())?;
            of_scale.resize(whole.len() - axis, 1);
        }
        let kind = zero.as_ref().map_or(UINT8, |(zero, _)| zero.kind);
        let scale = Known::Constant(scale, of_scale.clone());
        let zero = zero.map(|(zero, _)| zero);
        let shifts = match &zero {
            Some(zero) => zero.numbers()?.iter().any(|&zero| zero != 0.0),
            None => false,
        };
        let zero = zero.filter(|_| shifts).map(|zero| Known::Constant(zero, of_scale));
        let mut id = id;
        if node.op == "DequantizeLinear" {
            if let Some(zero) = zero {
                id = self.with(node, Op::Binary(Binary::Sub), id, zero)?;
            }
            id = self.with(node, Op::Binary(Binary::Mul), id, scale)?;
        } else {
            let limits = range(kind).filter(|_| matches!(kind, UINT8 | INT8 | UINT16 | INT16));
            let other = || node.unsupported(format!("a zero point of {}", type_name(kind)), "8 or 16 bits");
            let (low, high) = limits.ok_or_else(other)?;
            id = self.with(node, Op::Binary(Binary::Div), id, scale)?;
            id = self.function(node, Function::Round, 0.0, 0.0, id)?;
            if let Some(zero) = zero {
                id = self.with(node, Op::Add, id, zero)?;
            }
            id = self.function(node, Function::Clip, low as f32, high as f32, id)?;
        }
        self.define(node, Known::Value(id))
    }
}
