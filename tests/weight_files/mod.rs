//! Small files of weights for the tests, put together byte by byte.
#![allow(dead_code)]

use crate::onnx_files::File;
use flate2::{Compression, write::DeflateEncoder};
use std::io::Write;

/// A safetensors file.
pub fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

/// A `.npy` file, version 1.
pub fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let fortran = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}

/// An archive whose entries are deflated, or stored.
pub fn zip(entries: &[(&str, &[u8])], deflated: bool) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in entries {
        let packed = if deflated {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        } else {
            bytes.to_vec()
        };
        let offset = file.len() as u32;
        let mut fields = vec![20, 0, 0, 0, if deflated { 8 } else { 0 }, 0, 0, 0, 0, 0];
        fields.extend(crc32fast::hash(bytes).to_le_bytes());
        fields.extend((packed.len() as u32).to_le_bytes());
        fields.extend((bytes.len() as u32).to_le_bytes());
        fields.extend((name.len() as u16).to_le_bytes());
        // PyTorch pads the local header with an extra field.
        file.extend([&b"PK\x03\x04"[..], &fields, &[3, 0], name.as_bytes(), b"FBZ", &packed].concat());
        let tail = [&[0u8; 12][..], &offset.to_le_bytes()].concat();
        directory.extend([&b"PK\x01\x02\x14\x00"[..], &fields, &tail, name.as_bytes()].concat());
    }
    let (offset, count) = ((file.len() as u32).to_le_bytes(), (entries.len() as u16).to_le_bytes());
    let size = (directory.len() as u32).to_le_bytes();
    file.extend(directory);
    file.extend([b"PK\x05\x06\0\0\0\0", &count[..], &count, &size, &offset, &[0, 0]].concat());
    file
}

/// An archive of arrays.
pub fn npz(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    zip(&arrays.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect::<Vec<_>>(), true)
}

/// A string in a pickle.
pub fn text(text: &str) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

/// Name, storage type, its key and count, offset, sides, strides.
pub type View<'a> = (&'a str, &'a str, &'a str, u8, u8, &'a [u8], &'a [u8]);

/// What builds a dictionary of tensors.
pub fn state_dict(views: &[View]) -> Vec<u8> {
    let mut bytes = b"}(".to_vec();
    for &(name, kind, key, count, offset, shape, strides) in views {
        let tuple = |values: &[u8]| {
            let items: Vec<u8> = values.iter().flat_map(|&value| [b'K', value]).collect();
            [b"(", &items[..], b"t"].concat()
        };
        bytes.extend(text(name));
        bytes.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        bytes.extend(text("storage"));
        bytes.extend(format!("ctorch\n{kind}\n").into_bytes());
        bytes.extend([text(key), text("cpu"), vec![b'K', count], b"tQK".to_vec(), vec![offset]].concat());
        bytes.extend([tuple(shape), tuple(strides)].concat());
        bytes.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    }
    bytes.push(b'u');
    bytes
}

/// A whole pickle, protocol 2.
pub fn pickle_of(body: &[u8]) -> Vec<u8> {
    [b"\x80\x02", body, b"."].concat()
}

/// A file as `torch.save` writes it.
pub fn torch_zip(pickle: &[u8], storages: &[(&str, &[u8])]) -> Vec<u8> {
    let named: Vec<(String, &[u8])> =
        storages.iter().map(|(key, bytes)| (format!("archive/data/{key}"), *bytes)).collect();
    let mut entries: Vec<(&str, &[u8])> = vec![("archive/data.pkl", pickle), ("archive/byteorder", b"little")];
    entries.extend(named.iter().map(|(name, bytes)| (name.as_str(), *bytes)));
    zip(&entries, false)
}

