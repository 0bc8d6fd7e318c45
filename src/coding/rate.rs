//! What a weight will cost: an estimate of the coder's bits that training can differentiate.
//!
//! The coder adapts while it codes; this estimate is its static counterpart. Whether a weight is zero has a factorised
//! prior: the log-odds of its row, of its input channel and of its place in the kernel add up, each counted from the
//! current symbols. Sign and magnitude cost the same everywhere in a layer.

use super::layout::Layout;

/// How strongly a row's, channel's or place's own count is drawn towards the layer's density, in symbols.
const PRIOR_SYMBOLS: f32 = 3.0;

/// Bits of each symbol at each position of one parameter.
#[derive(Debug, Clone)]
pub struct Rate {
    layout: Layout,
    /// Log-odds of a nonzero, in nats: the row's, the channel's and the place's add up.
    rows: Vec<f32>,
    channels: Vec<f32>,
    taps: Vec<f32>,
    /// Bits of sign and magnitude: `levels[m - 1]` for magnitude `m`.
    magnitudes: Vec<f32>,
}

impl Rate {
    /// Counts the symbols of a parameter, whose magnitudes go up to `levels`.
    pub fn new(layout: Layout, symbols: &[i16], levels: i16) -> Self {
        let mut rows = vec![0u32; layout.rows];
        let mut channels = vec![0u32; layout.channels];
        let mut taps = vec![0u32; layout.taps()];
        let mut magnitudes = vec![0u32; usize::from(levels.unsigned_abs())];
        let mut nonzeros = 0u32;
        for (row, symbols) in symbols.chunks_exact(layout.row_len().max(1)).enumerate() {
            for (channel, symbols) in symbols.chunks_exact(layout.taps()).enumerate() {
                for (tap, &symbol) in symbols.iter().enumerate().filter(|(_, symbol)| **symbol != 0) {
                    rows[row] += 1;
                    channels[channel] += 1;
                    taps[tap] += 1;
                    nonzeros += 1;
                    let rank = usize::from(symbol.unsigned_abs()).min(magnitudes.len());
                    magnitudes[rank - 1] += 1;
                }
            }
        }
        let total = (layout.rows * layout.row_len()).max(1) as f32;
        let density = (nonzeros as f32 + 0.5) / (total + 1.0);
        let base = log_odds(density);
        // Each factor says how far it lies from the layer; the layer itself is counted once, with the rows.
        let deviations = |counts: &[u32], offset: f32| {
            let each = total / counts.len() as f32;
            counts
                .iter()
                .map(|&count| {
                    let own = (count as f32 + PRIOR_SYMBOLS * density) / (each + PRIOR_SYMBOLS);
                    log_odds(own) - base + offset
                })
                .collect()
        };
        let smoothed = nonzeros as f32 + magnitudes.len() as f32;
        Rate {
            rows: deviations(&rows, base),
            channels: deviations(&channels, 0.0),
            taps: deviations(&taps, 0.0),
            magnitudes: magnitudes.iter().map(|&count| 1.0 + (smoothed / (count as f32 + 1.0)).log2()).collect(),
            layout,
        }
    }

    /// The log-odds of a number beside 0, in nats, of a parameter whose kernels have one tap.
    #[inline]
    pub fn odds(&self, row: usize, channel: usize) -> f32 {
        self.rows[row] + self.channels[channel] + self.taps[0]
    }

    /// Bits of a 0, and of that there is another number.
    #[inline]
    pub fn zero_and_other(&self, odds: f32) -> (f32, f32) {
        let zero = softplus_bits(odds);
        (zero, zero - odds * std::f32::consts::LOG2_E)
    }

    /// Bits of sign and magnitude of a number beside 0; the largest that was counted stands for those above.
    #[inline]
    pub fn magnitude(&self, magnitude: usize) -> f32 {
        self.magnitudes[magnitude.clamp(1, self.magnitudes.len()) - 1]
    }

