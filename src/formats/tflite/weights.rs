//! The numbers of a file's tensors: taken out of it, and put back.

use super::table::Table;
use super::{FORMAT, malformed, skeleton, unsupported};
use crate::error::LoadError;
use crate::formats::collect::Collector;
use crate::formats::cursor::{MAX_SIDES, MAX_TENSORS};
use crate::model::network::byte_count;
use crate::model::{Dtype, Network, Source, Tensor};

/// Fields of `Model`, and of `SubGraph`.
const SUBGRAPHS: usize = 2;
const BUFFERS: usize = 4;
const TENSORS: usize = 0;

/// A tensor that has numbers in the file.
pub struct Stored<'a> {
    name: &'a str,
    shape: Vec<usize>,
    dtype: Dtype,
    /// Where its bytes are.
    at: usize,
    data: &'a [u8],
    quantization: Option<Table<'a>>,
}

/// What integers stand for.
struct Scales<'a> {
    scales: &'a [[u8; 4]],
    zeros: &'a [[u8; 8]],
    /// Elements that follow each other in one channel.
    run: usize,
}

/// A file's subgraphs and its buffers.
pub fn parts(file: &[u8]) -> Result<(Vec<Table<'_>>, Vec<Table<'_>>), LoadError> {
    let model = Table::root(file)?;
    let buffers = model.tables(BUFFERS)?;
    Ok((model.tables(SUBGRAPHS)?, buffers))
}

/// Every tensor that has numbers, in the order of the file.
fn all(file: &[u8]) -> Result<Vec<Stored<'_>>, LoadError> {
    let (subgraphs, buffers) = parts(file)?;
    let mut found = Vec::new();
    for subgraph in subgraphs {
        for tensor in subgraph.tables(TENSORS)? {
            found.extend(Stored::find(&tensor, &buffers)?);
            if found.len() > MAX_TENSORS {
                return Err(malformed("file", format!("at most {MAX_TENSORS} tensors"), "more"));
            }
        }
    }
    Ok(found)
}

/// Reads the weights: every tensor that has numbers in the file. Integers with a scale become the numbers that they stand for.
///
/// # Errors
/// [`LoadError`], whatever the bytes are.
pub fn read(file: &[u8], cap: u64) -> Result<Network, LoadError> {
    let mut tensors = Collector::new(FORMAT, cap);
    let mut cuts = Vec::new();
    for stored in all(file)? {
        cuts.push((stored.at, stored.data.len()));
        let name = tensors.free_name(stored.name);
        let Some(scales) = stored.scales(|dtype| tensors.reserve(&name, &stored.shape, dtype))? else {
            tensors.copy(&name, stored.shape, stored.dtype, stored.data)?;
            continue;
        };
        let values = stored.dtype.integers(stored.data).enumerate();
        let bytes = values.flat_map(|(index, integer)| scales.value(index, integer).to_le_bytes()).collect();
        tensors.push(Tensor { dequantized: true, ..Tensor::new(name, stored.shape, Dtype::F32, bytes) })?;
    }
    Ok(tensors.network(Source::Tflite, skeleton::cut(file, &cuts)))
}

/// The file that the weights came from, with their numbers in it.
///
/// # Errors
/// [`LoadError::Unsupported`] if a tensor of integers has to hold other numbers than it can, or two that share their place do not agree.
pub fn write(weights: &Network) -> Result<Vec<u8>, LoadError> {
    let empty = skeleton::whole(weights)?;
    let stored = all(&empty)?;
    if stored.len() != weights.tensors.len() {
        return Err(malformed("skeleton", "as many weights as there are tensors", stored.len()));
    }
    let mut file = empty.clone();
    for (stored, tensor) in stored.iter().zip(&weights.tensors) {
        let bytes = stored.encode(tensor)?;
        file[stored.at..stored.at + bytes.len()].copy_from_slice(&bytes);
    }
    for (stored, tensor) in stored.iter().zip(&weights.tensors) {
        let bytes = stored.encode(tensor)?;
        if file[stored.at..stored.at + bytes.len()] != bytes[..] {
            let place = Collector::place(&tensor.name);
            return Err(unsupported(place, "other numbers than those of a tensor in the same place", "the same"));
        }
    }
    Ok(file)
}

