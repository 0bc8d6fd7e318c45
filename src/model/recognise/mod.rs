//! Known networks, recognised by the names and shapes of their weights: a state dictionary tells its layers, and the architecture what
//! lies between them.

mod build;
mod keras;
mod lenet;
mod mobilenet;
mod resnet;
mod vgg;

use super::{Model, Network, Scaling, Source};
use build::{Build, Naming};

/// What is recognised, in words.
pub const KNOWN: &str =
    "LeNet-5, LeNet-300-100, VGG, ResNet and MobileNetV2, as PyTorch and torchvision name them or as Keras does";

/// The network that these weights are of, if they have the names and the shapes of one of the [`KNOWN`], in any widths, and nothing else.
/// Batch normalisation is folded into the layer before it. What lies between the layers is taken to be as the architecture has it, and
/// images to be as large as it expects them: the weights do not tell. What wrappers put before all names, such as `module.`, is left aside, and
/// is in the names of the parameters.
pub fn recognise(weights: &Network) -> Option<Model> {
    let first = weights.tensors.first()?.name.as_str();
    let mut prefix = "";
    loop {
        if let Some(model) = of_torch(weights, prefix) {
            return Some(model);
        }
        match first[prefix.len()..].find('.').map(|dot| &first[..=prefix.len() + dot]) {
            Some(longer) if weights.tensors.iter().all(|tensor| tensor.name.starts_with(longer)) => prefix = longer,
            _ => return keras::keras(weights),
        }
    }
}

/// How pictures become what a network sees that was recognised by PyTorch's names, if it expects ImageNet's: by the mean and deviation of each colour,
/// as torchvision's and timm's networks do. Nothing is known of others.
pub fn usual_scaling(network: &Network) -> Option<Scaling> {
    let source = network.origin.as_ref()?.source;
    let input = network.model.as_ref()?.graph.input_shape.as_slice();
    let pictures = matches!(input, [3, height, width] if height.min(width) > &64);
    (pictures && matches!(source, Source::Torch | Source::Safetensors | Source::Npz)).then(Scaling::imagenet)
}

