//! TensorFlow Lite: the weights of a model, not its graph.
//!
//! The file is a FlatBuffer (<https://flatbuffers.dev/internals/>): tables whose fields are found through a table of offsets.
//! The numbers of fields are those of TensorFlow's `schema.fbs`. Each offset is followed only once it is proved to lie in the file,
//! and none is followed twice from one table, so that no cycle can hang.

use super::collect::Collector;
use super::cursor::{Cursor, MAX_NAME, MAX_TENSORS, malformed, unsupported};
use crate::error::LoadError;
use crate::model::{Dtype, Origin, Source, Tensor, Weights};

const FORMAT: &str = "TFLite";

/// Whether these look like the first bytes of such a file: the identifier follows the offset of the root table.
pub fn is_tflite(bytes: &[u8]) -> bool {
    bytes.get(4..8) == Some(b"TFL3")
}

/// A table in a file.
#[derive(Debug, Clone, Copy)]
struct Table<'a> {
    file: &'a [u8],
    at: usize,
    /// The offsets of the fields, from `at`; 0 for a field that is left out.
    fields: &'a [[u8; 2]],
}

/// The place that lies `at` an offset beyond a place.
fn follow(file: &[u8], at: usize) -> Result<usize, LoadError> {
    let offset = Cursor::new(FORMAT, file, at)?.u32()? as usize;
    let place = at.saturating_add(offset);
    if place >= file.len() {
        return Err(malformed(FORMAT, format!("byte {at}"), format!("an offset within {}", file.len() - at), offset));
    }
    Ok(place)
}

impl<'a> Table<'a> {
    /// The table that starts at a place.
    fn new(file: &'a [u8], at: usize) -> Result<Self, LoadError> {
        let mut cursor = Cursor::new(FORMAT, file, at)?;
        // The table of offsets lies before or behind.
        let back = cursor.u32()? as i32;
        let start = usize::try_from(at as i64 - i64::from(back));
        let start = start.map_err(|_| cursor.malformed("an offset within the file", back))?;
        let mut offsets = Cursor::new(FORMAT, file, start)?;
        let bytes = usize::from(offsets.u16()?);
        let _table_bytes = offsets.u16()?;
        let fields = offsets.take(bytes.saturating_sub(4))?.as_chunks().0;
        Ok(Table { file, at, fields })
    }

    /// Where a field is, if it is there.
    fn field(&self, number: usize) -> Result<Option<Cursor<'a>>, LoadError> {
        match self.fields.get(number).map(|&offset| usize::from(u16::from_le_bytes(offset))) {
            None | Some(0) => Ok(None),
            Some(offset) => Cursor::new(FORMAT, self.file, self.at + offset).map(Some),
        }
    }

    /// What a field that is an offset points to.
    fn target(&self, number: usize) -> Result<Option<usize>, LoadError> {
        self.field(number)?.map(|field| follow(self.file, field.position())).transpose()
    }

    /// A table in a field.
    fn table(&self, number: usize) -> Result<Option<Table<'a>>, LoadError> {
        self.target(number)?.map(|at| Table::new(self.file, at)).transpose()
    }

    /// The bytes of a vector's elements of `size` bytes, and their number.
    fn vector(&self, number: usize, size: usize) -> Result<&'a [u8], LoadError> {
        let Some(at) = self.target(number)? else { return Ok(&[]) };
        let mut cursor = Cursor::new(FORMAT, self.file, at)?;
        let count = cursor.u32()? as usize;
        cursor.take(count.saturating_mul(size))
    }

    /// The tables of a vector.
    fn tables(&self, number: usize) -> Result<Vec<Table<'a>>, LoadError> {
        let Some(at) = self.target(number)? else { return Ok(Vec::new()) };
        let mut cursor = Cursor::new(FORMAT, self.file, at)?;
        let count = cursor.u32()? as usize;
        if count > MAX_TENSORS {
            return Err(cursor.malformed(format!("at most {MAX_TENSORS} tables"), count));
        }
        let first = cursor.position();
        cursor.take(4 * count)?;
        (0..count).map(|index| Table::new(self.file, follow(self.file, first + 4 * index)?)).collect()
    }

    /// Text in a field.
    fn text(&self, number: usize) -> Result<&'a str, LoadError> {
        let bytes = self.vector(number, 1)?;
        if bytes.len() > MAX_NAME {
            return Err(malformed(FORMAT, "name", format!("at most {MAX_NAME} bytes"), bytes.len()));
        }
        std::str::from_utf8(bytes).map_err(|error| malformed(FORMAT, "name", "text in UTF-8", error))
    }

    /// A number of 32 bits, or 0.
    fn u32(&self, number: usize) -> Result<u32, LoadError> {
        self.field(number)?.map_or(Ok(0), |mut field| field.u32())
    }
}