impl<'a> Stored<'a> {
    /// A tensor's numbers, if it has any.
    pub fn find(table: &Table<'a>, buffers: &[Table<'a>]) -> Result<Option<Self>, LoadError> {
        const SHAPE: usize = 0;
        const TYPE: usize = 1;
        const BUFFER: usize = 2;
        const NAME: usize = 3;
        const QUANTIZATION: usize = 4;
        const SPARSITY: usize = 6;
        const DATA: usize = 0;
        const BUFFER_OFFSET: usize = 1;
        // Text, such as labels, is no weight.
        const STRING: u8 = 5;
        let name = table.text(NAME)?;
        let place = Collector::place(name);
        let index = table.u32(BUFFER)? as usize;
        let Some(buffer) = buffers.get(index) else {
            return Err(malformed(place, format!("a buffer below {}", buffers.len()), index));
        };
        if buffer.field(BUFFER_OFFSET)?.is_some() {
            return Err(unsupported(place, "numbers behind the FlatBuffer", "numbers in it"));
        }
        let (at, data) = buffer.vector_at(DATA, 1)?;
        if data.is_empty() {
            return Ok(None);
        }
        if table.field(SPARSITY)?.is_some() {
            return Err(unsupported(place, "a sparse tensor", "dense tensors"));
        }
        let sides = table.ints(SHAPE)?;
        if sides.len() > MAX_SIDES {
            return Err(malformed(place, format!("at most {MAX_SIDES} dimensions"), sides.len()));
        }
        let shape = sides.map(usize::try_from).collect::<Result<Vec<usize>, _>>();
        let shape = shape.map_err(|_| malformed(&place, "sides of at least 0", "one below"))?;
        let kind = table.byte(TYPE)?;
        if kind == STRING {
            return Ok(None);
        }
        let dtype = dtype_of(kind, &place)?;
        let quantization = table.table(QUANTIZATION)?.filter(|_| !dtype.is_float());
        Ok(Some(Stored { name, shape, dtype, at, data, quantization }))
    }

    /// A tensor's numbers as they are in the file.
    fn encode(&self, tensor: &Tensor) -> Result<Vec<u8>, LoadError> {
        let place = || Collector::place(&tensor.name);
        let size = self.dtype.size();
        let mut bytes = Vec::new();
        match self.scales(|_| Ok(()))? {
            None => bytes.clone_from(&tensor.bytes),
            Some(scales) => {
                for (index, value) in tensor.values().into_iter().enumerate() {
                    let wide = scales.integer(index, value).to_le_bytes();
                    let kept = self.dtype.integers(&wide[..size]).next().unwrap_or(0);
                    if scales.value(index, kept).to_bits() != value.to_bits() {
                        let feature = "other numbers than its integers can hold";
                        return Err(unsupported(place(), feature, "integers as they were"));
                    }
                    bytes.extend_from_slice(&wide[..size]);
                }
            }
        }
        if bytes.len() != self.data.len() {
            return Err(malformed(place(), format!("{} bytes", self.data.len()), bytes.len()));
        }
        Ok(bytes)
    }

    /// What its integers stand for, if they have a scale. `reserve` is asked for room for the 32-bit floats before the numbers are looked at.
    fn scales<T>(&self, reserve: impl FnOnce(Dtype) -> Result<T, LoadError>) -> Result<Option<Scales<'a>>, LoadError> {
        const SCALE: usize = 2;
        const ZERO_POINT: usize = 3;
        const AXIS: usize = 6;
        let Some(table) = self.quantization else { return Ok(None) };
        let scales = table.vector(SCALE, 4)?.as_chunks().0;
        if scales.is_empty() {
            return Ok(None);
        }
        reserve(Dtype::F32)?;
        let (shape, place) = (&self.shape, Collector::place(self.name));
        let bytes = byte_count(shape, self.dtype).unwrap_or(usize::MAX);
        if self.data.len() != bytes {
            return Err(malformed(place, format!("{bytes} bytes for the shape {shape:?}"), self.data.len()));
        }
        let zeros = table.vector(ZERO_POINT, 8)?.as_chunks().0;
        let axis = table.u32(AXIS)? as usize;
        let channels = if scales.len() == 1 { 1 } else { shape.get(axis).copied().unwrap_or(0) };
        if scales.len() != channels || ![0, 1, channels].contains(&zeros.len()) {
            let expected = format!("scales and zero points for one or {channels} channels");
            return Err(malformed(place, expected, format!("{} and {}", scales.len(), zeros.len())));
        }
        let run: usize = if channels == 1 { usize::MAX } else { shape[axis + 1..].iter().product() };
        Ok(Some(Scales { scales, zeros, run: run.max(1) }))
    }
}

impl Scales<'_> {
    /// Scale and zero point of an element.
    fn of(&self, index: usize) -> (f64, i64) {
        let channel = index / self.run % self.scales.len();
        let zero = match self.zeros {
            [] => 0,
            &[one] => i64::from_le_bytes(one),
            many => i64::from_le_bytes(many[channel]),
        };
        (f64::from(f32::from_le_bytes(self.scales[channel])), zero)
    }

    /// The number that an integer stands for.
    fn value(&self, index: usize, integer: i64) -> f32 {
        let (scale, zero) = self.of(index);
        // In double precision, so that it is rounded once.
        (integer.wrapping_sub(zero) as f64 * scale) as f32
    }

    /// The integer that is next to a number.
    fn integer(&self, index: usize, value: f32) -> i64 {
        let (scale, zero) = self.of(index);
        ((f64::from(value) / scale).round() as i64).wrapping_add(zero)
    }
}

/// `TensorType`.
fn dtype_of(kind: u8, place: &str) -> Result<Dtype, LoadError> {
    Ok(match kind {
        0 => Dtype::F32,
        1 => Dtype::F16,
        2 => Dtype::I32,
        3 => Dtype::U8,
        4 => Dtype::I64,
        6 => Dtype::Bool,
        7 => Dtype::I16,
        9 => Dtype::I8,
        10 => Dtype::F64,
        12 => Dtype::U64,
        15 => Dtype::U32,
        16 => Dtype::U16,
        other => {
            let supported = "floats of 16 to 64 bits, integers of 8 to 64, bool";
            return Err(unsupported(place, format!("type {other}"), supported));
        }
    })
}
