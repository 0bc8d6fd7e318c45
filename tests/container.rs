//! The `.nut` file: what is written comes back, and no bytes can do harm.

mod synthetic;

use nutshell::coding::trellis;
use nutshell::container::{Nut, Topology, WriteOptions, layout, read, write};
use nutshell::error::DecodeError;
use nutshell::model::presets::{self, Chain};
use nutshell::model::{
    ActivationFormat, Binary, Cell, Codebook, Conv, Coordinates, FixedPoint, Function, Gather, Graph, Interpolation,
    Linear, Node, Normalize, Number, Op, Pad, PadMode, ParamId, Parameter, Recurrent, Reduce, Reduction, Resize,
    Rounding, Scaling, Slice, Unary, ValueId,
};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use synthetic::{fixed_point, uniform};

const CAP: u64 = 1 << 24;

fn round_trip(network: &FixedPoint, options: &WriteOptions) -> (usize, Nut) {
    let encoded = write(network, options).unwrap();
    let nut = read(&encoded.bytes, CAP).unwrap();
    let items = &encoded.items;
    let sections: usize = items.sections.iter().map(|(_, bytes)| bytes).sum();
    let sum = items.head_bytes + sections + items.payload_bytes + items.checksum_bytes;
    assert_eq!(sum, encoded.bytes.len());
    let bits = items.width_bits + items.parameters.iter().map(|(_, bits)| bits.total()).sum::<f64>();
    assert!((items.payload_bytes as f64 - bits / 8.0).abs() < 1.1 + 1e-4 * bits, "{bits} bits {items:?}");
    (encoded.bytes.len(), nut)
}

/// The network as a reader without names gives it back.
fn canonical(mut network: FixedPoint, read: &FixedPoint) -> FixedPoint {
    network.graph.input_name.clone_from(&read.graph.input_name);
    for (node, read) in network.graph.nodes.iter_mut().zip(&read.graph.nodes) {
        node.name.clone_from(&read.name);
    }
    for (parameter, read) in network.parameters.iter_mut().zip(&read.parameters) {
        parameter.name.clone_from(&read.name);
    }
    network
}

fn lenet5(seed: u64, density: f64) -> FixedPoint {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    fixed_point(&presets::lenet5([3, 4, 5, 6]), Some(&presets::lenet5([20, 50, 500, 10])), density, uniform, &mut rng)
}

#[test]
fn a_known_topology_takes_a_few_bytes() {
    let network = lenet5(1, 0.0);
    let (length, nut) = round_trip(&network, &WriteOptions::default());
    assert_eq!(nut.topology, Topology::LeNet5);
    assert_eq!(nut.network, network, "the preset's own names are made up again");
    assert!(length <= 16, "{length}");
}

#[test]
fn everything_that_is_kept_comes_back() {
    let mut network = lenet5(2, 0.3);
    network.graph.input_name = "image".into();
    network.graph.nodes[3].name = "größer".into();
    network.parameters[5].name = "dense/bias:0".into();
    let activations = (0..9).map(|value| ActivationFormat { bits: 8, fraction_bits: value - 4 }).collect();
    let options = WriteOptions {
        names: true,
        stored_graph: true,
        scaling: Scaling::Standardised { mean: 0.1307, deviation: 0.3081 },
        activations: Some(activations),
    };
    let (_, nut) = round_trip(&network, &options);
    assert_eq!(nut.network, network);
    assert!(nut.named);
    assert_eq!(nut.topology, Topology::Stored);
    assert_eq!(nut.scaling, options.scaling);
    assert_eq!(nut.activations, options.activations);
    let own = Scaling::PerChannel { means: vec![0.1, -2.5], deviations: vec![0.3, 7.0] };
    let (_, nut) = round_trip(&network, &WriteOptions { scaling: own.clone(), ..WriteOptions::default() });
    assert_eq!(nut.scaling, own);
    let (_, nut) = round_trip(&network, &WriteOptions { scaling: Scaling::Raw, ..WriteOptions::default() });
    assert_eq!(nut.scaling, Scaling::Raw);
    assert_eq!(nut.topology, Topology::LeNet5);
    assert_eq!(nut.network, canonical(network, &nut.network));
}

