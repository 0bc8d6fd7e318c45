//! The operators that make a layer's parameters: Conv, Gemm and MatMul; what is folded into the layer before; and the
//! normalisations.

use super::graph::Node;
use super::importer::{Importer, Known, Readers};
use super::tensor::{FLOAT, Tensor};
use super::written::{Context, Written};
use crate::error::LoadError;
use crate::model::{Binary, Conv, Function, Linear, Normalize, Number, Op, ParamId, Reduce, Reduction, Unary, ValueId};
use std::rc::Rc;

/// The operators that are read here.
pub const READERS: Readers = &[
    (&["Conv"], |importer, node| importer.conv(node)),
    (&["Gemm"], |importer, node| importer.gemm(node)),
    (&["MatMul"], |importer, node| importer.matmul(node)),
    (&["BatchNormalization"], |importer, node| importer.batch_normalization(node)),
    (&["InstanceNormalization"], |importer, node| importer.instance_normalization(node)),
    (&["LayerNormalization"], |importer, node| importer.layer_normalization(node)),
];

/// How the operators of this file are written; others are `None`.
pub fn written(context: &Context) -> Option<Written> {
    let made = Written::new(context.node.op.name());
    Some(match &context.node.op {
        Op::Conv(conv) => {
            let kernel = &context.model.values(conv.weight).shape()[2..];
            let made = made.sizes("kernel_shape", kernel).sizes("strides", &conv.stride).sizes("pads", &conv.pads);
            let made = made.int("group", conv.groups as i64);
            if conv.dilation == [1, 1] { made } else { made.sizes("dilations", &conv.dilation) }
        }
        // The weight is [out, in].
        Op::Linear(_) => made.int("transB", 1),
        Op::MatMul => made,
        Op::Normalize(normalize) => {
            let shape = &context.shape()[normalize.axis..];
            made.input("scale", shape, vec![1.0; shape.iter().product()])
                .int("axis", context.axis(normalize.axis))
                .float("epsilon", normalize.epsilon.get())
                .since(17)
        }
        _ => return None,
    })
}

/// A layer whose parameters may still change, because nothing else has read its value.
struct Layer {
    /// Index of its node.
    node: usize,
    weight: ParamId,
    bias: Option<ParamId>,
    /// Number of its outputs.
    out: usize,
    /// How many axes are behind that of the outputs.
    behind: usize,
}

impl<'a> Importer<'a> {
    /// Conv with a constant weight and an optional constant bias, over one axis or two.
    pub fn conv(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"])?;
        let input = self.value(node, 0)?;
        let (tensor, shape) = self.constant(node, 1)?.ok_or_else(|| node.malformed("a weight", "none"))?;
        let (out, inputs, kernel) = match shape[..] {
            [out, inputs, width] => (out, inputs, [1, width]),
            [out, inputs, height, width] => (out, inputs, [height, width]),
            _ => return Err(node.unsupported(format!("a weight of shape {shape:?}"), "[out, in, (height,) width]")),
        };
        let axes = shape.len() - 2;
        if node.has("kernel_shape") && self.sides(node, "kernel_shape", axes, 0)? != kernel {
            return Err(node.malformed(&format!("a kernel_shape of {kernel:?}"), "another"));
        }
        let groups = node.int("group", 1)?;
        let groups =
            usize::try_from(groups).map_err(|_| node.malformed("a group of at least 1", groups.to_string()))?;
        let input = self.image(node, input, axes)?;
        let window = self.window(node, input, axes, kernel)?;
        let weight =
            self.parameter(&named(node, &tensor, "weight"), &[out, inputs, kernel[0], kernel[1]], tensor.floats()?)?;
        let bias = self.bias(node, 2, out, 1.0)?;
        let conv = Conv { weight, bias, stride: window.stride, pads: window.pads, groups, dilation: window.dilation };
        let id = self.emit(node, Op::Conv(conv), vec![input])?;
        self.define_image(node, id, axes)
    }

