//! Files of weights: PyTorch, safetensors, npz, shards, and formats that are not read. The archives in `files/` are those of the cases, which
//! PyTorch 1.12, numpy and safetensors wrote; what is expected was computed with numpy from the same numbers.

use crate::place::Place;
use flate2::read::GzDecoder;
use nutshell::formats::{export::export, open, read};
use nutshell::model::{Dtype, Network, Tensor};
use nutshell::pipeline::{Evidence, Quiet, Recipe, Target, compress};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;

const CAP: u64 = 1 << 26;

/// The files of an archive of `files/`, by their names.
fn unpacked(archive: &str) -> BTreeMap<String, Vec<u8>> {
    let path = format!("{}/tests/cases/files/{archive}", env!("CARGO_MANIFEST_DIR"));
    let mut tar = Vec::new();
    GzDecoder::new(fs::File::open(&path).expect(&path)).read_to_end(&mut tar).unwrap();
    let (mut files, mut rest) = (BTreeMap::new(), tar.as_slice());
    // Blocks of 512 bytes: a header with the name and the size in octal digits, then the bytes.
    while let Some((header, after)) = rest.split_at_checked(512).filter(|(header, _)| header[0] != 0) {
        let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_matches(['\0', ' ']).to_owned();
        let size = usize::from_str_radix(&words(&header[124..136]), 8).unwrap();
        let name = words(&header[..100]).trim_start_matches("./").to_owned();
        if !name.is_empty() && !name.ends_with('/') {
            files.insert(name, after[..size].to_vec());
        }
        rest = &after[size.div_ceil(512) * 512..];
    }
    files
}

/// A file of `files/torch_2`, in the forms of PyTorch 2; its `make.py` says how it was made.
fn torch_2(name: &str) -> Vec<u8> {
    fs::read(format!("{}/tests/cases/files/torch_2/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The numbers that `make.py` writes.
fn values(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|place| ((place + seed) % 23) as f32 / 8.0 - 1.0).collect()
}

fn network(name: &str, bytes: &[u8]) -> Network {
    open(bytes, CAP).unwrap_or_else(|error| panic!("{name}: {error}")).network
}

fn tensor<'a>(network: &'a Network, name: &str) -> &'a Tensor {
    let found = network.tensors.iter().find(|tensor| tensor.name == name);
    found.unwrap_or_else(|| panic!("{name} is not among {:?}", names(network)))
}

fn names(network: &Network) -> Vec<&str> {
    network.tensors.iter().map(|tensor| tensor.name.as_str()).collect()
}

fn sum(tensor: &Tensor) -> f64 {
    tensor.values().iter().copied().map(f64::from).sum()
}

/// That the tensors of a network are those of an npz file, by name, shape and value; whatever is beside them.
fn assert_has(network: &Network, expected: &Network) {
    for wanted in &expected.tensors {
        let got = tensor(network, &wanted.name);
        assert_eq!((&got.shape, got.values()), (&wanted.shape, wanted.values()), "{}", wanted.name);
    }
}

