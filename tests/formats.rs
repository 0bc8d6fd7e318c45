//! Files of every kind that holds weights, from outside: they open, are compressed, and come back.
#![cfg(not(target_arch = "wasm32"))]

#[allow(dead_code)]
mod onnx_files;
mod weight_files;

use nutshell::container::{Packed, packed};
use nutshell::formats::export::export;
use nutshell::formats::{self, onnx, open, reader_of};
use nutshell::model::network::View;
use nutshell::model::presets::{VGG_WIDTHS, Vgg};
use nutshell::model::recognise::recognise;
use nutshell::model::{Dtype, Model, Network, Source, Tensor, presets};
use nutshell::pipeline::{Criterion, Evidence, Outcome, Quiet, Recipe, Target, compress};
use onnx_files::{File, ints, tensor as tensor_of, tensor_info};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use rten::Value;
use rten_onnx::onnx::{AttributeProto, AttributeType, DataType, Dimension, GraphProto, TensorProto};
use std::cell::RefCell;
use weight_files::{legacy, npy, pickle_of, safetensors, samples, state_dict, torch_zip};

/// Compresses by the weights alone.
fn by_weights(network: &nutshell::Network, target: Target) -> Result<Outcome, nutshell::Error> {
    compress(network, Evidence::Weights, &Recipe::of_weights(target), None, &mut Quiet)
}

const CAP: u64 = 1 << 24;

fn loaded(bytes: &[u8]) -> Network {
    formats::read(bytes, CAP).unwrap().network
}

fn names(weights: &Network) -> Vec<(&str, Dtype, &[usize])> {
    weights.tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.dtype, tensor.shape.as_slice())).collect()
}

#[test]
fn every_format_is_told_by_its_bytes_and_opens() {
    let expected =
        [Source::Safetensors, Source::Npz, Source::Npy, Source::Torch, Source::Torch, Source::Tflite, Source::Onnx];
    for (bytes, source) in samples().iter().zip(expected) {
        assert_eq!(reader_of(bytes).map(|reader| reader.name), Some(source.name()));
        let weights = open(bytes, CAP).unwrap().network;
        assert!(weights.model.is_none() && weights.skeleton(source).is_some());
        assert!(!weights.tensors.is_empty());
        assert!(
            weights
                .tensors
                .iter()
                .all(|tensor| tensor.bytes.len() == tensor.shape.iter().product::<usize>() * tensor.dtype.size())
        );
    }
}

