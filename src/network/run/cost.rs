//! What kernels take, predicted from what they do: in units of the time that the dense kernel takes for one multiplication of a vector.
//!
//! The numbers are nanoseconds that prototypes of these kernels took in a browser, [`NARROW`], [`TRANSFORMS`] and [`BYTE`] estimates; only
//! their ratios matter. How far they are off was not measured yet.

/// One multiplication of a vector by a weight, of a dense layer.
const DENSE: f64 = 0.146;
/// The same of single weights and of pairs.
const SINGLE: f64 = 0.214;
const PAIR: f64 = 0.149;
/// The same where output channels lie in vectors.
const NARROW: f64 = 0.175;
/// For each vector of the output.
const STORE: [f64; 3] = [0.39, 0.23, 0.16];
/// One multiplication of a vector between Winograd's transforms, and both transforms of a tile of a channel, for 6 x 6 and for 4 x 4.
const WINOGRAD: f64 = 0.171;
const TRANSFORMS: [f64; 2] = [25.0, 12.0];

/// A convolution's sizes.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Output channels.
    pub rows: usize,
    /// Input channels.
    pub channels: usize,
    /// Height and width of the output.
    pub output: [usize; 2],
}

impl Sizes {
    fn vectors(&self) -> f64 {
        (self.output[0] * self.output[1]).div_ceil(4) as f64
    }

    /// All weights multiplied.
    pub fn dense(&self, weights: usize) -> f64 {
        self.vectors() * (DENSE * weights as f64 + STORE[0] * self.rows as f64)
    }

    /// Weights that are not zero.
    pub fn singles(&self, nonzero: usize) -> f64 {
        self.vectors() * (SINGLE * nonzero as f64 + STORE[1] * self.rows as f64)
    }

    /// Weights in pairs of which one at least is not zero.
    pub fn pairs(&self, weights: usize) -> f64 {
        self.vectors() * (PAIR * weights as f64 + STORE[2] * self.rows as f64)
    }

    /// All weights, where output channels lie in vectors and this share of the taps lies in the image.
    pub fn narrow(&self, weights: usize, share: f64) -> f64 {
        let positions = (self.output[0] * self.output[1]) as f64;
        let filled = self.rows as f64 / self.rows.next_multiple_of(32) as f64;
        positions / 4.0 * share * NARROW * weights as f64 / filled
    }

    /// Tiles of so many points and outputs a side.
    pub fn winograd(&self, points: usize, side: usize) -> f64 {
        let tiles = (self.output[0].div_ceil(side) * self.output[1].div_ceil(side)) as f64;
        let vectors = (tiles / 4.0).ceil();
        let transform = TRANSFORMS[usize::from(points == 4)] * tiles * (self.rows + self.channels) as f64;
        WINOGRAD * (points * points) as f64 * vectors * (self.rows * self.channels) as f64 + transform
    }
}

/// What it takes to read weights that no cache holds until the next run, for each byte.
const BYTE: f64 = 0.08;
/// Bytes of all weights from which on that is so.
const LARGE: usize = 12 << 20;

/// What reading the weights of a network takes.
#[derive(Debug, Clone, Copy)]
pub struct Reading(f64);

impl Reading {
    /// Of a network with so many weights in all.
    pub fn new(weights: usize) -> Self {
        Reading(if 4 * weights > LARGE { BYTE } else { 0.0 })
    }

    /// Of so many bytes.
    pub fn of(self, bytes: usize) -> f64 {
        self.0 * bytes as f64
    }
}

/// A weight of a linear layer where all are multiplied, and where those that are not zero are listed, in nanoseconds.
const LINEAR: [f64; 2] = [0.055, 0.25];

/// Whether a linear layer with so many weights that are not zero, of so many, is faster by a list of them.
pub fn sparse_linear(nonzero: usize, weights: usize) -> bool {
    LINEAR[1] * nonzero as f64 <= LINEAR[0] * weights as f64
}
