//! Quantization-aware training that pays for each bit: straight-through rounding, plus a price on what the adaptive
//! coder will spend.
//!
//! A weight is `unit x clip(round(u))`, and `u` is trained as if rounding were not there (Bengio et al. 2013). The price
//! of a bit times the slope of the code length acts as an L1 penalty that is stronger where nonzeros are dear: in rows,
//! channels and places that are nearly empty. It does all of the pruning, of whole units too. Weights that keep jumping
//! between two integers late in training are frozen (Nagel et al. 2022).

use crate::circle::annealed;
use crate::coding::layout::{Layout, layouts};
use crate::coding::rate::Rate;
use crate::error::GraphError;
use crate::model::{Codebook, FixedParameter, FixedPoint, Model, ParamId};
use crate::network::{Adam, Gradients, Learner, Progress};
use crate::parallel;
use crate::resources::Objective;

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
    /// Factor on the price of its bits.
    price: f32,
    values: Vec<f32>,
    symbols: Vec<i16>,
    gradient: Vec<f32>,
    /// Bits that the step from 0 to magnitude 1 costs, at each position.
    first_bits: Vec<f32>,
    /// The price of a weight between magnitude m and m + 1.
    chords: Vec<Chord>,
    flips: Vec<Flips>,
}

/// From zero to a magnitude: what a weight would save, a step, if it went all the way. The slope between neighbouring magnitudes
/// can be flat, and then nothing would ever leave.
#[derive(Debug, Clone, Copy)]
struct Chord {
    /// One step of the magnitude's.
    share: f32,
    /// Bits a step that the magnitude costs more than magnitude 1 does.
    extra_bits: f32,
}

/// What is remembered of a weight's jumps between integers.
#[derive(Debug, Clone, Copy)]
struct Flips {
    /// Direction of the last jump.
    direction: i8,
    frozen: bool,
    /// Running frequency of jumps against the direction of the one before, per step.
    frequency: f32,
    /// Running mean of the integer.
    mean: f32,
}

impl Refiner {
    /// Starts from a fixed-point network. Matrices get magnitudes up to `levels`; vectors keep 8 bits.
    ///
    /// # Errors
    /// [`GraphError`] where the shapes do not fit.
    pub fn new(fixed: &FixedPoint, levels: i16, price: f64, objective: &dyn Objective) -> Result<Self, GraphError> {
        let model = fixed.to_model();
        let shapes = model.shapes()?;
        let layouts = layouts(&model.graph, &model.parameter_shapes(), &shapes);
        let latents = fixed.parameters.iter().zip(layouts).map(|(parameter, layout)| {
            let (limit, price) =
                if parameter.shape.len() < 2 { (127, 0.0) } else { (levels, objective.price(parameter)) };
            Latent::new(parameter, layout, limit, price)
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

    /// The network as it stands, in fixed point.
    pub fn fixed_point(&self) -> FixedPoint {
        FixedPoint {
            graph: self.model.graph.clone(),
            parameters: self.latents.iter().map(Latent::fixed_parameter).collect(),
            original_shapes: self.original_shapes.clone(),
        }
    }

    fn refresh_rates(&mut self) {
        self.latents.iter_mut().filter(|latent| latent.price > 0.0).for_each(Latent::refresh_rate);
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
        let mut jobs: Vec<_> = self.latents.iter_mut().zip(&gradients.parameters).collect();
        parallel::for_each(&mut jobs, |(latent, gradient)| {
            latent.price_gradient(gradient.as_slice().unwrap_or_default(), price);
        });
        let slices = self.latents.iter_mut().map(|latent| (&mut latent.values[..], &latent.gradient[..]));
        self.adam.step(step.rate, slices);
        let flip_limit = self.freezing.map(|progress| {
            let (from, to) = FLIP_LIMITS;
            to + (from - to) * annealed(progress.into()) as f32
        });
        parallel::for_each(&mut self.latents, |latent| latent.round(flip_limit));
        if self.adam.steps().is_multiple_of(RATE_REFRESH) {
            self.refresh_rates();
        }
        self.write_weights();
    }
}

impl Latent {
    fn new(parameter: &FixedParameter, layout: Layout, limit: i16, price: f32) -> Self {
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
            price,
            gradient: vec![0.0; count],
            first_bits: vec![0.0; count],
            chords: (1..=limit.max(1)).map(|steps| Chord { share: 1.0 / f32::from(steps), extra_bits: 0.0 }).collect(),
            flips: values.iter().map(|&mean| Flips { direction: 0, frozen: false, frequency: 0.0, mean }).collect(),
            values,
            symbols,
        }
    }

    fn fixed_parameter(&self) -> FixedParameter {
        FixedParameter {
            name: self.name.clone(),
            shape: self.shape.clone(),
            symbols: self.symbols.clone(),
            codebook: Codebook::integers(self.fraction_bits),
        }
    }

    fn refresh_rate(&mut self) {
        let rate = Rate::new(self.layout, &self.symbols, self.limit);
        let (first, chords) = (&mut self.first_bits, &mut self.chords);
        rate.for_each(|position, bits| {
            first[position] = bits[1] - bits[0];
            if position == 0 {
                for (chord, magnitude) in chords.iter_mut().zip(&bits[1..]) {
                    chord.extra_bits = chord.share * (magnitude - bits[1]);
                }
            }
        });
    }

    /// The gradient of loss and price by the values behind the rounding: 0 for what is not trained.
    fn price_gradient(&mut self, gradient: &[f32], price: f32) {
        if !self.trained {
            return;
        }
        let last = self.chords.len() - 1;
        let price = price * self.price;
        let weights = self.values.iter().zip(&self.first_bits).zip(gradient);
        for (own, ((&value, &first_bits), &gradient)) in self.gradient.iter_mut().zip(weights) {
            let Chord { share, extra_bits } = self.chords[(value.abs() as i32 as usize).min(last)];
            let slope = price * (share * first_bits + extra_bits).max(LEAST_BITS);
            *own = gradient * self.unit + if value == 0.0 { 0.0 } else { slope.copysign(value) };
        }
    }

    /// Clips and rounds the values, counts jumps back, and freezes weights that jump more often than `limit`.
    fn round(&mut self, limit: Option<f32>) {
        let bound = f32::from(self.limit) + 0.49;
        let limit = limit.unwrap_or(f32::INFINITY);
        for ((value, symbol), flips) in self.values.iter_mut().zip(&mut self.symbols).zip(&mut self.flips) {
            *value = value.clamp(-bound, bound);
            if flips.frozen {
                continue;
            }
            // To the nearest, halves away from zero.
            let rounded = (*value + 0.5f32.copysign(*value)) as i16;
            let direction = (rounded - *symbol).signum() as i8;
            *symbol = rounded;
            let back = direction != 0 && direction == -flips.direction;
            if direction != 0 {
                flips.direction = direction;
            }
            follow(&mut flips.frequency, f32::from(u8::from(back)));
            follow(&mut flips.mean, f32::from(rounded));
            if flips.frequency > limit {
                flips.frozen = true;
                *symbol = (flips.mean + 0.5f32.copysign(flips.mean)) as i16;
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
