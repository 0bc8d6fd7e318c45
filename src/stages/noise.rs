//! Quantization without samples: each layer in steps of its own, under one price for a bit.
//!
//! What is minimised over all layers is the sum of `noise / energy + price * bits`: the noise is the sum of the squared
//! errors of a layer's weights, its energy the sum of their squares, so that a layer counts by how much of itself it loses. For fine
//! steps the noise of a weight is `step^2 / 12`, and a bit more divides it by four (Gish and Pierce, "Asymptotically efficient
//! quantizing", 1968): the price gives the step. Each weight then takes the symbol with the least noise and price (rate-distortion optimised
//! quantization), where a symbol costs what its frequency in the layer says.

use crate::parallel::for_each;
use crate::search::{Interval, Step, half_interval};

/// The price of a bit in squared steps. For fine steps it is `ln(2) / 6 = 0.116`; of normal, Laplacian and t-distributed numbers, 0.14 takes
/// the fewest bits at 12 and 6 dB, and as few as any at 20 and 30 dB.
pub const PRICE: f64 = 0.14;

/// Magnitudes below are counted one by one, larger ones by their number of binary digits.
const SMALL: usize = 128;
/// Classes of magnitudes: the small ones, and those of 8 to 15 digits.
pub const CLASSES: usize = SMALL + 8;

/// The largest magnitude of a symbol.
const LARGEST: f32 = i16::MAX as f32;

/// The most weights that are looked at to tell noise and bits of a layer.
const SAMPLE: usize = 1 << 22;

/// How far the search goes from the price that fine steps would have, either way.
const RANGE: f64 = 256.0;
/// Halvings of the search: the price is found to within 0.3 %.
const PROBES: usize = 12;

/// A layer that is to be quantized.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Its weights, or a sample of them; all are finite.
    pub values: Vec<f32>,
    /// How many weights it has.
    count: usize,
    /// Of all weights.
    energy: f64,
    largest: f32,
    /// What the last probe made of it.
    probe: Probe,
}

#[derive(Debug, Clone, Copy, Default)]
struct Probe {
    /// Noise over energy.
    noise: f64,
    bits: f64,
}

/// A layer in steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantized {
    /// What one unit is worth.
    pub step: f32,
    /// As many as there are weights.
    pub symbols: Vec<i16>,
}

impl Layer {
    /// A layer of finite weights.
    pub fn new(values: Vec<f32>) -> Self {
        let energy = values.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
        let largest = values.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        Layer { count: values.len(), values, energy, largest, probe: Probe::default() }
    }

    /// A layer of which a sample tells noise and bits at a price, if it is large.
    pub fn of_sample(self) -> Self {
        let enough = |every: &usize| [2, 3, 5, 7].iter().all(|side| !every.is_multiple_of(*side));
        // Neither kernels nor the rows of usual sizes have places that are met more often than others.
        let every = (self.count.div_ceil(SAMPLE).max(1)..).find(enough).unwrap_or(1);
        if every == 1 {
            return self;
        }
        Layer { values: self.values.iter().copied().step_by(every).collect(), ..self }
    }

    /// How many weights it has.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether its values are all of its weights.
    pub fn is_whole(&self) -> bool {
        self.values.len() == self.count
    }

    /// The step at a price; `None` if it is so fine that symbols of 16 bits do not suffice: such a layer is kept as it is.
    pub fn step(&self, price: f64) -> Option<f32> {
        if self.energy == 0.0 {
            return Some(1.0);
        }
        let step = (price * self.energy / PRICE).sqrt() as f32;
        (step.is_normal() && self.largest / step < LARGEST).then_some(step)
    }

    /// Lets a relative error of this layer count `times` as much as those of others.
    pub fn weigh(&mut self, times: f64) {
        self.energy /= times;
    }

    /// Noise over energy when each weight is rounded by itself.
    pub fn plain_noise(&self, price: f64) -> f64 {
        self.probe(price).noise
    }

    /// Bits of the symbols at the price that was tried last, by their frequencies.
    pub fn bits(&self) -> f64 {
        self.probe.bits
    }

