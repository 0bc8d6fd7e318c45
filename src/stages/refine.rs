//! Quantization-aware training that pays for each bit: straight-through rounding, plus a price on what the adaptive
//! coder will spend.
//!
//! A weight is `unit x clip(round(u))`, and `u` is trained as if rounding were not there (Bengio et al. 2013). The price
//! of a bit times the slope of the code length acts as an L1 penalty that is stronger where nonzeros are dear: in rows,
//! channels and places that are nearly empty. It does all of the pruning, of whole units too. Weights that keep jumping
//! between two integers late in training are frozen (Nagel et al. 2022).

use super::quantize::{Codebook, FixedParameter, FixedPoint};
use crate::coding::layout::{Layout, layouts};
use crate::coding::rate::Rate;
use crate::error::GraphError;
use crate::model::{Model, ParamId};
use crate::network::{Adam, Gradients, Learner, Progress};

/// Steps between two counts of the symbols.
const RATE_REFRESH: u32 = 20;
/// The least slope of the price, in bits a step. In a dense row the estimate has nonzeros cheaper than zeros; paid for
/// that, such rows would fill up and never empty again.
const LEAST_BITS: f32 = 1.0;
/// Decay of the running mean of a weight's integer, and of how often it jumps back.
const FLIP_DECAY: f32 = 0.98;
/// The frequency of jumping back, per step, above which a weight is frozen: from the start of freezing to the end.
const FLIP_LIMITS: (f32, f32) = (0.06, 0.012);

/// A fixed-point network in training.
#[derive(Debug, Clone)]
pub struct Refiner {
    model: Model,
    latents: Vec<Latent>,
    adam: Adam,
    original_shapes: Vec<Vec<usize>>,
    /// Price of a bit, in nats of mean loss; whoever steers the training may change it between steps.
    pub price: f64,
    /// How far freezing has come, 0 to 1; `None` before it starts.
    pub freezing: Option<f32>,
}

/// One parameter behind its rounding.
#[derive(Debug, Clone)]
struct Latent {
    name: String,
    shape: Vec<usize>,
    layout: Layout,
    /// Value of one integer step.
    unit: f32,
    fraction_bits: i8,
    /// The largest magnitude.
    limit: i16,
    /// Whether it is trained. A bias that was folded into the next layer stays zero.
    trained: bool,
    /// Whether its bits have a price.
    priced: bool,
    values: Vec<f32>,
    symbols: Vec<i16>,
    gradient: Vec<f32>,
    /// Bits that the step from 0 to magnitude 1 costs, at each position.
    first_bits: Vec<f32>,
    /// Bits that magnitude m + 1 costs more than magnitude 1.
    extra_bits: Vec<f32>,
    flips: Flips,
}

/// What is remembered of each weight's jumps between integers.
#[derive(Debug, Clone)]
struct Flips {
    /// Direction of the last jump.
    direction: Vec<i8>,
    /// Running frequency of jumps against the direction of the one before, per step.
    frequency: Vec<f32>,
    /// Running mean of the integer.
    mean: Vec<f32>,
    frozen: Vec<bool>,
}

impl Refiner {
    /// Starts from a fixed-point network. Matrices get magnitudes up to `levels`; vectors keep 8 bits.
    ///
    /// # Errors
    /// [`GraphError`] where the shapes do not fit.
    pub fn new(fixed: &FixedPoint, levels: i16, price: f64) -> Result<Self, GraphError> {
        let model = fixed.to_model();
        let shapes = model.shapes()?;
        let layouts = layouts(&model.graph, &model.parameter_shapes(), &shapes);
        let latents = fixed.parameters.iter().zip(layouts).map(|(parameter, layout)| {
            let limit = if parameter.shape.len() < 2 { 127 } else { levels };
            Latent::new(parameter, layout, limit)
        });
        let latents: Vec<Latent> = latents.collect();
        let mut refiner = Refiner {
            adam: Adam::new(latents.iter().map(|latent| latent.values.len())),
            latents,
            model,
            original_shapes: fixed.original_shapes.clone(),
            price,
            freezing: None,
        };
        refiner.refresh_rates();
        refiner.write_weights();
        Ok(refiner)
    }

    /// The network as it stands, with the values of its fixed-point weights.
    pub fn network(&self) -> &Model {
        &self.model
    }

    /// The network as it stands, in fixed point.
    pub fn fixed_point(&self) -> FixedPoint {
        FixedPoint {
            graph: self.model.graph.clone(),
            parameters: self.latents.iter().map(Latent::fixed_parameter).collect(),
            original_shapes: self.original_shapes.clone(),
        }
    }

    fn refresh_rates(&mut self) {
        self.latents.iter_mut().filter(|latent| latent.priced).for_each(Latent::refresh_rate);
    }

    fn write_weights(&mut self) {
        for (index, latent) in self.latents.iter().enumerate() {
            let values = self.model.values_mut(ParamId(index));
            for (value, &symbol) in values.iter_mut().zip(&latent.symbols) {
                *value = f32::from(symbol) * latent.unit;
            }
        }
    }
}

impl Learner for Refiner {
    fn model(&self) -> &Model {
        &self.model
    }

