//! Steers the price of a bit within one training, towards a size or an accuracy.

use super::recipe::Target;

/// How fast the size follows the price: bytes fall about as the price to this power does.
const ELASTICITY: f64 = 0.55;
/// Share of a training over which a wrong size is to be made good.
const RESPONSE: f64 = 0.12;
/// Share of a training by which the size lags behind the price: it is judged by where it is going.
const LAG: f64 = 0.06;
/// Share of a training in which the size is to come down from where it starts: fast at first, then slower, since weights
/// that are gone hardly come back.
const DESCENT: f64 = 0.55;
/// The price stays where it is once the cosine has taken the learning rate this low: what is left of the training then
/// no longer answers to it.
const SETTLED: f64 = 0.9;
/// A budget is steered to a little less, so that the noise of the last steps stays inside it.
const MARGIN: f64 = 0.98;
/// The accuracy is worse in mid-training than it will be when the learning rate has come down: by so many points at first.
const NOISE_POINTS: f64 = 0.5;
/// Validations over which the drop is averaged: one alone is too noisy to steer by.
const SMOOTHING: f64 = 3.0;
/// Prices outside are of no use to any network.
const PRICES: (f64, f64) = (1e-9, 1e-2);

/// A controller of the price.
#[derive(Debug, Clone)]
pub struct Steering {
    price: f64,
    target: Target,
    /// Progress and logarithm of the size, at each look so far.
    sizes: Vec<(f64, f64)>,
    /// Running mean of the drop in accuracy, in percentage points.
    drop: Option<f64>,
}

impl Steering {
    /// Starts at a price, in nats a bit.
    pub fn new(price: f64, target: Target) -> Self {
        Steering { price, target, sizes: Vec::new(), drop: None }
    }

    /// The price now.
    pub fn price(&self) -> f64 {
        self.price
    }

    /// Looks at the size after `progress` (0 to 1) of the training, and at the drop in validation accuracy where it was
    /// measured, and sets the price.
    ///
    /// A size should come down from its start to the budget along a parabola on a logarithmic scale, and a drop should
    /// stay at what is tolerated; the price moves against the distance from there.
    pub fn observe(&mut self, progress: f64, bytes: usize, drop_points: Option<f64>) -> f64 {
        let size = (bytes as f64).ln();
        let before = self.sizes.last().map_or(0.0, |look| look.0);
        let elapsed = (progress - before).max(0.0);
        self.sizes.push((progress, size));
        if let Some(drop) = drop_points {
            let mean = self.drop.get_or_insert(drop);
            *mean += (drop - *mean) / SMOOTHING;
        }
        if progress >= SETTLED {
            return self.price;
        }
        // How many times too large the size is, as a logarithm.
        let error = match self.target {
            Target::Budget(budget) => {
                let goal = (MARGIN * budget as f64).ln();
                let start = self.sizes[0].1.max(goal);
                let left = (1.0 - (progress + LAG) / DESCENT).max(0.0).powi(2);
                size + self.slope() * LAG - goal - left * (start - goal)
            }
            Target::Tolerance(points) => {
                let tolerated = points + NOISE_POINTS * (1.0 - progress);
                self.drop.map_or(0.0, |drop| (tolerated - drop) / tolerated.max(0.1))
            }
        };
        self.price =
            (self.price * (error.clamp(-1.0, 1.0) / ELASTICITY * elapsed / RESPONSE).exp()).clamp(PRICES.0, PRICES.1);
        self.price
    }

    /// How fast the logarithm of the size changes, per whole training, over the last looks.
    fn slope(&self) -> f64 {
        let (now, size) = self.sizes[self.sizes.len() - 1];
        let since = self.sizes.iter().rfind(|look| now - look.0 >= LAG / 2.0).unwrap_or(&self.sizes[0]);
        if now > since.0 { (size - since.1) / (now - since.0) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A network whose size follows the price as measured on LeNet-5, with a lag; its drop grows as it shrinks.
    fn simulate(target: Target, constant: f64, start: f64) -> (f64, f64) {
        let mut steering = Steering::new(5e-6, target);
        let mut bytes = start;
        let drop = |bytes: f64| 0.3 * 1000.0 / bytes;
        for step in 0..200 {
            let progress = f64::from(step) / 200.0;
            let noise = NOISE_POINTS * (1.0 - progress);
            let price = steering.observe(progress, bytes as usize, (step % 8 == 0).then(|| drop(bytes) + noise));
            let settled = constant * price.powf(-ELASTICITY);
            bytes += (settled - bytes) * 0.1;
        }
        (bytes, drop(bytes))
    }

    #[test]
    fn a_budget_is_met_within_a_few_percent_from_any_start() {
        for constant in [0.5, 1.0, 4.0] {
            for (start, budget) in [(3_000.0, 800), (20_000.0, 4_479), (900.0, 1_553)] {
                let (reached, _) = simulate(Target::Budget(budget), constant, start);
                assert!((reached / budget as f64 - 1.0).abs() < 0.06, "{constant} {start} {budget}: {reached}");
            }
        }
    }

    #[test]
    fn a_tolerance_is_used_up() {
        for tolerance in [0.2, 0.5] {
            let (_, drop) = simulate(Target::Tolerance(tolerance), 1.0, 3_000.0);
            assert!((drop - tolerance).abs() < 0.1, "{tolerance}: {drop}");
        }
    }
}