#[test]
fn safetensors_keep_types_order_and_metadata() {
    let header = r#"{"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},
        "a":{"dtype":"I64","shape":[],"data_offsets":[4,12]},"empty":{"dtype":"F32","shape":[0,3],"data_offsets":[12,12]}}"#;
    let file = safetensors(header, &[0x80, 0x3f, 0, 0xc0, 7, 0, 0, 0, 0, 0, 0, 0]);
    let weights = loaded(&file);
    let expected: [(&str, Dtype, &[usize]); 3] =
        [("b", Dtype::Bf16, &[2]), ("a", Dtype::I64, &[]), ("empty", Dtype::F32, &[0, 3])];
    assert_eq!(names(&weights), expected);
    assert_eq!((weights.tensors[0].values(), weights.tensors[1].values()), (vec![1.0, -2.0], vec![7.0]));
    let again = export(&loaded(&file), "safetensors").unwrap();
    assert_eq!(loaded(&again), weights);
    assert!(String::from_utf8_lossy(&again).contains(r#""__metadata__":{"format":"pt"}"#));
}

#[test]
fn numpy_arrays_of_other_orders_are_turned() {
    // Columns first: [[1, 2, 3], [4, 5, 6]].
    let weights = loaded(&npy("|i1", true, "(2, 3)", &[1, 4, 2, 5, 3, 6]));
    assert_eq!(weights.tensors[0].values(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let weights = loaded(&npy(">i2", false, "(2, 3)", &[0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 1, 0]));
    assert_eq!(weights.tensors[0].values(), [1.0, 2.0, 3.0, 4.0, 5.0, 256.0]);
}

#[test]
fn torch_files_show_views_of_shared_storages() {
    // Six floats; a transposed view of them, one of the last two, and a parameter.
    let floats: Vec<u8> = (0..6).flat_map(|value| (value as f32).to_le_bytes()).collect();
    let dictionary = state_dict(&[
        ("t", "FloatStorage", "0", 6, 0, &[3, 2], &[1, 3]),
        ("tail", "FloatStorage", "0", 6, 4, &[2], &[1]),
        ("row", "FloatStorage", "0", 6, 1, &[2, 2], &[0, 1]),
        ("scalar", "FloatStorage", "0", 6, 5, &[], &[]),
    ]);
    for file in [torch_zip(&pickle_of(&dictionary), &[("0", &floats)]), legacy(&dictionary, &[("0", 6, &floats)])] {
        let weights = loaded(&file);
        let values: Vec<_> = weights.tensors.iter().map(Tensor::values).collect();
        assert_eq!(values, [vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0], vec![4.0, 5.0], vec![1.0, 2.0, 1.0, 2.0], vec![5.0]]);
        assert_eq!(weights.tensors[0].shape, [3, 2]);
    }
}

#[test]
fn torch_files_are_unwrapped() {
    let inner = state_dict(&[("a.weight", "HalfStorage", "0", 2, 0, &[2], &[1])]);
    // {'epoch': 3, 'state_dict': inner}
    let wrapped = [&b"}(X\x05\0\0\0epochK\x03X\x0a\0\0\0state_dict"[..], &inner, b"u"].concat();
    let weights = loaded(&torch_zip(&pickle_of(&wrapped), &[("0", &[0, 0x3c, 0, 0xc0])]));
    assert_eq!(names(&weights), [("a.weight", Dtype::F16, &[2][..])]);
    assert_eq!(weights.tensors[0].values(), [1.0, -2.0]);
    // {'encoder': inner}
    let nested = [&b"}X\x07\0\0\0encoder"[..], &inner, b"s"].concat();
    let weights = loaded(&torch_zip(&pickle_of(&nested), &[("0", &[0, 0x3c, 0, 0xc0])]));
    assert_eq!(names(&weights), [("encoder.a.weight", Dtype::F16, &[2][..])]);
}

#[test]
fn tflite_integers_become_what_they_mean() {
    let weights = loaded(&samples()[5]);
    let tensors: Vec<_> = weights.tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.dequantized)).collect();
    assert_eq!(tensors, [("kernel", true), ("bias", false), ("whole", true)]);
    // Two channels along axis 0, with scales of 0.5 and 2, and zero points 0 and 1.
    assert_eq!(weights.tensors[0].values(), [0.5, -0.5, 1.5, 0.0, -6.0, 252.0]);
    assert_eq!(weights.tensors[1].values(), [1.25]);
    assert_eq!(weights.tensors[2].values(), [0.0, 63.5]);
}

/// LeNet-300-100 in other widths, drawn.
fn lenet() -> Model {
    let mut model = presets::lenet300([40, 20, 10]);
    presets::initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(4));
    model
}

fn weights_of(model: &Model) -> Network {
    loaded(&onnx::write(model).unwrap())
}

#[test]
fn known_networks_are_recognised_and_run_again() {
    let model = lenet();
    let loaded = weights_of(&model);
    for kind in ["safetensors", "npz"] {
        let file = export(&loaded, kind).unwrap();
        assert_eq!(open(&file, CAP).unwrap().into_model(), Ok(model.clone()));
    }
    // By its graph, whatever its names.
    let mut renamed = model.clone();
    renamed.parameters.iter_mut().for_each(|parameter| parameter.name += "_");
    let outcome = by_weights(&weights_of(&renamed), Target::Lossless).unwrap();
    assert_eq!(open(&outcome.nut, CAP).unwrap().into_model(), Ok(renamed));
    let error = open(&samples()[1], CAP).unwrap().into_model().unwrap_err().to_string();
    assert!(
        error.starts_with("npz file, graph: running it (there are weights, and no graph) is not supported"),
        "{error}"
    );
}

