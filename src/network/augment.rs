//! Small random changes of images: an affine map and a smooth elastic displacement (Simard, Steinkraus and Platt, "Best
//! practices for convolutional neural networks", 2003), sampled bilinearly. What lies outside is the nearest edge.

use crate::data::Row;
use crate::kernels::lanes::{Kernel, Lanes, dispatch};
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

/// Points of the coarse grid along each axis, corners included.
const NODES: usize = 5;

/// Displacements along y and x at the points of the coarse grid.
type Grid = [[[f32; 2]; NODES]; NODES];

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
        let (sine, cosine) = (angle.sin(), angle.cos());
        let affine = Affine {
            y: [cosine * scale_y + sine * scale_x * shear, sine * scale_x, shift_y],
            x: [cosine * scale_x * shear - sine * scale_y, cosine * scale_x, shift_x],
        };
        dispatch(Warp { pixels: &pixels, channels, height, width, affine, grid: &grid, output });
    }
}

/// `source = centre + a * (y - centre_y) + b * (x - centre_x) + c` along y and along x, from `[a, b, c]`.
struct Affine {
    y: [f32; 3],
    x: [f32; 3],
}

/// The plain loops of one image, which the compiler turns into the instructions at hand.
struct Warp<'a> {
    pixels: &'a [f32],
    channels: usize,
    height: usize,
    width: usize,
    affine: Affine,
    grid: &'a Grid,
    output: &'a mut [f32],
}

/// One line's pixels: where each comes from.
#[derive(Clone, Copy, Default)]
struct Source {
    /// Index of the pixel above and left of it.
    index: usize,
    /// How far below and right of that pixel, in `0..=1`.
    below: f32,
    right: f32,
}

impl Kernel for Warp<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let Warp { pixels, channels, height, width, affine, grid, output } = self;
        let (bottom, right) = ((height - 1) as f32, (width - 1) as f32);
        let (centre_y, centre_x) = (bottom / 2.0, right / 2.0);
        let mut columns = Vec::with_capacity(width);
        for x in 0..width {
            columns.push(position((NODES - 1) as f32 * x as f32 / right));
        }
        let mut sources = vec![Source::default(); width];
        for y in 0..height {
            let along = interpolate(grid, (NODES - 1) as f32 * y as f32 / bottom);
            let v = y as f32 - centre_y;
            let base_y = centre_y + affine.y[0] * v + affine.y[2];
            let base_x = centre_x + affine.x[0] * v + affine.x[2];
            for (x, (source, &(node, share))) in sources.iter_mut().zip(&columns).enumerate() {
                let u = x as f32 - centre_x;
                let [from, to] = [along[node], along[node + 1]];
                let source_y = base_y + affine.y[1] * u + from[0] + share * (to[0] - from[0]);
                let source_x = base_x + affine.x[1] * u + from[1] + share * (to[1] - from[1]);
                let (source_y, source_x) = (source_y.clamp(0.0, bottom), source_x.clamp(0.0, right));
                let row = (source_y as i32 as usize).min(height - 2);
                let column = (source_x as i32 as usize).min(width - 2);
                let (below, right) = (source_y - row as i32 as f32, source_x - column as i32 as f32);
                *source = Source { index: row * width + column, below, right };
            }
            for channel in 0..channels {
                let plane = &pixels[channel * height * width..][..height * width];
                let line = &mut output[(channel * height + y) * width..][..width];
                for (to, source) in line.iter_mut().zip(&sources) {
                    let (above, under) = (&plane[source.index..], &plane[source.index + width..]);
                    let above = above[0] + source.right * (above[1] - above[0]);
                    let under = under[0] + source.right * (under[1] - under[0]);
                    *to = above + source.below * (under - above);
                }
            }
        }
    }
}

/// The interval of the grid that a position in `0..=NODES - 1` lies in, and how far along it, eased at both ends so that the
/// field is smooth.
#[inline(always)]
fn position(at: f32) -> (usize, f32) {
    let node = (at as usize).min(NODES - 2);
    let share = at - node as f32;
    (node, share * share * (3.0 - 2.0 * share))
}

/// The displacements along one line of the image.
#[inline(always)]
fn interpolate(grid: &Grid, at: f32) -> [[f32; 2]; NODES] {
    let (node, share) = position(at);
    let mut line = grid[node];
    for (from, to) in line.iter_mut().zip(&grid[node + 1]) {
        for axis in 0..2 {
            from[axis] += share * (to[axis] - from[axis]);
        }
    }
    line
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
