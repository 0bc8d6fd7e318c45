//! Batch normalisations behind the layers of a file of weights: by their names, since there is no graph.
//!
//! What a normalisation makes of a layer's output is `gain / deviation` times it, for each row of the weight. So the errors that count are those of the
//! weight with that folded in, and each row has a step of its own: the layer's times `deviation / gain` (Nagel et al. 2019, "Data-free
//! quantization"). The tensors stay what they are.

use crate::model::{RowSteps, Tensor, code_of};
use std::collections::HashMap;

/// A normalisation and the layer before it; all but the last are indices of tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalization {
    /// The weight, `[out, in, ...]` or as Keras has it `[..., in, out]`.
    pub layer: usize,
    /// The axis of the weight along which its outputs are.
    pub axis: usize,
    /// Factors, `[out]`; 1 if there are none.
    pub gain: Option<usize>,
    /// What is added, `[out]`; 0 if there is none.
    pub offset: Option<usize>,
    /// Means that are subtracted, `[out]`.
    pub mean: usize,
    /// Variances whose roots divide, `[out]`.
    pub variance: usize,
    /// What is added to a variance, unless the network says otherwise.
    pub epsilon: f32,
}

/// How a framework names the tensors of a normalisation, behind its own name.
struct Naming {
    gain: &'static str,
    offset: &'static str,
    mean: &'static str,
    variance: &'static str,
    /// Whether the weights of a layer stand before those of its normalisation, with their outputs first.
    in_order: bool,
    /// What is added to a variance unless the network says otherwise.
    epsilon: f32,
}

const NAMINGS: [Naming; 3] = [
    Naming {
        gain: "weight",
        offset: "bias",
        mean: "running_mean",
        variance: "running_var",
        in_order: true,
        epsilon: 1e-5,
    },
    Naming {
        gain: "gamma",
        offset: "beta",
        mean: "moving_mean",
        variance: "moving_variance",
        in_order: false,
        epsilon: 1e-3,
    },
    // Keras 3 counts the tensors of a layer.
    Naming { gain: "vars/0", offset: "vars/1", mean: "vars/2", variance: "vars/3", in_order: false, epsilon: 1e-3 },
];

/// What Keras ends a name with.
const ENDINGS: [&str; 2] = ["", ":0"];
/// Words of names that only say what kind of layer it is.
const KINDS: [&str; 7] = ["bn", "conv", "conv2d", "dwconv", "batchnorm", "batch", "normalization"];

/// The normalisations whose layer is among `layers`, in the order of the file.
pub fn normalizations(tensors: &[Tensor], layers: &[usize]) -> Vec<Normalization> {
    let by_name: HashMap<&str, usize> =
        tensors.iter().enumerate().map(|(index, tensor)| (tensor.name.as_str(), index)).collect();
    let mut found: Vec<Normalization> = Vec::new();
    for (variance, tensor) in tensors.iter().enumerate() {
        for (naming, ending) in NAMINGS.iter().flat_map(|naming| ENDINGS.map(|ending| (naming, ending))) {
            let prefix = tensor.name.strip_suffix(ending).and_then(|name| name.strip_suffix(naming.variance));
            let Some(prefix) = prefix.filter(|prefix| prefix.is_empty() || prefix.ends_with(['.', '/'])) else {
                continue;
            };
            let [outputs] = tensor.shape[..] else { continue };
            let vector = |part: &str| {
                let index = by_name.get(format!("{prefix}{part}{ending}").as_str()).copied();
                index.filter(|&index| tensors[index].shape == [outputs] && tensors[index].dtype.is_float())
            };
            let (Some(mean), true) = (vector(naming.mean), tensor.dtype.is_float()) else { continue };
            let fits = |layer: usize| Some((layer, axis_of(&tensors[layer].shape, outputs, naming)?));
            let layer = if naming.in_order {
                // The last weight before it; what belongs to another block may be added to something first.
                let last = tensors[..variance].iter().rposition(|tensor| tensor.shape.len() > 1);
                last.filter(|&last| follows(prefix, &tensors[last].name)).and_then(fits)
            } else {
                let own = words(&tensor.name);
                // Numbers alone, or two of them, would be guessed; unless one name is the other's with what tells a normalisation.
                let named = own.iter().any(|word| word.parse::<u32>().is_err());
                let same = |layer: &usize| {
                    let name = &tensors[*layer].name;
                    words(name) == own && (named || layer_of(name) + "_bn" == layer_of(&tensor.name))
                };
                let mut same = layers.iter().copied().filter(same).filter_map(fits);
                same.next().filter(|_| same.next().is_none())
            };
            let free = |layer: usize| layers.contains(&layer) && found.iter().all(|other| other.layer != layer);
            let Some((layer, axis)) = layer.filter(|&(layer, _)| free(layer)) else { continue };
            let (gain, offset, epsilon) = (vector(naming.gain), vector(naming.offset), naming.epsilon);
            found.push(Normalization { layer, axis, gain, offset, mean, variance, epsilon });
        }
    }
    found
}