#[test]
fn a_checkpoint_opens_whatever_lies_beside_the_weights() {
    let files = unpacked("10_torch_training_checkpoint/one.tar.gz");
    assert_eq!(files.len(), 46);
    for (name, bytes) in &files {
        let network = network(name, bytes);
        let (weight, bias) = (tensor(&network, "fc.weight"), tensor(&network, "fc.bias"));
        assert_eq!((&weight.shape[..], &bias.shape[..]), (&[40, 30][..], &[40][..]), "{name}");
        assert!((sum(weight) - 41.695_814_826_030_98).abs() < 1e-9, "{name}");
        assert!((sum(bias) - 11.076_079_322_025_18).abs() < 1e-9, "{name}");
        // What lies beside the state dictionary is said, with its tensors.
        if !name.contains("sd_") {
            assert_eq!(names(&network), ["fc.weight", "fc.bias"], "{name}");
            assert!(network.notes[0].contains("under 'state_dict'") && network.notes[0].contains("extra"), "{name}");
        }
    }
    let one = |name: &str| network(name, &files[&format!("{name}.pth")]);
    let said = |name: &str, words: &str| assert!(one(name).notes.concat().contains(words), "{:?}", one(name).notes);
    said("generator_state", "extra (1 tensor)");
    said("parameter_list", "extra (1 tensor)");
    said("namespace", "without tensors: extra");
    said("sd_sparse", "left out: extra (torch._utils._rebuild_sparse_tensor)");
    said("sd_meta", "left out: meta (torch._utils._rebuild_meta_tensor_no_storage)");
    said("sd_complex", "complex numbers, kept as pairs: c");
    assert_eq!(tensor(&one("sd_complex"), "c").values(), [1.0, 0.0, 1.0, 0.0]);
    assert_eq!(tensor(&one("sd_empty"), "z").shape, [0]);
    assert_eq!(tensor(&one("sd_int_key"), "0").values(), [1.0; 3]);
    assert_eq!(tensor(&one("sd_tuple_key"), "a.1").values(), [1.0; 3]);
    let per_tensor = [-3, 11, 9, -5, 9, -12, 8, -9, 0, -17, 13, 7, 8, -8, 2, -1].map(|q| 0.1f32 * (q - 3) as f32);
    let per_channel = [2, 6, 15, -7, 20, -1, -5, 0, 7, -6, -7, 1, 10, -13, -13, 0].map(|q| 0.1f32 * q as f32);
    for (name, expected) in [("sd_quantized", per_tensor), ("sd_quantized_channel", per_channel)] {
        let network = one(name);
        let found = tensor(&network, "q");
        assert_eq!((found.dtype, found.dequantized, &found.shape[..]), (Dtype::F32, true, &[4, 4][..]));
        assert_eq!(found.values(), expected);
    }
}

#[test]
fn the_weights_are_chosen_among_averages_and_optimizers_and_the_rest_is_said() {
    let files = unpacked("10_torch_training_checkpoint/others.tar.gz");
    // (file, what each tensor is filled with, what is said)
    let kinds = ["module.fc.weight", "module.fc.bias"];
    for (name, said) in [
        (
            "w_timm.pth",
            &["'state_dict'", "state_dict_ema (2 tensors)", "optimizer (2 tensors)", "rng (1 tensor)", "epoch"][..],
        ),
        ("w_order.pth", &["'model'", "ema (2 tensors)", "optimizer (2 tensors)"]),
        (
            "w_tutorial.pth",
            &["'model_state_dict'", "ema_state_dict (2 tensors)", "optimizer_state_dict (2 tensors)", "loss"],
        ),
        ("w_net.pth", &["'net'", "without tensors: acc, epoch"]),
        ("w_esrgan.pth", &["'params'", "params_ema (2 tensors)"]),
    ] {
        let network = network(name, &files[name]);
        assert_eq!(names(&network), kinds, "{name}");
        assert!(network.tensors.iter().all(|tensor| tensor.values().iter().all(|&value| value == 1.0)), "{name}");
        let notes = network.notes.concat();
        assert!(said.iter().all(|said| notes.contains(said)), "{name}: {notes}");
    }
    for (name, filled) in [
        ("w_gan.pth", &[("generator.module.fc.weight", 1.0), ("discriminator.module.fc.bias", 2.0)][..]),
        ("w_deep.pth", &[("encoder.net.module.fc.weight", 1.0), ("decoder.net.head.module.fc.weight", 2.0)]),
        ("w_layers.pth", &[("fc.weight", 1.0), ("conv.weight", 1.0)]),
    ] {
        let network = network(name, &files[name]);
        for (tensor_name, value) in filled {
            assert!(tensor(&network, tensor_name).values().iter().all(|got| got == value), "{name}: {tensor_name}");
        }
    }
    // An average is what is read only where there is nothing else.
    let average = network("average_alone.pth", &torch_2("average_alone.pth"));
    assert_eq!((names(&average), average.tensors[0].values()), (vec!["fc.weight"], values(24, 1)));
    assert!(average.notes[0].contains("under 'ema'; left out: optimizer (2 tensors)"), "{:?}", average.notes);
    let both = network("average_beside.pth", &torch_2("average_beside.pth"));
    assert_eq!(names(&both), ["unet.fc.weight", "ema.fc.weight"]);
    assert_eq!(both.notes, ["left out: opt (an optimizer's 2 tensors)"]);
    let alone = network("tensor.pt", &files["tensor.pt"]);
    assert_eq!((names(&alone), &alone.tensors[0].shape[..]), (vec!["tensor"], &[40, 30][..]));
    assert!((sum(&alone.tensors[0]) + 50.642_982_935_503_824).abs() < 1e-9);
    let half = network("half_legacy.pth", &files["half_legacy.pth"]);
    for (name, expected) in [("module.4.weight", -24.370_365_023_612_976), ("module.6.bias", 0.342_864_990_234_375)] {
        assert_eq!(tensor(&half, name).dtype, Dtype::F16);
        assert!((sum(tensor(&half, name)) - expected).abs() < 1e-9, "{name}");
    }
}

