//! The operators: what each is in ONNX.

use super::graph::Operator;
use super::layout::{channels_first, permuted, position};
use super::names::name_of;
use super::translate::{Arranged, Translator, Value};
use crate::error::LoadError;
use crate::formats::import::Attribute;
use crate::model::broadcast;

/// Those that are read.
const SUPPORTED: &str = "convolutions, FULLY_CONNECTED, BATCH_MATMUL, pools, reductions, SOFTMAX, arithmetic, functions of each element, PAD, \
    MIRROR_PAD, CONCATENATION, PACK, UNPACK, SPLIT, SLICE, STRIDED_SLICE, GATHER, TRANSPOSE, RESHAPE, SQUEEZE, EXPAND_DIMS, CAST, QUANTIZE \
    and DEQUANTIZE";

/// Functions of each element that have no options, and their names in ONNX.
const FUNCTIONS: [(&str, &str); 13] = [
    ("ABS", "Abs"),
    ("CEIL", "Ceil"),
    ("ELU", "Elu"),
    ("EXP", "Exp"),
    ("FLOOR", "Floor"),
    ("HARD_SWISH", "HardSwish"),
    ("LOG", "Log"),
    ("LOGISTIC", "Sigmoid"),
    ("NEG", "Neg"),
    ("RELU", "Relu"),
    ("ROUND", "Round"),
    ("SQRT", "Sqrt"),
    ("TANH", "Tanh"),
];

/// Functions of several tensors that are broadcast, their names in ONNX, and the kind of their options if an activation is in them.
const BROADCAST: [(&str, &str, u8); 11] = [
    ("ADD", "Add", 11),
    ("ADD_N", "Sum", 0),
    ("DIV", "Div", 29),
    ("EQUAL", "Equal", 0),
    ("MAXIMUM", "Max", 0),
    ("MINIMUM", "Min", 0),
    ("MUL", "Mul", 21),
    ("POW", "Pow", 0),
    ("PRELU", "PRelu", 0),
    ("SELECT_V2", "Where", 0),
    ("SUB", "Sub", 28),
];

