//! `Conv` with a group for each channel.

use super::conv::Layer;
use super::finish::Finish;
use super::step::Run;
use crate::kernels::correlate::Window;
use crate::kernels::depthwise::Depthwise;
use crate::network::operators::work::Inputs;

/// Floats that a copy may always have.
const LARGE: usize = 1 << 16;

/// A convolution of each channel by kernels of its own.
pub struct PerChannel {
    kernel: Depthwise,
    /// Channels of the input.
    channels: usize,
    window: Window,
    /// `[channels, outputs, kh, kw]`.
    weights: Vec<f32>,
    bias: Vec<f32>,
    finish: Finish,
}

impl PerChannel {
    /// For shapes that `Graph::shapes` has proved; `None` if there is not a group for each channel, or padding and steps are so large that a
    /// channel with its padding is no small copy.
    pub fn new(layer: &Layer) -> Option<Self> {
        let (window, channels) = (layer.window(), layer.conv.groups);
        if channels == 1 || window.channels > 1 {
            return None;
        }
        let kernel = Depthwise::new(window, layer.conv.dilation)?;
        let usual = 4 * (window.input_len() + window.positions()) + LARGE;
        let (weights, bias) = (layer.weights.to_vec(), layer.bias.to_vec());
        (kernel.scratch() <= usual).then_some(PerChannel {
            kernel,
            channels,
            window,
            weights,
            bias,
            finish: layer.finish,
        })
    }
}

impl Run for PerChannel {
    fn scratch(&self) -> usize {
        self.kernel.scratch()
    }

    fn run(&self, x: &Inputs, scratch: &mut [f32], y: &mut [f32]) {
        let (image, plane, taps) = (self.window.input_len(), self.window.positions(), self.window.taps());
        let padded = &mut scratch[..self.kernel.scratch()];
        let each = self.weights.len() / taps / self.channels;
        let limits = self.finish.limits();
        for (index, image) in x[0].chunks_exact(image).enumerate() {
            self.kernel.fill(image, padded);
            for output in 0..each {
                let row = index % self.channels * each + output;
                let bias = self.bias.get(row).copied().unwrap_or(0.0);
                let place = (index * each + output) * plane;
                let y = &mut y[place..place + plane];
                self.kernel.run(padded, &self.weights[row * taps..][..taps], bias, limits, y);
                self.finish.apply(self.finish.add.then(|| &x[1][place..place + plane]), y);
            }
        }
    }

    fn kernel(&self) -> &'static str {
        "depthwise"
    }
}
