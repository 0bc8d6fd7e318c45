//! The ONNX project's own cases: a network, inputs, and the outputs that are expected of them.
//!
//! A selection is in `tests/data/onnx/backend`. All of them come with the Python package `onnx`; `docs/ONNX.md` says how to
//! run them, and has the table that this prints. The environment variable `ONNX_CASES` names a folder of folders of cases.
#![cfg(not(target_arch = "wasm32"))]

use ndarray::Array2;
use nutshell::formats::onnx::{read, write};
use nutshell::model::{Model, Node, Op};
use nutshell::network::answers;
use rten::Value;
use rten_onnx::onnx::{DataType, GraphProto, ModelProto, TensorProto};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

const CAP: u64 = 1 << 30;

/// An output may differ by this share of what is expected, as in ONNX's own runner, and by this much.
const RELATIVE: f64 = 1e-3;
const ABSOLUTE: f64 = 1e-6;

/// The operators that are meant to be read. Cases of others are not counted.
const OPERATORS: &[&str] = &[
    "Abs",
    "Add",
    "And",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Ceil",
    "Clip",
    "Concat",
    "Constant",
    "ConstantOfShape",
    "Conv",
    "ConvTranspose",
    "DequantizeLinear",
    "Div",
    "Dropout",
    "Elu",
    "Equal",
    "Erf",
    "Exp",
    "Expand",
    "Flatten",
    "Floor",
    "Gather",
    "Gelu",
    "Gemm",
    "GRU",
    "GlobalAveragePool",
    "Greater",
    "GreaterOrEqual",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "InstanceNormalization",
    "LSTM",
    "LayerNormalization",
    "LeakyRelu",
    "Less",
    "LessOrEqual",
    "Log",
    "LogSoftmax",
    "MatMul",
    "Max",
    "MaxPool",
    "Min",
    "Mod",
    "Mul",
    "Neg",
    "Not",
    "Or",
    "PRelu",
    "Pad",
    "Pow",
    "QuantizeLinear",
    "RNN",
    "Range",
    "Reciprocal",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceSum",
    "Relu",
    "Reshape",
    "Resize",
    "Round",
    "Selu",
    "Shape",
    "Sigmoid",
    "Slice",
    "Softmax",
    "Softplus",
    "Softsign",
    "Split",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Sum",
    "Tanh",
    "Transpose",
    "Unsqueeze",
    "Upsample",
    "Where",
];

/// What came of a case.
enum Outcome {
    /// It computes what is expected; what it is written as is read as the same network, and computes the same.
    /// The largest difference of an output, over what was expected or over 1.
    Runs(f64),
    /// It is not read, and why.
    Refused(String),
    /// It runs here, but what it is written as does not run to the same outputs in another runtime, and why.
    Elsewhere(String),
    /// It is read, and something is wrong.
    Wrong(String),
}

