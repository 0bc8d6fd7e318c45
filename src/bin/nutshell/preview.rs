//! Samples as a network will see them, and how well it answers them under each plausible reading.

use crate::Answer;
use crate::samples::{Reading, Ways, inputs};
use nutshell::Error;
use nutshell::data::resample::scaled_sides;
use nutshell::data::{Row, Samples};
use nutshell::formats::{Nut, Opened};
use nutshell::model::recognise::usual_scaling;
use nutshell::network::{logits, predictions};
use nutshell::pipeline::{Readings, classifies};
use serde::Serialize;
use std::path::Path;

/// Samples that are shown.
const SHOWN: usize = 5;
/// The most rows and columns of a picture in letters.
const ROWS: usize = 12;
const COLUMNS: usize = 24;
/// From dark to bright.
const SHADES: &[u8] = b" .:-=+*#%@";

#[derive(Serialize)]
struct Preview {
    file: String,
    data: String,
    /// The shape that the network reads.
    input_shape: Vec<usize>,
    /// The shape of a sample in the data set.
    sample_shape: Vec<usize>,
    /// Whether the middle of each picture is scaled to what the network reads.
    scaled: bool,
    #[serde(flatten)]
    readings: Readings,
    shown: Vec<Shown>,
}

/// One sample under the likely reading.
#[derive(Serialize)]
struct Shown {
    /// Its place in the data set, from 0.
    index: usize,
    /// Its class, or none.
    class: Option<String>,
    /// What the network answers, if its answers are classes.
    answer: Option<String>,
    /// The numbers that the network sees.
    low: f32,
    high: f32,
    mean: f32,
    #[serde(skip)]
    picture: Vec<String>,
}

/// Looks at samples with a network's eyes.
pub fn of(file: String, opened: Opened, data: &Path, reading: &Reading, ways: &Ways) -> Result<Answer, Error> {
    let known = match &opened.nut {
        Some(Nut::Network(nut)) => Some(nut.scaling.clone()),
        Some(Nut::Tensors(_)) | None => None,
    };
    let usual = usual_scaling(&opened.network);
    let model = opened.into_model()?;
    let dataset = reading.open(data, Some(inputs(&model)))?;
    let known = known.or(usual.filter(|_| !dataset.labelled()));
    let readings = Readings::of(&model, &dataset, &ways.said(&dataset, known))?;
    let likely = readings.likely();
    let dataset = dataset.numbered(&likely.order)?;
    let samples = match (&dataset.training, &dataset.test) {
        (Some(samples), _) | (None, Some(samples)) => Samples { scaling: likely.numbers.clone(), ..samples.clone() },
        (None, None) => return Err(dataset.training().map(|_| ()).unwrap_err().into()),
    };
    let name = |class: usize| match dataset.class_names.get(class) {
        Some(name) => format!("{class} ({name})"),
        None => class.to_string(),
    };
    let count = SHOWN.min(samples.len());
    let mut shown = Vec::new();
    for place in 0..count {
        let index = place * samples.len() / count;
        let one = samples.range(index, index + 1);
        let answer = match classifies(&model)? {
            true => predictions(&logits(&model, &one)?).first().map(|&class| name(class)),
            false => None,
        };
        let numbers = seen(&one);
        let (low, high) =
            numbers.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &it| (low.min(it), high.max(it)));
        let mean = numbers.iter().sum::<f32>() / numbers.len() as f32;
        let picture = picture(&numbers, &samples.shape);
        shown.push(Shown { index, class: one.label(0).map(name), answer, low, high, mean, picture });
    }
    let preview = Preview {
        file,
        data: data.display().to_string(),
        input_shape: model.graph.input_shape.clone(),
        sample_shape: samples.shape.clone(),
        scaled: scaled_sides(&samples, &model.graph.input_shape).is_some(),
        readings,
        shown,
    };
    Ok(Answer::new(preview.describe(), &preview))
}

/// The numbers of the first sample, scaled.
fn seen(samples: &Samples) -> Vec<f32> {
    let affine = samples.affine();
    let scaled = |(number, (factor, offset)): (f32, (f32, f32))| factor * number + offset;
    match samples.row(0) {
        Row::Bytes(bytes) => bytes.iter().map(|&byte| f32::from(byte)).zip(affine).map(scaled).collect(),
        Row::Floats(floats) => floats.iter().copied().zip(affine).map(scaled).collect(),
    }
}

/// An image `[channels, height, width]` in letters: the mean of its channels, with every so-manieth pixel.
fn picture(numbers: &[f32], shape: &[usize]) -> Vec<String> {
    let &[channels, height, width] = shape else { return Vec::new() };
    if height < 2 || width < 2 {
        return Vec::new();
    }
    let (rows, columns) = (height.min(ROWS), width.min(COLUMNS));
    let bright = |row: usize, column: usize| {
        let pixel = row * height / rows * width + column * width / columns;
        (0..channels).map(|channel| numbers[channel * height * width + pixel]).sum::<f32>()
    };
    let all: Vec<f32> = (0..rows * columns).map(|at| bright(at / columns, at % columns)).collect();
    let (low, high) =
        all.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &it| (low.min(it), high.max(it)));
    let shade = |value: &f32| {
        let share = (value - low) / (high - low).max(f32::MIN_POSITIVE);
        char::from(SHADES[((share * SHADES.len() as f32) as usize).min(SHADES.len() - 1)])
    };
    all.chunks(columns).map(|line| line.iter().map(shade).collect()).collect()
}

impl Preview {
    fn describe(&self) -> String {
        let Preview { file, data, input_shape, sample_shape, scaled, readings, shown } = self;
        let scaled = if *scaled { ", whose middle is scaled to that" } else { "" };
        let mut lines = vec![format!("{file} reads {input_shape:?}; a sample of {data} is {sample_shape:?}{scaled}")];
        let what = if readings.by_r2 { "R2" } else { "accuracy" };
        lines.push(format!("{what} on {} samples under each reading:", readings.samples));
        for (place, reading) in readings.readings.iter().enumerate() {
            let accuracy = match reading.accuracy {
                Some(r2) if readings.by_r2 => format!("{r2:.4}"),
                Some(accuracy) => format!("{:.2} %", 100.0 * accuracy),
                None => "unknown: no labels, or labels that do not fit the outputs".into(),
            };
            let mark = if place == readings.likely { "  <- likely" } else { "" };
            lines.push(format!("  --scaling {} --class-order {}: {accuracy}{mark}", reading.scaling, reading.classes));
        }
        lines.push("samples as the network sees them:".into());
        for Shown { index, class, answer, low, high, mean, .. } in shown {
            let class = class.as_ref().map_or(String::new(), |class| format!(" of class {class}"));
            let answer = answer.as_ref().map_or(String::new(), |answer| format!(", answered with {answer}"));
            lines.push(format!("  sample {index}{class}{answer}: {low:.3} to {high:.3}, mean {mean:.3}"));
        }
        let rows = shown.first().map_or(0, |first| first.picture.len());
        lines.extend((0..rows).map(|row| {
            let parts: Vec<&str> = shown.iter().map(|one| one.picture[row].as_str()).collect();
            format!("  {}", parts.join(" | "))
        }));
        lines.join("\n")
    }
}