    /// Bits of the symbols at a price, by their frequencies.
    pub fn bits_at(&self, price: f64) -> f64 {
        self.probe(price).bits
    }

    /// Bits of the symbols by their frequencies, when each weight is rounded to the nearest multiple of a step.
    pub fn plain_bits(&self, step: f32) -> f64 {
        let mut counts = Counts::default();
        self.values.iter().for_each(|value| counts.add((value / step).round() as i16));
        counts.bits()
    }

    /// The largest magnitude.
    pub fn largest(&self) -> f32 {
        self.largest
    }

    /// The step at a price, or the finest one that symbols of 16 bits allow.
    pub fn step_at(&self, price: f64) -> f32 {
        self.step(price).unwrap_or(2.0 * self.largest.max(f32::MIN_POSITIVE) / LARGEST)
    }

    /// The symbols at a price; `None` where [`Layer::step`] is.
    pub fn quantize(&self, price: f64) -> Option<Quantized> {
        let rounding = Rounding::new(&self.values, self.step(price)?);
        let symbols = self.values.iter().map(|&value| rounding.symbol(value)).collect();
        Some(Quantized { step: rounding.step, symbols })
    }

    /// Noise over energy of the weights in steps.
    pub fn noise(&self, rounded: &Quantized) -> f64 {
        let Quantized { step, symbols } = rounded;
        let errors =
            self.values.iter().zip(symbols).map(|(&value, &symbol)| f64::from(value - f32::from(symbol) * step));
        if self.energy == 0.0 { 0.0 } else { errors.map(|error| error * error).sum::<f64>() / self.energy }
    }

    /// Noise and bits at a price.
    fn probe(&self, price: f64) -> Probe {
        let Some(step) = self.step(price) else {
            return Probe { noise: 0.0, bits: 32.0 * self.count as f64 };
        };
        let each = self.count as f64 / self.values.len().max(1) as f64;
        let rounding = Rounding::new(&self.values, step);
        let mut counts = Counts::default();
        let mut noise = 0.0;
        for &value in &self.values {
            let symbol = rounding.symbol(value);
            counts.add(symbol);
            let error = f64::from(value - f32::from(symbol) * step);
            noise += error * error;
        }
        let noise = if self.energy == 0.0 { 0.0 } else { each * noise / self.energy };
        Probe { noise, bits: each * counts.bits() }
    }
}

/// The class of a magnitude.
pub fn class(magnitude: usize) -> usize {
    if magnitude < SMALL { magnitude } else { SMALL + ((magnitude / SMALL).ilog2() as usize).min(CLASSES - SMALL - 1) }
}

/// How often each class of magnitudes was seen.
pub struct Counts {
    classes: [u32; CLASSES],
}

impl Default for Counts {
    fn default() -> Self {
        Counts { classes: [0; CLASSES] }
    }
}

impl Counts {
    /// Counts a symbol.
    pub fn add(&mut self, symbol: i16) {
        self.classes[class(symbol.unsigned_abs().into())] += 1;
    }

    /// Bits of a magnitude of each class, its sign among them. Those that were not seen cost what a frequency of a half would.
    pub fn costs(&self) -> [f32; CLASSES] {
        let total: f32 = self.classes.iter().map(|&count| count as f32 + 0.5).sum();
        let mut costs = self.classes.map(|count| (total / (count as f32 + 0.5)).log2() + 1.0);
        costs[0] -= 1.0;
        for (digits, cost) in costs[SMALL..].iter_mut().enumerate() {
            // Those of one number of digits are told apart by all but the first.
            *cost += (SMALL.ilog2() as usize + digits) as f32;
        }
        costs
    }

    /// Bits of all symbols.
    fn bits(&self) -> f64 {
        let costs = self.costs();
        self.classes.iter().zip(costs).map(|(&count, cost)| f64::from(count) * f64::from(cost)).sum()
    }
}

/// How the weights of a layer are rounded.
#[derive(Debug, Clone)]
pub struct Rounding {
    step: f32,
    inverse: f32,
    /// Price of each class, in squared steps.
    costs: [f32; CLASSES],
}