#[test]
fn other_graphs_are_stored() {
    let model = Chain::new(vec![2, 9, 9]).conv("a", [4, 2, 3, 3], 1).relu().flatten().linear("b", [3, 4 * 81]).build();
    let network = fixed_point(&model, None, 0.2, uniform, &mut Pcg64Mcg::seed_from_u64(3));
    let (_, nut) = round_trip(&network, &WriteOptions::default());
    assert_eq!(nut.topology, Topology::Stored);
    assert_eq!(nut.network.parameters[3].name, "node3.bias");
    assert_eq!(nut.network, canonical(network, &nut.network));
}

#[test]
fn extreme_symbols_come_back() {
    let mut network = lenet5(4, 0.2);
    network.parameters[0].symbols[..4].copy_from_slice(&[i16::MIN, i16::MAX, -300, 15]);
    network.parameters[1].symbols[..2].copy_from_slice(&[i16::MIN, i16::MAX]);
    let ranks = |count: u16| (1..=count).map(|rank| rank + (rank - 1)).collect::<Vec<u16>>();
    network.parameters[2].codebook = Codebook::Free { fraction_bits: -96, positive: ranks(30), negative: Vec::new() };
    network.parameters[2].symbols.fill(30);
    network.parameters[4].codebook =
        Codebook::Free { fraction_bits: i8::MAX, positive: Vec::new(), negative: ranks(320) };
    network.parameters[4].symbols.fill(-320);
    let (_, nut) = round_trip(&network, &WriteOptions::default());
    assert_eq!(nut.network, network);
}

#[test]
fn networks_that_break_their_rules_are_refused() {
    let good = lenet5(5, 0.2);
    let options = WriteOptions::default();
    let broken: [fn(&mut FixedPoint); 9] = [
        |network| {
            let positive = (1..=257).collect();
            network.parameters[1].codebook = Codebook::Free { fraction_bits: 0, positive, negative: vec![] };
        },
        |network| network.parameters[1].codebook = Codebook::integers(-97),
        |network| network.parameters[1].codebook = Codebook::Uniform { fraction_bits: 2, factor: 0 },
        |network| network.parameters[0].symbols.truncate(1),
        |network| network.parameters[0].shape[0] += 1,
        |network| drop(network.original_shapes.pop()),
        |network| network.original_shapes[0][0] = 1,
        |network| {
            network.parameters[0].codebook =
                Codebook::Free { fraction_bits: 0, positive: vec![2, 2], negative: vec![] };
        },
        |network| {
            network.parameters[0].codebook = Codebook::Free { fraction_bits: 0, positive: vec![], negative: vec![] };
            network.parameters[0].symbols[0] = 1;
        },
    ];
    for (index, breaks) in broken.into_iter().enumerate() {
        let mut network = good.clone();
        breaks(&mut network);
        assert!(write(&network, &options).is_err(), "{index}");
    }
    for scaling in [
        Scaling::Standardised { mean: f32::NAN, deviation: 1.0 },
        Scaling::PerChannel { means: vec![0.0, 0.0], deviations: vec![1.0] },
        Scaling::PerChannel { means: vec![0.0], deviations: vec![0.0] },
    ] {
        assert!(write(&good, &WriteOptions { scaling, ..options.clone() }).is_err());
    }
    assert!(write(&good, &WriteOptions { activations: Some(Vec::new()), ..options }).is_err());
}

/// A file with its checksum made right.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let body = bytes.len().saturating_sub(layout::CHECKSUM_BYTES);
    let checksum = crc32fast::hash(&bytes[..body]);
    bytes.truncate(body);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

#[test]
fn unknown_sections_are_skipped_or_refused() {
    let network = lenet5(6, 0.2);
    let bytes = write(&network, &WriteOptions::default()).unwrap().bytes;
    let with_section = |tag: u8| {
        let mut file = bytes[..layout::HEAD_BYTES].to_vec();
        file[2] |= 1;
        file.extend_from_slice(&[1, tag, 3, 7, 7, 7]);
        file.extend_from_slice(&bytes[layout::HEAD_BYTES..]);
        sealed(file)
    };
    assert_eq!(read(&with_section(100), CAP).unwrap().network, network);
    assert!(matches!(read(&with_section(101), CAP), Err(DecodeError::Malformed { place: "section tag", .. })));
}

