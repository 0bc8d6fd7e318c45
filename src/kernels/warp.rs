//! Images moved by an affine map and a smooth elastic displacement, sampled bilinearly; what lies outside is the nearest edge.

use super::lanes::{Kernel, Lanes, dispatch};

/// Points of the coarse grid along each axis, corners included.
pub const NODES: usize = 5;

/// Displacements along y and x at the points of the coarse grid.
pub type Grid = [[[f32; 2]; NODES]; NODES];

/// `source = centre + a * (y - centre_y) + b * (x - centre_x) + c` along y and along x, from `[a, b, c]`.
pub struct Affine {
    /// Along y.
    pub y: [f32; 3],
    /// Along x.
    pub x: [f32; 3],
}

/// The plain loops of one image, which the compiler turns into the instructions at hand.
#[allow(missing_docs)]
pub struct Warp<'a> {
    pub pixels: &'a [f32],
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub affine: Affine,
    pub grid: &'a Grid,
    pub output: &'a mut [f32],
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

/// Writes the changed image.
pub fn warp(image: Warp) {
    dispatch(image);
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
