//! Batch normalisations behind the layers of a file of weights: by their names, since there is no graph.
//!
//! What a normalisation makes of a layer's output is `gain / deviation` times it, for each row of the weight. So the errors that count are those of the
//! weight with that folded in, and each row has a step of its own: the layer's times `deviation / gain` (Nagel et al. 2019, "Data-free
//! quantization"). The tensors stay what they are.

use crate::model::{RowSteps, Tensor, code_of};
use std::collections::HashMap;

/// A normalisation and the layer before it; all are indices of tensors.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    epsilon: f64,
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
            let free = layers.iter().copied().filter(|&layer| found.iter().all(|other| other.layer != layer));
            let free = free.filter_map(|layer| Some((layer, axis_of(&tensors[layer].shape, outputs, naming)?)));
            let layer = if naming.in_order {
                free.take_while(|&(layer, _)| layer < variance).last()
            } else {
                let mut same = free.filter(|&(layer, _)| words(&tensors[layer].name) == words(&tensor.name));
                // Two of them would be guessed.
                same.next().filter(|_| same.next().is_none())
            };
            let Some((layer, axis)) = layer else { continue };
            let (gain, offset) = (vector(naming.gain), vector(naming.offset));
            found.push(Normalization { layer, axis, gain, offset, mean, variance });
        }
    }
    found
}

/// The axis of a weight along which it has so many outputs.
fn axis_of(shape: &[usize], outputs: usize, naming: &Naming) -> Option<usize> {
    match naming.in_order {
        true => shape.first().filter(|&&side| side == outputs).map(|_| 0),
        false => shape.iter().rposition(|&side| side == outputs),
    }
}

/// The words of a layer's name that tell it from others.
fn words(name: &str) -> Vec<String> {
    let mut parts = name.rsplit('/').skip(1).skip_while(|&part| part == "vars");
    let layer = parts.next().unwrap_or_default().to_ascii_lowercase();
    layer.split('_').filter(|word| !KINDS.contains(word)).map(str::to_owned).collect()
}

/// A normalisation in few bits, and what makes up for that.
///
/// Gains, variances and means are coarse: what that changes of the function goes into the weight's rows and into what is added, so nothing is lost.
#[derive(Debug, Clone, PartialEq)]
pub struct Coarse {
    /// Factors of few bits.
    pub gain: Option<Vec<f32>>,
    /// Variances of few bits.
    pub variance: Vec<f32>,
    /// What the means are multiples of, if something is added that makes up for it.
    pub mean_step: Option<f32>,
    /// What is to be added then; still to be rounded.
    pub offset: Option<Vec<f32>>,
    /// Factors of the rows of the weight.
    pub rescale: Vec<f32>,
    /// The steps of these rows.
    pub rows: RowSteps,
    /// What the outputs deviate by, in the mean.
    pub deviation: f32,
}

impl Normalization {
    /// Its vectors.
    pub fn vectors(&self) -> impl Iterator<Item = usize> + use<> {
        [self.gain, self.offset, Some(self.mean), Some(self.variance)].into_iter().flatten()
    }

