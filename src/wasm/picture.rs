//! Pictures on their way to JavaScript.

use crate::views::picture;
use wasm_bindgen::prelude::*;

/// A picture of weights, a byte a pixel: 0 is a gap, 1 a weight that is zero, 2 to 255 rise from -reach to reach; of
/// costs, from 0 to reach; of indices, 2 is the first of `reach` values.
#[wasm_bindgen]
pub struct Picture(pub(super) picture::Picture);

#[wasm_bindgen]
impl Picture {
    /// Pixels of a row.
    #[wasm_bindgen(getter)]
    pub fn width(&self) -> usize {
        self.0.width
    }

    /// Rows.
    #[wasm_bindgen(getter)]
    pub fn height(&self) -> usize {
        self.0.height
    }

    /// The magnitude of the strongest colours.
    #[wasm_bindgen(getter)]
    pub fn reach(&self) -> f32 {
        self.0.reach
    }

    /// Row by row.
    #[wasm_bindgen(getter)]
    pub fn pixels(&self) -> Vec<u8> {
        self.0.pixels.clone()
    }
}
