//! What is said of weights without a graph that can be run.

use nutshell::container::Packed;
use nutshell::container::packed::Coding;
use nutshell::model::Weights;
use nutshell::pipeline::WeightsReport;
use serde::Serialize;
use std::path::Path;

/// What is in a file of named weights.
#[derive(Serialize)]
pub struct Inspection {
    file: String,
    /// Such as `safetensors` or `nut`.
    format: &'static str,
    /// Size of the file.
    bytes: usize,
    /// The format that the weights came from.
    source: &'static str,
    /// Always false: there is no graph that can be run.
    runnable: bool,
    /// Why, if the file has a graph.
    obstacle: Option<String>,
    /// Elements of all tensors.
    elements: usize,
    /// Bytes of all tensors in their own types.
    tensor_bytes: usize,
    tensors: Vec<Row>,
    /// What only a .nut file has.
    nut: Option<Bytes>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    shape: Vec<usize>,
    dtype: &'static str,
    /// Whether the file held integers with a scale.
    dequantized: bool,
    /// Elements that are not zero.
    nonzeros: usize,
    /// Of a .nut, whose numbers are multiples of it; none if they are kept as they are.
    step: Option<f32>,
}

/// Where the bytes of a .nut go.
#[derive(Serialize)]
struct Bytes {
    head: usize,
    sections: Vec<(&'static str, usize)>,
    payload: usize,
    checksum: usize,
    /// Bytes of all tensors divided by the size of the file.
    ratio: f64,
}

impl Inspection {
    /// Of a file that is not a .nut.
    pub fn of_weights(file: String, format: &'static str, bytes: usize, weights: &Weights) -> Self {
        let row = |tensor: &nutshell::model::Tensor| Row {
            name: tensor.name.clone(),
            shape: tensor.shape.clone(),
            dtype: tensor.dtype.name(),
            dequantized: tensor.dequantized,
            nonzeros: tensor.values().iter().filter(|&&value| value != 0.0).count(),
            step: None,
        };
        Inspection {
            file,
            format,
            bytes,
            source: weights.origin.source.name(),
            runnable: false,
            obstacle: weights.obstacle.clone(),
            elements: weights.count(),
            tensor_bytes: weights.bytes(),
            tensors: weights.tensors.iter().map(row).collect(),
            nut: None,
        }
    }

    /// Of a .nut.
    pub fn of_packed(file: String, bytes: usize, packed: &Packed) -> Self {
        let weights = packed.to_weights();
        let items = &packed.items;
        let nut = Bytes {
            head: items.head_bytes,
            sections: items.sections.clone(),
            payload: items.payload_bytes,
            checksum: items.checksum_bytes,
            ratio: weights.bytes() as f64 / bytes as f64,
        };
        let mut inspection = Inspection { nut: Some(nut), ..Inspection::of_weights(file, "nut", bytes, &weights) };
        for (row, tensor) in inspection.tensors.iter_mut().zip(&packed.tensors) {
            if let Coding::Steps { step, .. } = tensor.coding {
                row.step = Some(step);
            }
        }
        inspection
    }

    /// The text.
    pub fn describe(&self) -> String {
        let Inspection { file, format, bytes, elements, tensor_bytes, tensors, .. } = self;
        let mut lines = vec![
            format!("{file}: {format} file of {bytes} bytes"),
            format!("named weights without a graph that can be run: {} tensors", tensors.len()),
            format!("{elements} elements, {tensor_bytes} bytes in their own types"),
        ];
        if format != &self.source {
            lines.push(format!("made from a file of the kind {}", self.source));
        }
        lines.extend(self.obstacle.iter().map(|obstacle| format!("why it cannot be run: {obstacle}")));
        for Row { name, shape, dtype, dequantized, nonzeros, step } in tensors {
            let quantized = if *dequantized { ", was quantized already" } else { "" };
            let step = step.map_or(String::new(), |step| format!(", in steps of {step}"));
            lines.push(format!("  {name}: {dtype} {shape:?}, {nonzeros} nonzero{quantized}{step}"));
        }
        if let Some(Bytes { head, sections, payload, checksum, ratio }) = &self.nut {
            lines.push(format!("{ratio:.2} times smaller than the tensors; bytes by kind:"));
            lines.push(format!("  head: {head}"));
            lines.extend(sections.iter().map(|(name, bytes)| format!("  {name}: {bytes}")));
            lines.push(format!("  coded numbers: {payload}"));
            lines.push(format!("  checksum: {checksum}"));
        }
        lines.join("\n")
    }
}

/// The report of a compression without data, in words.
pub fn describe(output: &Path, report: &WeightsReport) -> String {
    let WeightsReport { file_bytes, baseline_bytes, ratio, snr, snr_of_all, tensors, seconds, .. } = report;
    let steps = tensors.iter().filter(|tensor| tensor.step.is_some()).count();
    let mut lines = vec![format!(
        "{}: {file_bytes} bytes, {ratio:.2} times smaller than the original's tensors ({baseline_bytes} bytes)",
        output.display()
    )];
    match (snr, snr_of_all) {
        (Some(mean), Some(all)) => {
            let worst = tensors.iter().filter_map(|tensor| tensor.snr).fold(f64::INFINITY, f64::min);
            lines.push(format!(
                "criterion: no samples; signal-to-quantization-noise ratio {mean:.2} dB (mean noise of {steps} layers), \
                 {all:.2} dB of all weights together, {worst:.2} dB of the worst layer"
            ));
        }
        _ => lines.push("criterion: none needed, every number is as it was".into()),
    }
    lines.push(format!("{seconds:.1} seconds"));
    lines.join("\n")
}
