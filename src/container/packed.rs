//! A `.nut` file of named weights: no graph that Nutshell knows, but the tensors of a file, and what is needed to write it again.
//!
//! Its topology is [`WEIGHTS`]. A section lists the tensors; the coded stream is cut into blocks of whole tensors, each with models and a
//! range coder of its own, so that they can be coded at the same time.

use super::apart::{self, Job};
use super::bytes::{MOST_SIDES, Reader, put_sizes, put_varint};
use super::layout::{APART, CHECKSUM_BYTES, HEAD_BYTES, MAGIC, ORIGIN, TENSORS, WEIGHTS};
use super::read::{read_sections, split};
use super::sections::{put_name, read_name};
use super::write::{Encoded, Items, Payload, assemble};
use crate::coding::ParameterBits;
use crate::coding::layout::{Form, Layout};
use crate::coding::number::Number;
use crate::coding::range::{BitCoder, Decoder, Encoder, Kind};
use crate::coding::symbols::{Bounds, SymbolModel};
use crate::coding::verbatim::VerbatimModel;
use crate::error::DecodeError;
use crate::model::network::{View, byte_count, strided};
use crate::model::{Dtype, Origin, RowSteps, Source, Steps, Tensor};
use crate::parallel::for_each;
use flate2::bufread::{DeflateDecoder, DeflateEncoder};
use std::io::Read;

/// A block ends with the tensor with which it has as many elements.
const BLOCK: usize = 1 << 20;

/// Bits of the byte that a tensor starts with in the section.
const DTYPE: u8 = 0x0f;
const STEPS: u8 = 0x10;
const DEQUANTIZED: u8 = 0x20;
const VIEW: u8 = 0x40;
const ROWS: u8 = 0x80;

/// What a tensor takes in memory without its numbers, at most, in bytes, used against the caller's cap.
const ENTRY_BYTES: u64 = 512;

/// How the numbers of a tensor are kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Coding {
    /// As they are: row-major, little-endian, in the tensor's type.
    Verbatim(Vec<u8>),
    /// As multiples of a step, row-major; the tensor's type is a floating-point one, and its sides are at least 1.
    Steps {
        /// What one unit is worth.
        steps: Steps,
        /// `symbol * step` as a 32-bit float is the number, which is then rounded to the tensor's type.
        symbols: Vec<i16>,
    },
    /// As elements of another tensor, which is no view and of the same type.
    View(View),
}

/// A tensor of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct PackedTensor {
    /// See [`Tensor`].
    pub name: String,
    /// See [`Tensor`].
    pub shape: Vec<usize>,
    /// See [`Tensor`].
    pub dtype: Dtype,
    /// See [`Tensor`].
    pub dequantized: bool,
    /// Its numbers.
    pub coding: Coding,
}

/// What a `.nut` file of named weights holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Packed {
    /// In the order of the original.
    pub tensors: Vec<PackedTensor>,
    /// Where they came from.
    pub origin: Origin,
    /// Where the bytes of the file went.
    pub items: Items,
}

impl PackedTensor {
    /// The tensor with its decoded numbers; without them, if they are those of another one.
    fn to_tensor(&self) -> Tensor {
        let (bytes, steps) = match &self.coding {
            Coding::View(_) => (Vec::new(), None),
            Coding::Verbatim(bytes) => (bytes.clone(), None),
            Coding::Steps { steps, symbols } => {
                let values = steps.times(&self.shape, symbols);
                (self.dtype.of_floats(&values).unwrap_or_default(), Some(steps.clone()))
            }
        };
        let PackedTensor { name, shape, dtype, dequantized, .. } = self;
        let tensor = Tensor::new(name.clone(), shape.clone(), *dtype, bytes);
        Tensor { dequantized: *dequantized, steps, ..tensor }
    }
}

impl Packed {
    /// The tensors with their decoded numbers.
    pub fn to_tensors(&self) -> Vec<Tensor> {
        self.decoded().collect()
    }

    /// The same, one after the other.
    pub fn decoded(&self) -> impl Iterator<Item = Tensor> {
        // What views show is shown by several, as a rule.
        let mut shown: Option<(usize, Tensor)> = None;
        self.tensors.iter().map(move |packed| {
            let tensor = packed.to_tensor();
            let Coding::View(view) = &packed.coding else { return tensor };
            let (_, base) = match shown.take() {
                Some((of, base)) if of == view.of => shown.insert((of, base)),
                _ => shown.insert((view.of, self.tensors[view.of].to_tensor())),
            };
            // `read` has proved that all elements are there.
            let bytes = strided(&base.bytes, base.dtype.size(), &packed.shape, &view.strides, view.offset);
            // A view may show rows in another order.
            let steps = base.steps.clone().filter(|steps| steps.rows.is_none());
            Tensor { bytes: bytes.unwrap_or_default(), steps, view: Some(view.clone()), ..tensor }
        })
    }