    /// Calls `visit(position, bits)` for each position in row-major order, where `bits[m]` is the cost of magnitude `m`.
    pub fn for_each(&self, mut visit: impl FnMut(usize, &[f32])) {
        let mut bits = vec![0.0; self.magnitudes.len() + 1];
        let taps = self.layout.taps();
        for (row, &row_odds) in self.rows.iter().enumerate() {
            for (channel, &channel_odds) in self.channels.iter().enumerate() {
                let first = (row * self.layout.channels + channel) * taps;
                for (tap, &tap_odds) in self.taps.iter().enumerate() {
                    let odds = row_odds + channel_odds + tap_odds;
                    let zero = softplus_bits(odds);
                    bits[0] = zero;
                    // A nonzero costs what a zero does, less the log-odds.
                    let nonzero = zero - odds * std::f32::consts::LOG2_E;
                    for (cost, magnitude) in bits[1..].iter_mut().zip(&self.magnitudes) {
                        *cost = nonzero + magnitude;
                    }
                    visit(first + tap, &bits);
                }
            }
        }
    }

    /// Bits of all symbols together.
    pub fn bits(&self, symbols: &[i16]) -> f64 {
        let mut sum = 0.0;
        self.for_each(|position, bits| {
            let magnitude = usize::from(symbols[position].unsigned_abs()).min(bits.len() - 1);
            sum += f64::from(bits[magnitude]);
        });
        sum
    }
}

fn log_odds(probability: f32) -> f32 {
    (probability / (1.0 - probability)).ln()
}

/// `log2(1 + exp(x))`: the bits of a zero whose opposite has log-odds `x`.
fn softplus_bits(x: f32) -> f32 {
    (x.max(0.0) + (-x.abs()).exp().ln_1p()) * std::f32::consts::LOG2_E
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coding::layout::Form;
    use proptest::prelude::*;

    const LAYOUT: Layout = Layout { rows: 6, channels: 4, height: 3, width: 3, form: Form::Kernels };

    proptest! {
        #[test]
        fn probabilities_add_up_to_one(symbols in prop::collection::vec(-3i16..=3, 6 * 36)) {
            Rate::new(LAYOUT, &symbols, 3).for_each(|_, bits| {
                // Each magnitude above 0 stands for two symbols.
                let sum: f32 = bits.iter().enumerate().map(|(m, b)| if m == 0 { 1.0 } else { 2.0 } * (-b).exp2()).sum();
                assert!((sum - 1.0).abs() < 1e-4, "{sum}");
            });
        }
    }

    #[test]
    fn an_empty_row_makes_zeros_cheap_and_nonzeros_dear() {
        let mut symbols = vec![0i16; 6 * 36];
        for position in (0..36).step_by(2) {
            symbols[position] = 1;
        }
        let mut costs = Vec::new();
        Rate::new(LAYOUT, &symbols, 1).for_each(|_, bits| costs.push(bits.to_vec()));
        assert!(
            costs[0][1] < costs[180][1] - 2.0 && costs[0][0] > costs[180][0] + 0.5,
            "{:?} {:?}",
            costs[0],
            costs[180]
        );
    }

    #[test]
    fn close_to_the_coders_own_entropy_on_a_uniform_layer() {
        // One in four is not zero, all of magnitude 1: H(1/4) + 1/4 sign bit.
        let symbols: Vec<i16> = (0..6 * 36u32).map(|i| i16::from(i.wrapping_mul(2_654_435_761) >> 30 == 0)).collect();
        let ones = symbols.iter().filter(|&&s| s != 0).count() as f64;
        let (n, p) = (symbols.len() as f64, ones / symbols.len() as f64);
        let entropy = n * -(p * p.log2() + (1.0 - p) * (1.0 - p).log2()) + ones;
        let estimate = Rate::new(LAYOUT, &symbols, 1).bits(&symbols);
        assert!((estimate / entropy - 1.0).abs() < 0.1, "{estimate} {entropy}");
    }
}
