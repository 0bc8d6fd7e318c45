//! Small random changes of images: an affine map and a smooth elastic displacement (Simard, Steinkraus and Platt, "Best
//! practices for convolutional neural networks", 2003), sampled bilinearly. What lies outside is the nearest edge.

use crate::circle::{cosine, sine};
use crate::data::Row;
use crate::kernels::warp::{Affine, Grid, NODES, Warp, warp};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};

/// How much images may change. All but `mirror` are drawn uniformly from `-strength..strength`; 0 leaves a part out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Augmentation {
    /// Largest rotation, in degrees.
    pub rotation: f32,
    /// Largest change of size, as a share of it.
    pub scale: f32,
    /// Largest shear, as a share of the height.
    pub shear: f32,
    /// Largest shift along each axis, in pixels.
    pub shift: f32,
    /// Largest elastic displacement of a point of the coarse grid along each axis, in pixels.
    pub elastic: f32,
    /// The share of images that are mirrored left to right, 0 to 1.
    pub mirror: f32,
}

impl Default for Augmentation {
    /// 12 degrees, 12 %, shear 0.1, 1.5 pixels, elastic 1 pixel, not mirrored: for digits of 28 x 28.
    fn default() -> Self {
        Augmentation { rotation: 12.0, scale: 0.12, shear: 0.1, shift: 1.5, elastic: 1.0, mirror: 0.0 }
    }
}

impl Augmentation {
    /// The usual changes times a strength, and a share of mirrored images; nothing if both are 0.
    pub fn of(strength: f32, mirror: f32) -> Option<Self> {
        let changes = Augmentation { mirror, ..Augmentation::default().scaled(strength) };
        (strength > 0.0 || mirror > 0.0).then_some(changes)
    }

    /// All strengths times a factor; as many images are mirrored.
    pub fn scaled(self, factor: f32) -> Self {
        Augmentation {
            rotation: factor * self.rotation,
            scale: factor * self.scale,
            shear: factor * self.shear,
            shift: factor * self.shift,
            elastic: factor * self.elastic,
            mirror: self.mirror,
        }
    }
}

