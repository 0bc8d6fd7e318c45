//! Compression without samples: of named weights, whatever network they are of.

use crate::container::packed::{self, Coding, Packed, PackedItems, PackedTensor};
use crate::error::{Error, RecipeError};
use crate::formats::export::as_onnx;
use crate::model::{Network, Origin, Tensor};
use crate::stages::noise::{Layer, price_of_bits, price_of_noise};
use serde::{Deserialize, Serialize};

/// Tensors of fewer elements are kept as they are.
const FEWEST: usize = 512;

/// Searches for a budget: each knows better what the coder makes of the symbols.
const ROUNDS: usize = 4;

/// A file of at least this part of the budget is near enough.
const NEAR: f64 = 0.995;

/// What is asked of a run without samples.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightsTarget {
    /// Every tensor as it is.
    Lossless,
    /// The smallest file with this signal-to-quantization-noise ratio, in dB, of the layers in the mean.
    Snr(f64),
    /// The least noise in a file of at most so many bytes.
    Budget(usize),
}

/// What a run without samples does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WeightsEvent {
    /// It searches the price of a bit.
    Searching {
        /// Share of this search that is done, 0 to 1. For a budget several follow each other.
        done: f64,
    },
    /// It writes a file.
    Coding,
    /// It reads the file again and compares.
    Checking,
}

/// A finished run.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightsOutcome {
    /// The file.
    pub nut: Vec<u8>,
    /// What was measured of it once it was decoded again.
    pub report: WeightsReport,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeightsReport {
    /// What held the result to the original: `none` (nothing was changed), or `snr`, of the weights alone. No sample was looked at.
    pub criterion: &'static str,
    /// Size of the file.
    pub file_bytes: usize,
    /// Bytes of the original's tensors, in their own types.
    pub baseline_bytes: usize,
    /// `baseline_bytes / file_bytes`.
    pub ratio: f64,
    /// Elements of all tensors.
    pub elements: usize,
    /// Signal-to-quantization-noise ratio in dB of the layers that were quantized: energy over noise, where the noise over the energy is
    /// the mean over the layers. `None` if nothing was lost.
    pub snr: Option<f64>,
    /// The same of all quantized weights taken together.
    pub snr_of_all: Option<f64>,
    /// Each tensor.
    pub tensors: Vec<TensorReport>,
    /// Where the bytes went that are not of the coded stream.
    pub sections: Vec<(&'static str, usize)>,
    /// Wall-clock time, for who measures it.
    pub seconds: f64,
}

/// What became of a tensor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TensorReport {
    /// Its name.
    pub name: String,
    /// Its sides.
    pub shape: Vec<usize>,
    /// Its type, as numpy calls it.
    pub dtype: &'static str,
    /// Whether the original held integers with a scale.
    pub dequantized: bool,
    /// The step of its symbols; `None` if it is kept as it is.
    pub step: Option<f32>,
    /// Elements that are not zero.
    pub nonzeros: usize,
    /// In dB; `None` if nothing was lost.
    pub snr: Option<f64>,
    /// Bytes in the coded stream; a fraction, since the stream is rounded up once.
    pub bytes: f64,
}

/// Compresses weights; `watch` is told what is being done.
///
/// ```
/// use nutshell::formats;
/// use nutshell::pipeline::{WeightsTarget, compress_weights};
/// # let mut made = nutshell::model::presets::lenet300([40, 30, 10]);
/// # nutshell::model::presets::initialize(&mut made, &mut <rand_pcg::Pcg64Mcg as rand::SeedableRng>::seed_from_u64(1));
/// # let file = formats::onnx::write(&made).unwrap();
/// let network = formats::open(&file, 1 << 20)?.network;
/// let outcome = compress_weights(&network, WeightsTarget::Snr(30.0), 1 << 20, &mut |_| ())?;
/// assert!(outcome.report.ratio > 5.0 && outcome.report.snr > Some(29.9));
/// # Ok::<(), nutshell::Error>(())
/// ```
///
/// # Errors
/// [`RecipeError`] if the target is out of range or cannot be met; [`DecodeError`](crate::error::DecodeError) if the file could not be read
/// again.
pub fn compress_weights(
    weights: &Network,
    target: WeightsTarget,
    cap: u64,
    watch: &mut dyn FnMut(WeightsEvent),
) -> Result<WeightsOutcome, Error> {
    let made;
    let (weights, origin) = match &weights.origin {
        Some(origin) => (weights, origin),
        None => {
            // A network with its graph and no file, or of a `.nut` file, is written as if it came from the ONNX file of that graph.
            made = as_onnx(weights)?;
            (&made.0, &made.1)
        }
    };
    let chosen: Vec<usize> = match target {
        WeightsTarget::Lossless => Vec::new(),
        WeightsTarget::Snr(_) | WeightsTarget::Budget(_) => {
            (0..weights.tensors.len()).filter(|&index| is_layer(&weights.tensors[index])).collect()
        }
    };
    let mut layers: Vec<Layer> = chosen.iter().map(|&index| Layer::new(weights.tensors[index].values())).collect();
    let (packed, nut) = match target {
        WeightsTarget::Lossless => {
            watch(WeightsEvent::Coding);
            write(weights, origin, &chosen, &layers, 0.0)
        }
        WeightsTarget::Snr(snr) => {
            if !(0.0..=200.0).contains(&snr) {
                let (expected, got) = ("0 to 200 dB".into(), snr.to_string());
                return Err(RecipeError::Invalid { field: "signal-to-noise ratio", expected, got }.into());
            }
            let noise = 10f64.powf(-snr / 10.0);
            let price = price_of_noise(&mut layers, noise, &mut |done| watch(WeightsEvent::Searching { done }));
            watch(WeightsEvent::Coding);
            write(weights, origin, &chosen, &layers, price)
        }
        WeightsTarget::Budget(bytes) => within(weights, origin, &chosen, &mut layers, bytes, watch)?,
    };
    watch(WeightsEvent::Checking);
    let decoded = packed::read(&nut, cap)?;
    let report = report(weights, &decoded, &packed.items, nut.len());
    Ok(WeightsOutcome { nut, report })
}