#[test]
fn factors_that_do_not_fit_are_refused() {
    let mut rng = Pcg64Mcg::seed_from_u64(21);
    let network = fixed_point(&presets::lenet300([4, 3, 2]), None, 0.1, multiples, &mut rng);
    let mut free = network.clone();
    free.parameters[3].codebook = Codebook::Free { fraction_bits: 0, positive: vec![], negative: vec![] };
    free.parameters[3].symbols.fill(0);
    let with = |network: &FixedPoint, change: fn(&mut Vec<u8>)| {
        let mut bytes = write(network, &WriteOptions::default()).unwrap().bytes;
        // One section: its number, its tag, its length, a byte for each of six parameters.
        assert_eq!(bytes[3..6], [1, 9, 6]);
        let mut section: Vec<u8> = bytes.drain(5..12).collect();
        change(&mut section);
        bytes.splice(5..5, section);
        read(&sealed(bytes), CAP).map(|nut| nut.network)
    };
    assert_eq!(with(&free, |_| ()).unwrap(), free);
    let refused = |network: &FixedPoint, change: fn(&mut Vec<u8>)| with(network, change).unwrap_err().to_string();
    assert!(refused(&network, |section| section[1] = 0).contains("factors"));
    assert!(refused(&free, |section| section[4] = 2).contains("factors"));
    let shorter = |section: &mut Vec<u8>| {
        section[0] = 5;
        section.truncate(6);
    };
    assert!(refused(&network, shorter).contains("factors"));
}

#[test]
fn newer_versions_and_larger_networks_are_refused() {
    let network = lenet5(7, 0.2);
    let bytes = write(&network, &WriteOptions::default()).unwrap().bytes;
    let size = 4 * 431_080;
    assert!(read(&bytes, size).is_ok());
    assert_eq!(read(&bytes, size - 1), Err(DecodeError::TooLarge { place: "parameters", bytes: size, cap: size - 1 }));
    let of_version = |version: u8| {
        let mut other = bytes.clone();
        other[2] = other[2] & 0x1f | version << 5;
        read(&sealed(other), CAP)
    };
    assert_eq!(of_version(2), Err(DecodeError::Version { supported: 1, got: 2 }));
    assert!(matches!(of_version(0), Err(DecodeError::Malformed { place: "version", .. })));
}

/// Multiples of any step.
fn multiples(index: usize, rng: &mut Pcg64Mcg) -> Codebook {
    Codebook::Uniform { fraction_bits: 9, factor: if index == 1 { 1 } else { rng.random_range(1..=255) } }
}

/// Files of every kind, small.
fn samples() -> Vec<Vec<u8>> {
    let full = WriteOptions {
        names: true,
        stored_graph: true,
        scaling: Scaling::Standardised { mean: 0.5, deviation: 0.25 },
        activations: Some(vec![ActivationFormat { bits: 8, fraction_bits: 3 }; 9]),
    };
    let mut rng = Pcg64Mcg::seed_from_u64(11);
    let free = fixed_point(&presets::lenet300([4, 3, 2]), None, 0.1, synthetic::free, &mut rng);
    let chain = Chain::new(vec![2, 6, 6]).conv("a", [3, 2, 3, 3], 0).max_pool().flatten().linear("b", [2, 12]).build();
    let stored = fixed_point(&chain, None, 0.3, synthetic::free, &mut rng);
    let later = fixed_point(&later_operators(), None, 0.1, synthetic::free, &mut rng);
    let multiples = fixed_point(&chain, None, 0.3, multiples, &mut rng);
    [
        write(&lenet5(8, 0.2), &WriteOptions::default()),
        write(&lenet5(9, 0.2), &full),
        write(&free, &WriteOptions::default()),
        write(&stored, &WriteOptions::default()),
        write(&later, &WriteOptions::default()),
        write(&multiples, &WriteOptions::default()),
    ]
    .map(|encoded| encoded.unwrap().bytes)
    .into_iter()
    .chain([golden("lines.nut"), golden("lenet5.nut")])
    .collect()
}

