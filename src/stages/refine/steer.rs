//! The price of a bit: steered within a training towards a size, and between trainings towards an accuracy.

use crate::circle::annealed;

/// How fast the size follows the price: bytes fall about as the price to this power does.
const ELASTICITY: f64 = 0.55;
/// Share of a training over which a wrong size is to be made good.
const RESPONSE: f64 = 0.12;
/// Share of a training by which the size lags behind the price: it is judged by where it is going.
const LAG: f64 = 0.06;
/// The noise of a high learning rate keeps weights away from zero that leave when the rate comes down: a network is larger
/// than it will be at the end, as a logarithm, by so many times the peak of the rate. The excess falls a little faster than the rate.
const EXCESS: f64 = 19.0;
/// So much a network may grow that starts no larger than it should end, as a logarithm.
const SLACK: f64 = 0.33;
/// The price stays where it is once the cosine has taken the learning rate this low: what is left of the training then
/// no longer answers to it.
const SETTLED: f64 = 0.92;
/// From one training to the next, the price changes by at most this factor: a drop is a noisy measurement.
const LARGEST_CHANGE: f64 = 2.0;
/// A drop is aimed at a little below what is tolerated, so that its noise stays inside.
const AIM: f64 = 0.85;
/// In percentage points, less than the noise of a drop: none is taken to be smaller.
const DROP_NOISE: f64 = 0.1;
/// Cautions are this many to one: a checkpoint writes and reads them exactly.
const CAUTIONS: f64 = 1024.0;
/// Prices outside are of no use to any network.
const PRICES: (f64, f64) = (1e-9, 1e-2);

/// A controller of the price within one training.
#[derive(Debug, Clone)]
pub struct Steering {
    price: f64,
    /// Logarithm of the size to end at.
    goal: f64,
    /// By how much larger the network may be while the learning rate is at its peak, as a logarithm.
    excess: f64,
    /// Progress and logarithm of the size, at each look so far.
    sizes: Vec<(f64, f64)>,
}

impl Steering {
    /// Starts at a price, in nats a bit, towards a size in bytes, for a training with this peak of the learning rate, in
    /// integers a step.
    pub fn new(price: f64, bytes: usize, rate: f32) -> Self {
        Steering { price, goal: (bytes as f64).ln(), excess: EXCESS * f64::from(rate), sizes: Vec::new() }
    }

    /// Looks at the size after `progress` (0 to 1) of the training, and answers with the price from there on.
    ///
    /// The size should follow the learning rate down to the goal; the price moves against the distance from there.
    pub fn observe(&mut self, progress: f64, bytes: usize) -> f64 {
        let size = (bytes as f64).ln();
        let before = self.sizes.last().map_or(0.0, |look| look.0);
        self.sizes.push((progress, size));
        if progress < SETTLED {
            let elapsed = (progress - before).max(0.0);
            let ahead = (progress + LAG).min(1.0);
            let rate = annealed(ahead);
            // What was small already, after an earlier training, stays small.
            let excess = self.excess.min((self.sizes[0].1 - self.goal).max(0.0) + SLACK);
            // How many times too large the size will be, as a logarithm.
            let error = size + self.slope() * LAG - (self.goal + excess * rate.powf(1.5));
            self.price *= (error.clamp(-1.0, 1.0) / ELASTICITY * elapsed / RESPONSE).exp();
            self.price = self.price.clamp(PRICES.0, PRICES.1);
        }
        self.price
    }

    /// How fast the logarithm of the size changes, per whole training, over the last looks.
    fn slope(&self) -> f64 {
        let (now, size) = self.sizes[self.sizes.len() - 1];
        let since = self.sizes.iter().rfind(|look| now - look.0 >= LAG / 2.0).unwrap_or(&self.sizes[0]);
        if now > since.0 { (size - since.1) / (now - since.0) } else { 0.0 }
    }
}

/// Whether a drop is so far beyond the tolerance that no change of the price from one training to the next makes it good.
pub fn far_beyond(drop: f64, tolerance: f64) -> bool {
    drop > LARGEST_CHANGE * tolerance
}

/// The factor that all limits come down by after a drop far beyond the tolerance: the price, and the rises of the loss.
pub fn caution(drop: f64, tolerance: f64) -> f64 {
    (wanted_change(drop, tolerance) * CAUTIONS).round().max(1.0) / CAUTIONS
}

/// The price of the next training, after one at `price` that cost `drop` where `tolerance` is allowed, both in percentage
/// points of accuracy.
pub fn next_price(price: f64, drop: f64, tolerance: f64) -> f64 {
    let change = wanted_change(drop, tolerance).clamp(1.0 / LARGEST_CHANGE, LARGEST_CHANGE);
    (price * change).clamp(PRICES.0, PRICES.1)
}

/// The factor by which a price is wrong that cost `drop` where `tolerance` is allowed: a drop follows it about in proportion.
fn wanted_change(drop: f64, tolerance: f64) -> f64 {
    (AIM * tolerance).max(DROP_NOISE) / drop.max(DROP_NOISE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A network whose size follows price and learning rate as measured on LeNet-5, with a lag.
    fn simulate(budget: usize, constant: f64, start: f64) -> f64 {
        let mut steering = Steering::new(5e-6, budget, 0.04);
        let mut bytes = start;
        for step in 0..200 {
            let progress = f64::from(step) / 200.0;
            let price = steering.observe(progress, bytes as usize);
            let noise = 0.8 * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
            let settled = constant * price.powf(-ELASTICITY) * noise.exp();
            bytes += (settled - bytes) * 0.1;
        }
        bytes
    }

    #[test]
    fn a_size_is_met_within_a_tenth_from_any_start() {
        for constant in [0.5, 1.0, 4.0] {
            for (start, budget) in [(3_000.0, 800), (20_000.0, 4_479), (900.0, 1_553)] {
                let reached = simulate(budget, constant, start);
                assert!((reached / budget as f64 - 1.0).abs() < 0.1, "{constant} {start} {budget}: {reached}");
            }
        }
    }

    #[test]
    fn a_tolerance_is_used_up_over_trainings() {
        for (tolerance, constant) in [(0.2, 3e4), (0.5, 1e5)] {
            let mut price = 5e-6;
            for _ in 0..4 {
                price = next_price(price, constant * price, tolerance);
            }
            let drop = constant * price;
            assert!(drop <= tolerance && drop > 0.7 * tolerance, "{tolerance}: {drop}");
        }
    }

    #[test]
    fn caution_puts_right_what_is_far_beyond_a_tolerance() {
        for (tolerance, constant) in [(0.2, 1e5), (0.5, 1e6)] {
            let drop = constant * 1e-5;
            assert!(far_beyond(drop, tolerance));
            let drop = drop * caution(drop, tolerance);
            assert!(!far_beyond(drop, tolerance));
            assert!(drop <= tolerance && drop > 0.7 * tolerance, "{tolerance}: {drop}");
        }
    }
}
