//! What is said of weights without a graph that can be run.

use nutshell::pipeline::WeightsReport;
use nutshell::views::summary::weights::{NutBytes, TensorSummary, WeightsSummary};
use serde::Serialize;
use std::path::Path;

/// What is in a file of named weights.
#[derive(Serialize)]
pub struct Inspection {
    /// Its name.
    pub file: String,
    #[serde(flatten)]
    pub summary: WeightsSummary,
}

impl Inspection {
    /// The text.
    pub fn describe(&self) -> String {
        let Inspection { file, summary } = self;
        let WeightsSummary { format, bytes, source, runnable, obstacle, elements, tensor_bytes, tensors, nut, .. } =
            summary;
        let mut lines = vec![
            format!("{file}: {format} file of {bytes} bytes"),
            match runnable {
                true => format!("named weights of a network that can be run: {} tensors", tensors.len()),
                false => format!("named weights without a graph that can be run: {} tensors", tensors.len()),
            },
            format!("{elements} elements, {tensor_bytes} bytes in their own types"),
        ];
        if format != source {
            lines.push(format!("made from a file of the kind {source}"));
        }
        lines.extend(obstacle.iter().map(|obstacle| format!("why it cannot be run: {obstacle}")));
        for TensorSummary { name, shape, dtype, dequantized, nonzeros, step } in tensors {
            let quantized = if *dequantized { ", was quantized already" } else { "" };
            let step = step.map_or(String::new(), |step| format!(", in steps of {step}"));
            lines.push(format!("  {name}: {dtype} {shape:?}, {nonzeros} nonzero{quantized}{step}"));
        }
        if let Some(NutBytes { head, sections, payload, checksum, ratio }) = nut {
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