    /// With so many bits of mantissa.
    pub fn coarse(&self, tensors: &[Tensor], bits: u32) -> Coarse {
        let epsilon = NAMINGS
            .iter()
            .find(|naming| tensors[self.variance].name.contains(naming.variance))
            .map_or(0.0, |naming| naming.epsilon as f32);
        let short = |index: usize| {
            let tensor = &tensors[index];
            let values = tensor.values().into_iter().map(|value| shortened(value, bits));
            // In the tensor's own type.
            let bytes = tensor.dtype.of_floats(&values.collect::<Vec<_>>());
            bytes.map_or_else(|| tensor.values(), |bytes| tensor.dtype.to_floats(&bytes))
        };
        let (variances, variance) = (tensors[self.variance].values(), short(self.variance));
        let gains = self.gain.map_or_else(|| vec![1.0; variances.len()], |gain| tensors[gain].values());
        let gain = self.gain.map(short);
        // What the normalisation multiplies by.
        let factor = |gain: f32, variance: f32| gain / (variance.max(0.0) + epsilon).sqrt();
        let were: Vec<f32> = gains.iter().zip(&variances).map(|(&gain, &variance)| factor(gain, variance)).collect();
        let of = |row: usize| gain.as_ref().map_or(1.0, |gain| gain[row]);
        let are: Vec<f32> = variance.iter().enumerate().map(|(row, &variance)| factor(of(row), variance)).collect();
        let ratio = |(was, is): (&f32, &f32)| Some(was / is).filter(|ratio| ratio.is_normal()).unwrap_or(1.0);
        let rescale = were.iter().zip(&are).map(ratio).collect();
        let means = tensors[self.mean].values();
        let power = means.iter().map(|mean| mean * mean).sum::<f32>() / means.len().max(1) as f32;
        let step = power.sqrt() / (bits as f32).exp2();
        let mean_step = Some(step).filter(|step| step.is_normal() && self.offset.is_some());
        let offset = self.offset.map(|offset| {
            let own = tensors[offset].values().into_iter().zip(&means).enumerate();
            own.map(|(row, (offset, &mean))| {
                let rounded = mean_step.map_or(mean, |step| multiple(mean, step));
                offset - were[row] * mean + are[row] * rounded
            })
            .collect()
        });
        // Where the factor is large a row is fine: around the middle, in octaves.
        let octaves = |factor: &f32| -f64::from(factor.abs()).log2();
        let known = are.iter().filter(|factor| factor.is_normal());
        let middle = known.clone().map(octaves).sum::<f64>() / known.count().max(1) as f64;
        let codes = are.iter().map(|factor| code_of((octaves(factor) - middle).exp2())).collect();
        let rows = RowSteps { axis: self.axis, codes };
        let deviation = gains.iter().map(|gain| gain * gain).sum::<f32>() / gains.len().max(1) as f32;
        Coarse { gain, variance, mean_step, offset, rescale, rows, deviation: deviation.sqrt() }
    }
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
        // A layer without one does not take the next one's.
        tensors.push(tensor("fc.weight", &[10, 6], &[1.0]));
        tensors.extend(normalized("bn2", parts, 6));
        let found = normalizations(&tensors, &[0, 5, 6]);
        let of = |layer, first: usize| Normalization {
            layer,
            axis: 0,
            gain: Some(first),
            offset: Some(first + 1),
            mean: first + 2,
            variance: first + 3,
        };
        assert_eq!(found, [of(0, 1), of(5, 7)]);
        // Deviations 2 and 0.5 over gains of 2 and 0.5 are 1; over 0.5 and 2 they are four octaves apart.
        let codes = |tensors: &[Tensor]| found[0].coarse(tensors, 3).rows.codes;
        assert_eq!(codes(&tensors), [0; 4]);
        tensors[1] = tensor("bn1.weight", &[4], &[0.5, 2.0]);
        assert_eq!(codes(&tensors), [16, -16, 16, -16]);
        tensors[1] = tensor("bn1.weight", &[4], &[0.0, 2.0]);
        assert_eq!(codes(&tensors)[0], 127);
    }

    /// `gain (w x - mean) / deviation + offset` of a row, for `w x = 1` and for `w x = 0`.
    #[test]
    fn few_bits_change_nothing_that_is_not_made_up_for() {
        let parts = [".weight", ".bias", ".running_mean", ".running_var"];
        let mut tensors = vec![tensor("conv.weight", &[5, 3], &[1.0])];
        tensors.extend(normalized("bn", parts, 5));
        tensors[1] = tensor("bn.weight", &[5], &[0.37, -1.9, 3e-5, 0.0, 1.1]);
        tensors[3] = tensor("bn.running_mean", &[5], &[0.3, -7.7, 0.01, 0.0, 2.9]);
        tensors[4] = tensor("bn.running_var", &[5], &[0.123, 1e-3, 44.0, 1.0, 0.5]);
        let found = &normalizations(&tensors, &[0])[0];
        for bits in [1, 3, 8] {
            let coarse = found.coarse(&tensors, bits);
            let (gain, offset) = (coarse.gain.unwrap(), coarse.offset.unwrap());
            let [gains, offsets, means, variances] = [1, 2, 3, 4].map(|index| tensors[index].values());
            for row in 0..5 {
                let norm = |gain: f32, product: f32, mean: f32, variance: f32, offset: f32| {
                    gain * (product - mean) / (variance + 1e-5).sqrt() + offset
                };
                for product in [0.0, 1.0] {
                    let was = norm(gains[row], product, means[row], variances[row], offsets[row]);
                    let mean = multiple(means[row], coarse.mean_step.unwrap());
                    let product = product * coarse.rescale[row];
                    let is = norm(gain[row], product, mean, coarse.variance[row], offset[row]);
                    assert!((was - is).abs() < 1e-4 * (1.0 + was.abs()), "{bits} {row}: {was} {is}");
                }
                assert!((gain[row] - gains[row]).abs() <= gains[row].abs() * 0.51f32.powi(bits as i32));
            }
        }
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