impl Rounding {
    /// From how often each magnitude occurs when all are rounded to the nearest.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a f32>, step: f32) -> Self {
        let inverse = 1.0 / step;
        let mut counts = Counts::default();
        values.into_iter().for_each(|value| counts.add((value * inverse).round() as i16));
        Rounding { step, inverse, costs: counts.costs().map(|cost| cost * PRICE as f32) }
    }

    /// The same for values that are in units of the step already.
    pub fn in_steps(self) -> Self {
        Rounding { step: 1.0, inverse: 1.0, ..self }
    }

    /// The symbol with the least noise and price: the nearest, the one below it, or 0.
    pub fn symbol(&self, value: f32) -> i16 {
        let exact = (value * self.inverse).abs();
        let nearest = exact.round().min(LARGEST);
        let of = |magnitude: f32| {
            let error = exact - magnitude;
            error * error + self.costs[class(magnitude as usize)]
        };
        let (mut best, mut least) = (0.0, of(0.0));
        for magnitude in [nearest - 1.0, nearest] {
            if magnitude > 0.0 && of(magnitude) < least {
                (best, least) = (magnitude, of(magnitude));
            }
        }
        if value < 0.0 { -best as i16 } else { best as i16 }
    }
}

/// What all layers lose, in the mean: noise over energy.
fn mean_noise(layers: &[Layer]) -> f64 {
    layers.iter().map(|layer| layer.probe.noise).sum::<f64>() / layers.len().max(1) as f64
}

/// The same at a price.
pub fn noise_at(layers: &[Layer], price: f64) -> f64 {
    layers.iter().map(|layer| layer.plain_noise(price)).sum::<f64>() / layers.len().max(1) as f64
}

fn probe_all(layers: &mut [Layer], price: f64) {
    for_each(layers, |layer| layer.probe = layer.probe(price));
}

/// The highest price at which the mean over the layers of noise over energy is at most `noise`.
///
/// `watch` is told after each probe which share of them is done.
pub fn price_of_noise(layers: &mut [Layer], noise: f64, watch: &mut dyn FnMut(f64)) -> f64 {
    let weights: usize = layers.iter().map(Layer::count).sum();
    // That of fine steps: noise = weights * step^2 / 12 and step^2 = price * energy / PRICE.
    let fine = noise * layers.len() as f64 * 12.0 * PRICE / weights.max(1) as f64;
    search(Interval::Geometric { lo: fine / RANGE, hi: fine * RANGE }, PROBES, watch, |step| {
        probe_all(layers, step.mid);
        mean_noise(layers) <= noise
    })
}

/// The lowest price at which the symbols of all layers take at most so many bits, by their frequencies.
///
/// `watch` is told after each probe which share of them is done.
pub fn price_of_bits(layers: &mut [Layer], bits: f64, watch: &mut dyn FnMut(f64)) -> f64 {
    // Of the price's inverse, since what is searched is what rises, over all prices that could be meant.
    let inverse = search(Interval::Geometric { lo: 1e-3, hi: 1e15 }, 2 * PROBES, watch, |step| {
        probe_all(layers, 1.0 / step.mid);
        layers.iter().map(|layer| layer.probe.bits).sum::<f64>() <= bits
    });
    1.0 / inverse
}