/// A file as `torch.save` wrote it before version 1.6: key, count and bytes of each storage.
pub fn legacy(body: &[u8], storages: &[(&str, u64, &[u8])]) -> Vec<u8> {
    let mut file = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e".to_vec();
    file.extend(pickle_of(b"M\xe9\x03"));
    file.extend(pickle_of(b"}"));
    file.extend(pickle_of(body));
    let keys: Vec<u8> = storages.iter().flat_map(|(key, ..)| text(key)).collect();
    file.extend(pickle_of(&[b"](", &keys[..], b"e"].concat()));
    for (_, count, bytes) in storages {
        file.extend([&count.to_le_bytes(), *bytes].concat());
    }
    file
}

/// A field of a FlatBuffer's table.
pub enum Field {
    Byte(u8),
    U32(u32),
    /// Number of elements, and their bytes.
    Vector(u32, Vec<u8>),
    Table(Table),
    Tables(Vec<Table>),
}

/// A table of a FlatBuffer: fields by their numbers, which rise.
pub struct Table(pub Vec<(usize, Field)>);

impl Table {
    fn put(&self, file: &mut Vec<u8>) -> usize {
        let slots = self.0.last().map_or(0, |(number, _)| number + 1);
        let offsets = file.len();
        file.extend(((4 + 2 * slots) as u16).to_le_bytes());
        file.extend(((4 + 4 * self.0.len()) as u16).to_le_bytes());
        for slot in 0..slots {
            let place = self.0.iter().position(|(number, _)| *number == slot);
            file.extend((place.map_or(0, |place| 4 + 4 * place) as u16).to_le_bytes());
        }
        let table = file.len();
        file.extend(((table - offsets) as i32).to_le_bytes());
        for (_, field) in &self.0 {
            match field {
                Field::Byte(byte) => file.extend([*byte, 0, 0, 0]),
                Field::U32(number) => file.extend(number.to_le_bytes()),
                Field::Vector(..) | Field::Table(_) | Field::Tables(_) => file.extend([0; 4]),
            }
        }
        let point = |file: &mut Vec<u8>, from: usize, to: usize| {
            file[from..from + 4].copy_from_slice(&((to - from) as u32).to_le_bytes());
        };
        for (place, (_, field)) in self.0.iter().enumerate() {
            let from = table + 4 + 4 * place;
            match field {
                Field::Byte(_) | Field::U32(_) => {}
                Field::Vector(count, bytes) => {
                    let to = file.len();
                    file.extend(count.to_le_bytes());
                    file.extend(bytes);
                    point(file, from, to);
                }
                Field::Table(child) => {
                    let to = child.put(file);
                    point(file, from, to);
                }
                Field::Tables(children) => {
                    let to = file.len();
                    file.extend((children.len() as u32).to_le_bytes());
                    file.extend(vec![0; 4 * children.len()]);
                    point(file, from, to);
                    for (index, child) in children.iter().enumerate() {
                        let at = child.put(file);
                        point(file, to + 4 + 4 * index, at);
                    }
                }
            }
        }
        table
    }
}