/// A file that a run has made.
fn golden(name: &str) -> Vec<u8> {
    std::fs::read(std::path::Path::new("tests/golden").join(name)).unwrap()
}

#[test]
fn truncated_and_changed_files_are_refused() {
    for bytes in samples() {
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length], CAP).is_err(), "{length} of {}", bytes.len());
            let _ = read(&sealed(bytes[..length].to_vec()), CAP);
        }
        let mut changed = bytes.clone();
        for index in 0..bytes.len() {
            for change in 1..=255 {
                changed[index] = bytes[index] ^ change;
                assert!(read(&changed, CAP).is_err(), "byte {index} ^ {change}");
            }
            changed[index] = bytes[index];
        }
    }
}

/// What is read from damaged bytes may be wrong, but keeps its types' rules: it can be written and read again.
fn check_mutations(rounds: usize, seed: u64) {
    let samples = samples();
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    for round in 0..rounds {
        let mut bytes = samples[round % samples.len()].clone();
        for _ in 0..rng.random_range(1..=4) {
            let place = rng.random_range(0..bytes.len());
            match rng.random_range(0..6) {
                0 => bytes[place] ^= 1 << rng.random_range(0..8),
                1 => bytes[place] = rng.random(),
                2 => bytes.insert(place, rng.random()),
                3 => bytes.truncate(place.max(1)),
                4 => drop(bytes.remove(place)),
                _ => bytes[place] = [0, 0xff, 0x7f, 0x80][rng.random_range(0..4)],
            }
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
        let _ = read(&bytes, CAP);
        if let Ok(nut) = read(&sealed(bytes), CAP) {
            let again = write(&nut.network, &WriteOptions { names: true, ..WriteOptions::default() }).unwrap();
            assert_eq!(read(&again.bytes, CAP).unwrap().network, nut.network);
        }
    }
}

#[test]
fn damaged_files_are_refused_or_decode_to_something_valid() {
    let rounds = std::env::var("NUTSHELL_MUTATIONS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(100_000);
    // Some at a time, each with a seed of its own.
    std::thread::scope(|scope| {
        for seed in 12..16 {
            scope.spawn(move || check_mutations(rounds / 4, seed));
        }
    });
}

/// Codebooks of the parameters of a network.
type Codebooks = fn(usize, &mut Pcg64Mcg) -> Codebook;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_written_comes_back(
        seed: u64,
        widths in [1usize..6, 1usize..6, 1usize..12, 1usize..11],
        density in prop_oneof![Just(0.0), 0.0..1.0f64, Just(1.0)],
        codebook in prop_oneof![Just(uniform as Codebooks), Just(synthetic::free as Codebooks), Just(multiples as Codebooks)],
        preset in 0usize..3,
    ) {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let [a, b, c, d] = widths;
        let (model, original) = match preset {
            0 => (presets::lenet5(widths), presets::lenet5([20, b, 30, 10])),
            1 => (presets::lenet300([a, b, c]), presets::lenet300([300, 100, 12])),
            _ => {
                let chain = |a, b| Chain::new(vec![d, 7, 7]).conv("a", [a, d, 3, 2], 1).max_pool().relu().flatten()
                    .linear("b", [b, a * 12]).relu().linear("c", [2, b]).build();
                (chain(a, b), chain(a + c, b))
            }
        };
        let network = fixed_point(&model, Some(&original), density, codebook, &mut rng);
        let (_, nut) = round_trip(&network, &WriteOptions::default());
        prop_assert_eq!(&nut.network, &canonical(network.clone(), &nut.network));
        let (_, nut) = round_trip(&network, &WriteOptions { names: true, stored_graph: true, ..WriteOptions::default() });
        prop_assert_eq!(&nut.network, &network);
    }
}

/// Decodes a file with the reader that was written from the specification alone.
fn decode_in_python(name: &str, bytes: &[u8]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/decode_nut.py");
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        eprintln!("skipped: there is no python3 to run {script} with");
        return;
    }
    let directory = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("file.nut");
    std::fs::write(&file, bytes).unwrap();
    let output = std::process::Command::new("python3").arg(script).args([&file, &directory]).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    for (index, parameter) in read(bytes, CAP).unwrap().network.parameters.iter().enumerate() {
        let expected: Vec<u8> = parameter.values().iter().flat_map(|value| value.to_le_bytes()).collect();
        let got = std::fs::read(directory.join(format!("{index}.f32"))).unwrap();
        assert!(got == expected, "{name}, parameter {index} of shape {:?}", parameter.shape);
    }
}