fn search(interval: Interval, probes: usize, watch: &mut dyn FnMut(f64), mut accept: impl FnMut(Step) -> bool) -> f64 {
    let mut done = 0;
    let found: Result<Option<f64>, std::convert::Infallible> = half_interval(interval, probes, |step| {
        let accepted = accept(step);
        done += 1;
        watch(f64::from(done) / probes as f64);
        Ok(accepted)
    });
    let (Interval::Linear { lo, .. } | Interval::Geometric { lo, .. }) = interval;
    found.unwrap_or_else(|never| match never {}).unwrap_or(lo)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    /// Layers of sums of uniform numbers, of different sizes and scales.
    fn layers() -> Vec<Layer> {
        let mut rng = Pcg64Mcg::seed_from_u64(3);
        [(600, 1e-3f32), (4000, 1.0), (20_000, 30.0)]
            .map(|(count, scale)| {
                let mut normal = || (0..6).map(|_| rng.random::<f32>()).sum::<f32>() - 3.0;
                Layer::new((0..count).map(|_| scale * normal()).collect())
            })
            .to_vec()
    }

    fn noise(layer: &Layer, quantized: &Quantized) -> f64 {
        let pairs = layer.values.iter().zip(&quantized.symbols);
        let errors = pairs.map(|(&value, &symbol)| f64::from(value - f32::from(symbol) * quantized.step).powi(2));
        errors.sum::<f64>() / layer.energy
    }

    #[test]
    fn the_noise_is_what_was_asked_for_and_falls_to_the_large_layers() {
        for wanted in [0.3, 0.01, 1e-5] {
            let mut layers = layers();
            let price = price_of_noise(&mut layers, wanted, &mut |_| {});
            let noises: Vec<f64> = layers.iter().map(|layer| noise(layer, &layer.quantize(price).unwrap())).collect();
            let mean = noises.iter().sum::<f64>() / 3.0;
            assert!(mean <= wanted && mean > 0.9 * wanted, "{wanted}: {noises:?}");
            assert!(noises[0] < noises[1] && noises[1] < noises[2], "{noises:?}");
        }
    }

    #[test]
    fn a_price_costs_less_than_plain_rounding_at_the_same_noise() {
        let mut all = layers();
        let price = price_of_noise(&mut all, 0.05, &mut |_| {});
        for layer in &all {
            let priced = layer.probe(price);
            // Plain rounding in the step that gives that noise.
            let (mut low, mut high) = (1e-9 * layer.largest, layer.largest);
            let rounded = |step: f32| {
                let mut counts = Counts::default();
                let mut error = 0.0;
                for &value in &layer.values {
                    let symbol = (value / step).round() as i16;
                    counts.add(symbol);
                    error += f64::from(value - f32::from(symbol) * step).powi(2);
                }
                (error / layer.energy, counts.bits())
            };
            for _ in 0..60 {
                let middle = f32::midpoint(low, high);
                if rounded(middle).0 <= priced.noise { low = middle } else { high = middle }
            }
            assert!(priced.bits < rounded(low).1, "{priced:?} {:?}", rounded(low));
        }
    }

    #[test]
    fn a_sample_of_a_large_layer_tells_noise_and_bits() {
        let mut rng = Pcg64Mcg::seed_from_u64(9);
        let weights = (0..5_000_000).map(|_| rng.random::<f32>() * rng.random::<f32>() - 0.3).collect();
        let whole = Layer::new(weights);
        let sample = whole.clone().of_sample();
        assert!(!sample.is_whole() && sample.count() == whole.count() && sample.values.len() > 400_000);
        let price = price_of_noise(&mut [sample.clone()], 0.01, &mut |_| {});
        let (all, some) = (whole.probe(price), sample.probe(price));
        let near = |a: f64, b: f64, most: f64| (a / b - 1.0).abs() < most;
        assert!(near(some.noise, all.noise, 0.01) && near(some.bits, all.bits, 0.002), "{all:?} {some:?}");
        assert_eq!(sample.step(price), whole.step(price));
    }

    #[test]
    fn bits_are_kept_to() {
        let mut layers = layers();
        let price = price_of_bits(&mut layers, 40_000.0, &mut |_| {});
        let bits: f64 = layers.iter().map(|layer| layer.probe(price).bits).sum();
        assert!(bits <= 40_000.0 && bits > 39_000.0, "{bits}");
    }

    #[test]
    fn layers_without_energy_or_too_fine_for_symbols() {
        let empty = Layer::new(vec![0.0; 5]);
        assert_eq!(empty.quantize(1e-6), Some(Quantized { step: 1.0, symbols: vec![0; 5] }));
        let mut spread = vec![1.0; 50];
        spread.push(1e9);
        assert_eq!(Layer::new(spread).quantize(1e-20), None);
        assert_eq!(Layer::new(vec![1e-42; 3]).quantize(1e-6), None);
    }
}
