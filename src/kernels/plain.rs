//! The plain twins of the fast kernels: the formulas as loops. They check the fast ones, and stand in where those do not
//! apply.

use super::correlate::Window;

/// Calls `visit(tap, position, pixel)` for each tap of each output position that touches the input: indices into one output
/// channel's weights and positions, and into the input.
fn for_each_tap(window: &Window, mut visit: impl FnMut(usize, usize, usize)) {
    let [height, width] = window.input;
    for y in 0..window.output[0] {
        for x in 0..window.output[1] {
            for channel in 0..window.channels {
                for ky in window.valid(0, y) {
                    for kx in window.valid(1, x) {
                        let row = (window.start(0, y) + ky as isize) as usize;
                        let column = (window.start(1, x) + kx as isize) as usize;
                        let tap = (channel * window.kernel[0] + ky) * window.kernel[1] + kx;
                        visit(tap, y * window.output[1] + x, (channel * height + row) * width + column);
                    }
                }
            }
        }
    }
}

/// The correlation of [`super::correlate`]; `weights` are `[rows, taps]`, `bias` `[rows]` or empty.
pub fn correlate(window: &Window, n: usize, input: &[f32], weights: &[f32], bias: &[f32], output: &mut [f32]) {
    let (taps, plane) = (window.taps(), window.positions() * n);
    for (row, output) in output.chunks_exact_mut(plane).enumerate() {
        output.fill(bias.get(row).copied().unwrap_or(0.0));
        for_each_tap(window, |tap, position, pixel| {
            let weight = weights[row * taps + tap];
            let output = &mut output[position * n..][..n];
            output.iter_mut().zip(&input[pixel * n..]).for_each(|(y, x)| *y += weight * x);
        });
    }
}

/// Its gradient to the input, from the gradient to the output; any stride.
pub fn data_gradient(window: &Window, n: usize, gradient: &[f32], weights: &[f32], input_gradient: &mut [f32]) {
    let (taps, plane) = (window.taps(), window.positions() * n);
    input_gradient.fill(0.0);
    for (row, gradient) in gradient.chunks_exact(plane).enumerate() {
        for_each_tap(window, |tap, position, pixel| {
            let weight = weights[row * taps + tap];
            let to = &mut input_gradient[pixel * n..][..n];
            to.iter_mut().zip(&gradient[position * n..]).for_each(|(dx, dy)| *dx += weight * dy);
        });
    }
}

/// Its gradient to the weights, added to `weight_gradient`.
pub fn weight_gradient(window: &Window, n: usize, input: &[f32], gradient: &[f32], weight_gradient: &mut [f32]) {
    let (taps, plane) = (window.taps(), window.positions() * n);
    for (row, gradient) in gradient.chunks_exact(plane).enumerate() {
        for_each_tap(window, |tap, position, pixel| {
            let products = input[pixel * n..].iter().zip(&gradient[position * n..][..n]);
            weight_gradient[row * taps + tap] += products.map(|(x, dy)| x * dy).sum::<f32>();
        });
    }
}
