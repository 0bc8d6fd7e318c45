//! Sine and cosine of angles that are not large: those of the library are ready for all, which takes ten kilobytes of the wasm.

use std::f64::consts::PI;

/// The sine of an angle from -2 pi to 2 pi, in radians, to 15 digits.
pub fn sine(angle: f64) -> f64 {
    // To the quarter around 0, where the series is short.
    let turned = angle - 2.0 * PI * (angle / (2.0 * PI)).round();
    let near = if turned.abs() > PI / 2.0 { turned.signum() * PI - turned } else { turned };
    let (mut power, mut sum) = (near, near);
    for k in 1..12 {
        power *= -near * near / f64::from(2 * k * (2 * k + 1));
        sum += power;
    }
    sum
}

/// The cosine of an angle from -pi to pi.
pub fn cosine(angle: f64) -> f64 {
    sine(angle + PI / 2.0)
}

/// From 1 to 0 along half a cosine, as a progress goes from 0 to 1 (Loshchilov and Hutter, 2017).
pub fn annealed(progress: f64) -> f64 {
    sine(PI / 2.0 * (1.0 - progress.clamp(0.0, 1.0))).powi(2).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agree_with_the_library() {
        for step in -1000..=1000 {
            let angle = 2.0 * PI * f64::from(step) / 1000.0;
            assert!((sine(angle) - angle.sin()).abs() < 2e-15, "{angle}");
            assert!((cosine(angle / 2.0) - (angle / 2.0).cos()).abs() < 2e-15, "{angle}");
        }
        for (progress, expected) in [(-1.0, 1.0), (0.0, 1.0), (0.5, 0.5), (0.75, 0.5 - 0.125f64.sqrt()), (1.0, 0.0)] {
            assert!((annealed(progress) - expected).abs() < 1e-15 && (0.0..=1.0).contains(&annealed(progress)));
        }
    }
}
