//! What is said of a data set.

use nutshell::data::Dataset;
use nutshell::data::moments::Moments;
use nutshell::model::Scaling;
use nutshell::pipeline::SplitCounts;
use nutshell::views::samples::{DatasetSummary, PartSummary};
use serde::Serialize;

/// The most numbers that are listed one by one.
const MOST_LISTED: usize = 20;

/// What is in the data set of a file.
#[derive(Serialize)]
pub struct Inspection {
    file: String,
    #[serde(flatten)]
    summary: DatasetSummary,
}

fn describe_part(name: &str, part: &PartSummary) -> Vec<String> {
    let PartSummary { shape, numbers, counts, moments: Moments { low, high, means, deviations } } = part;
    let channels = match means.len() <= MOST_LISTED {
        true => format!("by channel: mean {}, deviation {}", listed(means), listed(deviations)),
        false => {
            let of = |values: &[f64]| {
                let ends = values
                    .iter()
                    .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)));
                format!("{:.4} to {:.4}", ends.0, ends.1)
            };
            format!("of {} columns: mean {}, deviation {}", means.len(), of(means), of(deviations))
        }
    };
    vec![
        format!("{name}: {}", describe_counts(counts)),
        format!("  each {shape:?}, {numbers} from {low} to {high}"),
        format!("  {channels}"),
    ]
}

fn listed(values: &[f64]) -> String {
    values.iter().map(|value| format!("{value:.4}")).collect::<Vec<_>>().join(" ")
}

/// So many samples, and how many of each class.
pub fn describe_counts(SplitCounts { samples, classes, outputs }: &SplitCounts) -> String {
    match classes.as_slice() {
        [] if *outputs > 0 => format!("{samples} samples, each with {outputs} number(s) to answer with"),
        [] => format!("{samples} samples without labels"),
        [..] if classes.len() <= MOST_LISTED => {
            let classes: Vec<String> = classes.iter().map(usize::to_string).collect();
            format!("{samples} samples, by class {}", classes.join(" "))
        }
        [..] => {
            let (least, most) = (classes.iter().min().unwrap_or(&0), classes.iter().max().unwrap_or(&0));
            format!("{samples} samples, of each of {} classes {least} to {most}", classes.len())
        }
    }
}

impl Inspection {
    /// Looks at a data set, which has at least one part.
    pub fn new(file: String, dataset: &Dataset) -> Self {
        Inspection { file, summary: DatasetSummary::new(dataset) }
    }

    /// The text.
    pub fn describe(&self) -> String {
        let Inspection { file, summary } = self;
        let DatasetSummary { format, class_names, label_column, training, test, scaling, ignored, .. } = summary;
        let mut lines = vec![format!("{file}: samples, {format}")];
        for (name, part) in [("training", training), ("test", test)] {
            lines.extend(part.iter().flat_map(|part| describe_part(name, part)));
        }
        if *format == "csv" {
            lines.push(match label_column {
                Some(column) => format!("answers: {column} (--label-column says another, or none)"),
                None => "answers: no column (--label-column says one)".into(),
            });
        }
        if !class_names.is_empty() {
            let shown = class_names.iter().take(MOST_LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = if class_names.len() > MOST_LISTED { ", ..." } else { "" };
            lines.push(format!("classes: {shown}{more}"));
        }
        lines.push(match scaling {
            Scaling::Unit => "suggested scaling: unit (byte / 255)".into(),
            Scaling::Raw => "suggested scaling: raw (the numbers as they are)".into(),
            Scaling::Standardised { mean, deviation } => {
                format!("suggested scaling: (number - {mean}) / {deviation}")
            }
            Scaling::PerChannel { .. } => {
                "suggested scaling: (number - mean) / deviation, each channel by its own (--scaling auto)".into()
            }
        });
        lines.extend(ignored.iter().map(|ignored| format!("not used: {ignored}")));
        lines.join("\n")
    }
}
