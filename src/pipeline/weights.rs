//! A run by the weights alone: no sample is looked at, and whatever network it is of, its tensors are rounded and coded.

use super::criterion::Criterion;
use super::drawn::Drawn;
use super::event::Event;
use super::recipe::{Recipe, Stage};
use super::report::{Outcome, Report, TensorReport};
use super::run::{Observer, tell};
use crate::container::packed::{self, Coding, Packed, PackedTensor, layout_of};
use crate::container::{Encoded, Items};
use crate::error::{Error, RecipeError};
use crate::formats::export::as_onnx;
use crate::model::network::{View, row_major};
use crate::model::{Dtype, Network, Origin, RowSteps, Source, Steps, Tensor};
use crate::parallel::for_each;
use crate::stages::alone::round_alone;
use crate::stages::dependent;
use crate::stages::noise::{Layer, Quantized, price_of_bits, price_of_noise};
use crate::stages::normalized::{Coarse, Normalization, normalizations, symbol};
use crate::stages::settings::Target;
use std::borrow::Cow;
use std::collections::HashMap;

/// Tensors of fewer elements are kept as they are.
const FEWEST: usize = 512;
/// Searches for a budget: each knows better what the coder makes of the symbols.
const ROUNDS: usize = 4;
/// Searches that a budget usually takes.
const USUAL_ROUNDS: f64 = 2.0;
/// A file of at least this part of the budget is near enough.
const NEAR: f64 = 0.995;
/// With less, in dB, there is more noise than half of the weights' energy.
const LEAST_USEFUL: f64 = 3.0;
/// Elements that a usual machine searches, or codes, in a second.
const SPEEDS: (f64, f64) = if cfg!(target_arch = "wasm32") { (3e6, 1e6) } else { (12e6, 3e6) };

/// A tensor that is rounded.
struct Chosen {
    index: usize,
    /// The axis along which it has its outputs.
    axis: usize,
    /// The normalisation behind it, and the steps of rows that it asks for.
    behind: Option<(Normalization, RowSteps)>,
    /// Whether it is rounded to multiples that a trellis has.
    trellis: bool,
}

/// A layer in steps, and its noise over its energy.
struct Rounded {
    /// None where symbols do not suffice.
    quantized: Option<Quantized>,
    noise: f64,
}

impl Chosen {
    /// Its weights, as the normalisation weighs them.
    fn layer(&self, network: &Network) -> Layer {
        let tensor = &network.tensors[self.index];
        let weighed = tensor.values().into_iter().zip(self.steps(1.0).of_elements(&tensor.shape));
        Layer::new(weighed.map(|(value, step)| value / step).collect())
    }

    /// The same, from what is there of it.
    fn whole<'a>(&self, layer: &'a Layer, network: &Network) -> Cow<'a, Layer> {
        if layer.is_whole() { Cow::Borrowed(layer) } else { Cow::Owned(self.layer(network)) }
    }

    /// What one unit is worth where the layer's step is this.
    fn steps(&self, step: f32) -> Steps {
        Steps { step, rows: self.behind.as_ref().map(|(_, rows)| rows.clone()) }
    }
}

/// A run on its way.
struct Run<'a> {
    network: &'a Network,
    origin: &'a Origin,
    /// The tensors that are rounded, in their order.
    chosen: Vec<Chosen>,
    /// What tensors show of others.
    views: Vec<Option<View>>,
    /// Whether there may be trellises.
    trellis: bool,
    observer: &'a mut dyn Observer,
    /// Seconds' work that is done, and in all.
    done: f64,
    of: f64,
    /// Seconds of a search, and of coding or decoding a file.
    search: f64,
    code: f64,
}