/// Whether a tensor is quantized: floating-point, large, of two sides at least, and finite.
fn is_layer(tensor: &Tensor) -> bool {
    let sides = tensor.shape.iter().filter(|&&side| side > 1).count();
    tensor.dtype.is_float()
        && sides > 1
        && tensor.len() >= FEWEST
        && tensor.values().iter().all(|value| value.is_finite())
}

/// Writes the file at a price.
fn write(weights: &Network, origin: &Origin, chosen: &[usize], layers: &[Layer], price: f64) -> (Packed, Vec<u8>) {
    let mut tensors: Vec<PackedTensor> = Vec::with_capacity(weights.tensors.len());
    for (index, tensor) in weights.tensors.iter().enumerate() {
        let layer = chosen.binary_search(&index).ok().and_then(|place| layers[place].quantize(price));
        let Tensor { name, shape, dtype, bytes, dequantized, .. } = tensor;
        let coding = match layer {
            Some(layer) => Coding::Steps { step: layer.step, symbols: layer.symbols },
            None => Coding::Verbatim(bytes.clone()),
        };
        let (name, shape) = (name.clone(), shape.clone());
        tensors.push(PackedTensor { name, shape, dtype: *dtype, dequantized: *dequantized, coding });
    }
    let mut packed = Packed { tensors, origin: origin.clone(), items: PackedItems::default() };
    let nut = packed::write(&mut packed);
    (packed, nut)
}

/// The file of least noise within a number of bytes.
fn within(
    weights: &Network,
    origin: &Origin,
    chosen: &[usize],
    layers: &mut [Layer],
    budget: usize,
    watch: &mut dyn FnMut(WeightsEvent),
) -> Result<(Packed, Vec<u8>), RecipeError> {
    let mut best: Option<(Packed, Vec<u8>)> = None;
    let mut least = usize::MAX;
    // Bits by frequencies, that are to be spent on the symbols.
    let mut allowed = 8.0 * budget as f64;
    for _ in 0..ROUNDS {
        let price = price_of_bits(layers, allowed, &mut |done| watch(WeightsEvent::Searching { done }));
        watch(WeightsEvent::Coding);
        let (packed, nut) = write(weights, origin, chosen, layers, price);
        least = least.min(nut.len());
        // What the coder spent on symbols, and everything else.
        let symbols: f64 = chosen.iter().map(|&index| packed.items.tensor_bits[index]).sum();
        let rest = 8.0 * nut.len() as f64 - symbols;
        let ratio = symbols / allowed.max(1.0);
        let near = nut.len() <= budget && nut.len() as f64 > NEAR * budget as f64;
        if nut.len() <= budget && best.as_ref().is_none_or(|(_, other)| other.len() < nut.len()) {
            best = Some((packed, nut));
        }
        if near {
            break;
        }
        // A little less, so that the next one is not just above.
        allowed = (8.0 * budget as f64 - rest) / ratio.max(1e-3) * 0.999;
        if allowed.is_nan() || allowed <= 0.0 {
            break;
        }
    }
    best.ok_or_else(|| RecipeError::Unreachable {
        what: "bytes of the file",
        expected: format!("at most {budget}"),
        got: least.to_string(),
    })
}

/// Energy over noise, in dB; `None` without noise.
fn decibels(noise_over_energy: f64) -> Option<f64> {
    (noise_over_energy > 0.0).then(|| -10.0 * noise_over_energy.log10())
}

/// Compares what was decoded with the original.
fn report(weights: &Network, decoded: &Packed, items: &PackedItems, file_bytes: usize) -> WeightsReport {
    let (mut tensors, mut noises, mut all_noise, mut all_energy) = (Vec::new(), Vec::new(), 0.0, 0.0);
    for ((original, packed), bits) in weights.tensors.iter().zip(&decoded.tensors).zip(&items.tensor_bits) {
        let tensor = packed.to_tensor();
        let values = tensor.values();
        let mut snr = None;
        let mut step = None;
        if let Coding::Steps { step: size, .. } = packed.coding {
            let (mut noise, mut energy) = (0.0, 0.0);
            for (&was, &is) in original.values().iter().zip(&values) {
                let error = f64::from(was) - f64::from(is);
                noise += error * error;
                energy += f64::from(was) * f64::from(was);
            }
            let relative = if energy > 0.0 { noise / energy } else { 0.0 };
            noises.push(relative);
            all_noise += noise;
            all_energy += energy;
            snr = decibels(relative);
            step = Some(size);
        }
        tensors.push(TensorReport {
            name: tensor.name,
            shape: tensor.shape,
            dtype: tensor.dtype.name(),
            dequantized: tensor.dequantized,
            step,
            nonzeros: values.iter().filter(|&&value| value != 0.0).count(),
            snr,
            bytes: bits / 8.0,
        });
    }
    let baseline_bytes = weights.bytes();
    WeightsReport {
        criterion: if noises.is_empty() { "none" } else { "snr" },
        file_bytes,
        baseline_bytes,
        ratio: baseline_bytes as f64 / file_bytes as f64,
        elements: weights.count(),
        snr: decibels(noises.iter().sum::<f64>() / noises.len().max(1) as f64),
        snr_of_all: decibels(all_noise / all_energy),
        tensors,
        sections: items.sections.clone(),
        seconds: 0.0,
    }
}