#[test]
fn a_reader_written_from_the_specification_agrees() {
    for (index, bytes) in samples().into_iter().enumerate() {
        decode_in_python(&format!("sample{index}"), &bytes);
    }
    let mut rng = Pcg64Mcg::seed_from_u64(13);
    let original = presets::lenet5([20, 50, 500, 10]);
    let other = presets::lenet5([25, 50, 300, 11]);
    let networks = [
        fixed_point(&presets::lenet5([8, 16, 20, 10]), Some(&original), 0.2, uniform, &mut rng),
        fixed_point(&presets::lenet5([9, 20, 30, 10]), Some(&other), 0.1, synthetic::free, &mut rng),
        fixed_point(&presets::lenet300([8, 6, 10]), None, 0.05, uniform, &mut rng),
    ];
    for (index, network) in networks.iter().enumerate() {
        let bytes = write(network, &WriteOptions::default()).unwrap().bytes;
        decode_in_python(&format!("network{index}"), &bytes);
        let stored = WriteOptions { stored_graph: true, ..WriteOptions::default() };
        decode_in_python(&format!("stored{index}"), &write(network, &stored).unwrap().bytes);
    }
    for name in ["lenet300.nut", "codebooks.nut", "rounded.nut"] {
        decode_in_python(name, &golden(name));
    }
    let mut extreme = lenet5(4, 0.4);
    extreme.parameters[0].symbols[..6].copy_from_slice(&[i16::MIN, i16::MAX, -300, 15, 9, -8]);
    extreme.parameters[1].symbols[..2].copy_from_slice(&[i16::MIN, i16::MAX]);
    decode_in_python("extreme", &write(&extreme, &WriteOptions::default()).unwrap().bytes);
}

/// Large layers, of kernels and of features, whose symbols are multiples that a trellis has: each must take fewer bytes than as other numbers.
#[test]
fn multiples_of_a_trellis_come_back_and_the_specification_says_how() {
    let mut rng = Pcg64Mcg::seed_from_u64(19);
    let model =
        Chain::new(vec![64, 5, 5]).conv("a", [64, 64, 3, 3], 1).relu().flatten().linear("b", [80, 1600]).build();
    let mut network = fixed_point(&model, None, 1.0, uniform, &mut rng);
    for parameter in network.parameters.iter_mut().filter(|parameter| parameter.shape.len() > 1) {
        let columns = parameter.shape[1..].iter().product();
        let mut near = 0;
        for symbol in &mut parameter.symbols {
            near = (near + rng.random_range(-6i16..=6)).clamp(-20, 20);
            *symbol = near;
        }
        let levels = parameter.symbols.clone();
        trellis::multiples(&mut parameter.symbols, columns).unwrap();
        assert_ne!(levels, parameter.symbols);
    }
    let (_, nut) = round_trip(&network, &WriteOptions::default());
    assert_eq!(nut.network, canonical(network.clone(), &nut.network));
    let encoded = write(&network, &WriteOptions::default()).unwrap();
    assert!(encoded.items.sections.iter().any(|(name, _)| *name == "lengths of streams"));
    decode_in_python("trellis", &encoded.bytes);
    for parameter in network.parameters.iter_mut().filter(|parameter| parameter.shape.len() > 1) {
        parameter.symbols[0] += 1;
    }
    let others = write(&network, &WriteOptions::default()).unwrap().bytes.len();
    assert!(encoded.bytes.len() + 4_000 < others, "{} {others}", encoded.bytes.len());
}