/// Whether a normalisation, by what its names begin with, is of the same block as the layer of a weight, and not of another of its layers: `conv1` and `bn1` belong
/// together, `conv2` and `bn1` do not; in a sequence the layer's number is the lower one.
fn follows(normalization: &str, weight: &str) -> bool {
    let parts = |layer: &str| {
        let (block, own) = layer.rsplit_once(['.', '/']).unwrap_or(("", layer));
        (block.to_owned(), own.to_owned())
    };
    let Some((layer, _)) = weight.rsplit_once(['.', '/']) else { return false };
    let ((block, layer), (own_block, own)) = (parts(layer), parts(normalization.trim_end_matches(['.', '/'])));
    let number =
        |name: &str| name[name.trim_end_matches(|letter: char| letter.is_ascii_digit()).len()..].parse::<u32>().ok();
    let in_sequence = layer.parse::<u32>().is_ok() && own.parse::<u32>().is_ok();
    block == own_block
        && match (number(&layer), number(&own)) {
            (Some(layer), Some(own)) if in_sequence => layer < own,
            (Some(layer), Some(own)) => layer == own,
            _ => true,
        }
}

/// The axis of a weight along which it has so many outputs.
fn axis_of(shape: &[usize], outputs: usize, naming: &Naming) -> Option<usize> {
    match naming.in_order {
        true => shape.first().filter(|&&side| side == outputs).map(|_| 0),
        false => shape.iter().rposition(|&side| side == outputs),
    }
}

/// The name of a tensor's layer, in lower case.
fn layer_of(name: &str) -> String {
    let mut parts = name.rsplit('/').skip(1).skip_while(|&part| part == "vars");
    parts.next().unwrap_or_default().to_ascii_lowercase()
}

/// The words of a layer's name that tell it from others.
fn words(name: &str) -> Vec<String> {
    layer_of(name).split('_').filter(|word| !KINDS.contains(word)).map(str::to_owned).collect()
}

/// Bits of the mantissa of a variance, at least; its error goes into the gain.
const FEWEST_BITS: u32 = 3;
/// A gain has so many bits more than a variance.
const OF_GAINS: u32 = 4;
/// The step of what is added, in deviations of the noise of the layer's outputs.
const OFFSET: f32 = 0.25;

/// A normalisation in few bits, which makes up for them itself: the gain for the variance, what is added for the mean. So it does the same wherever its input comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Coarse {
    /// Factors.
    pub gain: Option<Vec<f32>>,
    /// Variances, of few bits if there are factors.
    pub variance: Vec<f32>,
    /// What the means are multiples of, if something is added that makes up for it.
    pub mean_step: Option<f32>,
    /// What is to be added then, and what it may be a multiple of.
    pub offset: Option<(Vec<f32>, f32)>,
}

impl Normalization {
    /// Its vectors.
    pub fn vectors(&self) -> impl Iterator<Item = usize> + use<> {
        [self.gain, self.offset, Some(self.mean), Some(self.variance)].into_iter().flatten()
    }

    /// What an output is multiplied by.
    fn factor(&self, gain: f32, variance: f32) -> f32 {
        gain / (variance.max(0.0) + self.epsilon).sqrt()
    }

    fn gains(&self, tensors: &[Tensor]) -> Vec<f32> {
        match self.gain {
            Some(gain) => tensors[gain].values(),
            None => vec![1.0; tensors[self.variance].len()],
        }
    }

