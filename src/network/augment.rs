//! Small random changes of images: an affine map and a smooth elastic displacement (Simard, Steinkraus and Platt, "Best
//! practices for convolutional neural networks", 2003), sampled bilinearly. What lies outside is the nearest edge.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};

/// How much images may change. All are drawn uniformly from `-strength..strength`; 0 leaves a part out.
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
}

impl Default for Augmentation {
    /// 12 degrees, 12 %, shear 0.1, 1.5 pixels, elastic 1 pixel: for digits of 28 x 28.
    fn default() -> Self {
        Augmentation { rotation: 12.0, scale: 0.12, shear: 0.1, shift: 1.5, elastic: 1.0 }
    }
}

/// Points of the coarse grid along each axis, corners included.
const NODES: usize = 5;

/// Displacements along y and x at the points of the coarse grid.
type Grid = [[[f32; 2]; NODES]; NODES];

impl Augmentation {
    /// Writes a changed `image` `[channels, height, width]` to `output`, as bytes' values in `0..=255`. The same seed makes the
    /// same change; all channels change alike.
    pub fn apply(&self, image: &[u8], [channels, height, width]: [usize; 3], seed: u64, output: &mut [f32]) {
        if height < 2 || width < 2 || image.len() != channels * height * width {
            // There is nothing to move.
            output.iter_mut().zip(image).for_each(|(to, &byte)| *to = f32::from(byte));
            return;
        }
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let mut draw = |strength: f32| strength * (2.0 * rng.random::<f32>() - 1.0);
        let angle = draw(self.rotation).to_radians();
        let (scale_y, scale_x, shear) = (1.0 + draw(self.scale), 1.0 + draw(self.scale), draw(self.shear));
        let (shift_y, shift_x) = (draw(self.shift), draw(self.shift));
        let mut grid: Grid = [[[0.0; 2]; NODES]; NODES];
        grid.iter_mut().flatten().flatten().for_each(|node| *node = draw(self.elastic));
        let (sine, cosine) = (angle.sin(), angle.cos());

        let (centre_y, centre_x) = ((height - 1) as f32 / 2.0, (width - 1) as f32 / 2.0);
        let (top, left) = ((height - 1) as f32, (width - 1) as f32);
        for y in 0..height {
            let along = interpolate(&grid, (NODES - 1) as f32 * y as f32 / top);
            let v = y as f32 - centre_y;
            for x in 0..width {
                let u = x as f32 - centre_x;
                let (node, share) = position((NODES - 1) as f32 * x as f32 / left);
                let [from, to] = [along[node], along[node + 1]];
                // Where the pixel comes from; shear, then scale, then rotation, about the centre.
                let (sheared, scaled) = (scale_x * (u + shear * v), scale_y * v);
                let source_y =
                    centre_y + shift_y + sine * sheared + cosine * scaled + from[0] + share * (to[0] - from[0]);
                let source_x =
                    centre_x + shift_x + cosine * sheared - sine * scaled + from[1] + share * (to[1] - from[1]);
                let (source_y, source_x) = (source_y.clamp(0.0, top), source_x.clamp(0.0, left));
                let (row, column) = ((source_y as usize).min(height - 2), (source_x as usize).min(width - 2));
                let (below, right) = (source_y - row as f32, source_x - column as f32);
                for channel in 0..channels {
                    let first = (channel * height + row) * width + column;
                    let [a, b] = [image[first], image[first + 1]].map(f32::from);
                    let [c, d] = [image[first + width], image[first + width + 1]].map(f32::from);
                    let (above, under) = (a + right * (b - a), c + right * (d - c));
                    output[(channel * height + y) * width + x] = above + below * (under - above);
                }
            }
        }
    }
}

/// The interval of the grid that a position in `0..=NODES - 1` lies in, and how far along it, eased at both ends so that the
/// field is smooth.
fn position(at: f32) -> (usize, f32) {
    let node = (at as usize).min(NODES - 2);
    let share = at - node as f32;
    (node, share * share * (3.0 - 2.0 * share))
}

/// The displacements along one line of the image.
fn interpolate(grid: &Grid, at: f32) -> [[f32; 2]; NODES] {
    let (node, share) = position(at);
    std::array::from_fn(|x| {
        [0, 1].map(|axis| grid[node][x][axis] + share * (grid[node + 1][x][axis] - grid[node][x][axis]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Augmentation = Augmentation { rotation: 0.0, scale: 0.0, shear: 0.0, shift: 0.0, elastic: 0.0 };

    fn image() -> Vec<u8> {
        (0..2 * 7 * 9).map(|i| (i * 37 % 251) as u8).collect()
    }

    #[test]
    fn strength_zero_changes_nothing() {
        let mut output = vec![f32::NAN; 126];
        NONE.apply(&image(), [2, 7, 9], 5, &mut output);
        for (value, byte) in output.iter().zip(image()) {
            assert!((value - f32::from(byte)).abs() < 1e-3);
        }
    }

    #[test]
    fn a_seed_is_one_change_and_values_stay_bytes() {
        let strong = Augmentation { elastic: 30.0, shift: 50.0, ..Augmentation::default() };
        for seed in 0..50 {
            let mut outputs = [vec![f32::NAN; 126], vec![f32::NAN; 126]];
            outputs.iter_mut().for_each(|output| strong.apply(&image(), [2, 7, 9], seed, output));
            assert_eq!(outputs[0], outputs[1]);
            assert!(outputs[0].iter().all(|value| (0.0..=255.0).contains(value)));
        }
        let mut outputs = [vec![0.0; 126], vec![0.0; 126]];
        (0..2).for_each(|i| Augmentation::default().apply(&image(), [2, 7, 9], i as u64, &mut outputs[i]));
        assert_ne!(outputs[0], outputs[1]);
    }

    #[test]
    fn shifts_stay_within_their_strength() {
        // A ramp along x, shifted by s, changes by 10 s inside.
        let ramp: Vec<u8> = (0..64).map(|i| (i % 8 * 10) as u8).collect();
        for seed in 0..20 {
            let mut output = [0.0; 64];
            Augmentation { shift: 1.5, ..NONE }.apply(&ramp, [1, 8, 8], seed, &mut output);
            let change = output[3 * 8 + 3] - 30.0;
            assert!(change.abs() <= 15.0 + 1e-3);
            assert!((output[4 * 8 + 4] - 40.0 - change).abs() < 1e-3);
        }
    }

    #[test]
    fn a_line_of_pixels_is_left_as_it_is() {
        let mut output = [0.0; 5];
        Augmentation::default().apply(&[1, 2, 3, 4, 5], [1, 1, 5], 0, &mut output);
        assert_eq!(output, [1.0, 2.0, 3.0, 4.0, 5.0]);
    }
}