    /// Proves that views show elements that are there.
    fn check_views(&self) -> Result<(), DecodeError> {
        for PackedTensor { shape, dtype, coding, .. } in &self.tensors {
            let Coding::View(View { of, offset, strides }) = coding else { continue };
            let base =
                self.tensors.get(*of).filter(|base| base.dtype == *dtype && !matches!(base.coding, Coding::View(_)));
            let last = shape
                .iter()
                .zip(strides)
                .try_fold(*offset, |last, (side, stride)| last.checked_add(side.checked_sub(1)?.checked_mul(*stride)?));
            if base.zip(last).is_none_or(|(base, last)| last >= base.shape.iter().product()) {
                let expected = "elements of another tensor of the same type, which is no view".into();
                return Err(DecodeError::Malformed { place: "tensors", expected, got: format!("{coding:?}") });
            }
        }
        Ok(())
    }
}

/// The layout of a tensor for the coder, from its shape alone: the kernels of a one-dimensional convolution are images of one row.
pub fn layout_of(shape: &[usize]) -> Layout {
    match *shape {
        [rows, channels, width] => Layout { rows, channels, height: 1, width, form: Form::Kernels },
        _ => Layout::of_shape(shape),
    }
}

/// What is coded with one range coder.
struct Block<'a> {
    tensors: &'a mut [PackedTensor],
    /// Which of them have their symbols in a stream of their own.
    apart: &'a [bool],
    bytes: Vec<u8>,
    /// What each tensor took.
    spent: Vec<(String, ParameterBits)>,
    /// What is wrong with the bytes.
    error: Option<DecodeError>,
}

/// Cuts tensors into blocks.
fn blocks<'a>(mut tensors: &'a mut [PackedTensor], mut apart: &'a [bool]) -> Vec<Block<'a>> {
    let mut blocks = Vec::new();
    while !tensors.is_empty() {
        let (mut count, mut elements) = (0, 0usize);
        while count < tensors.len() && elements < BLOCK {
            elements = elements.saturating_add(tensors[count].shape.iter().product());
            count += 1;
        }
        let (block, rest) = std::mem::take(&mut tensors).split_at_mut(count);
        let (own, others) = apart.split_at(count);
        apart = others;
        blocks.push(Block { tensors: block, apart: own, bytes: Vec::new(), spent: Vec::new(), error: None });
        tensors = rest;
    }
    blocks
}

/// The models of a block.
#[derive(Default)]
struct Models {
    rows: Number,
    symbols: SymbolModel,
    verbatim: VerbatimModel,
}

impl Models {
    fn code(&mut self, coder: &mut impl BitCoder, tensor: &mut PackedTensor, apart: bool) {
        match &mut tensor.coding {
            Coding::Verbatim(bytes) => self.verbatim.code(coder, tensor.dtype, bytes),
            Coding::Steps { steps, symbols } => {
                for code in steps.rows.iter_mut().flat_map(|rows| &mut rows.codes) {
                    let read = self.rows.code_signed(coder, (*code).into(), Kind::Codebook);
                    // A stream that is not sound may say more.
                    *code = read.clamp(i8::MIN.into(), i8::MAX.into()) as i8;
                }
                if !apart {
                    self.symbols.code(coder, &layout_of(&tensor.shape), Bounds::ALL, symbols);
                }
            }
            Coding::View(_) => {}
        }
    }
}