/// Compresses the tensors of a network.
pub fn by_weights(network: &Network, recipe: &Recipe, observer: &mut dyn Observer, cap: u64) -> Result<Outcome, Error> {
    let made;
    let (network, origin) = match &network.origin {
        Some(origin) => (network, origin),
        None => {
            // A network with its graph and no file, or of a `.nut` file, is written as if it came from the ONNX file of that graph.
            made = as_onnx(network)?;
            (&made.0, &made.1)
        }
    };
    let views = views(network);
    let indices: Vec<usize> = match recipe.target {
        Target::Lossless => Vec::new(),
        _ => {
            let own = (0..views.len()).filter(|&index| views[index].is_none());
            own.filter(|&index| is_layer(&network.tensors[index])).collect()
        }
    };
    let chosen = choose(network, origin, &indices, &views);
    let mut layers: Vec<Layer> = chosen.iter().map(|chosen| chosen.layer(network).of_sample()).collect();
    let weights: usize = layers.iter().map(Layer::count).sum();
    let (search, code) = (weights as f64 / SPEEDS.0, network.count() as f64 / SPEEDS.1);
    let of = code
        + match recipe.target {
            Target::Lossless => code,
            Target::Budget(_) => USUAL_ROUNDS * (search + code),
            _ => search + code,
        };
    let trellis = recipe.round.trellis == 1;
    let mut run = Run { network, origin, chosen, views, trellis, observer, done: 0.0, of, search, code };
    run.tell(Event::Started { stage: Stage::Quantize })?;
    run.worked(0.0)?;
    let encoded = match recipe.target {
        Target::Lossless => run.write(Vec::new())?,
        Target::Snr(snr) => {
            let noise = 10f64.powf(-snr / 10.0);
            let mut price = run.searched(|watch| price_of_noise(&mut layers, noise, watch))?;
            run.choose_trellises(&layers, price);
            let mut rounded = run.round(&layers, price);
            // Feedback adds a little noise, and a trellis takes some away. Noise is nearly proportional to the price.
            for correction in 0.. {
                let got = mean_noise(&rounded);
                let near = got == 0.0 || got >= LEAST_NOISE * noise || correction >= CORRECTIONS;
                if got <= noise && near {
                    break;
                }
                let proportional = 0.5 * (1.0 + LEAST_NOISE) * noise / got;
                price *= if correction < CORRECTIONS { proportional } else { 0.5 };
                rounded = run.round(&layers, price);
            }
            run.write(rounded)?
        }
        Target::Budget(bytes) => run.within(&mut layers, bytes)?,
        Target::Tolerance(points) => {
            let expected = "signal-to-noise ratio, budget or lossless, since there are no samples".into();
            return Err(
                RecipeError::Invalid { field: "target".into(), expected, got: format!("tolerance {points}") }.into()
            );
        }
    };
    let decoded = packed::read(&encoded.bytes, cap)?;
    run.of = run.of.max(run.done + run.code);
    run.worked(run.code)?;
    let mut report = report(&run, &decoded, recipe, &encoded);
    if report.criterion == Criterion::Snr {
        let result = || Network::new(decoded.to_tensors(), origin.clone());
        report.drawn = Drawn::compare(network, result, recipe.seed, cap);
    }
    run.done = run.of;
    run.worked(0.0)?;
    if let (Target::Budget(_), Some(snr)) = (recipe.target, report.snr)
        && snr < LEAST_USEFUL
    {
        let (expected, got) = (format!("at least {LEAST_USEFUL}"), format!("{snr:.2}"));
        let what = "signal-to-noise ratio of weights that are still of use, in dB, within the bytes";
        return Err(RecipeError::Unreachable { what, expected, got }.into());
    }
    Ok(Outcome { nut: encoded.bytes, report })
}

/// Corrections of the price in proportion to the noise. Later ones halve it until the noise is low enough.
const CORRECTIONS: usize = 4;
/// The noise is at least this part of what is allowed.
const LEAST_NOISE: f64 = 0.98;

/// Elements from which on equal tensors are one and the same.
const COPIED: usize = 64;

/// What each tensor shows of another one: as its file says, or since it has the same elements.
fn views(network: &Network) -> Vec<Option<View>> {
    let mut seen: HashMap<(Dtype, &[u8]), usize> = HashMap::new();
    let mut views: Vec<Option<View>> = network.tensors.iter().map(|tensor| tensor.view.clone()).collect();
    for (index, tensor) in network.tensors.iter().enumerate() {
        if tensor.len() < COPIED || tensor.view.is_some() || tensor.sparse {
            continue;
        }
        let of = *seen.entry((tensor.dtype, &tensor.bytes)).or_insert(index);
        views[index] = (of != index).then(|| View { of, offset: 0, strides: row_major(&tensor.shape) });
    }
    // What is a copy itself is no tensor to show elements of.
    for index in 0..views.len() {
        let through = views[index].as_ref().and_then(|view| views[view.of].clone());
        if let (Some(view), Some(through)) = (&mut views[index], through) {
            view.of = through.of;
        }
    }
    views
}