    /// Gemm, `alpha A B + beta C`: a layer if B is constant, and C one number for each output.
    pub fn gemm(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["alpha", "beta", "transA", "transB", "broadcast"])?;
        let alpha = node.float("alpha", 1.0)?;
        let beta = node.float("beta", 1.0)?;
        let (trans_a, trans_b) = (node.int("transA", 0)? != 0, node.int("transB", 0)? != 0);
        let constant = |known: &Known| matches!(known, Known::Constant(_, shape) if shape.len() == 2);
        let of_outputs = |known: &Known| match known {
            Known::Constant(_, shape) => shape.iter().rev().skip(1).all(|&side| side == 1),
            Known::Value(_) => false,
        };
        let weight = self.required(node, 1)?;
        if !trans_a && constant(&weight) && self.input(node, 2)?.as_ref().is_none_or(of_outputs) {
            return self.linear(node, trans_b, alpha, Some(beta));
        }
        let mut operands = [self.value(node, 0)?, self.value(node, 1)?];
        if self.batched {
            return Err(self.no_batch(node, "a product of two matrices of the network"));
        }
        for (operand, transposed) in operands.iter_mut().zip([trans_a, trans_b]) {
            if transposed {
                *operand = self.emit(node, Op::Transpose(vec![1, 0]), vec![*operand])?;
            }
        }
        let mut id = self.emit(node, Op::MatMul, operands.to_vec())?;
        if alpha != 1.0 {
            id = self.emit(node, Op::Unary(Unary::new(Function::Times, alpha, 0.0)), vec![id])?;
        }
        if self.input(node, 2)?.is_some() && beta != 0.0 {
            let mut c = self.value(node, 2)?;
            if beta != 1.0 {
                c = self.emit(node, Op::Unary(Unary::new(Function::Times, beta, 0.0)), vec![c])?;
            }
            id = self.emit(node, Op::Add, vec![id, c])?;
        }
        self.define(node, Known::Value(id))
    }

    /// MatMul: a layer if the right is a constant matrix.
    pub fn matmul(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&[])?;
        let (left, right) = (self.required(node, 0)?, self.required(node, 1)?);
        if let (Known::Value(_), Known::Constant(_, shape)) = (&left, &right)
            && shape.len() == 2
        {
            return self.linear(node, false, 1.0, None);
        }
        let known_ranks = [&left, &right].map(|known| match known {
            Known::Value(id) => self.whole_shape(*id).len(),
            Known::Constant(_, shape) => shape.len(),
        });
        // Samples stay apart where they are an axis before the matrices, of both or of one.
        let apart = |known: &Known, rank: usize, other: usize| match known {
            Known::Value(_) => rank > 2 && rank >= other,
            Known::Constant(..) => rank >= 2 && rank < other,
        };
        let [rank_a, rank_b] = known_ranks;
        if self.batched && !(apart(&left, rank_a, rank_b) && apart(&right, rank_b, rank_a)) {
            return Err(self.no_batch(node, format!("a product of {rank_a} and {rank_b} axes")));
        }
        let (mut a, mut b) = (self.any_value(node, 0)?, self.any_value(node, 1)?);
        let (row, column) = (self.shape_of(a).len() == 1, self.shape_of(b).len() == 1);
        if row {
            let shape = [&[1], self.shape_of(a)].concat();
            a = self.emit(node, Op::Reshape(shape), vec![a])?;
        }
        if column {
            let shape = [self.shape_of(b), &[1]].concat();
            b = self.emit(node, Op::Reshape(shape), vec![b])?;
        }
        let mut id = self.emit(node, Op::MatMul, vec![a, b])?;
        if row || column {
            let mut shape = self.shape_of(id).to_vec();
            if row {
                shape.remove(shape.len() - 2);
            }
            if column {
                shape.pop();
            }
            id = self.emit(node, Op::Reshape(shape), vec![id])?;
        }
        self.define(node, Known::Value(id))
    }

    /// A linear layer; `transposed` says that the weight is `[out, in]` in the file, as it is here.
    fn linear(&mut self, node: &'a Node<'a>, transposed: bool, alpha: f32, beta: Option<f32>) -> Result<(), LoadError> {
        let input = self.value(node, 0)?;
        let (tensor, shape) = self.constant(node, 1)?.ok_or_else(|| node.malformed("a weight", "none"))?;
        let &[rows, columns] = shape.as_slice() else {
            return Err(node.unsupported(format!("a weight of shape {shape:?}"), "two dimensions"));
        };
        let mut values = tensor.floats()?;
        if alpha != 1.0 {
            values.iter_mut().for_each(|value| *value *= alpha);
        }
        let (out, features) = if transposed { (rows, columns) } else { (columns, rows) };
        if !transposed {
            values = turned(&values, features, out);
        }
        if self.batched && self.shape_of(input).is_empty() {
            return Err(self.no_batch(node, "a product with the samples themselves"));
        }
        let weight = self.parameter(&named(node, &tensor, "weight"), &[out, features], values)?;
        let bias = match beta {
            Some(beta) => self.bias(node, 2, out, beta)?,
            None => None,
        };
        self.push(node, Op::Linear(Linear { weight, bias }), vec![input])
    }

    /// Makes an added constant part of the bias of the layer before, if there is one and it is one number for each output.
    pub fn add_to_bias(
        &mut self,
        node: &'a Node<'a>,
        id: ValueId,
        tensor: &Rc<Tensor<'a>>,
        shape: &[usize],
    ) -> Result<bool, LoadError> {
        let Some(layer) = self.layer_before(id) else { return Ok(false) };
        // Broadcast from the right against [.., out, ..]: only the axis of the outputs may be more than 1.
        let rank = self.whole_shape(id).len();
        let per_output = shape.len() <= rank
            && shape
                .iter()
                .rev()
                .enumerate()
                .all(|(behind, &side)| side == 1 || (behind == layer.behind && side == layer.out));
        if per_output {
            let values = tensor.floats()?;
            self.change_bias(&layer, &tensor.name, |output, bias| bias + f64::from(values[output % values.len()]))?;
            self.define(node, Known::Value(id))?;
        }
        Ok(per_output)
    }

    /// Batch normalisation at inference, `scale (x - mean) / sqrt(variance + epsilon) + shift`, is folded into the layer
    /// before, in 64-bit floats, and rounded once; where there is none, it is a factor and an addend for each channel.
    pub fn batch_normalization(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["epsilon", "momentum", "spatial", "training_mode", "is_test"])?;
        if node.int("training_mode", 0)? != 0 {
            return Err(node.unsupported("training_mode = 1", "inference"));
        }
        if node.int("spatial", 1)? != 1 {
            return Err(node.unsupported("spatial = 0", "one mean for each channel"));
        }
        let epsilon = f64::from(node.float("epsilon", 1e-5)?);
        let id = self.value(node, 0)?;
        let shape = self.whole_shape(id);
        let Some(&channels) = shape.get(1) else {
            return Err(node.unsupported(format!("an input of shape {shape:?}"), "[batch, channels, ..]"));
        };
        let layer = self.layer_before(id).filter(|layer| shape.len() - 2 == layer.behind);
        let mut statistics = Vec::new();
        let mut names = Vec::new();
        for index in 1..5 {
            let (tensor, shape) = self
                .constant(node, index)?
                .ok_or_else(|| node.malformed("five inputs", node.inputs.len().to_string()))?;
            if shape != [channels] {
                return Err(node.malformed(&format!("statistics of shape [{channels}]"), format!("{shape:?}")));
            }
            names.push(tensor.name.clone());
            statistics.push(tensor.floats()?.into_iter().map(f64::from).collect::<Vec<f64>>());
        }
        let [scale, shift, mean, variance] = statistics.as_slice() else { unreachable!("the loop pushed four") };
        if let Some(bad) = variance.iter().find(|&&variance| variance + epsilon <= 0.0) {
            return Err(node.malformed("variances above -epsilon", bad.to_string()));
        }
        let factor: Vec<f64> = scale.iter().zip(variance).map(|(s, v)| s / (v + epsilon).sqrt()).collect();
        let Some(layer) = layer else {
            let shift = (0..channels).map(|channel| shift[channel] - mean[channel] * factor[channel]);
            let shift: Vec<f64> = shift.collect();
            let sides = [&[channels], &vec![1; shape.len() - 2][..]].concat();
            let constant = |index: usize, numbers: &[f64]| {
                let tensor = Tensor::computed(node.format, names[index].clone(), FLOAT, &sides, numbers);
                Known::Constant(Rc::new(tensor), sides.clone())
            };
            let scaled = self.with(node, Op::Binary(Binary::Mul), id, constant(0, &factor))?;
            let shifted = self.with(node, Op::Add, scaled, constant(1, &shift))?;
            return self.define(node, Known::Value(shifted));
        };
        let weight = self.model.values_mut(layer.weight);
        for (mut row, factor) in weight.outer_iter_mut().zip(&factor) {
            row.mapv_inplace(|value| (f64::from(value) * factor) as f32);
        }
        self.change_bias(&layer, &names[1], |output, bias| (bias - mean[output]) * factor[output] + shift[output])?;
        self.define(node, Known::Value(id))
    }

    /// Each channel of each sample by itself to mean 0 and variance 1, then a factor and an addend for each channel.
    pub fn instance_normalization(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["epsilon"])?;
        let id = self.value(node, 0)?;
        let (shape, rank) = (self.whole_shape(id), self.shape_of(id).len());
        if shape.len() < 3 {
            return Err(node.unsupported(format!("an input of shape {shape:?}"), "[batch, channels, ..]"));
        }
        let (axis, epsilon) = (rank + 2 - shape.len(), Number::new(node.float("epsilon", 1e-5)?));
        let mut id = self.emit(node, Op::Normalize(Normalize { axis, epsilon }), vec![id])?;
        let sides = [&shape[1..2], &vec![1; shape.len() - 2][..]].concat();
        for (index, op) in [(1, Op::Binary(Binary::Mul)), (2, Op::Add)] {
            let known = match self.required(node, index)? {
                Known::Constant(tensor, of) if of == shape[1..2] => Known::Constant(tensor, sides.clone()),
                _ => return Err(node.unsupported(format!("input {index}"), "a constant for each channel")),
            };
            id = self.with(node, op, id, known)?;
        }
        self.define(node, Known::Value(id))
    }

    /// The last axes together to mean 0 and variance 1, then a factor and an addend for each place in them.
    pub fn layer_normalization(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["axis", "epsilon", "stash_type"])?;
        let id = self.value(node, 0)?;
        let axis = self.axis(node, node.int("axis", -1)?, self.whole_shape(id).len())?;
        let Some(axis) = axis.checked_sub(self.batched.into()) else {
            return Err(self.no_batch(node, "a mean over all samples"));
        };
        let epsilon = Number::new(node.float("epsilon", 1e-5)?);
        let input = id;
        let mut id = self.emit(node, Op::Normalize(Normalize { axis, epsilon }), vec![id])?;
        let scale = self.required(node, 1)?;
        // Nutshell's own files have the factor and the addend in nodes of their own.
        let ones = match &scale {
            Known::Constant(tensor, _) => tensor.numbers()?.iter().all(|&scale| scale == 1.0),
            Known::Value(_) => false,
        };
        if !ones {
            id = self.with(node, Op::Binary(Binary::Mul), id, scale)?;
        }
        if let Some(shift) = self.input(node, 2)? {
            id = self.with(node, Op::Add, id, shift)?;
        }
        self.define(node, Known::Value(id))?;
        if node.outputs.len() > 1 { self.moments(node, input, axis, epsilon) } else { Ok(()) }
    }

    /// The other outputs of a normalisation: the mean, and 1 over the root of the variance and epsilon.
    fn moments(&mut self, node: &'a Node<'a>, id: ValueId, axis: usize, epsilon: Number) -> Result<(), LoadError> {
        let mean = Op::Reduce(Reduce { kind: Reduction::Mean, axes: (axis..self.shape_of(id).len()).collect() });
        let means = self.emit(node, mean.clone(), vec![id])?;
        self.define_at(node, 1, Known::Value(means))?;
        if node.outputs.len() > 2 {
            let centred = self.emit(node, Op::Binary(Binary::Sub), vec![id, means])?;
            let squares = self.emit(node, Op::Binary(Binary::Mul), vec![centred, centred])?;
            let variance = self.emit(node, mean, vec![squares])?;
            let shifted = self.emit(node, Op::Unary(Unary::new(Function::Plus, epsilon.get(), 0.0)), vec![variance])?;
            let inverse = self.emit(node, Op::Unary(Unary::new(Function::Power, -0.5, 0.0)), vec![shifted])?;
            self.define_at(node, 2, Known::Value(inverse))?;
        }
        Ok(())
    }

    /// The layer that makes a value which nothing but one node reads.
    fn layer_before(&self, id: ValueId) -> Option<Layer> {
        let index = id.0.checked_sub(1)?;
        let op = &self.model.graph.nodes[index].op;
        let (weight, bias) = op.layer()?;
        let behind = match op {
            Op::Conv(_) => 2,
            Op::Linear(_) => 0,
            _ => return None,
        };
        let shape = self.shape_of(id);
        let out = shape[shape.len() - 1 - behind];
        (self.reads_of(id) == 1).then_some(Layer { node: index, weight, bias, out, behind })
    }

    /// Replaces each bias of a layer by a function of its index and value, in 64-bit floats. A layer without a bias gets
    /// one, under the name `name`.
    fn change_bias(&mut self, layer: &Layer, name: &str, change: impl Fn(usize, f64) -> f64) -> Result<(), LoadError> {
        let bias = match layer.bias {
            Some(bias) => bias,
            None => {
                let made = &self.model.graph.nodes[layer.node];
                let name = if name.is_empty() { format!("{}.bias", made.name) } else { name.to_owned() };
                let added = self.parameter(&name, &[layer.out], vec![0.0; layer.out])?;
                if let Op::Conv(Conv { bias, .. }) | Op::Linear(Linear { bias, .. }) =
                    &mut self.model.graph.nodes[layer.node].op
                {
                    *bias = Some(added);
                }
                added
            }
        };
        for (output, value) in self.model.values_mut(bias).iter_mut().enumerate() {
            *value = change(output, f64::from(*value)) as f32;
        }
        Ok(())
    }

    /// The bias in input `index`, times `factor`: one number, or one for each output, with any leading axes of 1.
    pub fn bias(
        &mut self,
        node: &'a Node<'a>,
        index: usize,
        out: usize,
        factor: f32,
    ) -> Result<Option<ParamId>, LoadError> {
        let Some((tensor, shape)) = self.constant(node, index)? else { return Ok(None) };
        let (last, lead) = shape.split_last().map_or((1, &[][..]), |(&last, lead)| (last, lead));
        if lead.iter().any(|&side| side != 1) || (last != out && last != 1) {
            return Err(node.unsupported(format!("a bias of shape {shape:?}"), &format!("[{out}]")));
        }
        let values = tensor.floats()?;
        let values = (0..out).map(|output| values[output % last] * factor).collect();
        self.parameter(&named(node, &tensor, "bias"), &[out], values).map(Some)
    }
}

/// The transpose of a matrix `[rows, columns]`.
pub fn turned(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..values.len()).map(|at| values[at % rows * columns + at / rows]).collect()
}

/// The name of a layer's parameter.
pub fn named(node: &Node, tensor: &Tensor, what: &str) -> String {
    if tensor.name.is_empty() { format!("{}.{what}", node.label()) } else { tensor.name.clone().into_owned() }
}