/// Writes named weights, which stay as they are. The tensors keep the rules of their types.
pub fn write(packed: &mut Packed) -> Encoded {
    // In one stream with the original, which may have the same names in it.
    let mut origin = Vec::new();
    packed.tensors.iter().for_each(|tensor| put_name(&mut origin, &tensor.name));
    origin.extend_from_slice(&packed.origin.skeleton);
    let origin = [vec![packed.origin.source as u8], deflate(&origin)].concat();
    let mut table = Vec::new();
    put_varint(&mut table, packed.tensors.len() as u64);
    for PackedTensor { shape, dtype, dequantized, coding, .. } in &packed.tensors {
        let form = match coding {
            Coding::Verbatim(_) => 0,
            Coding::Steps { steps: Steps { rows: None, .. }, .. } => STEPS,
            Coding::Steps { .. } => STEPS | ROWS,
            Coding::View(_) => VIEW,
        };
        table.push(*dtype as u8 | form | if *dequantized { DEQUANTIZED } else { 0 });
        put_varint(&mut table, shape.len() as u64);
        put_sizes(&mut table, shape);
        match coding {
            Coding::Verbatim(_) => {}
            Coding::Steps { steps: Steps { step, rows }, .. } => {
                table.extend_from_slice(&step.to_le_bytes());
                rows.iter().for_each(|rows| put_varint(&mut table, rows.axis as u64));
            }
            Coding::View(View { of, offset, strides }) => {
                put_sizes(&mut table, &[*of, *offset]);
                put_sizes(&mut table, strides);
            }
        }
    }
    let symbols = packed.tensors.iter().map(|tensor| match &tensor.coding {
        Coding::Steps { symbols, .. } => (symbols.as_slice(), layout_of(&tensor.shape), Bounds::ALL),
        _ => (&[][..], layout_of(&[]), Bounds::ALL),
    });
    let streams = apart::code(&symbols.collect::<Vec<_>>());
    let own: Vec<bool> = streams.iter().map(Option::is_some).collect();
    let mut blocks = blocks(&mut packed.tensors, &own);
    for_each(&mut blocks, |block| {
        let (mut encoder, mut models) = (Encoder::default(), Models::default());
        for (tensor, &apart) in block.tensors.iter_mut().zip(block.apart) {
            let before = encoder.bits();
            models.code(&mut encoder, tensor, apart);
            block.spent.push((tensor.name.clone(), ParameterBits::between(before, encoder.bits())));
        }
        block.bytes = encoder.finish();
    });
    if let Some((_, others)) = blocks.split_last() {
        others.iter().for_each(|block| put_varint(&mut table, block.bytes.len() as u64));
    }
    let mut payload = Payload { bytes: Vec::new(), width_bits: 0.0, parameters: Vec::new() };
    for block in blocks {
        payload.bytes.extend(block.bytes);
        payload.parameters.extend(block.spent);
    }
    let mut sections = vec![("tensors", TENSORS, table), ("names and origin", ORIGIN, origin)];
    sections.extend(apart::lengths(&streams).map(|lengths| ("lengths of streams", APART, lengths)));
    for ((_, bits), (stream, own)) in
        payload.parameters.iter_mut().zip(streams).filter_map(|(spent, stream)| Some((spent, stream?)))
    {
        payload.bytes.extend(stream);
        *bits = bits.and(&own);
    }
    assemble(WEIGHTS, sections, payload)
}

/// Whether a file is one of named weights.
pub fn is_packed(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC) && bytes.get(HEAD_BYTES - 1).is_some_and(|head| head >> 1 & 0x0f == WEIGHTS)
}

/// Reads named weights. Their numbers, and what belongs to the original, must not exceed `cap_bytes`; reading takes at most five times
/// that much memory.
///
/// # Errors
/// [`DecodeError`], whatever the bytes are.
pub fn read(bytes: &[u8], cap_bytes: u64) -> Result<Packed, DecodeError> {
    read_by(bytes, cap_bytes, &mut |blocks, jobs| {
        for_each(blocks, |block| block.error = decode(block, &mut |_| ()).err());
        apart::read(jobs);
    })
}

/// As [`read`], but one tensor after the other; `tell` hears after each what share of the elements is decoded.
///
/// # Errors
/// As [`read`].
pub fn read_telling(bytes: &[u8], cap_bytes: u64, tell: &mut dyn FnMut(f64)) -> Result<Packed, DecodeError> {
    read_by(bytes, cap_bytes, &mut |blocks, jobs| {
        let tensors = blocks.iter().flat_map(|block| block.tensors.iter());
        let total: usize = tensors.map(|tensor| tensor.shape.iter().product::<usize>()).sum();
        let mut done = 0;
        let mut tell = |elements: usize| {
            done += elements;
            tell(done as f64 / total.max(1) as f64);
        };
        for block in blocks {
            block.error = decode(block, &mut tell).err();
        }
        for job in jobs {
            job.run();
            tell(job.layout.rows * job.layout.row_len());
        }
    })
}