/// Whether a tensor is quantized: floating-point, large, of two sides at least or what a sparse one gives, and finite.
fn is_layer(tensor: &Tensor) -> bool {
    let sides = tensor.shape.iter().filter(|&&side| side > 1).count();
    tensor.dtype.is_float()
        && (sides > 1 || tensor.sparse)
        && tensor.len() >= FEWEST
        && tensor.values().iter().all(|value| value.is_finite())
}

/// The tensors that are rounded, and what their file says of the layers.
fn choose(network: &Network, origin: &Origin, indices: &[usize], views: &[Option<View>]) -> Vec<Chosen> {
    let tensors = &network.tensors;
    let whole: Vec<usize> = indices.iter().copied().filter(|&index| !tensors[index].sparse).collect();
    // Vectors that others show stay as they are.
    let shared: Vec<usize> =
        views.iter().enumerate().flat_map(|(index, view)| view.iter().flat_map(move |view| [index, view.of])).collect();
    let own = |found: &Normalization| found.vectors().all(|index| !shared.contains(&index));
    let mut behind = normalizations(tensors, &whole);
    behind.retain(own);
    let choose = |&index: &usize| match behind.iter().position(|found| found.layer == index) {
        Some(place) => {
            let found = behind.swap_remove(place);
            let rows = found.row_steps(tensors);
            Chosen { index, axis: found.axis, behind: Some((found, rows)), trellis: false }
        }
        None => Chosen { index, axis: outputs(&tensors[index], origin), behind: None, trellis: false },
    };
    indices.iter().map(choose).collect()
}

/// Keeps a normalisation in few bits.
fn put_coarse(tensors: &mut [PackedTensor], normalization: &Normalization, coarse: &Coarse, means: &[f32]) {
    put(tensors, normalization.variance, &coarse.variance, None);
    for (&index, gain) in normalization.gain.iter().zip(&coarse.gain) {
        put(tensors, index, gain, None);
    }
    if coarse.mean_step.is_some() {
        put(tensors, normalization.mean, means, coarse.mean_step);
    }
    if let (Some(index), Some((offset, step))) = (normalization.offset, &coarse.offset) {
        let largest = offset.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        let counted = step.is_normal() && largest / step < f32::from(i16::MAX);
        put(tensors, index, offset, counted.then_some(*step));
    }
}

/// Puts values into a tensor, as multiples of a step or as they are.
fn put(tensors: &mut [PackedTensor], index: usize, values: &[f32], step: Option<f32>) {
    let tensor = &mut tensors[index];
    match (step, tensor.dtype.of_floats(values)) {
        (Some(step), _) => {
            let symbols = values.iter().map(|&value| symbol(value, step)).collect();
            tensor.coding = Coding::Steps { steps: Steps::whole(step), symbols };
        }
        (None, Some(bytes)) => tensor.coding = Coding::Verbatim(bytes),
        // Vectors of a normalisation are floats.
        (None, None) => {}
    }
}

/// The axis along which a tensor has its outputs, as its file's kind has them.
fn outputs(tensor: &Tensor, origin: &Origin) -> usize {
    match origin.source {
        Source::Hdf5 => tensor.shape.len().saturating_sub(1),
        _ => 0,
    }
}

