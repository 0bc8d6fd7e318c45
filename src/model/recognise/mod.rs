//! Known networks, recognised by the names and shapes of their weights: a state dictionary tells its layers, and the architecture what
//! lies between them.

mod build;
mod inverted;
mod keras;
mod lenet;
mod resnet;
mod vgg;

use super::{Model, Network, Scaling, Source};
use build::{Build, Naming};

/// What is recognised, in words.
pub const KNOWN: &str = "LeNet-5, LeNet-300-100, VGG, ResNet, MobileNetV2, MobileNetV3 and EfficientNet, as torchvision, timm or Keras name them";

/// Means of ImageNet's blue, green and red, from 0 to 255, as the networks that came from Caffe have them.
const CAFFE: [f32; 3] = [103.939, 116.779, 123.68];

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

/// How pictures become what a recognised network sees, if it expects pictures of three colours: what torchvision's, timm's and Keras' networks were usually trained with.
/// - By PyTorch's names: the mean and deviation of each colour, as torchvision has them; of torchvision's EfficientNetV2-L, `[-1, 1]`.
/// - Keras' VGG and ResNet: from 0 to 255, less the mean of each colour. Their channels are blue, green and red, which a scaling does not tell: pictures
///   have to be in that order.
/// - Keras' MobileNets: `[-1, 1]`. MobileNetV3 does that itself in Keras; the graph that is recognised begins behind it.
/// - Keras' EfficientNets: by the mean and variance that the file has of its normalisation of pictures; the graph begins behind that.
///
/// Nothing is known of others.
pub fn usual_scaling(network: &Network) -> Option<Scaling> {
    let source = network.origin.as_ref()?.source;
    let model = network.model.as_ref()?;
    let pictures = matches!(model.graph.input_shape[..], [3, height, width] if height.min(width) > 64);
    if !pictures || !matches!(source, Source::Torch | Source::Safetensors | Source::Npz | Source::Hdf5) {
        return None;
    }
    let symmetric = Scaling::Standardised { mean: 0.5, deviation: 0.5 };
    Some(match model.parameters.first()?.name.strip_suffix("/kernel") {
        None => match model.parameters.iter().any(|it| it.name.ends_with("features.7.6.block.0.0.weight")) {
            true => symmetric,
            false => Scaling::imagenet(),
        },
        Some("block1_conv1" | "conv1_conv") => {
            let means = CAFFE.map(|mean| mean / 255.0).to_vec();
            Scaling::PerChannel { means, deviations: vec![1.0 / 255.0; 3] }
        }
        Some("Conv1" | "conv" | "Conv") => symmetric,
        Some("stem_conv") => {
            let mut own = network.tensors.iter().filter(|tensor| {
                tensor.shape == [3] && tensor.name.rsplit('/').any(|part| part.starts_with("normalization"))
            });
            let (means, mut deviations) = (own.next()?.values(), own.next()?.values());
            // The weights that Keras has of ImageNet say deviations where they mean variances; the root that is missing is in the code.
            if (deviations[0] - 0.229).abs() > 1e-3 {
                deviations.iter_mut().for_each(|variance| *variance = variance.sqrt());
            }
            Some(Scaling::PerChannel { means, deviations }).filter(Scaling::is_sound)?
        }
        Some(_) => return None,
    })
}