#[test]
fn nothing_changes_where_nothing_may() {
    for bytes in samples() {
        let weights = loaded(&bytes);
        let outcome = by_weights(&weights, Target::Lossless).unwrap();
        assert_eq!((outcome.report.criterion, outcome.report.snr), (Criterion::None, None));
        let again = open(&outcome.nut, CAP).unwrap().network;
        assert_eq!((&again.tensors, &again.origin), (&weights.tensors, &weights.origin));
        // And in the formats of others, name by name; numpy has no bfloat16.
        for kind in ["safetensors", "npz"] {
            for tensor in &loaded(&export(&again, kind).unwrap()).tensors {
                let original = weights.tensors.iter().find(|original| original.name == tensor.name).unwrap();
                if (original.dtype, kind) == (Dtype::Bf16, "npz") {
                    assert_eq!((tensor.dtype, tensor.values()), (Dtype::F32, original.values()));
                } else {
                    let original = (original.dtype, &original.shape, &original.bytes);
                    assert_eq!((tensor.dtype, &tensor.shape, &tensor.bytes), original);
                }
            }
        }
        if weights.skeleton(Source::Onnx).is_some() {
            assert_eq!(loaded(&export(&again, "onnx").unwrap()), weights);
        } else {
            let error = export(&again, "onnx").unwrap_err().to_string();
            let reason = match weights.origin.as_ref().unwrap().source {
                Source::Tflite => "graph: no output is not supported",
                _ => "since the file has weights and no graph, is not supported",
            };
            assert!(error.contains(reason), "{error}");
        }
    }
}