    fn learn(&mut self, gradients: &Gradients, step: &Progress) {
        let price = self.price as f32;
        for (latent, gradient) in self.latents.iter_mut().zip(&gradients.parameters) {
            latent.price_gradient(gradient.as_slice().unwrap_or_default(), price);
        }
        let slices = self.latents.iter_mut().map(|latent| (&mut latent.values[..], &latent.gradient[..]));
        self.adam.step(step.rate, slices);
        let flip_limit = self.freezing.map(|progress| {
            let (from, to) = FLIP_LIMITS;
            to + (from - to) * 0.5 * (1.0 + (std::f32::consts::PI * progress.clamp(0.0, 1.0)).cos())
        });
        self.latents.iter_mut().for_each(|latent| latent.round(flip_limit));
        if self.adam.steps().is_multiple_of(RATE_REFRESH) {
            self.refresh_rates();
        }
        self.write_weights();
    }
}

impl Latent {
    fn new(parameter: &FixedParameter, layout: Layout, limit: i16) -> Self {
        let fraction_bits = parameter.codebook.fraction_bits();
        let bound = f32::from(limit);
        let values: Vec<f32> =
            parameter.integers().iter().map(|&integer| (integer as f32).clamp(-bound, bound)).collect();
        let count = values.len();
        let symbols: Vec<i16> = values.iter().map(|&value| value as i16).collect();
        let zero = symbols.iter().all(|&symbol| symbol == 0);
        Latent {
            name: parameter.name.clone(),
            shape: parameter.shape.clone(),
            layout,
            unit: (-f32::from(fraction_bits)).exp2(),
            fraction_bits,
            limit,
            trained: parameter.shape.len() >= 2 || !zero,
            priced: parameter.shape.len() >= 2,
            gradient: vec![0.0; count],
            first_bits: vec![0.0; count],
            extra_bits: vec![0.0; usize::from(limit.unsigned_abs()).max(1)],
            flips: Flips {
                direction: vec![0; count],
                frequency: vec![0.0; count],
                mean: values.clone(),
                frozen: vec![false; count],
            },
            values,
            symbols,
        }
    }

    fn fixed_parameter(&self) -> FixedParameter {
        FixedParameter {
            name: self.name.clone(),
            shape: self.shape.clone(),
            symbols: self.symbols.clone(),
            codebook: Codebook::Uniform { fraction_bits: self.fraction_bits },
        }
    }

    fn refresh_rate(&mut self) {
        let rate = Rate::new(self.layout, &self.symbols, self.limit);
        let (first, extra) = (&mut self.first_bits, &mut self.extra_bits);
        rate.for_each(|position, bits| {
            first[position] = bits[1] - bits[0];
            if position == 0 {
                extra.iter_mut().zip(&bits[1..]).for_each(|(extra, magnitude)| *extra = magnitude - bits[1]);
            }
        });
    }

    /// The gradient of loss and price by the values behind the rounding: 0 for what is not trained.
    fn price_gradient(&mut self, gradient: &[f32], price: f32) {
        if !self.trained {
            return;
        }
        for (index, (own, &gradient)) in self.gradient.iter_mut().zip(gradient).enumerate() {
            *own = gradient * self.unit;
            let value = self.values[index];
            if self.priced && value != 0.0 {
                // The chord from zero to the next integer: what the weight would save a step if it went all the way. The
                // slope between neighbouring magnitudes can be flat, and then nothing would ever leave.
                let below = (value.abs() as usize).min(self.extra_bits.len() - 1);
                let bits = ((self.first_bits[index] + self.extra_bits[below]) / (below + 1) as f32).max(LEAST_BITS);
                *own += price * bits * value.signum();
            }
        }
    }

    /// Clips and rounds the values, counts jumps back, and freezes weights that jump more often than `limit`.
    fn round(&mut self, limit: Option<f32>) {
        let bound = f32::from(self.limit) + 0.49;
        let flips = &mut self.flips;
        for (index, value) in self.values.iter_mut().enumerate() {
            *value = value.clamp(-bound, bound);
            if flips.frozen[index] {
                continue;
            }
            // To the nearest, halves away from zero.
            let symbol = (*value + 0.5f32.copysign(*value)) as i16;
            let direction = (symbol - self.symbols[index]).signum() as i8;
            let back = direction != 0 && direction == -flips.direction[index];
            if direction != 0 {
                flips.direction[index] = direction;
            }
            follow(&mut flips.frequency[index], f32::from(u8::from(back)));
            follow(&mut flips.mean[index], f32::from(symbol));
            self.symbols[index] = symbol;
            if limit.is_some_and(|limit| flips.frequency[index] > limit) {
                flips.frozen[index] = true;
                self.symbols[index] = flips.mean[index].round() as i16;
            }
        }
    }
}

/// One step of a running mean.
fn follow(mean: &mut f32, value: f32) {
    *mean += (1.0 - FLIP_DECAY) * (value - *mean);
    // What decays towards zero for ever ends among the denormal numbers, which processors are very slow at.
    if mean.abs() < 1e-9 {
        *mean = 0.0;
    }
}