/// As PyTorch names them, behind a prefix.
fn of_torch(weights: &Network, prefix: &str) -> Option<Model> {
    let build = || Build::new(weights, Naming::Torch, prefix);
    lenet::lenet(build()?, Naming::Torch, ["conv1", "conv2"], ["fc1", "fc2", "fc3"])
        .or_else(|| vgg::vgg(build()?))
        .or_else(|| resnet::resnet(build()?))
        .or_else(|| inverted::inverted(weights, Naming::Torch, prefix))
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

    /// Stages of MobileNetV3 (small): blocks, window, whether they excite.
    const SMALL_3: [(usize, usize, bool); 5] = [(1, 3, true), (2, 3, false), (3, 5, true), (2, 5, true), (3, 5, true)];

    /// Stages of an EfficientNet of so many blocks in each.
    fn efficient(blocks: [usize; 7]) -> [(usize, usize, bool); 7] {
        let windows = [3, 3, 5, 3, 5, 5, 3];
        std::array::from_fn(|stage| (blocks[stage], windows[stage], true))
    }

    /// A network of inverted residuals by the names of torchvision, timm or Keras: an EfficientNet, or else MobileNetV3.
    fn inverted(library: &str, efficient: bool, stages: &[(usize, usize, bool)]) -> Network {
        let mut dictionary = Dictionary::new();
        let [stem, norm] = match (library, efficient) {
            ("torchvision", _) => ["features.0.0", "features.0.1"],
            ("timm", _) => ["conv_stem", "bn1"],
            (_, true) => ["stem_conv", "stem_bn"],
            (_, false) => ["conv", "conv_bn"],
        };
        dictionary.layer(stem, &[4, 3, 3, 3], false, norm);
        let (mut entered, mut number) = (4, 0);
        for (stage, &(blocks, window, excites)) in stages.iter().enumerate() {
            for block in 0..blocks {
                let (wide, out) = (if stage > 0 { 8 } else { entered }, 4 + stage);
                let mut layers = vec![("depthwise", [wide, 1, window, window])];
                if stage > 0 {
                    layers.insert(0, ("expand", [wide, entered, 1, 1]));
                }
                if excites {
                    layers.extend([("squeeze", [2, wide, 1, 1]), ("excite", [wide, 2, 1, 1])]);
                }
                layers.push(("project", [out, wide, 1, 1]));
                let (mut part, mut norms) = (0, 0);
                for (kind, shape) in layers {
                    let scales = ["squeeze", "excite"].contains(&kind);
                    norms += usize::from(!scales);
                    let (layer, norm) = match (library, efficient) {
                        ("torchvision", _) => {
                            let block =
                                if efficient { format!("{}.{block}", stage + 1) } else { (number + 1).to_string() };
                            let begin = format!("features.{block}.block.{part}");
                            match kind {
                                "squeeze" => (format!("{begin}.fc1"), String::new()),
                                "excite" => (format!("{begin}.fc2"), String::new()),
                                _ => (format!("{begin}.0"), format!("{begin}.1")),
                            }
                        }
                        ("timm", _) => {
                            let layer = match (kind, stage) {
                                ("expand", _) | ("project", 0) => "conv_pw",
                                ("depthwise", _) => "conv_dw",
                                ("squeeze", _) => "se.conv_reduce",
                                ("excite", _) => "se.conv_expand",
                                _ => "conv_pwl",
                            };
                            let begin = format!("blocks.{stage}.{block}");
                            (format!("{begin}.{layer}"), format!("{begin}.bn{norms}"))
                        }
                        (_, true) => {
                            let begin = format!("block{}{}", stage + 1, ["a", "b", "c"][block]);
                            match kind {
                                "depthwise" => (format!("{begin}_dwconv"), format!("{begin}_bn")),
                                "squeeze" => (format!("{begin}_se_reduce"), String::new()),
                                "excite" => (format!("{begin}_se_expand"), String::new()),
                                _ => (format!("{begin}_{kind}_conv"), format!("{begin}_{kind}_bn")),
                            }
                        }
                        (_, false) => {
                            let begin =
                                if number == 0 { "expanded_conv".into() } else { format!("expanded_conv_{number}") };
                            match kind {
                                "squeeze" => (format!("{begin}_squeeze_excite_conv"), String::new()),
                                "excite" => (format!("{begin}_squeeze_excite_conv_1"), String::new()),
                                _ => (format!("{begin}_{kind}"), format!("{begin}_{kind}_bn")),
                            }
                        }
                    };
                    dictionary.layer(&layer, &shape, scales, if scales { "" } else { &norm });
                    part += usize::from(kind != "squeeze");
                }
                entered = out;
                number += 1;
            }
        }
        let torch = format!("features.{}", if efficient { stages.len() + 1 } else { number + 1 });
        let timm = format!("blocks.{}.0", stages.len());
        let [head, norm] = match (library, efficient) {
            ("torchvision", _) => [format!("{torch}.0"), format!("{torch}.1")],
            ("timm", true) => ["conv_head".into(), "bn2".into()],
            ("timm", false) => [format!("{timm}.conv"), format!("{timm}.bn1")],
            (_, true) => ["top_conv".into(), "top_bn".into()],
            (_, false) => ["conv_1".into(), "conv_1_bn".into()],
        };
        dictionary.layer(&head, &[8, entered, 1, 1], false, &norm);
        let last: &[(&str, &[usize])] = match (library, efficient) {
            ("torchvision", true) => &[("classifier.1", &[10, 8])],
            ("torchvision", false) => &[("classifier.0", &[9, 8]), ("classifier.3", &[10, 9])],
            ("timm", true) => &[("classifier", &[10, 8])],
            ("timm", false) => &[("conv_head", &[9, 8, 1, 1]), ("classifier", &[10, 9])],
            (_, true) => &[("predictions", &[10, 8])],
            (_, false) => &[("conv_2", &[9, 8, 1, 1]), ("logits", &[10, 9, 1, 1])],
        };
        for (layer, shape) in last {
            dictionary.layer(layer, shape, true, "");
        }
        match library {
            "keras" => keras(&dictionary.weights, [1; 3]),
            _ => dictionary.weights,
        }
    }

    /// timm's VGG, whose linear layers but the last are convolutions.
    fn convolved_vgg() -> Network {
        let mut weights = vgg(true);
        let mut dictionary = Dictionary::new();
        dictionary.layer("pre_logits.fc1", &[6, 5, 7, 7], true, "");
        dictionary.layer("pre_logits.fc2", &[6, 6, 1, 1], true, "");
        dictionary.layer("head.fc", &[10, 6], true, "");
        weights.tensors.retain(|tensor| tensor.name.starts_with("features"));
        weights.tensors.extend(dictionary.weights.tensors);
        weights
    }

    /// Keras' name of a layer of torchvision's, of the dictionaries here; others have it.
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
        if parts.len() == 1 {
            return layer.to_owned();
        }
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
            (convolved_vgg(), [2, 28, 28]),
            (inverted("torchvision", false, &SMALL_3), [3, 224, 224]),
            (inverted("timm", false, &SMALL_3), [3, 224, 224]),
            (inverted("keras", false, &SMALL_3), [3, 224, 224]),
            (inverted("torchvision", true, &efficient([1; 7])), [3, 224, 224]),
            (inverted("timm", true, &efficient([1, 2, 1, 1, 1, 1, 1])), [3, 224, 224]),
            (inverted("keras", true, &efficient([1, 2, 1, 1, 1, 1, 1])), [3, 224, 224]),
        ];
        for (weights, input) in cases {
            let model = recognise(&weights).unwrap();
            assert_eq!(model.graph.input_shape, input);
            assert_eq!(model.shapes().unwrap().last(), Some(&vec![10]));
            // Some of those of a large one.
            let step = if weights.tensors.len() > 200 { 7 } else { 1 };
            for index in (0..weights.tensors.len()).step_by(step) {
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

    /// `expanded_conv_1_expand_bn` becomes `expanded_conv_1/expand/BatchNorm`, and VGG's tensors are named after their layer.
    #[test]
    fn names_of_older_keras_are_known_too() {
        let mut weights = inverted("keras", false, &SMALL_3);
        for tensor in &mut weights.tensors {
            let (path, part) = tensor.name.rsplit_once('/').unwrap();
            let mut layer = path.rsplit_once('/').unwrap().1.replace("_bn", "/BatchNorm");
            for (new, old) in [("conv_1", "Conv_1"), ("conv_2", "Conv_2"), ("conv", "Conv"), ("logits", "Logits")] {
                if layer.split('/').next() == Some(new) {
                    layer = layer.replace(new, old);
                }
            }
            layer = layer.replace("squeeze_excite_conv", "squeeze_excite/Conv");
            for part in ["expand", "depthwise", "project", "squeeze_excite"] {
                layer = layer.replace(&format!("_{part}"), &format!("/{part}"));
            }
            tensor.name = format!("{layer}/{layer}/{part}");
        }
        let names: Vec<&str> = weights.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        let norm = "expanded_conv_1/depthwise/BatchNorm";
        assert!(names.contains(&format!("{norm}/{norm}/gamma:0").as_str()), "{names:?}");
        assert_eq!(recognise(&weights).unwrap().shapes().unwrap().last(), Some(&vec![10]));
        let mut weights = keras(&vgg(false), [5, 7, 7]);
        for tensor in &mut weights.tensors {
            let layer = tensor.name.split('/').nth(1).unwrap();
            let part = if tensor.name.ends_with("kernel:0") { "W" } else { "b" };
            tensor.name = format!("{layer}/{layer}_{part}_1:0");
        }
        assert_eq!(recognise(&weights), recognise(&keras(&vgg(false), [5, 7, 7])));
    }

    #[test]
    fn the_depth_of_an_efficient_net_tells_the_side_of_its_pictures() {
        let side = |library: &str, blocks: [usize; 7]| {
            recognise(&inverted(library, true, &efficient(blocks))).unwrap().graph.input_shape[1]
        };
        let (b1, b3) = ([2, 3, 3, 4, 4, 5, 2], [2, 3, 3, 5, 5, 6, 2]);
        assert_eq!(
            [side("torchvision", b1), side("timm", b1), side("torchvision", b3), side("timm", b3)],
            [240, 240, 300, 288]
        );
    }

    #[test]
    fn other_networks_with_the_names_of_inverted_residuals_are_not_taken_for_known_ones() {
        let mut stages = efficient([1; 7]);
        stages[2].1 = 3;
        assert!(recognise(&inverted("timm", true, &stages)).is_none());
        let mut stages = efficient([1; 7]);
        stages[2].2 = false;
        assert!(recognise(&inverted("timm", true, &stages)).is_none());
        assert!(recognise(&inverted("torchvision", true, &efficient([1, 1, 1, 1, 1, 1, 0]))).is_none());
        // timm's mobilenetv3_rw adds other numbers to its variances.
        let mut weights = inverted("timm", false, &SMALL_3);
        weights.tensors.retain(|tensor| tensor.name != "conv_head.bias");
        assert!(recognise(&weights).is_none());
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
        let symmetric = Some(Scaling::Standardised { mean: 0.5, deviation: 0.5 });
        assert_eq!(scaling(keras(&mobilenet(), [1; 3])), symmetric);
        assert_eq!(scaling(inverted("keras", false, &SMALL_3)), symmetric);
        assert_eq!(scaling(inverted("timm", false, &SMALL_3)), Some(Scaling::imagenet()));
        let Some(Scaling::PerChannel { means, deviations }) = scaling(keras(&resnet(true), [1; 3])) else {
            panic!("Keras' ResNet subtracts means")
        };
        // Bytes of blue count from 103.939 on.
        let blue = Scaling::PerChannel { means, deviations }.affine(0);
        assert!((blue.0 - 1.0).abs() < 1e-6 && (blue.1 + 103.939).abs() < 1e-4, "{blue:?}");
        let mut other = keras(&mobilenet(), [1; 3]);
        other.origin = Some(Origin { source: Source::Onnx, skeleton: Vec::new() });
        assert_eq!(scaling(other), None);
    }

    #[test]
    fn an_efficient_net_of_keras_has_the_scaling_of_its_normalisation() {
        let scaled = |names: [&str; 3], variances: [f32; 3]| {
            let mut weights = inverted("keras", true, &efficient([1; 7]));
            assert_eq!(usual_scaling(&Network { model: recognise(&weights), ..weights.clone() }), None);
            for (name, values) in names.into_iter().zip([&[0.485, 0.456, 0.406][..], &variances, &[0.0]]) {
                let shape = if values.len() == 1 { vec![] } else { vec![3] };
                let bytes = values.iter().flat_map(|value: &f32| value.to_le_bytes()).collect();
                weights.tensors.push(Tensor::new(format!("layers/{name}"), shape, Dtype::F32, bytes));
            }
            weights.model = recognise(&weights);
            usual_scaling(&weights)
        };
        let names = ["normalization/mean:0", "normalization/variance:0", "normalization/count:0"];
        let counted = ["normalization_1/vars/0", "normalization_1/vars/1", "normalization_1/vars/2"];
        let means = vec![0.485, 0.456, 0.406];
        let own = Some(Scaling::PerChannel { means, deviations: vec![0.5, 0.25, 2.0] });
        assert_eq!(scaled(names, [0.25, 0.0625, 4.0]), own);
        assert_eq!(scaled(counted, [0.25, 0.0625, 4.0]), own);
        assert_eq!(scaled(names, [0.229, 0.224, 0.225]), Some(Scaling::imagenet()));
        assert_eq!(scaled(names, [0.0, 0.224, 0.225]), None);
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