/// Reads a file whose blocks are decoded by `work`.
fn read_by(
    bytes: &[u8],
    cap_bytes: u64,
    work: &mut dyn FnMut(&mut [Block], &mut [Job]),
) -> Result<Packed, DecodeError> {
    let (body, head) = split(bytes)?;
    let mut reader = Reader::new("sections", body);
    if !is_packed(bytes) || head & 1 == 0 {
        return Err(reader.malformed("sections of named weights", format!("{head:#04x}")));
    }
    let sections = read_sections(&mut reader)?;
    let section = |tag: u64, place: &'static str| {
        let found = sections.iter().find(|(found, _)| *found == tag).map(|&(_, body)| Reader::new(place, body));
        found.ok_or(DecodeError::Malformed { place, expected: "a section".into(), got: "none".into() })
    };
    let mut table = section(TENSORS, "tensors")?;
    let mut origin = section(ORIGIN, "names and origin")?;
    // Each takes two bytes at least.
    let count = table.size(table.len() / 2)?;
    let mut left = Budget { left: cap_bytes, cap: cap_bytes };
    left.spend("tensors", (count as u64).saturating_mul(ENTRY_BYTES))?;
    let source = usize::from(origin.byte()?);
    let source =
        *Source::ALL.get(source).ok_or_else(|| origin.malformed(format!("below {}", Source::ALL.len()), source))?;
    let plain = inflate(origin.take(origin.len())?, &mut left)?;
    let mut names = Reader::new("names", &plain);
    let mut tensors = Vec::with_capacity(count);
    for _ in 0..count {
        let name = read_name(&mut names)?;
        left.spend("names", name.len() as u64)?;
        tensors.push(read_tensor(&mut table, name, &mut left)?);
    }
    let skeleton = names.take(names.len())?.to_vec();
    left.spend("origin", skeleton.len() as u64)?;

    let payload_bytes = reader.len();
    let mut payload = reader.take(payload_bytes)?;
    let lengths = sections.iter().find(|(tag, _)| *tag == APART);
    let streams = lengths.map(|&(_, body)| apart::split(body, &mut payload)).transpose()?;
    let streams = streams.unwrap_or_else(|| vec![None; tensors.len()]);
    apart::check(&streams, tensors.len())?;
    let (mut jobs, mut places) = (Vec::new(), Vec::new());
    for (place, (tensor, stream)) in tensors.iter().zip(&streams).enumerate() {
        let steps = matches!(tensor.coding, Coding::Steps { .. });
        let Some(stream) = *stream else {
            if steps {
                // What the models keep of the symbols takes as much for a narrow type as for a wide one.
                let bytes = |dtype| byte_count(&tensor.shape, dtype).unwrap_or(usize::MAX);
                left.spend("tensors", bytes(Dtype::F64).saturating_sub(bytes(tensor.dtype)) as u64)?;
            }
            continue;
        };
        if !steps {
            return Err(table.malformed("multiples of a step in a stream of their own", &tensor.name));
        }
        jobs.push(Job { stream, layout: layout_of(&tensor.shape), bounds: Bounds::ALL, symbols: Ok(Vec::new()) });
        places.push(place);
    }
    let own: Vec<bool> = streams.iter().map(Option::is_some).collect();
    let mut blocks = blocks(&mut tensors, &own);
    let mut coded = Reader::new("coded stream", payload);
    if let Some((last, others)) = blocks.split_last_mut() {
        for block in others {
            block.bytes = coded.take(table.size(coded.len())?)?.to_vec();
        }
        last.bytes = coded.take(coded.len())?.to_vec();
    }
    table.finish()?;
    coded.finish()?;
    work(&mut blocks, &mut jobs);
    if let Some(error) = blocks.into_iter().find_map(|block| block.error) {
        return Err(error);
    }
    for (place, job) in places.into_iter().zip(jobs) {
        if let Coding::Steps { symbols, .. } = &mut tensors[place].coding {
            *symbols = job.symbols?;
        }
    }
    let sections = sections.iter().map(|&(tag, body)| (name_of(tag), body.len())).collect();
    let (head_bytes, checksum_bytes) = (HEAD_BYTES + 1, CHECKSUM_BYTES);
    let items = Items { head_bytes, sections, payload_bytes, checksum_bytes, ..Items::default() };
    let packed = Packed { tensors, origin: Origin { source, skeleton }, items };
    packed.check_views()?;
    Ok(packed)
}

fn name_of(tag: u64) -> &'static str {
    match tag {
        TENSORS => "tensors",
        ORIGIN => "names and origin",
        APART => "lengths of streams",
        _ => "other",
    }
}

/// What may still be allocated.
struct Budget {
    left: u64,
    cap: u64,
}

impl Budget {
    fn spend(&mut self, place: &'static str, bytes: u64) -> Result<(), DecodeError> {
        let used = (self.cap - self.left).saturating_add(bytes);
        self.left = self.left.checked_sub(bytes).ok_or(DecodeError::TooLarge { place, bytes: used, cap: self.cap })?;
        Ok(())
    }
}

