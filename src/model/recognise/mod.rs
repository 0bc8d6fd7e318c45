//! Known networks, recognised by the names and shapes of their weights: a state dictionary tells its layers, and the architecture what
//! lies between them.

mod build;
mod lenet;
mod mobilenet;
mod resnet;
mod vgg;

use super::{Model, Weights};

/// What is recognised, in words.
pub const KNOWN: &str = "LeNet-5, LeNet-300-100, and torchvision's VGG, ResNet and MobileNetV2";

/// The network that these weights are of, if they have the names and the shapes of one of the [`KNOWN`], in any widths, and nothing else.
/// Batch normalisation is folded into the layer before it. What lies between the layers is taken to be as the architecture has it, and
/// images to be as large as it expects them: the weights do not tell.
pub fn recognise(weights: &Weights) -> Option<Model> {
    lenet::lenet(weights)
        .or_else(|| vgg::vgg(weights))
        .or_else(|| resnet::resnet(weights))
        .or_else(|| mobilenet::mobilenet_v2(weights))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dtype, Op, Origin, Source, Tensor};
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    /// A state dictionary of drawn numbers.
    struct Dictionary {
        weights: Weights,
        rng: Pcg64Mcg,
    }

    impl Dictionary {
        fn new() -> Self {
            let origin = Origin { source: Source::Torch, skeleton: Vec::new() };
            let weights = Weights { tensors: Vec::new(), origin, obstacle: None };
            Dictionary { weights, rng: Pcg64Mcg::seed_from_u64(1) }
        }

        fn tensor(&mut self, name: String, shape: &[usize]) {
            let count = shape.iter().product();
            let bytes = (0..count).flat_map(|_| (0.5 + self.rng.random::<f32>()).to_le_bytes()).collect();
            self.weights.tensors.push(Tensor {
                name,
                shape: shape.to_vec(),
                dtype: Dtype::F32,
                bytes,
                dequantized: false,
            });
        }

        /// A layer, and its normalisation if that has a name.
        fn layer(&mut self, name: &str, shape: &[usize], bias: bool, norm: &str) {
            self.tensor(format!("{name}.weight"), shape);
            if bias {
                self.tensor(format!("{name}.bias"), &shape[..1]);
            }
            if norm.is_empty() {
                return;
            }
            for part in ["weight", "bias", "running_mean", "running_var"] {
                self.tensor(format!("{norm}.{part}"), &shape[..1]);
            }
            let (name, bytes) = (format!("{norm}.num_batches_tracked"), vec![7; 8]);
            self.weights.tensors.push(Tensor { name, shape: vec![], dtype: Dtype::I64, bytes, dequantized: false });
        }
    }

    fn vgg(normed: bool) -> Weights {
        let mut dictionary = Dictionary::new();
        // Convolution, convolution, maximum, convolution, maximum.
        let step = if normed { 3 } else { 2 };
        for (index, shape) in [(0, [3, 2, 3, 3]), (step, [4, 3, 3, 3]), (2 * step + 1, [5, 4, 3, 3])] {
            let norm = if normed { format!("features.{}", index + 1) } else { String::new() };
            dictionary.layer(&format!("features.{index}"), &shape, true, &norm);
        }
        dictionary.layer("classifier.0", &[6, 5 * 7 * 7], true, "");
        dictionary.layer("classifier.3", &[10, 6], true, "");
        dictionary.weights
    }

    fn resnet(deep: bool) -> Weights {
        let mut dictionary = Dictionary::new();
        dictionary.layer("conv1", &[4, 3, 7, 7], false, "bn1");
        let mut entered = 4;
        for stage in 1..=4 {
            let (inner, out) = (2 + stage, if deep { 2 * (2 + stage) } else { 2 + stage });
            for block in 0..2 {
                let name = format!("layer{stage}.{block}");
                let shapes = match deep {
                    true => vec![[inner, entered, 1, 1], [inner, inner, 3, 3], [out, inner, 1, 1]],
                    false => vec![[inner, entered, 3, 3], [out, inner, 3, 3]],
                };
                for (index, shape) in shapes.iter().enumerate() {
                    let number = index + 1;
                    dictionary.layer(&format!("{name}.conv{number}"), shape, false, &format!("{name}.bn{number}"));
                }
                if block == 0 {
                    let norm = format!("{name}.downsample.1");
                    dictionary.layer(&format!("{name}.downsample.0"), &[out, entered, 1, 1], false, &norm);
                }
                entered = out;
            }
        }
        dictionary.layer("fc", &[10, entered], true, "");
        dictionary.weights
    }

    fn mobilenet() -> Weights {
        let mut dictionary = Dictionary::new();
        dictionary.layer("features.0.0", &[4, 3, 3, 3], false, "features.0.1");
        let mut entered = 4;
        for index in 1..=17 {
            let (name, out) = (format!("features.{index}.conv"), 2 + index / 5);
            let wide = if index == 1 { entered } else { 2 * entered };
            let mut place = 0;
            if index > 1 {
                dictionary.layer(&format!("{name}.0.0"), &[wide, entered, 1, 1], false, &format!("{name}.0.1"));
                place = 1;
            }
            let depthwise = format!("{name}.{place}");
            dictionary.layer(&format!("{depthwise}.0"), &[wide, 1, 3, 3], false, &format!("{depthwise}.1"));
            let norm = format!("{name}.{}", place + 2);
            dictionary.layer(&format!("{name}.{}", place + 1), &[out, wide, 1, 1], false, &norm);
            entered = out;
        }
        dictionary.layer("features.18.0", &[8, entered, 1, 1], false, "features.18.1");
        dictionary.layer("classifier.1", &[10, 8], true, "");
        dictionary.weights
    }

    #[test]
    fn architectures_are_recognised_and_nothing_like_them_is() {
        let cases = [
            (vgg(false), [2, 28, 28]),
            (vgg(true), [2, 28, 28]),
            (resnet(false), [3, 224, 224]),
            (resnet(true), [3, 224, 224]),
            (mobilenet(), [3, 224, 224]),
        ];
        for (weights, input) in cases {
            let model = recognise(&weights).unwrap();
            assert_eq!(model.graph.input_shape, input);
            assert_eq!(model.shapes().unwrap().last(), Some(&vec![10]));
            for index in 0..weights.tensors.len() {
                let counts = weights.tensors[index].dtype == Dtype::I64;
                let mut other = weights.clone();
                other.tensors[index].name += "x";
                assert!(recognise(&other).is_none(), "{}", weights.tensors[index].name);
                let mut other = weights.clone();
                let removed = other.tensors.remove(index).name;
                // A layer may have no bias.
                if !removed.ends_with("bias") {
                    assert_eq!(recognise(&other).is_none(), !counts, "{removed}");
                }
                if !counts {
                    let mut other = weights.clone();
                    other.tensors[index].bytes[..4].copy_from_slice(&f32::INFINITY.to_le_bytes());
                    assert!(recognise(&other).is_none(), "{}", weights.tensors[index].name);
                }
            }
        }
    }

    #[test]
    fn a_normalisation_is_folded() {
        let weights = vgg(true);
        let model = recognise(&weights).unwrap();
        let numbers = |name: &str| weights.tensors.iter().find(|tensor| tensor.name == name).unwrap().values();
        let norm = ["weight", "bias", "running_mean", "running_var"].map(|part| numbers(&format!("features.1.{part}")));
        let Op::Conv(conv) = &model.graph.nodes[0].op else { panic!("the first node is a convolution") };
        let (weight, bias) = (numbers("features.0.weight"), numbers("features.0.bias"));
        for (index, &got) in model.values(conv.bias.unwrap()).iter().enumerate() {
            let [gain, offset, mean, variance] =
                [&norm[0], &norm[1], &norm[2], &norm[3]].map(|part| f64::from(part[index]));
            let factor = gain / (variance + 1e-5).sqrt();
            let expected = (f64::from(bias[index]) - mean) * factor + offset;
            assert!((f64::from(got) - expected).abs() < 1e-5, "{got} {expected}");
            let place = index * 18 + 5;
            let (got, expected) =
                (model.values(conv.weight).as_slice().unwrap()[place], f64::from(weight[place]) * factor);
            assert!((f64::from(got) - expected).abs() < 1e-5, "{got} {expected}");
        }
    }
}