/// Reads the weights: every tensor that has numbers in the file. Integers with a scale become the numbers that they stand for.
///
/// # Errors
/// [`LoadError`], whatever the bytes are.
pub fn read(file: &[u8], cap: u64) -> Result<Weights, LoadError> {
    const SUBGRAPHS: usize = 2;
    const BUFFERS: usize = 4;
    const TENSORS: usize = 0;
    let model = Table::new(file, follow(file, 0)?)?;
    let buffers = model.tables(BUFFERS)?;
    let mut tensors = Collector::new(FORMAT, cap);
    for subgraph in model.tables(SUBGRAPHS)? {
        for tensor in subgraph.tables(TENSORS)? {
            add(&tensor, &buffers, &mut tensors)?;
        }
    }
    let origin = Origin { source: Source::Tflite, skeleton: Vec::new() };
    let obstacle = "the graph of a TFLite file is not read".to_owned();
    Ok(Weights { tensors: tensors.finish(), origin, obstacle: Some(obstacle) })
}

/// Adds a tensor, if it has numbers.
fn add(table: &Table, buffers: &[Table], tensors: &mut Collector) -> Result<(), LoadError> {
    const SHAPE: usize = 0;
    const TYPE: usize = 1;
    const BUFFER: usize = 2;
    const NAME: usize = 3;
    const QUANTIZATION: usize = 4;
    const SPARSITY: usize = 6;
    const DATA: usize = 0;
    const BUFFER_OFFSET: usize = 1;
    const SCALE: usize = 2;
    const ZERO_POINT: usize = 3;
    const AXIS: usize = 6;
    let name = tensors.free_name(table.text(NAME)?);
    let place = Collector::place(&name);
    let index = table.u32(BUFFER)? as usize;
    let Some(buffer) = buffers.get(index) else {
        return Err(malformed(FORMAT, place, format!("a buffer below {}", buffers.len()), index));
    };
    if buffer.field(BUFFER_OFFSET)?.is_some() {
        return Err(unsupported(FORMAT, place, "numbers behind the FlatBuffer", "numbers in it"));
    }
    let data = buffer.vector(DATA, 1)?;
    if data.is_empty() {
        return Ok(());
    }
    if table.field(SPARSITY)?.is_some() {
        return Err(unsupported(FORMAT, place, "a sparse tensor", "dense tensors"));
    }
    let sides = table.vector(SHAPE, 4)?.as_chunks().0.iter().map(|&side| usize::try_from(i32::from_le_bytes(side)));
    let shape: Vec<usize> =
        sides.collect::<Result<_, _>>().map_err(|_| malformed(FORMAT, &place, "sides of at least 0", "one below"))?;
    let kind = table.field(TYPE)?.map_or(Ok(0), |mut field| field.byte())?;
    // Text, such as labels, is no weight.
    const STRING: u8 = 5;
    if kind == STRING {
        return Ok(());
    }
    let dtype = dtype_of(kind, &place)?;
    let quantization = table.table(QUANTIZATION)?;
    let scales = quantization.map_or(Ok(&[][..]), |table| table.vector(SCALE, 4))?.as_chunks().0;
    if scales.is_empty() || dtype.is_float() {
        return tensors.copy(&name, shape, dtype, data);
    }
    let zero_points = quantization.map_or(Ok(&[][..]), |table| table.vector(ZERO_POINT, 8))?.as_chunks().0;
    let axis = quantization.map_or(Ok(0), |table| table.u32(AXIS))? as usize;
    let expected = tensors.reserve(&name, &shape, Dtype::F32)?;
    let count = expected / 4;
    if data.len() != count * dtype.size() {
        let expected = format!("{} bytes for the shape {shape:?}", count * dtype.size());
        return Err(malformed(FORMAT, place, expected, data.len()));
    }
    let channels = if scales.len() == 1 { 1 } else { shape.get(axis).copied().unwrap_or(0) };
    if scales.len() != channels || ![0, 1, channels].contains(&zero_points.len()) {
        let expected = format!("scales and zero points for one or {channels} channels");
        return Err(malformed(FORMAT, place, expected, format!("{} and {}", scales.len(), zero_points.len())));
    }
    // Elements that follow each other in one channel.
    let run: usize = if channels == 1 { count.max(1) } else { shape[axis + 1..].iter().product() };
    let zero = |channel: usize| match zero_points {
        [] => 0,
        &[one] => i64::from_le_bytes(one),
        many => i64::from_le_bytes(many[channel]),
    };
    let bytes = integers(dtype, data)
        .enumerate()
        .flat_map(|(index, integer)| {
            let channel = index / run.max(1) % channels;
            // In double precision, so that it is rounded once.
            let difference = integer.wrapping_sub(zero(channel)) as f64;
            ((difference * f64::from(f32::from_le_bytes(scales[channel]))) as f32).to_le_bytes()
        })
        .collect();
    tensors.push(Tensor { name, shape, dtype: Dtype::F32, bytes, dequantized: true })
}

/// Elements of an integer type; 0 for those of others, which do not come here.
fn integers(dtype: Dtype, data: &[u8]) -> impl Iterator<Item = i64> {
    data.chunks_exact(dtype.size()).map(move |bytes| {
        let mut wide = [0; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        let value = i64::from_le_bytes(wide);
        let unused = 64 - 8 * dtype.size() as u32;
        match dtype {
            Dtype::U8 | Dtype::U16 | Dtype::U32 | Dtype::U64 | Dtype::Bool => value,
            _ => value << unused >> unused,
        }
    })
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
            return Err(unsupported(FORMAT, place, format!("type {other}"), supported));
        }
    })
}