/// Reads what the section says of a tensor.
fn read_tensor(table: &mut Reader, name: String, left: &mut Budget) -> Result<PackedTensor, DecodeError> {
    let head = table.byte()?;
    let dtype = Dtype::ALL.get(usize::from(head & DTYPE)).copied();
    let steps = head & STEPS != 0;
    let (view, by_rows) = (head & VIEW != 0, head & ROWS != 0);
    let dtype = dtype.filter(|dtype| if steps { dtype.is_float() && !view } else { !by_rows });
    let dtype = dtype.ok_or_else(|| table.malformed("a type and its flags", format!("{head:#04x}")))?;
    let sides = table.size(MOST_SIDES)?;
    let shape: Vec<usize> = (0..sides).map(|_| table.size(u32::MAX as usize)).collect::<Result<_, _>>()?;
    let bytes = byte_count(&shape, dtype).unwrap_or(usize::MAX);
    left.spend("tensors", bytes as u64)?;
    let coding = if steps {
        let step = f32::from_le_bytes(table.take(4)?.try_into().unwrap_or_default());
        if !(step > 0.0 && step.is_finite()) || bytes == 0 {
            let expected = "a finite step above 0, and sides of at least 1";
            return Err(table.malformed(expected, format!("{step} for {shape:?}")));
        }
        let rows = match by_rows {
            true => {
                let axis = table.size(MOST_SIDES)?;
                let side = *shape.get(axis).ok_or_else(|| table.malformed("an axis of the tensor", axis))?;
                left.spend("tensors", side as u64)?;
                Some(RowSteps { axis, codes: vec![0; side] })
            }
            false => None,
        };
        Coding::Steps { steps: Steps { step, rows }, symbols: Vec::new() }
    } else if view {
        let (of, offset) = (table.size(u32::MAX as usize)?, table.size(u32::MAX as usize)?);
        let strides = (0..sides).map(|_| table.size(u32::MAX as usize)).collect::<Result<_, _>>()?;
        Coding::View(View { of, offset, strides })
    } else {
        Coding::Verbatim(Vec::new())
    };
    Ok(PackedTensor { name, shape, dtype, dequantized: head & DEQUANTIZED != 0, coding })
}

/// Decodes the tensors of a block; `tell` hears of the elements of each.
fn decode(block: &mut Block, tell: &mut dyn FnMut(usize)) -> Result<(), DecodeError> {
    let mut decoder = Decoder::new(&block.bytes);
    let mut models = Models::default();
    for (tensor, &apart) in block.tensors.iter_mut().zip(block.apart) {
        let count: usize = tensor.shape.iter().product();
        let bytes = count * tensor.dtype.size();
        let reserved = match &mut tensor.coding {
            Coding::Verbatim(data) => data.try_reserve_exact(bytes).map(|()| data.resize(bytes, 0)),
            Coding::Steps { symbols, .. } if !apart => {
                symbols.try_reserve_exact(count).map(|()| symbols.resize(count, 0))
            }
            Coding::Steps { .. } | Coding::View(_) => Ok(()),
        };
        let place = "numbers, for which there is no memory";
        reserved.map_err(|_| DecodeError::TooLarge { place, bytes: bytes as u64, cap: 0 })?;
        models.code(&mut decoder, tensor, apart);
        if decoder.overrun() {
            return Err(DecodeError::Truncated { place: "numbers", expected: 1, got: 0 });
        }
        if !apart {
            tell(count);
        }
    }
    if decoder.complete() {
        return Ok(());
    }
    let (expected, got) = ("its end with the last tensor".into(), "more bytes".into());
    Err(DecodeError::Malformed { place: "coded stream", expected, got })
}

/// Raw DEFLATE (RFC 1951).
fn deflate(plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    // Reading from memory does not fail.
    let _ = DeflateEncoder::new(plain, flate2::Compression::best()).read_to_end(&mut packed);
    packed
}

/// What was deflated, within what may still be allocated.
fn inflate(packed: &[u8], left: &mut Budget) -> Result<Vec<u8>, DecodeError> {
    let mut plain = Vec::new();
    let read = DeflateDecoder::new(packed).take(left.left.saturating_add(1)).read_to_end(&mut plain);
    read.map_err(|error| Reader::new("names and origin", packed).malformed("a sound compressed stream", error))?;
    left.spend("names and origin", plain.len() as u64)?;
    Ok(plain)
}