/// A graph with operators of all kinds, and a linear layer that reads a flattened image through a function.
fn later_operators() -> nutshell::model::Model {
    let node = |op: Op, inputs: &[usize]| Node {
        name: "n".into(),
        op,
        inputs: inputs.iter().map(|&value| ValueId(value)).collect(),
    };
    let conv =
        Conv { weight: ParamId(0), bias: Some(ParamId(1)), stride: [1, 1], pads: [0; 4], groups: 1, dilation: [2, 3] };
    let resize = || Resize { coordinates: Coordinates::Asymmetric, nearest: Rounding::Ceil, ..Resize::default() };
    let recurrent = Recurrent { weight: ParamId(5), bias: Some(ParamId(6)), cell: Cell::Lstm, reverse: true };
    let pad = Pad { before: vec![0, 1, 0], after: vec![0, 0, 2], mode: PadMode::Edge, value: Number::new(0.0) };
    let nodes = vec![
        node(Op::Conv(conv), &[0]),
        node(Op::Unary(Unary::new(Function::LeakyRelu, 0.1, 0.0)), &[1]),
        node(Op::Parameter(ParamId(2)), &[]),
        node(Op::Reshape(vec![3, 1, 1]), &[3]),
        node(Op::Binary(Binary::Mul), &[2, 4]),
        node(Op::Concat(0), &[5, 2]),
        node(Op::Pad(pad), &[6]),
        node(Op::Slice(Slice { starts: vec![5, 0, 1], steps: vec![-1, 2, 1], lengths: vec![6, 4, 7] }), &[7]),
        node(Op::Transpose(vec![0, 2, 1]), &[8]),
        node(Op::MatMul, &[9, 8]),
        node(Op::Normalize(Normalize { axis: 1, epsilon: Number::new(1e-5) }), &[10]),
        node(Op::Reduce(Reduce { kind: Reduction::Max, axes: vec![1] }), &[11]),
        node(Op::Expand(vec![6, 3, 7]), &[12]),
        node(Op::Gather(Gather { axis: 1, indices: vec![2, 0] }), &[13]),
        node(Op::LogSoftmax, &[14]),
        node(
            Op::Resize(Resize { mode: Interpolation::Cubic, antialias: true, sides: vec![6, 3, 5], ..resize() }),
            &[15],
        ),
        node(Op::Resize(Resize { factors: [1.0, 0.75, 1.5].map(Number::new).to_vec(), ..resize() }), &[16]),
        node(Op::Flatten, &[17]),
        node(Op::Unary(Unary::new(Function::Clip, -1.0, 1.0)), &[18]),
        node(Op::Linear(Linear { weight: ParamId(3), bias: Some(ParamId(4)) }), &[19]),
        node(Op::Reshape(vec![7, 12]), &[18]),
        node(Op::Recurrent(recurrent), &[21]),
        node(Op::Lookup(ParamId(7)), &[20]),
        node(Op::Outputs, &[20, 18, 22, 23]),
    ];
    let graph = Graph { input_name: "input".into(), input_shape: vec![2, 9, 9], nodes, ..Graph::default() };
    let shapes: [&[usize]; 8] = [&[3, 2, 2, 2], &[3], &[3], &[5, 84], &[5], &[12, 3], &[12], &[2, 9]];
    let parameters = shapes.map(|shape| Parameter { name: "p".into(), values: ndarray::ArrayD::zeros(shape) });
    nutshell::model::Model { graph, parameters: parameters.into() }
}

#[test]
fn every_operator_comes_back_and_the_specification_says_how() {
    let mut rng = Pcg64Mcg::seed_from_u64(17);
    let model = later_operators();
    assert_eq!(model.shapes().unwrap().last(), Some(&vec![120]));
    for codebook in [uniform, synthetic::free] {
        let network = fixed_point(&model, None, 0.3, codebook, &mut rng);
        let (_, nut) = round_trip(&network, &WriteOptions::default());
        assert_eq!(nut.network, canonical(network.clone(), &nut.network));
        decode_in_python("operators", &write(&network, &WriteOptions::default()).unwrap().bytes);
    }
}