impl Translator<'_> {
    /// No default arm hides a gap here: an operator that is not listed is an error.
    pub fn operator(&mut self, op: &Operator) -> Result<(), LoadError> {
        let name = name_of(op.code);
        if let Some((_, function)) = FUNCTIONS.iter().find(|(known, _)| *known == name) {
            return self.function(op, function, vec![]);
        }
        if let Some((_, function, options)) = BROADCAST.iter().find(|(known, ..)| *known == name) {
            return self.broadcast(op, function, *options);
        }
        match name {
            "CONV_2D" => self.conv(op, false),
            "DEPTHWISE_CONV_2D" => self.conv(op, true),
            "FULLY_CONNECTED" => self.fully_connected(op),
            "BATCH_MATMUL" => self.matmul(op),
            "MAX_POOL_2D" => self.pool(op, "MaxPool"),
            "AVERAGE_POOL_2D" => self.pool(op, "AveragePool"),
            "MEAN" => self.reduce(op, "ReduceMean"),
            "SUM" => self.reduce(op, "ReduceSum"),
            "REDUCE_MAX" => self.reduce(op, "ReduceMax"),
            "REDUCE_MIN" => self.reduce(op, "ReduceMin"),
            "SOFTMAX" => self.softmax(op, "Softmax", op.options(9).float(0)?),
            "LOG_SOFTMAX" => self.softmax(op, "LogSoftmax", 1.0),
            "RELU6" => self.clip(op, 0.0, 6.0),
            "RELU_N1_TO_1" => self.clip(op, -1.0, 1.0),
            "RELU_0_TO_1" => self.clip(op, 0.0, 1.0),
            "LEAKY_RELU" => self.function(op, "LeakyRelu", vec![("alpha", Attribute::Float(op.options(75).float(0)?))]),
            "GELU" => {
                let form = if op.options(116).byte(0)? != 0 { &b"tanh"[..] } else { b"none" };
                self.function(op, "Gelu", vec![("approximate", Attribute::Text(form))])
            }
            "SQUARE" => {
                let value = self.value(op, 0)?;
                let name = self.node("Mul", &[&value.name, &value.name], vec![], self.stem(op))?;
                self.define(op, 0, Value { name, ..value })
            }
            "RSQRT" => {
                let value = self.value(op, 0)?;
                let root = self.node("Sqrt", &[&value.name], vec![], self.stem(op))?;
                let name = self.node("Reciprocal", &[&root], vec![], self.stem(op))?;
                self.define(op, 0, Value { name, ..value })
            }
            "SQUARED_DIFFERENCE" => {
                let arranged = self.arrange(op)?;
                let shape = self.common_shape(op, &arranged)?;
                let [a, b] = &arranged.names[..] else { return Err(self.malformed(op, &"two inputs", &"others")) };
                let difference = self.node("Sub", &[a, b], vec![], self.stem(op))?;
                let name = self.node("Mul", &[&difference, &difference], vec![], self.stem(op))?;
                self.define(op, 0, Value { name, shape, order: arranged.order, flat: false })
            }
            "QUANTIZE" | "DEQUANTIZE" => self.same_numbers(op),
            "CAST" if self.is_float(op.outputs[0]) => self.same_numbers(op),
            "RESHAPE" | "EXPAND_DIMS" | "SQUEEZE" => self.reshaped(op),
            "TRANSPOSE" => self.transpose(op),
            "PAD" | "PADV2" | "MIRROR_PAD" => self.pad(op, name),
            "CONCATENATION" => self.concatenation(op),
            "PACK" => self.pack(op),
            "UNPACK" => self.unpack(op),
            "SPLIT" => self.split(op, 1, 0),
            "SPLIT_V" => self.split(op, 0, 2),
            "SLICE" => self.slice(op),
            "STRIDED_SLICE" => self.strided_slice(op),
            "GATHER" => self.gather(op),
            _ => Err(self.unsupported(op, &"the operator", SUPPORTED)),
        }
    }

    /// A function of each element.
    fn function(
        &mut self,
        op: &Operator,
        function: &'static str,
        attributes: Vec<(&'static str, Attribute<'static>)>,
    ) -> Result<(), LoadError> {
        let value = self.value(op, 0)?;
        let name = self.node(function, &[&value.name], attributes, self.stem(op))?;
        self.define(op, 0, Value { name, ..value })
    }

    /// At least a number and at most another.
    fn clip(&mut self, op: &Operator, low: f32, high: f32) -> Result<(), LoadError> {
        let value = self.value(op, 0)?;
        let name = self.clipped(&value.name, low, high, self.stem(op))?;
        self.define(op, 0, Value { name, ..value })
    }

    fn clipped(&mut self, name: &str, low: f32, high: f32, stem: &str) -> Result<String, LoadError> {
        let limits = [self.number(low)?, self.number(high)?];
        self.node("Clip", &[name, &limits[0], &limits[1]], vec![], stem)
    }

    /// What an operator makes of a value before its tensor has it (`ActivationFunctionType`).
    pub fn activated(&mut self, op: &Operator, name: String, activation: u8) -> Result<String, LoadError> {
        let stem = self.stem(op);
        match activation {
            0 => Ok(name),
            1 => self.node("Relu", &[&name], vec![], stem),
            2 => self.clipped(&name, -1.0, 1.0, stem),
            3 => self.clipped(&name, 0.0, 6.0, stem),
            // TANH (4) is left out by LiteRT, and SIGN_BIT (5) too: what such a file means is not certain.
            other => {
                let supported = "NONE, RELU, RELU_N1_TO_1 and RELU6";
                Err(self.unsupported(op, &format_args!("the fused activation {other}"), supported))
            }
        }
    }

    /// The shape that all operands are broadcast to.
    fn common_shape(&self, op: &Operator, arranged: &Arranged) -> Result<Vec<usize>, LoadError> {
        let shapes = &arranged.shapes;
        let shape = shapes.iter().try_fold(Vec::new(), |shape, next| broadcast(&shape, next));
        shape.ok_or_else(|| self.malformed(op, &"shapes that can be broadcast", &format_args!("{shapes:?}")))
    }

    /// A function of several tensors, broadcast; `options` is the kind of those that have an activation.
    fn broadcast(&mut self, op: &Operator, function: &'static str, options: u8) -> Result<(), LoadError> {
        let arranged = self.arrange(op)?;
        let shape = self.common_shape(op, &arranged)?;
        let names: Vec<&str> = arranged.names.iter().map(String::as_str).collect();
        let name = self.node(function, &names, vec![], self.stem(op))?;
        let activation = if options == 0 { 0 } else { op.options(options).byte(0)? };
        let name = self.activated(op, name, activation)?;
        self.define(op, 0, Value { name, shape, order: arranged.order, flat: false })
    }

    /// The numbers stay: of integers with a scale they are what these stand for. That they are rounded is left out.
    fn same_numbers(&mut self, op: &Operator) -> Result<(), LoadError> {
        let (from, to) = (self.input(op, 0)?, op.outputs[0]);
        match self.constants[from] {
            Some(constant) if self.constants[to].is_none() && constant.shape == self.graph.places[to].shape => {
                self.constants[to] = Some(constant);
                Ok(())
            }
            _ => {
                let value = self.value(op, 0)?;
                self.define(op, 0, value)
            }
        }
    }

    /// One number for all along some axes.
    fn reduce(&mut self, op: &Operator, function: &'static str) -> Result<(), LoadError> {
        const REDUCER_OPTIONS: u8 = 27;
        let keep = op.options(REDUCER_OPTIONS).byte(0)? != 0;
        let value = self.shaped(op, 0)?;
        let Value { shape, order, name, .. } = value;
        let mut along = vec![false; shape.len()];
        for axis in self.list(op, 1)? {
            along[self.axis(op, axis, shape.len())?] = true;
        }
        if !along.contains(&true) {
            return Err(self.unsupported(op, &"a reduction along no axis", "at least one"));
        }
        let stem = self.stem(op);
        let kept: Vec<usize> = (0..shape.len()).filter(|&axis| !along[axis]).collect();
        if function == "ReduceMean" && along == [false, true, true, false] && order == channels_first(4) {
            let name = self.node("GlobalAveragePool", &[&name], vec![], stem)?;
            let value = Value { name, shape: vec![shape[0], 1, 1, shape[3]], order, flat: false };
            if keep {
                return self.define(op, 0, value);
            }
            let name = self.node("Flatten", &[&value.name], vec![], stem)?;
            return self.define(op, 0, Value::plain(name, permuted(&shape, &kept)));
        }
        let places: Vec<i64> = (0..order.len()).filter(|&at| along[order[at]]).map(|at| at as i64).collect();
        let axes = self.integers(&places)?;
        let name = self.node(function, &[&name, &axes], vec![("keepdims", Attribute::Int(keep.into()))], stem)?;
        if keep {
            let shape = (0..shape.len()).map(|axis| if along[axis] { 1 } else { shape[axis] }).collect();
            return self.define(op, 0, Value { name, shape, order, flat: false });
        }
        // The axes that stay, counted anew.
        let order = order.iter().filter(|&&axis| !along[axis]).map(|&axis| position(&kept, axis)).collect();
        self.define(op, 0, Value { name, shape: permuted(&shape, &kept), order, flat: false })
    }

    /// Softmax, or its logarithm, along the last axis; `beta` is a factor before it.
    fn softmax(&mut self, op: &Operator, function: &'static str, beta: f32) -> Result<(), LoadError> {
        let mut value = self.shaped(op, 0)?;
        let Some(last) = value.shape.len().checked_sub(1) else {
            return Err(self.malformed(op, &"an axis", &"none"));
        };
        if beta != 1.0 {
            let beta = self.number(beta)?;
            value.name = self.node("Mul", &[&value.name, &beta], vec![], self.stem(op))?;
        }
        let axis = Attribute::Int(position(&value.order, last) as i64);
        let name = self.node(function, &[&value.name], vec![("axis", axis)], self.stem(op))?;
        self.define(op, 0, Value { name, ..value })
    }
}