#[test]
fn whole_modules_open_as_their_state_dictionaries() {
    let files = unpacked("11_torch_whole_module/files.tar.gz");
    let expected = network("whole.npz", &files["whole.npz"]);
    for name in ["whole.pt", "whole_legacy.pt"] {
        let found = network(name, &files[name]);
        assert_eq!(names(&found), names(&expected), "{name}");
        assert_has(&found, &expected);
    }
    let half = network("ultra.pt", &files["ultra.pt"]);
    assert_eq!(names(&half), names(&expected));
    assert!(half.tensors.iter().all(|tensor| matches!(tensor.dtype, Dtype::F16 | Dtype::I64)));
    assert!(half.notes[0].contains("under 'model'") && half.notes[0].contains("train_args"), "{:?}", half.notes);
    let views = network("views.pt", &files["views.pt"]);
    assert_has(&views, &network("views.npz", &files["views.npz"]));
    assert!(views.notes[0].ends_with("since some are shown more than once: expanded"), "{:?}", views.notes);
    assert_has(&network("safetensors", &export(&views, "safetensors").unwrap()), &views);
    // As PyTorch 2 has them: plain dictionaries, a module under two names, a buffer that is not saved, a cycle.
    let whole = network("whole.pt", &torch_2("whole.pt"));
    assert_eq!(names(&whole), ["scale", "mean", "first.weight", "second.weight"]);
    assert_eq!(tensor(&whole, "second.weight").values(), values(24, 1));
    assert_eq!(tensor(&whole, "mean").values(), values(2, 5));
}

#[test]
fn torchscript_and_quantised_dictionaries_give_their_numbers() {
    let files = unpacked("12_torchscript/files.tar.gz");
    let expected = network("expected.npz", &files["expected.npz"]);
    for name in ["traced.pt", "scripted.pt"] {
        let found = network(name, &files[name]);
        assert_has(&found, &expected);
        assert!(found.notes.concat().contains("a TorchScript archive: its tensors are read, its code is not"));
    }
    let found = network("dynamic_int8.pth", &files["dynamic_int8.pth"]);
    assert_eq!(tensor(&found, "0.weight").values(), tensor(&expected, "0.weight").values());
    assert_eq!(tensor(&found, "3._packed_params._packed_params.1").values(), tensor(&expected, "3.bias").values());
    let (weight, exact) = (tensor(&found, "3._packed_params._packed_params.0"), tensor(&expected, "3.weight").values());
    assert!(weight.dequantized);
    // Rounded to 8 bits: half a step away at most.
    let step = exact.iter().fold(0.0f32, |most, value| most.max(value.abs())) / 127.0;
    let worst = weight.values().iter().zip(&exact).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
    assert!(worst > 0.0 && worst <= 0.51 * step, "{worst} {step}");
}

#[test]
fn the_forms_of_pytorch_2_are_read() {
    let network = network("odd.pth", &torch_2("odd.pth"));
    assert_eq!(names(&network), ["fc.weight", "fc.bias", "half.weight", "ids"]);
    assert_eq!(tensor(&network, "fc.weight").values(), values(24, 1));
    assert_eq!(tensor(&network, "fc.bias").values(), values(6, 2));
    assert_eq!(tensor(&network, "half.weight").bytes, [0, 1, 2, 3, 4, 5, 6, 7]);
    let ids = tensor(&network, "ids");
    assert_eq!((ids.dtype, ids.values()), (Dtype::U16, vec![1.0, 65535.0]));
    let notes = network.notes.concat();
    assert!(notes.contains("kept as bytes, since their type is not known: half.weight"), "{notes}");
    assert!(notes.contains("left out: device (torch._utils._rebuild_device_tensor_from_numpy)"), "{notes}");
}

