//! The operators that make a layer's parameters: Conv, Gemm and MatMul, and what is folded into the layer before.

use super::import::{Importer, Known};
use super::schema::NodeProto;
use super::tensor::Tensor;
use crate::error::LoadError;
use crate::model::{Conv, Linear, Op, ParamId, ValueId};

/// A layer whose parameters may still change, because nothing else has read its value.
struct Layer {
    /// Index of its node.
    node: usize,
    weight: ParamId,
    bias: Option<ParamId>,
    /// Number of its outputs.
    out: usize,
}

impl<'a> Importer<'a> {
    /// Conv with a constant weight and an optional constant bias.
    pub fn conv(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"])?;
        let input = self.value(node, 0)?;
        let (tensor, shape) = self.constant(node, 1)?.ok_or_else(|| node.malformed("a weight", "none"))?;
        let &[out, _, kernel_height, kernel_width] = shape.as_slice() else {
            return Err(node.unsupported(format!("a weight of shape {shape:?}"), "[out, in, height, width]"));
        };
        let kernel = [kernel_height, kernel_width];
        if node.has("kernel_shape") && self.sides::<2>(node, "kernel_shape", 0)? != kernel {
            return Err(node.malformed(&format!("a kernel_shape of {kernel:?}"), "another"));
        }
        let groups = node.int("group", 1)?;
        let groups =
            usize::try_from(groups).map_err(|_| node.malformed("a group of at least 1", groups.to_string()))?;
        let (stride, pads) = self.stride_and_pads(node, input, kernel)?;
        let weight = self.weight(node, &tensor, &shape, tensor.floats()?)?;
        let bias = self.bias(node, 2, out, 1.0)?;
        self.push(node, Op::Conv(Conv { weight, bias, stride, pads, groups }), vec![input])
    }