    /// The steps of the rows of the weight: where an output is multiplied by much, its row is fine.
    pub fn row_steps(&self, tensors: &[Tensor]) -> RowSteps {
        let variances = tensors[self.variance].values();
        let factors =
            self.gains(tensors).into_iter().zip(variances).map(|(gain, variance)| self.factor(gain, variance));
        let octaves: Vec<f64> = factors.map(|factor| -f64::from(factor.abs()).log2()).collect();
        let (mut sum, mut known) = (0.0, 0.0);
        for octave in octaves.iter().filter(|octave| octave.is_finite()) {
            (sum, known) = (sum + octave, known + 1.0);
        }
        let middle = sum / f64::max(known, 1.0);
        let codes = octaves.into_iter().map(|octave| code_of((octave - middle).exp2())).collect();
        RowSteps { axis: self.axis, codes }
    }

    /// As coarse as is right behind a weight with so much noise over its energy: errors of factors are a hundredth of it.
    pub fn coarse(&self, tensors: &[Tensor], noise: f64) -> Coarse {
        // An error of a mantissa of `b` bits is, relative and squared, at most 4^-(b+1) / 3.
        let bits = ((100.0 / (3.0 * noise.max(f64::MIN_POSITIVE))).log2() / 2.0 - 1.0).ceil();
        let gain_bits = bits.clamp((FEWEST_BITS + OF_GAINS).into(), 23.0) as u32;
        let bits = gain_bits - OF_GAINS;
        let (gains, variances, means) =
            (self.gains(tensors), tensors[self.variance].values(), tensors[self.mean].values());
        let variance = match self.gain {
            Some(_) => {
                variances.iter().map(|&value| in_type(&tensors[self.variance], shortened(value, bits))).collect()
            }
            None => variances.clone(),
        };
        let gain = self.gain.map(|gain| {
            let of_row = |row: usize| {
                let (was, is) = (self.factor(gains[row], variances[row]), self.factor(1.0, variance[row]));
                in_type(&tensors[gain], shortened(was / is, gain_bits))
            };
            (0..gains.len()).map(of_row).collect::<Vec<f32>>()
        });
        let root_mean_square = |values: &[f32]| {
            (values.iter().map(|value| value * value).sum::<f32>() / values.len().max(1) as f32).sqrt()
        };
        let step = root_mean_square(&means) / (bits as f32).exp2();
        let mean_step = Some(step).filter(|step| step.is_normal() && self.offset.is_some());
        let offset = self.offset.map(|offset| {
            let of_row = |(row, offset): (usize, f32)| {
                let mean = mean_step.map_or(means[row], |step| multiple(means[row], step));
                let gain = gain.as_ref().map_or(1.0, |gain| gain[row]);
                offset - self.factor(gains[row], variances[row]) * means[row] + self.factor(gain, variance[row]) * mean
            };
            let offsets = tensors[offset].values().into_iter().enumerate().map(of_row).collect();
            (offsets, OFFSET * root_mean_square(&gains) * noise.sqrt() as f32)
        });
        Coarse { gain, variance, mean_step, offset }
    }
}

/// The nearest number that the type of a tensor has.
fn in_type(tensor: &Tensor, value: f32) -> f32 {
    let bytes = tensor.dtype.of_floats(&[value]).unwrap_or_default();
    tensor.dtype.to_floats(&bytes).first().copied().unwrap_or(value)
}

/// The nearest multiple of a step that 16 bits can count.
pub fn multiple(value: f32, step: f32) -> f32 {
    f32::from(symbol(value, step)) * step
}

/// That multiple's number.
pub fn symbol(value: f32, step: f32) -> i16 {
    // What is not a number becomes 0.
    (value / step).round() as i16
}

