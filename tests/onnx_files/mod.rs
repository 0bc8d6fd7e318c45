//! Small ONNX files for the tests, written by another crate's encoder than our own.

use rten_onnx::onnx::{
    AttributeProto, AttributeType, DataType, Dimension, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    TensorProto, TensorShapeProto, TypeProto, TypeProtoTensor, ValueInfoProto,
};
use std::cell::RefCell;

/// A file that is being put together; its input is `x`.
#[derive(Clone)]
pub struct File {
    opset: i64,
    pub graph: GraphProto,
    seed: u32,
}

impl File {
    /// Operator set 13, and an input of any batch of samples of this shape.
    pub fn new(sample: &[i64]) -> Self {
        let batch = Dimension { dim_param: Some("N".into()), ..Dimension::default() };
        let sides = sample.iter().map(|&side| Dimension { dim_value: Some(side), ..Dimension::default() });
        let input = tensor_info("x", std::iter::once(batch).chain(sides).collect());
        File { opset: 13, graph: GraphProto { input: vec![input], ..GraphProto::default() }, seed: 1 }
    }

    pub fn opset(mut self, version: i64) -> Self {
        self.opset = version;
        self
    }

    /// A constant of numbers in `[-1, 1)` that are the same in every run.
    pub fn random(mut self, name: &str, shape: &[i64]) -> Self {
        let values = (0..shape.iter().product()).map(|_| {
            self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.seed >> 8) as f32 / (1 << 23) as f32 - 1.0
        });
        let values: Vec<f32> = values.collect();
        self.floats(name, shape, &values)
    }

    /// As [`File::random`], in `[0.5, 1.5)`: a variance.
    pub fn positive(self, name: &str, shape: &[i64]) -> Self {
        let mut file = self.random(name, shape);
        let tensor = file.graph.initializer.last_mut().unwrap();
        let values: Vec<f32> = floats(tensor).iter().map(|value| 1.0 + value / 2.0).collect();
        tensor.raw_data = Some(RefCell::new(values.iter().flat_map(|value| value.to_le_bytes()).collect()));
        file
    }

    /// A constant.
    pub fn floats(mut self, name: &str, shape: &[i64], values: &[f32]) -> Self {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.graph.initializer.push(TensorProto {
            name: Some(name.into()),
            dims: shape.to_vec(),
            data_type: Some(DataType::FLOAT),
            raw_data: Some(RefCell::new(raw)),
            ..TensorProto::default()
        });
        self
    }

    /// A vector of integers.
    pub fn ints(mut self, name: &str, values: &[i64]) -> Self {
        self.graph.initializer.push(int_tensor(name, values));
        self
    }

    /// A node, named after its output.
    pub fn node(mut self, op: &str, inputs: &[&str], output: &str, attribute: Vec<AttributeProto>) -> Self {
        self.graph.node.push(NodeProto {
            name: Some(format!("{output}_node")),
            op_type: Some(op.into()),
            input: inputs.iter().map(|&name| name.to_owned()).collect(),
            output: vec![output.into()],
            attribute,
            domain: None,
        });
        self
    }

    /// The finished bytes; the output is `y`, of two dimensions.
    pub fn bytes(&self) -> Vec<u8> {
        let any = |name: &str| Dimension { dim_param: Some(name.into()), ..Dimension::default() };
        let mut graph = self.graph.clone();
        if graph.output.is_empty() {
            graph.output.push(tensor_info("y", vec![any("N"), any("classes")]));
        }
        let opset = OperatorSetIdProto { domain: None, version: Some(self.opset) };
        let model = ModelProto {
            ir_version: Some(8),
            producer_name: Some("test".into()),
            opset_import: vec![opset],
            graph: Some(graph),
            ..ModelProto::default()
        };
        model.write_buf().unwrap()
    }
}

pub fn tensor_info(name: &str, dim: Vec<Dimension>) -> ValueInfoProto {
    let tensor = TypeProtoTensor { elem_type: Some(DataType::FLOAT), shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto {
        name: Some(name.into()),
        r#type: Some(TypeProto { tensor_type: Some(tensor), ..TypeProto::default() }),
    }
}

pub fn floats(tensor: &TensorProto) -> Vec<f32> {
    let raw = tensor.raw_data.as_ref().unwrap().borrow();
    raw.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

pub fn int_tensor(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: Some(name.into()),
        dims: vec![values.len() as i64],
        data_type: Some(DataType::INT64),
        int64_data: values.to_vec(),
        ..TensorProto::default()
    }
}

pub fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: Some(name.into()),
        i: Some(value),
        r#type: Some(AttributeType::INT),
        ..AttributeProto::default()
    }
}

pub fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto {
        name: Some(name.into()),
        ints: values.to_vec(),
        r#type: Some(AttributeType::INTS),
        ..AttributeProto::default()
    }
}

pub fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto {
        name: Some(name.into()),
        f: Some(value),
        r#type: Some(AttributeType::FLOAT),
        ..AttributeProto::default()
    }
}

pub fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        name: Some(name.into()),
        s: Some(value.into()),
        r#type: Some(AttributeType::STRING),
        ..AttributeProto::default()
    }
}

pub fn tensor(name: &str, value: TensorProto) -> AttributeProto {
    AttributeProto {
        name: Some(name.into()),
        t: Some(value),
        r#type: Some(AttributeType::TENSOR),
        ..AttributeProto::default()
    }
}