/// A layer in each floating-point type, a bias, integers, and a layer with a number that is not one.
fn mixed() -> Network {
    let mut rng = Pcg64Mcg::seed_from_u64(6);
    let mut normal = || (0..6).map(|_| rng.random::<f32>()).sum::<f32>() - 3.0;
    let mut tensors: Vec<Tensor> = [Dtype::F64, Dtype::F32, Dtype::F16, Dtype::Bf16]
        .map(|dtype| {
            let values: Vec<f32> = (0..1200).map(|_| 0.1 * normal()).collect();
            let (name, shape) = (dtype.name().to_owned(), vec![40, 30]);
            Tensor::new(name, shape, dtype, dtype.of_floats(&values).unwrap())
        })
        .to_vec();
    let plain = |name: &str, shape: &[usize], dtype: Dtype, bytes: Vec<u8>| {
        Tensor::new(name.into(), shape.to_vec(), dtype, bytes)
    };
    let mut broken = tensors[1].bytes.clone();
    broken[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    tensors.push(plain("bias", &[600], Dtype::F32, tensors[1].bytes[..2400].to_vec()));
    tensors.push(plain("ids", &[30, 20], Dtype::I16, tensors[1].bytes[..1200].to_vec()));
    tensors.push(plain("nan", &[40, 30], Dtype::F32, broken));
    tensors.push(plain("empty", &[0, 5], Dtype::F32, Vec::new()));
    let file = loaded(&samples()[0]);
    Network { tensors, ..file }
}

#[test]
fn noise_is_what_was_asked_for_and_spares_what_must_not_change() {
    let weights = mixed();
    let mut last = usize::MAX;
    for snr in [60.0, 30.0, 10.0] {
        let outcome = by_weights(&weights, Target::Snr(snr)).unwrap();
        let report = &outcome.report;
        assert_eq!(report.criterion, Criterion::Snr);
        let got = report.snr.unwrap();
        // bfloat16 has 8 bits: what it rounds off comes on top.
        assert!(if snr > 40.0 { got > 44.0 } else { got > snr - 0.05 && got < snr + 0.5 }, "{snr}: {got}");
        assert_eq!(report.file_bytes, outcome.nut.len());
        assert!(outcome.nut.len() < last, "{snr}");
        last = outcome.nut.len();
        let spent: f64 = report.tensors.iter().map(|tensor| tensor.bytes).sum();
        let sections: usize = report.sections.iter().map(|(_, bytes)| bytes).sum();
        assert!((outcome.nut.len() as f64 - spent - sections as f64 - 8.0).abs() < 3.0);
        let decoded = loaded(&outcome.nut);
        for (was, is) in weights.tensors.iter().zip(&decoded.tensors) {
            let layer = matches!(was.name.as_str(), "float64" | "float32" | "float16" | "bfloat16");
            assert_eq!(was.bytes == is.bytes, !layer, "{}", was.name);
            assert_eq!((&was.name, &was.shape, was.dtype), (&is.name, &is.shape, is.dtype));
        }
    }
}

#[test]
fn budgets_are_kept_or_refused() {
    let weights = mixed();
    for budget in [12_000, 16_000] {
        let outcome = by_weights(&weights, Target::Budget(budget)).unwrap();
        assert!(outcome.nut.len() <= budget && outcome.nut.len() > budget * 97 / 100, "{}", outcome.nut.len());
    }
    let error = by_weights(&weights, Target::Budget(900)).unwrap_err().to_string();
    assert!(error.starts_with("the target was not reached: bytes of the file: wanted at most 900"), "{error}");
    assert!(by_weights(&weights, Target::Snr(-1.0)).is_err());
    assert!(by_weights(&weights, Target::Snr(f64::NAN)).is_err());
}

#[test]
fn onnx_files_keep_sharing_or_steps_on_disk() {
    let model = lenet();
    let outcome = by_weights(&weights_of(&model), Target::Snr(12.0)).unwrap();
    let loaded = loaded(&outcome.nut);
    let plain = export(&loaded, "onnx").unwrap();
    let wanted = rten::Model::load(plain.clone()).unwrap();
    let input: Vec<f32> = (0..784).map(|index| (index % 7) as f32 / 7.0).collect();
    let answer = |model: &rten::Model| -> Vec<f32> {
        let input = Value::from_shape(vec![1, 1, 28, 28], input.clone()).unwrap();
        match model.run_one(input.into(), None).unwrap() {
            Value::FloatTensor(output) => output.into_data(),
            other => panic!("not floats: {:?}", other.dtype()),
        }
    };
    for kind in ["onnx-shared", "onnx-scaled"] {
        let file = export(&loaded, kind).unwrap();
        assert!(file.len() * 3 < plain.len(), "{kind}: {} of {}", file.len(), plain.len());
        assert_eq!(answer(&rten::Model::load(file).unwrap()), answer(&wanted), "{kind}");
    }
}

fn graph(name: &str, value: GraphProto) -> AttributeProto {
    AttributeProto {
        name: Some(name.into()),
        g: Some(value),
        r#type: Some(AttributeType::GRAPH),
        ..AttributeProto::default()
    }
}

/// A network of two branches, one with its weights as initializers of its graph, the other with theirs in Constant nodes.
fn branches(condition: bool) -> Vec<u8> {
    let condition = TensorProto {
        name: Some("condition".into()),
        data_type: Some(DataType::BOOL),
        raw_data: Some(RefCell::new(vec![u8::from(condition)])),
        ..TensorProto::default()
    };
    let any = |name: &str| Dimension { dim_param: Some(name.into()), ..Dimension::default() };
    let branch = |name: &str, constant: bool| {
        let (own, output) = (|part: &str| format!("{name}.{part}"), vec![any("N"), any("classes")]);
        let mut file = File::new(&[64]).random(&own("weight"), &[64, 64]).random(&own("bias"), &[64]);
        if constant {
            for tensor in std::mem::take(&mut file.graph.initializer) {
                let name = tensor.name.clone().unwrap();
                file = file.node("Constant", &[], &name, vec![tensor_of("value", tensor)]);
            }
        }
        let file = file.node("MatMul", &["x", &own("weight")], &own("product"), vec![]);
        let mut graph = file.node("Add", &[&own("product"), &own("bias")], &own("sum"), vec![]).graph;
        graph.input.clear();
        graph.output.push(tensor_info(&own("sum"), output));
        graph
    };
    let branches = vec![graph("then_branch", branch("yes", false)), graph("else_branch", branch("no", true))];
    let mut file = File::new(&[64]);
    file.graph.initializer.push(condition);
    file.node("If", &["condition"], "y", branches).bytes()
}

#[test]
fn weights_in_subgraphs_stay_small_on_disk_too() {
    let input: Vec<f32> = (0..64).map(|index| (index % 7) as f32 / 7.0).collect();
    let answer = |file: Vec<u8>| -> Vec<f32> {
        let input = Value::from_shape(vec![1, 64], input.clone()).unwrap();
        match rten::Model::load(file).unwrap().run_one(input.into(), None).unwrap() {
            Value::FloatTensor(output) => output.into_data(),
            other => panic!("not floats: {:?}", other.dtype()),
        }
    };
    for condition in [true, false] {
        let original = branches(condition);
        let weights = loaded(&original);
        assert_eq!(weights.count(), 2 * (64 * 64 + 64) + 1);
        let outcome = by_weights(&weights, Target::Snr(20.0)).unwrap();
        let loaded = loaded(&outcome.nut);
        let plain = export(&loaded, "onnx").unwrap();
        assert_eq!(plain.len(), original.len());
        let wanted = answer(plain.clone());
        for kind in ["onnx-shared", "onnx-scaled"] {
            let file = export(&loaded, kind).unwrap();
            assert!(file.len() * 3 < plain.len(), "{kind}: {} of {}", file.len(), plain.len());
            assert_eq!(answer(file), wanted, "{kind}");
        }
    }
}

/// Layers with a batch normalisation behind each, as PyTorch names them or as Keras does; the gains of the rows are far apart.
fn normalized(keras: bool) -> Vec<Tensor> {
    let mut rng = Pcg64Mcg::seed_from_u64(7);
    let mut tensors = Vec::new();
    let mut add = |name: String, shape: &[usize], draw: &mut dyn FnMut(f32) -> f32| {
        let values = (0..shape.iter().product()).map(|_: usize| draw(rng.random()));
        let bytes = values.flat_map(f32::to_le_bytes).collect();
        tensors.push(Tensor::new(name, shape.to_vec(), Dtype::F32, bytes));
    };
    let around = |value: f32| value - 0.5;
    for (layer, torch, shape) in [(1, [24, 3, 3, 3], [3, 3, 3, 24]), (2, [16, 24, 2, 2], [2, 2, 24, 16])] {
        let outputs = torch[0];
        let (own, norm) = if keras {
            (format!("conv{layer}/"), format!("bn_conv{layer}/"))
        } else {
            (format!("conv{layer}."), format!("bn{layer}."))
        };
        let own = own + if keras { "kernel:0" } else { "weight" };
        add(own, if keras { &shape } else { &torch }, &mut |value| around(value));
        let parts = match keras {
            true => ["gamma:0", "beta:0", "moving_mean:0", "moving_variance:0"],
            false => ["weight", "bias", "running_mean", "running_var"],
        };
        add(format!("{norm}{}", parts[0]), &[outputs], &mut |value| (8.0 * around(value)).exp2());
        add(format!("{norm}{}", parts[1]), &[outputs], &mut |value| around(value));
        add(format!("{norm}{}", parts[2]), &[outputs], &mut |value| around(value));
        add(format!("{norm}{}", parts[3]), &[outputs], &mut |value| (4.0 * around(value)).exp2());
    }
    tensors
}

/// What a normalisation makes of a weight is as near as is asked for, and rows whose gain is small are coarse.
#[test]
fn rows_have_steps_as_the_normalisation_behind_them_asks() {
    for keras in [false, true] {
        let tensors = normalized(keras);
        let source = if keras { Source::Hdf5 } else { Source::Torch };
        let network = Network::new(tensors.clone(), nutshell::model::Origin { source, skeleton: Vec::new() });
        let outcome = by_weights(&network, Target::Snr(25.0)).unwrap();
        let decoded = loaded(&outcome.nut).tensors;
        for (layer, (first, axis)) in [0, 5].into_iter().zip([if keras { 3 } else { 0 }; 2]).enumerate() {
            let folded = |tensors: &[Tensor]| -> Vec<f32> {
                let [weight, gain, _, _, variance] = [0, 1, 2, 3, 4].map(|part| tensors[first + part].values());
                let shape = &tensors[first].shape;
                let inner: usize = shape[axis + 1..].iter().product();
                let of_row = |index: usize| index / inner % shape[axis];
                let scale = |row: usize| gain[row] / variance[row].sqrt();
                weight.iter().enumerate().map(|(index, weight)| weight * scale(of_row(index))).collect()
            };
            let added = |tensors: &[Tensor]| -> Vec<f32> {
                let [gain, offset, mean, variance] = [1, 2, 3, 4].map(|part| tensors[first + part].values());
                (0..gain.len()).map(|row| offset[row] - gain[row] * mean[row] / variance[row].sqrt()).collect()
            };
            let gains = tensors[first + 1].values();
            let deviation = (gains.iter().map(|gain| gain * gain).sum::<f32>() / gains.len() as f32).sqrt();
            for (was, is) in added(&tensors).iter().zip(added(&decoded)) {
                assert!((was - is).abs() < 0.01 * deviation, "{was} {is} {deviation}");
            }
            let (was, is) = (folded(&tensors), folded(&decoded));
            let noise: f32 = was.iter().zip(&is).map(|(was, is)| (was - is).powi(2)).sum();
            let decibels = 10.0 * (was.iter().map(|was| was * was).sum::<f32>() / noise).log10();
            assert!((23.0..28.0).contains(&decibels), "layer {layer}: {decibels}");
            let steps = decoded[first].steps.as_ref().unwrap();
            assert_eq!(steps.rows.as_ref().map(|rows| rows.axis), Some(axis));
            // What is reported weighs the rows by their steps.
            let weighed = |tensors: &[Tensor]| -> Vec<f32> {
                let own = tensors[first].values().into_iter();
                own.zip(steps.of_elements(&tensors[first].shape)).map(|(value, step)| value / step).collect()
            };
            let (was, is) = (weighed(&tensors), weighed(&decoded));
            let noise: f32 = was.iter().zip(&is).map(|(was, is)| (was - is).powi(2)).sum();
            let decibels = 10.0 * (was.iter().map(|was| was * was).sum::<f32>() / noise).log10();
            let reported = outcome.report.tensors[first].snr.unwrap();
            assert!((f64::from(decibels) - reported).abs() < 0.01, "{decibels} {reported}");
            // A few bits of each factor: what they change is made up for in the weight and in what is added.
            for part in [1, 4] {
                let pairs = tensors[first + part].values().into_iter().zip(decoded[first + part].values());
                assert!(pairs.into_iter().all(|(was, is)| (was - is).abs() <= 0.13 * was.abs()));
            }
        }
        let plain = by_weights(
            &Network::new(tensors.into_iter().step_by(5).collect(), network.origin.clone().unwrap()),
            Target::Snr(25.0),
        );
        assert!(plain.unwrap().report.tensors.iter().all(|tensor| tensor.step.is_some()));
        let all = by_weights(&network, Target::Lossless).unwrap();
        assert_eq!(loaded(&all.nut).tensors, network.tensors);
    }
}

/// A small ONNX file has a scale a row, by DequantizeLinear or by a product, and answers as the plain one does.
#[test]
fn onnx_files_keep_the_steps_of_rows_on_disk() {
    for opset in [9, 13] {
        let file = File::new(&[3, 8, 8]).opset(opset).random("conv1.weight", &[24, 3, 3, 3]);
        let file = file.positive("bn1.weight", &[24]).random("bn1.bias", &[24]);
        let file = file.random("bn1.running_mean", &[24]).positive("bn1.running_var", &[24]);
        let norm = ["c", "bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var"];
        let file = file.node(
            "Conv",
            &["x", "conv1.weight"],
            "c",
            vec![ints("strides", &[1, 1]), ints("pads", &[0; 4]), ints("dilations", &[1, 1])],
        );
        let file = file.node("BatchNormalization", &norm, "n", vec![]).node("Flatten", &["n"], "y", vec![]);
        let network = loaded(&by_weights(&loaded(&file.bytes()), Target::Snr(25.0)).unwrap().nut);
        assert!(network.tensors[0].steps.as_ref().unwrap().rows.is_some());
        let input: Vec<f32> = (0..192).map(|index| (index % 7) as f32 / 7.0).collect();
        let answer = |file: Vec<u8>| -> Vec<f32> {
            let input = Value::from_shape(vec![1, 3, 8, 8], input.clone()).unwrap();
            match rten::Model::load(file).unwrap().run_one(input.into(), None).unwrap() {
                Value::FloatTensor(output) => output.into_data(),
                other => panic!("not floats: {:?}", other.dtype()),
            }
        };
        let plain = export(&network, "onnx").unwrap();
        let small = export(&network, "onnx-scaled").unwrap();
        assert!(small.len() + 1_000 < plain.len(), "{} {}", small.len(), plain.len());
        assert_eq!(answer(small), answer(plain));
    }
}

/// What is decoded has the same numbers when it is written and read again.
#[test]
fn packed_files_come_back() {
    let mut weights = mixed();
    weights.tensors.extend(normalized(false));
    let outcome = by_weights(&weights, Target::Snr(25.0)).unwrap();
    let mut read: Packed = packed::read(&outcome.nut, CAP).unwrap();
    let mut told = Vec::new();
    assert_eq!(packed::read_telling(&outcome.nut, CAP, &mut |done| told.push(done)).as_ref(), Ok(&read));
    assert!(told.len() == read.tensors.len() && told.is_sorted() && told.last() == Some(&1.0), "{told:?}");
    assert_eq!(packed::write(&mut read).bytes, outcome.nut);
}

/// Decodes a file with the reader that was written from the specification alone.
#[test]
fn a_reader_written_from_the_specification_agrees() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/decode_nut.py");
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        eprintln!("skipped: there is no python3 to run {script} with");
        return;
    }
    let compress = |weights: &Network, target| by_weights(weights, target).unwrap().nut;
    let mut weights = mixed();
    // Kernels of one and of two dimensions, and enough elements for a second block.
    let mut kernels = [vec![20, 20, 3], vec![5, 5, 4, 12]].map(|shape| Tensor {
        name: format!("{shape:?}"),
        bytes: weights.tensors[1].bytes.iter().copied().cycle().skip(4 * shape[0]).take(4800).collect(),
        shape,
        ..weights.tensors[1].clone()
    });
    kernels.reverse();
    weights.tensors.extend(kernels);
    let zeros = Tensor {
        name: "zeros".into(),
        shape: vec![1 << 10, 1 << 10],
        bytes: vec![0; 1 << 21],
        ..weights.tensors[2].clone()
    };
    weights.tensors.insert(3, zeros);
    weights.tensors.extend(normalized(false));
    // A copy, and what shares elements with another one.
    weights.tensors.push(Tensor { name: "copy".into(), shape: vec![1200], ..weights.tensors[1].clone() });
    let elements = weights.tensors[0].bytes.as_chunks::<8>().0;
    let turned = (0..60).flat_map(|at| elements[2 + at / 20 + at % 20 * 60]).collect();
    let turned = Tensor::new("turned".into(), vec![3, 20], Dtype::F64, turned);
    let view = Some(View { of: 0, offset: 2, strides: vec![1, 60] });
    weights.tensors.push(Tensor { view, ..turned });
    let mut files: Vec<Vec<u8>> = vec![compress(&weights, Target::Snr(20.0))];
    files.extend(samples().iter().map(|bytes| compress(&loaded(bytes), Target::Lossless)));
    for (index, bytes) in files.iter().enumerate() {
        let directory = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("packed{index}"));
        std::fs::create_dir_all(&directory).unwrap();
        let file = directory.join("file.nut");
        std::fs::write(&file, bytes).unwrap();
        let output = std::process::Command::new("python3").arg(script).args([&file, &directory]).output().unwrap();
        assert!(output.status.success(), "{index}: {}", String::from_utf8_lossy(&output.stderr));
        for (place, tensor) in loaded(bytes).tensors.iter().enumerate() {
            let got = std::fs::read(directory.join(format!("{place}.raw"))).unwrap();
            assert!(got == tensor.bytes, "file {index}, {}", tensor.name);
        }
    }
}