fn vector32(values: &[u32]) -> Field {
    Field::Vector(values.len() as u32, values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

/// A tensor of a TFLite model: name, sides, type, buffer, scales, zero points.
pub fn tflite_tensor(name: &str, shape: &[u32], kind: u8, buffer: u32, scales: &[f32], zeros: &[i64]) -> Table {
    let mut fields = vec![
        (0, vector32(shape)),
        (1, Field::Byte(kind)),
        (2, Field::U32(buffer)),
        (3, Field::Vector(name.len() as u32, name.as_bytes().to_vec())),
    ];
    if !scales.is_empty() {
        let scales: Vec<u32> = scales.iter().map(|scale| scale.to_bits()).collect();
        let zeros = Field::Vector(zeros.len() as u32, zeros.iter().flat_map(|zero| zero.to_le_bytes()).collect());
        fields.push((4, Field::Table(Table(vec![(2, vector32(&scales)), (3, zeros), (6, Field::U32(0))]))));
    }
    Table(fields)
}

/// A TFLite model with one subgraph.
pub fn tflite(tensors: Vec<Table>, buffers: &[&[u8]]) -> Vec<u8> {
    tflite_graph(tensors, buffers, [&[], &[]], &[], Vec::new())
}

/// A TFLite model with a graph: its inputs and outputs, the codes of its operators, and these.
pub fn tflite_graph(
    tensors: Vec<Table>,
    buffers: &[&[u8]],
    ends: [&[u32]; 2],
    codes: &[u32],
    operators: Vec<Table>,
) -> Vec<u8> {
    let buffer = |bytes: &&[u8]| Table(vec![(0, Field::Vector(bytes.len() as u32, bytes.to_vec()))]);
    let buffers = Field::Tables(buffers.iter().map(buffer).collect());
    let codes = codes.iter().map(|&code| Table(vec![(3, Field::U32(code))])).collect();
    let subgraph = Table(vec![
        (0, Field::Tables(tensors)),
        (1, vector32(ends[0])),
        (2, vector32(ends[1])),
        (3, Field::Tables(operators)),
    ]);
    let model =
        Table(vec![(0, Field::U32(3)), (1, Field::Tables(codes)), (2, Field::Tables(vec![subgraph])), (4, buffers)]);
    root(&model)
}

/// An operator of a TFLite model: its code's place, what it reads and makes, the kind of its options and these.
pub fn tflite_operator(code: u32, inputs: &[u32], outputs: &[u32], kind: u8, options: Table) -> Table {
    let fields = [vector32(inputs), vector32(outputs), Field::Byte(kind), Field::Table(options)];
    Table([Field::U32(code)].into_iter().chain(fields).enumerate().collect())
}

/// A file with this table as its root.
pub fn root(model: &Table) -> Vec<u8> {
    let mut file = b"\0\0\0\0TFL3".to_vec();
    let root = model.put(&mut file) as u32;
    file[..4].copy_from_slice(&root.to_le_bytes());
    file
}

/// A file of each kind: safetensors, npz, npy, PyTorch, its older format, TFLite, ONNX.
pub fn samples() -> Vec<Vec<u8>> {
    let header = r#"{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"h":{"dtype":"BF16","shape":[2],"data_offsets":[16,20]},"n":{"dtype":"I64","shape":[],"data_offsets":[20,28]}}"#;
    let data: Vec<u8> = (0..28).map(|value| value * 7).collect();
    let arrays = npz(&[
        ("w.npy", npy("<f4", false, "(2, 3)", &[7; 24])),
        ("big/endian.npy", npy(">f8", true, "(2, 2)", &[9; 32])),
        ("flag.npy", npy("|b1", false, "()", &[1])),
    ]);
    let dictionary =
        state_dict(&[("a", "FloatStorage", "0", 4, 0, &[2, 2], &[2, 1]), ("b", "LongStorage", "1", 2, 1, &[1], &[1])]);
    let (floats, longs) = ([5u8; 16], [6u8; 16]);
    let tflite = tflite(
        vec![
            tflite_tensor("kernel", &[2, 3], 9, 1, &[0.5, 2.0], &[0, 1]),
            tflite_tensor("activation", &[1, 4], 0, 0, &[], &[]),
            tflite_tensor("bias", &[1], 0, 2, &[], &[]),
            tflite_tensor("whole", &[2], 3, 3, &[0.5], &[128]),
        ],
        &[&[], &[1, 255, 3, 1, 254, 127], &1.25f32.to_le_bytes(), &[128, 255]],
    );
    let onnx =
        File::new(&[4]).random("w", &[4, 30]).node("MatMul", &["x", "w"], "a", vec![]).node("Sin", &["a"], "y", vec![]);
    vec![
        safetensors(header, &data),
        arrays,
        npy("<i2", false, "(3,)", &[1, 2, 3, 4, 5, 6]),
        torch_zip(&pickle_of(&dictionary), &[("0", &floats), ("1", &longs)]),
        legacy(&dictionary, &[("1", 2, &longs), ("0", 4, &floats)]),
        tflite,
        onnx.bytes(),
    ]
}