/// As PyTorch names them, behind a prefix.
fn of_torch(weights: &Network, prefix: &str) -> Option<Model> {
    let build = || Build::new(weights, Naming::Torch, prefix);
    lenet::lenet(build()?, Naming::Torch, ["conv1", "conv2"], ["fc1", "fc2", "fc3"])
        .or_else(|| vgg::vgg(build()?))
        .or_else(|| resnet::resnet(build()?))
        .or_else(|| mobilenet::mobilenet_v2(build()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dtype, Op, Origin, Tensor};
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    /// A state dictionary of drawn numbers.
    struct Dictionary {
        weights: Network,
        rng: Pcg64Mcg,
    }

    impl Dictionary {
        fn new() -> Self {
            let origin = Origin { source: Source::Torch, skeleton: Vec::new() };
            let weights = Network::new(Vec::new(), origin);
            Dictionary { weights, rng: Pcg64Mcg::seed_from_u64(1) }
        }

        fn tensor(&mut self, name: String, shape: &[usize]) {
            let count = shape.iter().product();
            let bytes = (0..count).flat_map(|_| (0.5 + self.rng.random::<f32>()).to_le_bytes()).collect();
            self.weights.tensors.push(Tensor::new(name, shape.to_vec(), Dtype::F32, bytes));
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
            self.weights.tensors.push(Tensor::new(name, vec![], Dtype::I64, bytes));
        }
    }

    fn vgg(normed: bool) -> Network {
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

    fn resnet(deep: bool) -> Network {
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

    fn mobilenet() -> Network {
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

    /// Keras' name of a layer of torchvision's, of the dictionaries here.
    fn keras_layer(layer: &str) -> String {
        let fixed = [
            ("features.2", "block1_conv2"),
            ("features.5", "block2_conv1"),
            ("features.0", "block1_conv1"),
            ("classifier.0", "fc1"),
            ("classifier.3", "predictions"),
            ("classifier.1", "predictions"),
            ("fc", "predictions"),
            ("conv1", "conv1_conv"),
            ("bn1", "conv1_bn"),
            ("features.0.0", "Conv1"),
            ("features.0.1", "bn_Conv1"),
            ("features.18.0", "Conv_1"),
            ("features.18.1", "Conv_1_bn"),
        ];
        if let Some((_, name)) = fixed.iter().find(|(torch, _)| *torch == layer) {
            return (*name).to_owned();
        }
        let parts: Vec<&str> = layer.split('.').collect();
        if let Some(stage) = parts[0].strip_prefix("layer") {
            let (stage, block) = (stage.parse::<usize>().unwrap() + 1, parts[1].parse::<usize>().unwrap() + 1);
            let part = match parts[2..] {
                ["downsample", "0"] => "0_conv".into(),
                ["downsample", _] => "0_bn".into(),
                [part] => format!("{}_{}", &part[part.len() - 1..], &part[..part.len() - 1]),
                _ => panic!("{layer}"),
            };
            return format!("conv{stage}_block{block}_{part}");
        }
        let block: usize = parts[1].parse().unwrap();
        let name = if block == 1 { "expanded_conv".to_owned() } else { format!("block_{}", block - 1) };
        let places = if block == 1 { &["depthwise", "project"][..] } else { &["expand", "depthwise", "project"] };
        match parts[3..] {
            [place] => match place.parse::<usize>().unwrap() {
                place if place + 1 == places.len() => format!("{name}_project"),
                _ => format!("{name}_project_BN"),
            },
            [place, norm] => {
                format!("{name}_{}{}", places[place.parse::<usize>().unwrap()], if norm == "1" { "_BN" } else { "" })
            }
            _ => panic!("{layer}"),
        }
    }

    /// A state dictionary as Keras has it; `image` is what the first linear layer reads, flattened with channels last.
    fn keras(weights: &Network, image: [usize; 3]) -> Network {
        let mut keras = weights.clone();
        keras.tensors.retain(|tensor| tensor.dtype == Dtype::F32);
        let normed: Vec<String> =
            keras.tensors.iter().filter_map(|t| t.name.strip_suffix(".running_mean").map(str::to_owned)).collect();
        for tensor in &mut keras.tensors {
            let (layer, part) = tensor.name.rsplit_once('.').unwrap();
            let norm = normed.iter().any(|norm| norm == layer);
            let values = tensor.values();
            let (shape, numbers, kernel) = match tensor.shape[..] {
                [outputs, 1, kh, kw] => {
                    let at = |k: usize, o: usize| values[o * kh * kw + k];
                    let numbers: Vec<f32> = (0..kh * kw * outputs).map(|i| at(i / outputs, i % outputs)).collect();
                    (vec![kh, kw, outputs, 1], numbers, "depthwise_kernel")
                }
                [outputs, inputs, kh, kw] => {
                    let at = |k: usize, i: usize, o: usize| values[(o * inputs + i) * kh * kw + k];
                    let place = |i: usize| at(i / outputs / inputs, i / outputs % inputs, i % outputs);
                    (vec![kh, kw, inputs, outputs], (0..values.len()).map(place).collect(), "kernel")
                }
                [outputs, inputs] => {
                    let [channels, area] = [image[0], image[1] * image[2]];
                    let column =
                        |i: usize| if channels * area == inputs { i % channels * area + i / channels } else { i };
                    let place = |i: usize| values[i % outputs * inputs + column(i / outputs)];
                    (vec![inputs, outputs], (0..values.len()).map(place).collect(), "kernel")
                }
                _ => (tensor.shape.clone(), values, ""),
            };
            let part = match (part, norm) {
                ("weight", false) => kernel,
                ("weight", true) => "gamma",
                ("bias", true) => "beta",
                ("running_mean", _) => "moving_mean",
                ("running_var", _) => "moving_variance",
                (other, _) => other,
            };
            let layer = keras_layer(layer);
            tensor.name = format!("layers/{layer}/{layer}/{part}:0");
            tensor.shape = shape;
            tensor.bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        }
        keras
    }

    #[test]
    fn keras_names_and_orders_give_the_same_numbers() {
        for (weights, image) in [(vgg(false), [5, 7, 7]), (resnet(true), [1; 3]), (mobilenet(), [1; 3])] {
            let (torch, keras) = (recognise(&weights).unwrap(), recognise(&keras(&weights, image)).unwrap());
            assert_eq!(torch.parameters.len(), keras.parameters.len());
            for parameter in &torch.parameters {
                let (layer, part) = parameter.name.rsplit_once('.').unwrap();
                let name = keras_layer(layer);
                let same = |name: &str| {
                    let found = name.split_once('/').unwrap();
                    found.0 == keras_layer(layer) && (found.1 == "bias") == (part == "bias")
                };
                let twin = keras.parameters.iter().find(|other| same(&other.name)).expect(&name);
                assert_eq!(parameter.values.shape(), twin.values.shape(), "{name}");
                for (one, other) in parameter.values.iter().zip(&twin.values) {
                    // Their normalisations add different small numbers to the variance.
                    assert!((one - other).abs() < 2e-3 * one.abs().max(1.0), "{name}: {one} {other}");
                }
            }
        }
    }

    #[test]
    fn architectures_are_recognised_and_nothing_like_them_is() {
        let cases = [
            (keras(&vgg(false), [5, 7, 7]), [2, 28, 28]),
            (keras(&resnet(true), [1; 3]), [3, 224, 224]),
            (keras(&mobilenet(), [1; 3]), [3, 224, 224]),
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
                if !removed.contains("bias") {
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
    fn networks_of_pictures_expect_the_scaling_of_imagenet() {
        let scaling = |mut weights: Network| {
            weights.model = recognise(&weights);
            usual_scaling(&weights)
        };
        assert_eq!(scaling(resnet(true)), Some(Scaling::imagenet()));
        assert_eq!(scaling(mobilenet()), Some(Scaling::imagenet()));
        // Small pictures of two channels.
        assert_eq!(scaling(vgg(true)), None);
        let mut keras = keras(&mobilenet(), [1; 3]);
        keras.origin = Some(Origin { source: Source::Hdf5, skeleton: Vec::new() });
        assert_eq!(scaling(keras), None);
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