#[test]
fn a_vgg_is_recognised_by_its_weights() {
    let blocks = VGG_WIDTHS[..6].chunks(2).map(<[usize]>::to_vec).collect();
    let vgg = Vgg { input_shape: [3, 32, 32], blocks, linears: vec![VGG_WIDTHS[6], 10] };
    let model = vgg.build().unwrap();
    assert_eq!(model.parameter_count(), 287_008 + (128 * 16 + 1) * 256 + 2570);
    let file = onnx::write(&model).unwrap();
    let weights = onnx::weights(&file, 1 << 23).unwrap();
    let recognised = recognise(&weights).unwrap();
    assert_eq!(recognised.shapes(), model.shapes());
    assert_eq!(recognised.parameters, model.parameters);
}

#[test]
fn tensors_whose_graph_breaks_a_rule_are_compressed_and_open_again() {
    // The product asks for 5 rows, and the weight has 4.
    let file = File::new(&[5]).random("w", &[4, 30]).node("MatMul", &["x", "w"], "y", vec![]).bytes();
    assert!(open(&file, CAP).unwrap().network.obstacle.is_some());
    let nut = by_weights(&loaded(&file), Target::Lossless).unwrap().nut;
    let network = open(&nut, CAP).unwrap().network;
    assert!(network.model.is_none() && network.obstacle.is_some());
    assert_eq!(export(&network, "onnx").unwrap(), file);
}