impl Augmentation {
    /// Writes a changed `image` `[channels, height, width]` to `output`, unscaled: no number is outside of the image's. The same seed makes the
    /// same change; all channels change alike.
    pub fn apply(&self, image: Row, [channels, height, width]: [usize; 3], seed: u64, output: &mut [f32]) {
        let mut pixels: Vec<f32> = match image {
            Row::Bytes(bytes) => bytes.iter().map(|&byte| f32::from(byte)).collect(),
            Row::Floats(floats) => floats.to_vec(),
        };
        if height < 2 || width < 2 || pixels.len() != channels * height * width {
            // There is nothing to move.
            output.iter_mut().zip(pixels).for_each(|(to, pixel)| *to = pixel);
            return;
        }
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let mut draw = |strength: f32| strength * (2.0 * rng.random::<f32>() - 1.0);
        let angle = draw(self.rotation).to_radians();
        let (scale_y, scale_x, shear) = (1.0 + draw(self.scale), 1.0 + draw(self.scale), draw(self.shear));
        let (shift_y, shift_x) = (draw(self.shift), draw(self.shift));
        let mut grid: Grid = [[[0.0; 2]; NODES]; NODES];
        grid.iter_mut().flatten().flatten().for_each(|node| *node = draw(self.elastic));
        // Drawn last, and only if it may be: what is never mirrored changes as it would without it.
        if self.mirror > 0.0 && rng.random::<f32>() < self.mirror {
            pixels.chunks_exact_mut(width).for_each(<[f32]>::reverse);
        }
        // Where a pixel comes from: sheared, then scaled, then rotated, all about the centre, then shifted.
        let (sine, cosine) = (sine(angle.into()) as f32, cosine(angle.into()) as f32);
        let affine = Affine {
            y: [cosine * scale_y + sine * scale_x * shear, sine * scale_x, shift_y],
            x: [cosine * scale_x * shear - sine * scale_y, cosine * scale_x, shift_x],
        };
        warp(Warp { pixels: &pixels, channels, height, width, affine, grid: &grid, output });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Augmentation =
        Augmentation { rotation: 0.0, scale: 0.0, shear: 0.0, shift: 0.0, elastic: 0.0, mirror: 0.0 };

    fn image() -> Vec<u8> {
        (0..2 * 7 * 9).map(|i| (i * 37 % 251) as u8).collect()
    }

    #[test]
    fn strength_zero_changes_nothing() {
        let mut output = vec![f32::NAN; 126];
        NONE.apply(Row::Bytes(&image()), [2, 7, 9], 5, &mut output);
        for (value, byte) in output.iter().zip(image()) {
            assert!((value - f32::from(byte)).abs() < 1e-3);
        }
    }

    #[test]
    fn a_seed_is_one_change_and_values_stay_bytes() {
        let strong = Augmentation { elastic: 30.0, shift: 50.0, ..Augmentation::default() };
        for seed in 0..50 {
            let mut outputs = [vec![f32::NAN; 126], vec![f32::NAN; 126]];
            outputs.iter_mut().for_each(|output| strong.apply(Row::Bytes(&image()), [2, 7, 9], seed, output));
            assert_eq!(outputs[0], outputs[1]);
            assert!(outputs[0].iter().all(|value| (0.0..=255.0).contains(value)));
        }
        let mut outputs = [vec![0.0; 126], vec![0.0; 126]];
        (0..2).for_each(|i| Augmentation::default().apply(Row::Bytes(&image()), [2, 7, 9], i as u64, &mut outputs[i]));
        assert_ne!(outputs[0], outputs[1]);
    }

    #[test]
    fn shifts_stay_within_their_strength() {
        // A ramp along x, shifted by s, changes by 10 s inside.
        let ramp: Vec<u8> = (0..64).map(|i| (i % 8 * 10) as u8).collect();
        for seed in 0..20 {
            let mut output = [0.0; 64];
            Augmentation { shift: 1.5, ..NONE }.apply(Row::Bytes(&ramp), [1, 8, 8], seed, &mut output);
            let change = output[3 * 8 + 3] - 30.0;
            assert!(change.abs() <= 15.0 + 1e-3);
            assert!((output[4 * 8 + 4] - 40.0 - change).abs() < 1e-3);
        }
    }

    #[test]
    fn so_many_images_are_mirrored_and_nothing_else_changes() {
        let line: Vec<u8> = (0..4).flat_map(|_| [0, 10, 20, 30]).collect();
        let mut mirrored = 0;
        for seed in 0..400 {
            let mut output = [0.0; 16];
            let changes = Augmentation { mirror: 0.25, ..NONE };
            changes.apply(Row::Bytes(&line), [1, 4, 4], seed, &mut output);
            let first = output[0] > 15.0;
            mirrored += usize::from(first);
            for (x, value) in output.iter().enumerate() {
                let expected = if first { 30 - x % 4 * 10 } else { x % 4 * 10 };
                assert!((value - expected as f32).abs() < 1e-3, "{output:?}");
            }
        }
        // 100 expected, deviation 9.
        assert!((65..135).contains(&mirrored), "{mirrored}");
        assert_eq!(Augmentation::of(0.0, 0.0), None);
        assert_eq!(Augmentation::of(1.0, 0.0), Some(Augmentation::default()));
    }

    #[test]
    fn a_line_of_pixels_is_left_as_it_is() {
        let mut output = [0.0; 5];
        Augmentation::default().apply(Row::Bytes(&[1, 2, 3, 4, 5]), [1, 1, 5], 0, &mut output);
        assert_eq!(output, [1.0, 2.0, 3.0, 4.0, 5.0]);
    }
}