#[test]
fn a_known_network_runs_behind_the_prefixes_of_wrappers() {
    let place = Place::new("prefixes");
    let mut answers = Vec::new();
    for (name, prefix) in [
        ("lenet_module.pth", "module."),
        ("lenet_compiled.pth", "_orig_mod."),
        ("lenet_lightning.ckpt", "model."),
        ("lenet_both.pth", "module._orig_mod."),
    ] {
        place.write(name, &torch_2(name));
        let said = place.json(&format!("inspect {name}"));
        assert_eq!(said["graph"]["input_shape"], serde_json::json!([1, 28, 28]), "{name}: {said}");
        answers.push(place.json(&format!("evaluate {name} --data data"))["accuracy"].clone());
        place.run(&format!("convert {name} -o out.onnx"));
        let written = network("out.onnx", &place.read("out.onnx"));
        let mut named: Vec<_> = written.tensors.iter().map(|tensor| tensor.name.clone()).collect();
        named.sort();
        assert_eq!(named[..2], [format!("{prefix}conv1.bias"), format!("{prefix}conv1.weight")]);
        assert_eq!(tensor(&written, &format!("{prefix}fc1.weight")).values(), values(384, 4));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    let said = String::from_utf8(place.run("inspect lenet_lightning.ckpt")).unwrap();
    assert!(
        said.contains("note: the weights are those under 'state_dict'; left out: optimizer_states (2 tensors)"),
        "{said}"
    );
    let said = String::from_utf8(place.run("compress lenet_both.pth --lossless -o out.nut")).unwrap();
    assert!(said.contains("warning: the weights are those under 'model'; left out: ema (8 tensors)"), "{said}");
    let said = String::from_utf8(place.run("convert lenet_both.pth -o out.npz")).unwrap();
    assert!(said.contains("note: the weights are those under 'model'"), "{said}");
}

#[test]
fn files_of_other_formats_are_named_with_the_way_out() {
    let place = Place::new("foreign");
    for (name, bytes) in unpacked("19_other_formats/files.tar.gz") {
        if let Some((folders, _)) = name.rsplit_once('/') {
            fs::create_dir_all(place.0.join(folders)).unwrap();
        }
        place.write(&name, &bytes);
    }
    for (name, file, words) in [
        ("model.json", "model.json", "TensorFlow.js: convert it: tensorflowjs_converter"),
        ("group1-shard1of1.bin", "group1-shard1of1.bin", "bare numbers, open the file that describes them"),
        ("saved_model", "saved_model", "a SavedModel of TensorFlow: convert it: python -m tf2onnx.convert"),
        ("saved_model/saved_model.pb", "saved_model.pb", "--saved-model FOLDER"),
        ("model.gguf", "model.gguf", "GGUF: open the safetensors or PyTorch file"),
        ("model.xml", "model.xml", "OpenVINO IR: open the ONNX"),
        ("model.bin", "model.bin", "a file of no known format"),
        ("model.mlmodel", "model.mlmodel", "Core ML: "),
        ("model.mlpackage", "model.mlpackage", "Core ML: "),
        ("model.ort", "model.ort", "ORT): open the .onnx file"),
        ("sklearn.pkl", "sklearn.pkl", "a Python pickle: save the arrays with numpy.savez"),
        ("array.pkl", "array.pkl", "a Python pickle"),
        ("model.safetensors.index.json", "model-00001-of-00002.safetensors", "belongs to model.safetensors.index.json"),
        ("lfs.onnx", "lfs.onnx", "git lfs pull"),
        ("page.onnx", "page.onnx", "a web page: download the file itself"),
        ("zero.onnx", "zero.onnx", "an empty file: download or export it again"),
        ("cut.onnx", "cut.onnx", "ONNX file"),
        ("onnx.zip", "onnx.zip", "an archive (ZIP) of other files: unpack it"),
        ("onnx.tar.gz", "onnx.tar.gz", "a tar archive: unpack it"),
        ("frozen.pb", "frozen.pb", "--graphdef"),
        ("net.prototxt", "net.prototxt", "Caffe"),
        ("yolo.weights", "yolo.weights", "weights of Darknet: convert them"),
        ("onnx.json", "onnx.json", "ONNX as JSON: save the binary form"),
        ("onnx.txt", "onnx.txt", "ONNX as text: save the binary form"),
        ("missing.onnx", "missing.onnx", "No such file"),
    ] {
        for command in [format!("inspect {name}"), format!("compress {name} -o o.nut")] {
            let said = place.refuse(&command);
            assert!(said.contains(file) && said.contains(words), "{command}: {said}");
            assert!(!said.contains("the bytes [") && !said.contains("0x"), "{command}: {said}");
        }
    }
    for name in ["model.h5", "model.keras"] {
        assert!(place.json(&format!("inspect {name}"))["elements"].as_u64() >= Some(1200), "{name}");
    }
}

#[test]
fn shards_with_an_index_open_as_one_model() {
    let place = Place::new("shards");
    fs::create_dir_all(place.0.join("hf")).unwrap();
    fs::create_dir_all(place.0.join("torch")).unwrap();
    for (name, bytes) in unpacked("19_other_formats/files.tar.gz") {
        if name.starts_with("hf/") {
            place.write(&name, &bytes);
        }
    }
    // The same numbers under two names, in two files of 4,872 bytes.
    for given in ["hf", "hf/model.safetensors.index.json"] {
        let said = place.json(&format!("inspect {given}"));
        assert_eq!((&said["elements"], &said["tensor_bytes"]), (&2400.into(), &9600.into()), "{said}");
        let tensors = said["tensors"].as_array().unwrap();
        assert_eq!(tensors.iter().map(|tensor| tensor["name"].as_str()).collect::<Vec<_>>(), [Some("a"), Some("b")]);
        place.run(&format!("compress {given} --lossless -o out.nut"));
        place.run("decompress out.nut -o out.safetensors");
        let back = network("out.safetensors", &place.read("out.safetensors"));
        let first = network("shard", &place.read("hf/model-00001-of-00002.safetensors"));
        assert_eq!(tensor(&back, "a").bytes, first.tensors[0].bytes);
        assert_eq!(tensor(&back, "b").bytes, first.tensors[0].bytes);
    }
    for (shard, file) in [("1", "odd.pth"), ("2", "whole.pt")] {
        place.write(&format!("torch/pytorch_model-0000{shard}-of-00002.bin"), &torch_2(file));
    }
    let index = r#"{"metadata":{},"weight_map":{"fc.weight":"pytorch_model-00001-of-00002.bin","scale":"pytorch_model-00002-of-00002.bin"}}"#;
    place.write("torch/pytorch_model.bin.index.json", index.as_bytes());
    place.run("convert torch -o out.npz");
    let joined = network("out.npz", &place.read("out.npz"));
    assert_eq!(tensor(&joined, "fc.weight").values(), values(24, 1));
    assert_eq!(tensor(&joined, "scale").values(), values(6, 2));
    // An index may not lead out of its folder.
    place.write(
        "torch/pytorch_model.bin.index.json",
        br#"{"weight_map":{"w":"../hf/model-00001-of-00002.safetensors"}}"#,
    );
    assert!(place.refuse("inspect torch").contains("its numbers in a file beside it"));
    // A folder with one model, as they are published.
    fs::remove_file(place.0.join("hf/model.safetensors.index.json")).unwrap();
    assert!(place.refuse("convert hf -o out.npz").contains("name one of model-00001-of-00002.safetensors, "));
    fs::remove_file(place.0.join("hf/model-00002-of-00002.safetensors")).unwrap();
    assert_eq!(place.json("inspect hf")["elements"], 1200);
}

#[test]
fn arrays_that_are_no_numbers_are_left_out_of_an_npz_and_said() {
    let files = unpacked("20_npz_objects/files.tar.gz");
    assert_eq!(files.len(), 24);
    let left_out = [
        ("bytes_strings.npz", "names, an array of words"),
        ("complex.npz", "c, an array of complex numbers"),
        ("datetime.npz", "t, an array of dates or times"),
        ("longdouble.npz", "l, an array of numbers that are not known (type <f16)"),
        ("one_object_among.npz", "names, an array of Python objects"),
        ("strings.npz", "names, an array of words"),
        ("structured.npz", "s, a type of several fields"),
    ];
    for (name, bytes) in &files {
        if name == "object_weights.npz" {
            let error = open(bytes, CAP).unwrap_err().to_string();
            assert!(error.contains("'arr_0': an array of Python objects") && error.contains("numpy.savez("), "{error}");
            continue;
        }
        let network = network(name, bytes);
        assert!(network.tensors.iter().any(|tensor| tensor.len() == 1200), "{name}");
        let expected = left_out.iter().find(|(file, _)| file == name).map(|(_, said)| *said);
        let notes = network.notes.concat();
        assert_eq!(network.notes.len(), usize::from(expected.is_some()), "{name}: {notes}");
        assert!(notes.contains(expected.unwrap_or_default()), "{name}: {notes}");
    }
}

/// Type, shape and bytes of each tensor of a safetensors file, read by the header alone.
fn entries(file: &[u8]) -> BTreeMap<String, (Value, Value, Vec<u8>)> {
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let header: BTreeMap<String, Value> = serde_json::from_slice(&file[8..8 + length]).unwrap();
    let place = |info: &Value, index: usize| 8 + length + info["data_offsets"][index].as_u64().unwrap() as usize;
    let entry = |info: Value| {
        let bytes = file[place(&info, 0)..place(&info, 1)].to_vec();
        (info["dtype"].clone(), info["shape"].clone(), bytes)
    };
    header.into_iter().filter(|(name, _)| name != "__metadata__").map(|(name, info)| (name, entry(info))).collect()
}

#[test]
fn types_of_safetensors_that_are_not_known_come_back_as_they_were() {
    let files = unpacked("21_safetensors_types/files.tar.gz");
    assert_eq!(files.len(), 12);
    let kept = [
        ("c64.safetensors", "(C64): c"),
        ("f4.safetensors", "(F4): w"),
        ("f8_e4m3.safetensors", "(F8_E4M3): w"),
        ("f8_e5m2.safetensors", "(F8_E5M2): w"),
        ("f8_e8m0.safetensors", "(F8_E8M0): s"),
    ];
    for (name, bytes) in &files {
        if name == "tied.safetensors" {
            // Two names for the same bytes, and bytes without a name: the format forbids both, and safetensors 0.8 refuses the file.
            let error = read(bytes, CAP).unwrap_err().to_string();
            assert!(error.contains("tensor 'b': expected bytes of its own from 6144 on"), "{error}");
            continue;
        }
        let network = read(bytes, CAP).unwrap().network;
        let expected = kept.iter().find(|(file, _)| file == name).map_or("", |(_, said)| *said);
        assert_eq!(network.notes.is_empty(), expected.is_empty(), "{name}");
        assert!(network.notes.concat().contains(expected), "{name}: {:?}", network.notes);
        if network.tensors.is_empty() {
            continue;
        }
        assert_eq!(entries(&export(&network, "safetensors").unwrap()), entries(bytes), "{name}");
        // Through a .nut file too, at 30 dB: only what is known is rounded.
        let recipe = |target| Recipe::of_weights(target);
        let nut = |target| compress(&network, Evidence::Weights, &recipe(target), None, &mut Quiet).unwrap().nut;
        let back = |nut: Vec<u8>| entries(&export(&read(&nut, CAP).unwrap().network, "safetensors").unwrap());
        assert_eq!(back(nut(Target::Lossless)), entries(bytes), "{name}");
        let rounded = back(nut(Target::Snr(30.0)));
        for (tensor, entry) in
            entries(bytes).iter().filter(|(_, (dtype, ..))| !["F32", "BF16"].contains(&dtype.as_str().unwrap()))
        {
            assert_eq!(&rounded[tensor], entry, "{name}: {tensor}");
        }
    }
}