#[test]
fn the_cases_of_the_onnx_project() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/onnx/backend");
    let chosen = std::env::var_os("ONNX_CASES").map(PathBuf::from);
    let root = chosen.clone().unwrap_or(committed);
    let mut wrong = Vec::new();
    for group in folders(&root) {
        let (mut count, mut runs, mut largest, mut others) = (0, 0, (0f64, String::new()), Vec::new());
        let mut refused = BTreeMap::<String, BTreeSet<String>>::new();
        let mut elsewhere = BTreeMap::new();
        for case in folders(&group) {
            let bytes = std::fs::read(case.join("model.onnx")).unwrap();
            let name = case.file_name().unwrap().to_string_lossy().into_owned();
            if !meant(&bytes) {
                others.push(name);
                continue;
            }
            count += 1;
            match catch_unwind(AssertUnwindSafe(|| run(&bytes, &case))) {
                Ok(Outcome::Runs(difference)) => {
                    runs += 1;
                    if difference > largest.0 {
                        largest = (difference, name);
                    }
                }
                Ok(Outcome::Elsewhere(why)) => {
                    runs += 1;
                    elsewhere.insert(name, why);
                }
                Ok(Outcome::Refused(why)) => {
                    refused.entry(why).or_default().insert(name);
                }
                Ok(Outcome::Wrong(what)) => wrong.push(format!("{name}: {what}")),
                Err(_) => wrong.push(format!("{name}: a panic")),
            }
        }
        let group = group.file_name().unwrap().to_string_lossy().into_owned();
        let refusals: usize = refused.values().map(BTreeSet::len).sum();
        let (all, read, (difference, name)) = (count + others.len(), count - refusals, largest);
        println!("| `{group}` | {all} | {count} | {read} | {runs} | {difference:.1e} ({name}) |");
        println!("- other operators: {}", others.join(", "));
        for (why, names) in refused {
            println!("- {why}: {}", names.into_iter().collect::<Vec<_>>().join(", "));
            if chosen.is_none() {
                wrong.push(format!("{group}: a case that is in the selection is not read: {why}"));
            }
        }
        for (name, why) in elsewhere {
            println!("- rten: {name}: {why}");
            if chosen.is_none() {
                wrong.push(format!("{name}: in rten {why}"));
            }
        }
        assert!(chosen.is_some() || runs > 0, "{group} has no cases");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The folders in a folder, in the order of their names.
fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// Whether a file has no operators but those that are meant to be read.
fn meant(bytes: &[u8]) -> bool {
    let graph = ModelProto::parse_buf(bytes).ok().and_then(|model| model.graph);
    let operators = graph.iter().flat_map(|graph| &graph.node).map(|node| {
        if node.domain.as_deref().is_none_or(str::is_empty) { node.op_type.as_deref().unwrap_or("") } else { "" }
    });
    let operators: Vec<&str> = operators.collect();
    operators.iter().all(|operator| OPERATORS.contains(operator))
}

/// Runs a case with as many of its inputs as can be left open; the others are bound to their numbers, as constants.
fn run(bytes: &[u8], case: &Path) -> Outcome {
    let graph = ModelProto::parse_buf(bytes).unwrap().graph.unwrap();
    let constants: BTreeSet<&str> = graph.initializer.iter().filter_map(|tensor| tensor.name.as_deref()).collect();
    let named: Vec<&str> = graph.input.iter().map(|input| input.name.as_deref().unwrap_or("")).collect();
    let mut inputs = Vec::new();
    for name in named.iter().filter(|name| !constants.contains(*name)) {
        let file = case.join(format!("test_data_set_0/input_{}.pb", inputs.len()));
        let array = std::fs::read(file).ok().and_then(|bytes| Array::parse((*name).to_owned(), bytes));
        let Some(array) = array else { return Outcome::Refused("an input that is no tensor".into()) };
        inputs.push(array);
    }
    let floats: Vec<bool> =
        inputs.iter().map(|input| input.kind == DataType::FLOAT && !input.values.is_empty()).collect();
    let first: Vec<bool> =
        (0..inputs.len()).map(|index| Some(index) == floats.iter().position(|&float| float)).collect();
    let mut why = None;
    for open in [floats, first, vec![false; inputs.len()]] {
        let bound: Vec<&Array> = inputs.iter().zip(&open).filter(|(_, open)| !**open).map(|(input, _)| input).collect();
        let open: Vec<&Array> = inputs.iter().zip(&open).filter(|(_, open)| **open).map(|(input, _)| input).collect();
        match read(&bind(bytes, &bound, open.is_empty()), CAP) {
            Ok(model) => return compare(&model, &open, &graph, case),
            Err(error) => why = Some(error.to_string()),
        }
    }
    Outcome::Refused(reason(&why.unwrap_or_default()))
}

/// An error without the names in it, so that those of a kind come together.
fn reason(error: &str) -> String {
    let error = error.strip_prefix("ONNX file, ").unwrap_or(error);
    let parts: Vec<&str> = error.split('\'').collect();
    let unnamed: Vec<&str> =
        parts.iter().enumerate().filter(|(index, _)| index % 2 == 0).map(|(_, part)| *part).collect();
    unnamed.join("..")
}

/// Compares what a network answers with what is expected, itself and after it was written and read.
fn compare(model: &Model, inputs: &[&Array], graph: &GraphProto, case: &Path) -> Outcome {
    let expected: Vec<Array> = (0..graph.output.len())
        .map_while(|index| std::fs::read(case.join(format!("test_data_set_0/output_{index}.pb"))).ok())
        .map_while(|bytes| Array::parse(String::new(), bytes))
        .collect();
    let answer = match answer(model, inputs) {
        Ok(answer) => answer,
        Err(error) => return Outcome::Wrong(error),
    };
    let (mut from, mut largest) = (0, 0f64);
    for (expected, batched) in expected.iter().zip(batched(model)) {
        let rows = if batched { answer.nrows() } else { 1 };
        let each = expected.values.len() / rows;
        let got = (0..rows).flat_map(|row| (from..from + each).map(move |column| (row, column)));
        for ((row, column), &expected) in got.zip(&expected.values) {
            let Some(&got) = answer.get((row, column)) else { return Outcome::Wrong("another shape".into()) };
            let got = f64::from(got);
            let same = got == expected || (got.is_nan() && expected.is_nan());
            if !same && ((got - expected).abs() > ABSOLUTE + RELATIVE * expected.abs() || got.is_nan()) {
                return Outcome::Wrong(format!("{got} instead of {expected}"));
            }
            if !same {
                largest = largest.max((got - expected).abs() / expected.abs().max(1.0));
            }
        }
        from += each;
    }
    if from != answer.ncols() {
        return Outcome::Wrong(format!("{} numbers instead of {from}", answer.ncols()));
    }
    let written = match write(model) {
        Ok(written) => written,
        Err(error) => return Outcome::Wrong(format!("written: {error}")),
    };
    if let Err(error) = compare_with_rten(&written, inputs, &answer, &batched(model)) {
        return Outcome::Elsewhere(error);
    }
    match read(&written, CAP) {
        Ok(again) if again == *model => Outcome::Runs(largest),
        // A recurrent layer is written with its steps first, and turned round again.
        Ok(again) if model.graph.nodes.iter().any(|node| matches!(node.op, Op::Recurrent(_))) => {
            match self::answer(&again, inputs) {
                Ok(same) if same == answer => Outcome::Runs(largest),
                other => Outcome::Wrong(format!("written and read: {other:?} instead of {answer:?}")),
            }
        }
        Ok(again) => Outcome::Wrong(format!("written and read: {:?} instead of {:?}", again.graph, model.graph)),
        Err(error) => Outcome::Wrong(format!("written and read: {error}")),
    }
}

/// Compares our answers with what another runtime computes with the file that we write.
fn compare_with_rten(written: &[u8], inputs: &[&Array], answer: &Array2<f32>, batched: &[bool]) -> Result<(), String> {
    let model = match rten::Model::load(written.to_vec()).map_err(|error| error.to_string()) {
        Ok(model) => model,
        // Selu is none of rten's operators: there is nothing to compare with.
        Err(error) if error.contains("operator not supported") => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut values = Vec::new();
    for (index, &id) in model.input_ids().iter().enumerate() {
        let Some(input) = inputs.get(index) else {
            values.push((id, Value::from_shape(&[1][..], vec![0.0f32]).unwrap().into()));
            continue;
        };
        let numbers: Vec<f32> = input.values.iter().map(|&value| value as f32).collect();
        values.push((id, Value::from_shape(&input.shape[..], numbers).unwrap().into()));
    }
    let outputs = model.run(values, model.output_ids(), None).map_err(|error| error.to_string())?;
    let mut from = 0;
    for (output, batched) in outputs.into_iter().zip(batched) {
        let Value::FloatTensor(output) = output else { return Err("an output that is not of floats".into()) };
        let output = output.into_data();
        let rows = if *batched { answer.nrows() } else { 1 };
        let each = output.len() / rows;
        for (index, &theirs) in output.iter().enumerate() {
            let ours = answer.get((index / each, from + index % each)).copied().unwrap_or(f32::NAN);
            if (ours - theirs).abs() > 1e-4 * theirs.abs().max(1.0) {
                return Err(format!("{theirs} instead of {ours}"));
            }
        }
        from += each;
    }
    Ok(())
}

/// Whether each output has an axis of samples: what does not depend on them has none.
fn batched(model: &Model) -> Vec<bool> {
    let mut batched = vec![true];
    for node in &model.graph.nodes {
        batched.push(match &node.op {
            Op::Input(input) => input.batched,
            _ => node.inputs.iter().any(|input| batched[input.0]),
        });
    }
    match model.graph.nodes.last() {
        Some(Node { op: Op::Outputs, inputs, .. }) => inputs.iter().map(|input| batched[input.0]).collect(),
        _ => vec![batched[model.graph.nodes.len()]],
    }
}

/// What a network answers; one row a sample.
fn answer(model: &Model, inputs: &[&Array]) -> Result<Array2<f32>, String> {
    let mut parts =
        model.graph.nodes.iter().filter_map(|node| if let Op::Input(input) = &node.op { Some(input) } else { None });
    let whole = parts.any(|input| !input.batched);
    let features: usize = model.graph.input_shape.iter().product();
    let samples = match inputs.first() {
        Some(first) if !whole => first.shape.first().copied().unwrap_or(1),
        _ => 1,
    };
    let mut rows = Vec::new();
    for sample in 0..samples {
        for input in inputs {
            let each = input.values.len() / samples;
            rows.extend(input.values[sample * each..(sample + 1) * each].iter().map(|&value| value as f32));
        }
    }
    // A network all of whose inputs are bound has one that nothing reads.
    if inputs.is_empty() {
        rows.resize(features, 0.0);
    }
    let rows = Array2::from_shape_vec((samples, features), rows).map_err(|error| error.to_string())?;
    answers(model, &rows).map_err(|error| error.to_string())
}

/// Inputs bound to numbers: an initializer of an input's name is its constant. `unread` adds an input that nothing reads.
fn bind(bytes: &[u8], constants: &[&Array], unread: bool) -> Vec<u8> {
    let mut added = Vec::new();
    for constant in constants {
        let mut tensor = constant.bytes.clone();
        put(&mut tensor, 8, constant.name.as_bytes());
        put(&mut added, 5, &tensor);
    }
    if unread {
        // `ValueInfoProto { name, type { tensor_type { elem_type: FLOAT, shape { 1 } } } }`
        let mut info = Vec::new();
        put(&mut info, 1, b"unread");
        put(&mut info, 2, &[0x0a, 8, 0x08, 1, 0x12, 4, 0x0a, 2, 0x08, 1]);
        put(&mut added, 11, &info);
    }
    let mut bound = Vec::new();
    let mut rest = bytes;
    while let Some((&tag, _)) = rest.split_first() {
        let (length, head) = match tag & 7 {
            0 => (0, 1 + varint(&rest[1..]).1),
            2 => {
                let (length, size) = varint(&rest[1..]);
                (length as usize, 1 + size)
            }
            5 => (4, 1),
            _ => (8, 1),
        };
        let (field, after) = rest.split_at(head + length);
        if tag == 7 << 3 | 2 {
            put(&mut bound, 7, &[&field[head..], &added].concat());
        } else {
            bound.extend(field);
        }
        rest = after;
    }
    bound
}

/// Appends a field of bytes.
fn put(bytes: &mut Vec<u8>, number: u8, field: &[u8]) {
    bytes.push(number << 3 | 2);
    let mut length = field.len();
    while length >= 128 {
        bytes.push(length as u8 | 128);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend(field);
}

fn varint(bytes: &[u8]) -> (u64, usize) {
    let mut value = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        value |= u64::from(byte & 127) << (7 * index);
        if byte < 128 {
            return (value, index + 1);
        }
    }
    panic!("a number that does not end")
}

/// A recorded array.
struct Array {
    name: String,
    kind: DataType,
    shape: Vec<usize>,
    values: Vec<f64>,
    bytes: Vec<u8>,
}

impl Array {
    /// Reads a `TensorProto`, by another crate's decoder: as the initializer of a file.
    fn parse(name: String, bytes: Vec<u8>) -> Option<Self> {
        let (mut graph, mut file) = (Vec::new(), Vec::new());
        put(&mut graph, 5, &bytes);
        put(&mut file, 7, &graph);
        let graph = ModelProto::parse_buf(&file).ok()?.graph?;
        let tensor = &graph.initializer[0];
        let kind = tensor.data_type?;
        let values = numbers(tensor, kind);
        let shape = tensor.dims.iter().map(|&side| side as usize).collect();
        Some(Array { name, kind, shape, values, bytes })
    }
}

fn numbers(tensor: &TensorProto, kind: DataType) -> Vec<f64> {
    fn raw<const N: usize>(raw: &[u8], widen: fn([u8; N]) -> f64) -> Vec<f64> {
        raw.as_chunks::<N>().0.iter().map(|&bytes| widen(bytes)).collect()
    }
    let Some(bytes) = &tensor.raw_data else {
        let floats = tensor.float_data.iter().map(|&value| f64::from(value));
        let ints = tensor.int32_data.iter().map(|&value| f64::from(value));
        let longs = tensor.int64_data.iter().map(|&value| value as f64);
        return floats.chain(ints).chain(longs).chain(tensor.double_data.iter().copied()).collect();
    };
    let bytes = bytes.borrow();
    match kind {
        DataType::FLOAT => raw(&bytes, |bytes| f64::from(f32::from_le_bytes(bytes))),
        DataType::DOUBLE => raw(&bytes, f64::from_le_bytes),
        DataType::INT64 => raw(&bytes, |bytes| i64::from_le_bytes(bytes) as f64),
        DataType::INT32 => raw(&bytes, |bytes| f64::from(i32::from_le_bytes(bytes))),
        DataType::INT16 => raw(&bytes, |bytes| f64::from(i16::from_le_bytes(bytes))),
        DataType::UINT16 => raw(&bytes, |bytes| f64::from(u16::from_le_bytes(bytes))),
        DataType::UINT32 => raw(&bytes, |bytes| f64::from(u32::from_le_bytes(bytes))),
        DataType::UINT64 => raw(&bytes, |bytes| u64::from_le_bytes(bytes) as f64),
        DataType::INT8 => raw(&bytes, |[byte]: [u8; 1]| f64::from(byte as i8)),
        DataType::UINT8 | DataType::BOOL => raw(&bytes, |[byte]: [u8; 1]| f64::from(byte)),
        DataType::BFLOAT16 => raw(&bytes, |bytes| f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16).into()),
        DataType::FLOAT16 => raw(&bytes, |bytes| half(u16::from_le_bytes(bytes))),
        _ => Vec::new(),
    }
}

/// IEEE 754 binary16.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let magnitude = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}