    /// Gemm, `alpha A B + beta C`, with constant B and C.
    pub fn gemm(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["alpha", "beta", "transA", "transB"])?;
        if node.int("transA", 0)? != 0 {
            return Err(node.unsupported("transA = 1", "transA = 0"));
        }
        let alpha = node.float("alpha", 1.0)?;
        let beta = node.float("beta", 1.0)?;
        let transposed = node.int("transB", 0)? != 0;
        self.linear(node, transposed, alpha, Some(beta))
    }

    /// MatMul with a constant matrix on the right.
    pub fn matmul(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&[])?;
        self.linear(node, false, 1.0, None)
    }

    /// A linear layer; `transposed` says that the weight is `[out, in]` in the file, as it is here.
    fn linear(
        &mut self,
        node: &NodeProto<'a>,
        transposed: bool,
        alpha: f32,
        beta: Option<f32>,
    ) -> Result<(), LoadError> {
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
        if !transposed && out > 0 && features > 0 {
            values = (0..values.len()).map(|at| values[at % features * out + at / features]).collect();
        }
        let weight = self.weight(node, &tensor, &[out, features], values)?;
        let bias = match beta {
            Some(beta) => self.bias(node, 2, out, beta)?,
            None => None,
        };
        self.push(node, Op::Linear(Linear { weight, bias }), vec![input])
    }

    /// Add of two values, or of a constant that becomes the bias of the layer before.
    pub fn add(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&[])?;
        let missing = || node.malformed("two inputs", node.inputs.len().to_string());
        let first = self.input(node, 0)?.ok_or_else(missing)?;
        let second = self.input(node, 1)?.ok_or_else(missing)?;
        match (first, second) {
            (Known::Value(first), Known::Value(second)) => self.push(node, Op::Add, vec![first, second]),
            (Known::Value(id), Known::Constant(tensor, shape)) | (Known::Constant(tensor, shape), Known::Value(id)) => {
                let layer = self.layer_before(node, id)?;
                // Broadcast from the right against [batch, out, ...]: only the axis of the outputs may be more than 1.
                let rank = self.shape_of(id).len() + 1;
                let lead = rank.checked_sub(shape.len());
                let per_output = lead.is_some_and(|lead| {
                    shape.iter().enumerate().all(|(axis, &side)| side == 1 || (axis + lead == 1 && side == layer.out))
                });
                if !per_output {
                    let feature = format!("a constant of shape {shape:?} on {:?}", self.shape_of(id));
                    return Err(node.unsupported(feature, "one number for each output"));
                }
                let values = tensor.floats()?;
                self.change_bias(&layer, tensor.name, |output, bias| bias + f64::from(values[output % values.len()]))?;
                self.define(node, Known::Value(id))
            }
            _ => Err(node.unsupported("two constants", "at least one value of the network")),
        }
    }

    /// Batch normalisation at inference, `scale (x - mean) / sqrt(variance + epsilon) + shift`, is folded into the layer
    /// before; in 64-bit floats, and rounded once.
    pub fn batch_normalization(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["epsilon", "momentum", "spatial", "training_mode"])?;
        if node.int("training_mode", 0)? != 0 {
            return Err(node.unsupported("training_mode = 1", "inference"));
        }
        if node.int("spatial", 1)? != 1 {
            return Err(node.unsupported("spatial = 0", "one mean for each channel"));
        }
        let epsilon = f64::from(node.float("epsilon", 1e-5)?);
        let id = self.value(node, 0)?;
        let layer = self.layer_before(node, id)?;
        let mut statistics = Vec::new();
        let mut shift_name = "";
        for index in 1..5 {
            let (tensor, shape) = self
                .constant(node, index)?
                .ok_or_else(|| node.malformed("five inputs", node.inputs.len().to_string()))?;
            if shape != [layer.out] {
                return Err(node.malformed(&format!("statistics of shape [{}]", layer.out), format!("{shape:?}")));
            }
            if index == 2 {
                shift_name = tensor.name;
            }
            statistics.push(tensor.floats()?.into_iter().map(f64::from).collect::<Vec<f64>>());
        }
        let [scale, shift, mean, variance] = statistics.as_slice() else { unreachable!("the loop pushed four") };
        if let Some(bad) = variance.iter().find(|&&variance| variance + epsilon <= 0.0) {
            return Err(node.malformed("variances above -epsilon", bad.to_string()));
        }
        let factor: Vec<f64> = scale.iter().zip(variance).map(|(s, v)| s / (v + epsilon).sqrt()).collect();
        let weight = self.model.values_mut(layer.weight);
        for (mut row, factor) in weight.outer_iter_mut().zip(&factor) {
            row.mapv_inplace(|value| (f64::from(value) * factor) as f32);
        }
        self.change_bias(&layer, shift_name, |output, bias| (bias - mean[output]) * factor[output] + shift[output])?;
        self.define(node, Known::Value(id))
    }

    /// The layer that makes a value which nothing but `node` reads.
    fn layer_before(&self, node: &NodeProto<'a>, id: ValueId) -> Result<Layer, LoadError> {
        let supported = "directly after Conv, Gemm or MatMul, whose value nothing else reads";
        let made_by = id.0.checked_sub(1).map(|index| (index, &self.model.graph.nodes[index]));
        let Some((index, (weight, bias))) = made_by.and_then(|(index, made)| Some((index, made.op.layer()?))) else {
            let maker = made_by.map_or("the input", |(_, made)| made.op.name());
            return Err(node.unsupported(format!("{} with constants after {maker}", node.op), supported));
        };
        if self.reads_of(id) != 1 {
            return Err(node.unsupported(format!("{} with constants after a branch", node.op), supported));
        }
        Ok(Layer { node: index, weight, bias, out: self.shape_of(id)[0] })
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
                match &mut self.model.graph.nodes[layer.node].op {
                    Op::Conv(conv) => conv.bias = Some(added),
                    Op::Linear(linear) => linear.bias = Some(added),
                    Op::Add
                    | Op::Relu
                    | Op::MaxPool(_)
                    | Op::AveragePool(_)
                    | Op::GlobalAveragePool
                    | Op::Flatten
                    | Op::Softmax => unreachable!("a layer has parameters"),
                }
                added
            }
        };
        for (output, value) in self.model.values_mut(bias).iter_mut().enumerate() {
            *value = change(output, f64::from(*value)) as f32;
        }
        Ok(())
    }

    fn weight(
        &mut self,
        node: &NodeProto<'a>,
        tensor: &Tensor<'a>,
        shape: &[usize],
        values: Vec<f32>,
    ) -> Result<ParamId, LoadError> {
        let fallback = format!("{}.weight", node.label());
        self.parameter(if tensor.name.is_empty() { &fallback } else { tensor.name }, shape, values)
    }

    /// The bias in input `index`, times `factor`: one number, or one for each output, with any leading axes of 1.
    fn bias(
        &mut self,
        node: &NodeProto<'a>,
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
        let fallback = format!("{}.bias", node.label());
        let name = if tensor.name.is_empty() { fallback.as_str() } else { tensor.name };
        self.parameter(name, &[out], values).map(Some)
    }
}
