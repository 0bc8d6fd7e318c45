//! What only a `.nut` file has: where its bytes go, its formats, and what it was made from.

use nutshell::Error;
use nutshell::container::{self, Items, Nut};
use nutshell::model::{Codebook, FixedParameter, Scaling};
use serde::Serialize;
use std::collections::BTreeSet;

/// What only a `.nut` file has.
#[derive(Serialize)]
pub struct Contents {
    /// Number of its topology; 0 is a graph that is stored.
    topology: u8,
    /// Whether names are stored.
    named: bool,
    /// How bytes of an image become what the network reads.
    scaling: Scaling,
    /// Weights and biases of the original network.
    original_parameters: usize,
    /// As 32-bit floats.
    original_bytes: usize,
    /// `original_bytes` divided by the size of the file.
    ratio: f64,
    /// Where the bytes go; none if the file is not as this version writes it.
    items: Option<Bytes>,
    /// Of each parameter.
    formats: Vec<FormatRow>,
}

/// Where the bytes go. The coded ones are fractions, and rounded up to bytes once, all together.
#[derive(Serialize)]
struct Bytes {
    /// Magic, version, topology, and the number of sections.
    head: usize,
    sections: Vec<(&'static str, usize)>,
    widths: f64,
    positions: f64,
    signs: f64,
    magnitudes: f64,
    codebooks: f64,
    checksum: usize,
}

/// The fixed-point format of a parameter.
#[derive(Serialize)]
struct FormatRow {
    parameter: String,
    /// `uniform` steps, or `free` centroids.
    codebook: &'static str,
    /// The m of Qm.n, without the sign: the largest magnitude is below `2^m`.
    integer_bits: i32,
    /// The n of Qm.n.
    fraction_bits: i32,
    /// Distinct values, zero among them if it occurs.
    values: usize,
}

impl Contents {
    /// Looks at a file of `size` bytes, whose bytes are `plain` once they are decompressed.
    pub fn new(nut: &Nut, plain: &[u8], size: usize) -> Result<Self, Error> {
        let shapes = &nut.network.original_shapes;
        let original_parameters: usize = shapes.iter().map(|shape| shape.iter().product::<usize>()).sum();
        // The coder knows what each part costs only while it writes.
        let again = container::write(&nut.network, &nut.write_options())?;
        Ok(Contents {
            topology: nut.topology.number(),
            named: nut.named,
            scaling: nut.scaling.clone(),
            original_parameters,
            original_bytes: 4 * original_parameters,
            ratio: (4 * original_parameters) as f64 / size as f64,
            items: (again.bytes == plain).then(|| Bytes::new(again.items, plain.len())),
            formats: nut.network.parameters.iter().map(FormatRow::new).collect(),
        })
    }

    /// The lines of the text.
    pub fn describe(&self) -> Vec<String> {
        let Contents { ratio, original_parameters, original_bytes, topology, .. } = self;
        let names = if self.named { "with names" } else { "without names" };
        let mut lines = vec![
            format!(
                "{ratio:.1} times smaller than the original's {original_parameters} parameters ({original_bytes} bytes)"
            ),
            format!("topology {topology}, {names}, scaling {:?}", self.scaling),
        ];
        match &self.items {
            Some(items) => lines.extend(items.describe()),
            None => lines.push("bytes by kind: unknown, this version would write the network in other bytes".into()),
        }
        lines.push("formats:".into());
        for FormatRow { parameter, codebook, integer_bits, fraction_bits, values } in &self.formats {
            lines.push(format!("  {parameter}: Q{integer_bits}.{fraction_bits}, {codebook}, {values} values"));
        }
        lines
    }
}

impl Bytes {
    fn new(items: Items, total: usize) -> Self {
        let Items { sections, width_bits, parameters, payload_bytes, checksum_bytes, .. } = items;
        let in_sections: usize = sections.iter().map(|(_, bytes)| bytes).sum();
        let bytes_of = |bits: fn(&nutshell::coding::ParameterBits) -> f64| {
            parameters.iter().map(|(_, spent)| bits(spent)).sum::<f64>() / 8.0
        };
        Bytes {
            head: total - in_sections - payload_bytes - checksum_bytes,
            widths: width_bits / 8.0,
            positions: bytes_of(|bits| bits.positions),
            signs: bytes_of(|bits| bits.signs),
            magnitudes: bytes_of(|bits| bits.magnitudes),
            codebooks: bytes_of(|bits| bits.codebook),
            checksum: checksum_bytes,
            sections,
        }
    }

    fn describe(&self) -> Vec<String> {
        let mut lines = vec!["bytes by kind:".into(), format!("  head: {}", self.head)];
        lines.extend(self.sections.iter().map(|(name, bytes)| format!("  {name}: {bytes}")));
        let Bytes { widths, positions, signs, magnitudes, codebooks, .. } = *self;
        for (name, bytes) in [
            ("widths", widths),
            ("positions", positions),
            ("signs", signs),
            ("magnitudes", magnitudes),
            ("codebooks", codebooks),
        ] {
            lines.push(format!("  {name}: {bytes:.1}"));
        }
        lines.push(format!("  checksum: {}", self.checksum));
        lines
    }
}

impl FormatRow {
    fn new(parameter: &FixedParameter) -> Self {
        let fraction_bits = i32::from(parameter.codebook.fraction_bits());
        let values: BTreeSet<i32> = parameter.integers().into_iter().collect();
        let largest = values.iter().map(|value| value.unsigned_abs()).max().unwrap_or(0);
        FormatRow {
            parameter: parameter.name.clone(),
            codebook: match parameter.codebook {
                Codebook::Uniform { .. } => "uniform",
                Codebook::Free { .. } => "free",
            },
            integer_bits: (u32::BITS - largest.leading_zeros()) as i32 - fraction_bits,
            fraction_bits,
            values: values.len(),
        }
    }
}