/// The nearest number with so many bits of mantissa; what is not finite stays.
fn shortened(value: f32, mantissa_bits: u32) -> f32 {
    let left_out = 23u32.saturating_sub(mantissa_bits);
    if left_out == 0 {
        return value;
    }
    let rounded = f32::from_bits(value.to_bits().wrapping_add(1 << (left_out - 1)) & !((1 << left_out) - 1));
    if value.is_finite() && rounded.is_finite() { rounded } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Dtype;

    fn tensor(name: &str, shape: &[usize], values: &[f32]) -> Tensor {
        let count: usize = shape.iter().product();
        let values = (0..count).map(|index| values[index % values.len()]);
        let bytes = values.flat_map(f32::to_le_bytes).collect();
        Tensor::new(name.into(), shape.to_vec(), Dtype::F32, bytes)
    }

    fn normalized(prefix: &str, parts: [&str; 4], outputs: usize) -> Vec<Tensor> {
        let values: [&[f32]; 4] = [&[2.0, 0.5], &[0.1], &[0.3], &[4.0, 0.25]];
        parts.iter().zip(values).map(|(part, own)| tensor(&format!("{prefix}{part}"), &[outputs], own)).collect()
    }

    #[test]
    fn pytorch_has_a_layer_before_its_normalisation() {
        let parts = [".weight", ".bias", ".running_mean", ".running_var"];
        let mut tensors = vec![tensor("conv1.weight", &[4, 3, 3, 3], &[1.0])];
        tensors.extend(normalized("bn1", parts, 4));
        tensors.push(tensor("conv2.weight", &[6, 4, 1, 1], &[1.0]));
        tensors.extend(normalized("bn2", parts, 6));
        // What another block begins with is behind a sum; and what comes after a layer without one is that layer's or nobody's.
        tensors.extend(normalized("next.bn1", parts, 6));
        tensors.push(tensor("fc.weight", &[6, 6], &[1.0]));
        tensors.push(tensor("small.weight", &[6, 2], &[1.0]));
        tensors.extend(normalized("last", parts, 6));
        let found = normalizations(&tensors, &[0, 5, 14]);
        let of = |layer, first: usize| Normalization {
            layer,
            axis: 0,
            gain: Some(first),
            offset: Some(first + 1),
            mean: first + 2,
            variance: first + 3,
            epsilon: 1e-5,
        };
        assert_eq!(found, [of(0, 1), of(5, 6)]);
        // Deviations 2 and 0.5 over gains of 2 and 0.5 are 1; over 0.5 and 2 they are four octaves apart.
        let codes = |tensors: &[Tensor]| found[0].row_steps(tensors).codes;
        assert_eq!(codes(&tensors), [0; 4]);
        tensors[1] = tensor("bn1.weight", &[4], &[0.5, 2.0]);
        assert_eq!(codes(&tensors), [16, -16, 16, -16]);
        tensors[1] = tensor("bn1.weight", &[4], &[0.0, 2.0]);
        assert_eq!(codes(&tensors)[0], 127);
    }

    #[test]
    fn only_what_is_of_one_block_belongs_together() {
        for (normalization, weight) in [
            ("bn1.", "conv1.weight"),
            ("features.0.1.", "features.0.0.weight"),
            ("layer1.0.bn2.", "layer1.0.conv2.weight"),
            ("blocks.0.0.bn2.", "blocks.0.0.conv_pw.weight"),
            ("stem.norm.", "stem.conv.weight"),
            ("features.1.0.block.0.1.", "features.1.0.block.0.0.weight"),
            ("blocks.5.0.bn1.", "blocks.5.0.conv.weight"),
            ("bn2.", "conv_head.weight"),
        ] {
            assert!(follows(normalization, weight), "{normalization} {weight}");
        }
        for (normalization, weight) in [
            ("layer1.1.bn1.", "layer1.0.conv2.weight"),
            ("denseblock2.denselayer1.norm1.", "transition1.conv.weight"),
            ("block.norm1.", "block.conv2.weight"),
            ("features.1.", "features.4.weight"),
            ("bn.", "weight"),
        ] {
            assert!(!follows(normalization, weight), "{normalization} {weight}");
        }
    }

    /// `gain (x - mean) / deviation + offset`, for whatever `x` comes in.
    #[test]
    fn few_bits_change_nothing_that_is_not_made_up_for() {
        let parts = [".weight", ".bias", ".running_mean", ".running_var"];
        let mut tensors = vec![tensor("conv.weight", &[5, 3], &[1.0])];
        tensors.extend(normalized("bn", parts, 5));
        tensors[1] = tensor("bn.weight", &[5], &[0.37, -1.9, 3e-5, 0.0, 1.1]);
        tensors[3] = tensor("bn.running_mean", &[5], &[0.3, -7.7, 0.01, 0.0, 2.9]);
        tensors[4] = tensor("bn.running_var", &[5], &[0.123, 1e-3, 44.0, 1.0, 0.5]);
        let found = &normalizations(&tensors, &[0])[0];
        let [gains, offsets, means, variances] = [1, 2, 3, 4].map(|index| tensors[index].values());
        for (noise, error) in [(1e-2, 5e-3), (1e-6, 2e-4)] {
            let coarse = found.coarse(&tensors, noise);
            let (gain, (offset, _)) = (coarse.gain.unwrap(), coarse.offset.unwrap());
            for row in 0..5 {
                let mean = multiple(means[row], coarse.mean_step.unwrap());
                for input in [-3.0, 0.0, 5.0] {
                    let norm = |gain: f32, mean: f32, variance: f32, offset: f32| {
                        gain * (input - mean) / (variance + 1e-5).sqrt() + offset
                    };
                    let was = norm(gains[row], means[row], variances[row], offsets[row]);
                    let is = norm(gain[row], mean, coarse.variance[row], offset[row]);
                    let size = (gains[row] / (variances[row] + 1e-5).sqrt()).abs() * 5.0;
                    assert!((was - is).abs() <= error * size + 1e-5, "{noise} {row}: {was} {is}");
                }
                assert!((gain[row] - gains[row]).abs() <= 0.07 * gains[row].abs());
            }
        }
        // Without factors, or without what is added, nothing could make up.
        let alone = Normalization { gain: None, offset: None, ..found.clone() };
        let coarse = alone.coarse(&tensors, 1e-2);
        assert_eq!((coarse.variance, coarse.mean_step), (variances, None));
    }

    #[test]
    fn keras_has_them_by_their_names() {
        for (parts, kernels, ending) in [
            (["gamma", "beta", "moving_mean", "moving_variance"], ["kernel", "depthwise_kernel"], ":0"),
            (["vars/0", "vars/1", "vars/2", "vars/3"], ["vars/0", "vars/0"], ""),
        ] {
            let mut tensors = normalized("bn_Conv1/", parts, 8);
            tensors.extend(normalized("block_1_depthwise_BN/", parts, 8));
            tensors.push(tensor(&format!("block_1_depthwise/{}", kernels[1]), &[3, 3, 8, 1], &[1.0]));
            tensors.push(tensor(&format!("Conv1/{}", kernels[0]), &[3, 3, 3, 8], &[1.0]));
            tensors.iter_mut().for_each(|tensor| tensor.name += ending);
            let found = normalizations(&tensors, &[8, 9]);
            let places: Vec<(usize, usize)> = found.iter().map(|found| (found.layer, found.axis)).collect();
            assert_eq!(places, [(9, 3), (8, 2)], "{ending}");
        }
        // Where only what tells the kind is left, the one name is the other's with more.
        let parts = ["gamma", "beta", "moving_mean", "moving_variance"];
        let mut tensors = normalized("conv_1_bn/", parts, 8);
        tensors.push(tensor("conv2d_1/kernel", &[3, 3, 8, 8], &[1.0]));
        tensors.push(tensor("conv_1/kernel", &[1, 1, 8, 8], &[1.0]));
        assert_eq!(normalizations(&tensors, &[4, 5])[0].layer, 5);
        // Numbers that are counted by kind tell nothing.
        let parts = ["gamma", "beta", "moving_mean", "moving_variance"];
        let mut tensors = normalized("batch_normalization_5/", parts, 8);
        tensors.push(tensor("conv2d_5/kernel", &[3, 3, 8, 8], &[1.0]));
        assert_eq!(normalizations(&tensors, &[4]), []);
    }

    #[test]
    fn mantissas_are_as_long_as_is_asked_for() {
        let short = |value| shortened(value, 6);
        assert_eq!(
            [1.0 + 1.0 / 64.0 + 1e-4, -3.3, 0.0, f32::MAX].map(short),
            [1.0 + 1.0 / 64.0, -3.3125, 0.0, f32::MAX]
        );
        assert!(short(f32::NAN).is_nan() && short(f32::INFINITY).is_infinite());
        assert_eq!(shortened(-3.3, 23), -3.3);
    }
}