impl Run<'_> {
    fn tell(&mut self, event: Event) -> Result<(), Error> {
        tell(self.observer, event)
    }

    fn worked(&mut self, seconds: f64) -> Result<(), Error> {
        self.done += seconds;
        self.of = self.of.max(self.done);
        self.tell(Event::Progress { done: self.done, of: self.of })
    }

    /// A search of a price, which says how far it is.
    fn searched(&mut self, search: impl FnOnce(&mut dyn FnMut(f64)) -> f64) -> Result<f64, Error> {
        let (start, mut told) = (self.done, Ok(()));
        let price = search(&mut |share| {
            if told.is_ok() {
                told = self.worked(start + share * self.search - self.done);
            }
        });
        told.map(|()| price)
    }

    /// Chooses the layers that are rounded to multiples that a trellis has.
    fn choose_trellises(&mut self, layers: &[Layer], price: f64) {
        let (network, wanted) = (self.network, self.trellis);
        let mut jobs: Vec<(&mut Chosen, &Layer)> = self.chosen.iter_mut().zip(layers).collect();
        for_each(&mut jobs, |(chosen, layer)| {
            let layout = layout_of(&network.tensors[chosen.index].shape);
            let worthwhile = || dependent::worthwhile(&chosen.whole(layer, network), price, &layout, 1);
            chosen.trellis = wanted && chosen.axis == 0 && worthwhile();
        });
    }

    /// The layers at a price, one after the other.
    fn round(&self, layers: &[Layer], price: f64) -> Vec<Rounded> {
        // Inputs have a mean where a normalisation and what follows it made them.
        let normalized = self.chosen.iter().any(|chosen| chosen.behind.is_some());
        let round = |(chosen, layer): (&Chosen, &Layer)| {
            let (layer, shape) = (chosen.whole(layer, self.network), &self.network.tensors[chosen.index].shape);
            let quantized = round_alone(&layer, price, (shape, chosen.axis), normalized, chosen.trellis);
            let noise = quantized.as_ref().map_or(0.0, |quantized| layer.noise(quantized));
            Rounded { quantized, noise }
        };
        self.chosen.iter().zip(layers).map(round).collect()
    }

    /// Writes the file.
    fn write(&mut self, rounded: Vec<Rounded>) -> Result<Encoded, Error> {
        self.tell(Event::Started { stage: Stage::Code })?;
        let mut changed = vec![false; self.network.tensors.len()];
        for (chosen, rounded) in self.chosen.iter().zip(&rounded) {
            changed[chosen.index] = rounded.quantized.is_some();
        }
        let mut tensors: Vec<PackedTensor> = Vec::with_capacity(self.network.tensors.len());
        for ((tensor, view), changed) in self.network.tensors.iter().zip(&self.views).zip(changed) {
            let Tensor { name, shape, dtype, bytes, dequantized, .. } = tensor;
            let coding = match view {
                Some(view) => Coding::View(view.clone()),
                None if changed => Coding::Verbatim(Vec::new()),
                None => Coding::Verbatim(bytes.clone()),
            };
            let (name, shape) = (name.clone(), shape.clone());
            tensors.push(PackedTensor { name, shape, dtype: *dtype, dequantized: *dequantized, coding });
        }
        for (chosen, Rounded { quantized, noise }) in self.chosen.iter().zip(rounded) {
            let Some(Quantized { step, symbols }) = quantized else { continue };
            if let Some((normalization, _)) = &chosen.behind {
                let originals = &self.network.tensors;
                let coarse = normalization.coarse(originals, noise);
                put_coarse(&mut tensors, normalization, &coarse, &originals[normalization.mean].values());
            }
            tensors[chosen.index].coding = Coding::Steps { steps: chosen.steps(step), symbols };
        }
        let encoded = packed::write(&mut Packed { tensors, origin: self.origin.clone(), items: Items::default() });
        self.worked(self.code)?;
        Ok(encoded)
    }

    /// The file of least noise within a number of bytes.
    fn within(&mut self, layers: &mut [Layer], budget: usize) -> Result<Encoded, Error> {
        let mut best: Option<Encoded> = None;
        let mut least = usize::MAX;
        // Bits by frequencies, that are to be spent on the symbols.
        let mut allowed = 8.0 * budget as f64;
        for _ in 0..ROUNDS {
            let price = self.searched(|watch| price_of_bits(layers, allowed, watch))?;
            if best.is_none() && least == usize::MAX {
                self.choose_trellises(layers, price);
            }
            let rounded = self.round(layers, price);
            let encoded = self.write(rounded)?;
            let bytes = encoded.bytes.len();
            least = least.min(bytes);
            // What the coder spent on symbols, and everything else.
            let symbols: f64 = self.chosen.iter().map(|chosen| encoded.items.parameters[chosen.index].1.total()).sum();
            let rest = 8.0 * bytes as f64 - symbols;
            let ratio = symbols / allowed.max(1.0);
            let near = bytes <= budget && bytes as f64 > NEAR * budget as f64;
            if bytes <= budget && best.as_ref().is_none_or(|other| other.bytes.len() < bytes) {
                best = Some(encoded);
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
        let (expected, got) = (format!("at most {budget}"), least.to_string());
        best.ok_or_else(|| RecipeError::Unreachable { what: "bytes of the file", expected, got }.into())
    }
}

/// Noise over energy, in the mean.
fn mean_noise(rounded: &[Rounded]) -> f64 {
    rounded.iter().map(|rounded| rounded.noise).sum::<f64>() / rounded.len().max(1) as f64
}

/// Energy over noise, in dB; `None` without noise.
fn decibels(noise_over_energy: f64) -> Option<f64> {
    (noise_over_energy > 0.0).then(|| -10.0 * noise_over_energy.log10())
}

/// Compares what was decoded with the original.
fn report(run: &Run, decoded: &Packed, recipe: &Recipe, encoded: &Encoded) -> Report {
    let Run { network, views, .. } = run;
    let (mut tensors, mut noises, mut all_noise, mut all_energy) = (Vec::new(), Vec::new(), 0.0, 0.0);
    let spent = &encoded.items.parameters;
    let decoded_tensors = decoded.decoded().zip(&decoded.tensors);
    let all = network.tensors.iter().zip(decoded_tensors).zip(spent).enumerate();
    for (index, ((original, (tensor, packed)), (_, bits))) in all {
        let values = tensor.values();
        let changed = original.bytes != tensor.bytes;
        let mut snr = None;
        let mut step = None;
        let chosen = run.chosen.binary_search_by_key(&index, |chosen| chosen.index);
        if let Coding::Steps { steps, .. } = &packed.coding {
            step = Some(steps.step);
        }
        if let (Coding::Steps { steps, .. }, true) = (&packed.coding, chosen.is_ok()) {
            let (mut noise, mut energy) = (0.0, 0.0);
            // As a normalisation behind them weighs the rows.
            let each = steps.of_elements(&packed.shape);
            for ((&was, &is), step) in original.values().iter().zip(&values).zip(each) {
                let (error, was) = (f64::from((was - is) / step), f64::from(was / step));
                noise += error * error;
                energy += was * was;
            }
            let relative = if energy > 0.0 { noise / energy } else { 0.0 };
            noises.push(relative);
            let size = f64::from(steps.step);
            all_noise += noise * size * size;
            all_energy += energy * size * size;
            snr = decibels(relative);
        }
        tensors.push(TensorReport {
            name: tensor.name,
            shape: tensor.shape,
            dtype: tensor.dtype.name().to_owned(),
            dequantized: tensor.dequantized,
            changed,
            step,
            nonzeros: values.iter().filter(|&&value| value != 0.0).count(),
            snr,
            bytes: bits.total() / 8.0,
        });
    }
    let criterion = if noises.is_empty() { Criterion::None } else { Criterion::Snr };
    let own = network.tensors.iter().zip(views).filter(|(_, view)| view.is_none()).map(|(tensor, _)| tensor);
    let baseline = own.map(|tensor| tensor.bytes.len()).sum();
    Report {
        snr: decibels(noises.iter().sum::<f64>() / noises.len().max(1) as f64),
        snr_of_all: decibels(all_noise / all_energy),
        tensors,
        warnings: warnings(run, recipe, baseline, encoded.bytes.len()),
        ..Report::new(recipe, criterion, baseline, encoded)
    }
}

/// What the tensors or the file are that a user may not expect.
fn warnings(run: &Run, recipe: &Recipe, baseline: usize, file: usize) -> Vec<String> {
    let mut warnings = Vec::new();
    let small = |tensor: &&Tensor| matches!(tensor.dtype, Dtype::I8 | Dtype::U8) && tensor.len() >= FEWEST;
    let small: Vec<&str> =
        run.network.tensors.iter().filter(small).map(|tensor| tensor.name.as_str()).take(4).collect();
    if !small.is_empty() && recipe.target != Target::Lossless {
        warnings.push(format!(
            "integers of 8 or 4 bits are quantized already and stay as they are ({}): to round further, compress the float model",
            small.join(", ")
        ));
    }
    if file > baseline {
        warnings.push(format!(
            "the file is larger than the tensors alone, {baseline} bytes: it also holds the graph and the names"
        ));
    }
    warnings
}
