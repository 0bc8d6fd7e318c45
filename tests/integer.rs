//! The integer network against the formulas in 128-bit arithmetic, one image at a time, and against floating point.

mod integer_reference;

use integer_reference::reference;
use nutshell::Error;
use nutshell::data::{Row, Samples};
use nutshell::model::presets::{Chain, Lenet, initialize, lenet5, lenet300};
use nutshell::model::{
    ActivationFormat, Codebook, FixedParameter, FixedPoint, Graph, Model, Node, Op, Pool, Scaling, ValueId,
};
use nutshell::network::{IntegerNetwork, evaluate, logits, predictions, search_formats};
use nutshell::stages::quantize::{quantize_shared, quantize_uniform};
use nutshell::stages::share::{cluster, share};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

const STANDARDISED: Scaling = Scaling::Standardised { mean: 0.3, deviation: 0.4 };

fn rng(seed: u64) -> Pcg64Mcg {
    Pcg64Mcg::seed_from_u64(seed)
}

fn narrow(fraction_bits: i8) -> ActivationFormat {
    ActivationFormat { bits: 8, fraction_bits }
}

fn bytes(samples: &Samples, index: usize) -> &[u8] {
    match samples.row(index) {
        Row::Bytes(bytes) => bytes,
        Row::Floats(_) => panic!("samples of bytes"),
    }
}

fn samples(shape: &[usize], count: usize, scaling: Scaling) -> Samples {
    let mut rng = rng(9);
    // Half of the pixels black, as in images of digits.
    let mut byte = || if rng.random_bool(0.5) { rng.random() } else { 0 };
    let bytes = (0..count * shape.iter().product::<usize>()).map(|_| byte()).collect();
    Samples::new(shape.to_vec(), bytes, (0..count).map(|index| (index % 3) as u8).collect(), scaling).unwrap()
}

/// The same graph and shapes with random integers, a third of them 0.
fn random_fixed(model: &Model, rng: &mut Pcg64Mcg) -> FixedPoint {
    let parameters = model.parameters.iter().enumerate().map(|(index, parameter)| {
        let codebook = match index % 3 {
            0 => Codebook::integers(rng.random_range(2..6)),
            1 => Codebook::Uniform { fraction_bits: 6, factor: rng.random_range(1..6) },
            _ => Codebook::Free { fraction_bits: 5, positive: vec![3, 40, 90], negative: vec![2, 11, 127] },
        };
        FixedParameter {
            name: parameter.name.clone(),
            shape: parameter.values.shape().to_vec(),
            symbols: parameter.values.iter().map(|_| rng.random_range(-3..4) * rng.random_range(0..2)).collect(),
            codebook,
        }
    });
    let parameters = parameters.collect();
    FixedPoint { graph: model.graph.clone(), parameters, original_shapes: model.parameter_shapes() }
}

struct Case {
    name: &'static str,
    model: Model,
    /// Format of each value but those that are layers' sums, and whether it is unsigned.
    values: Vec<(i8, bool)>,
    scaling: Scaling,
}

fn pool(kernel: [usize; 2], stride: [usize; 2], pads: [usize; 4], ceil: bool, count_pads: bool) -> Pool {
    Pool { kernel, stride, pads, ceil, count_pads }
}

/// Puts a node between value `at` and the node that reads it.
fn insert(mut model: Model, at: usize, op: Op) -> Model {
    for node in &mut model.graph.nodes[at..] {
        node.inputs.iter_mut().filter(|input| input.0 >= at).for_each(|input| input.0 += 1);
    }
    model.graph.nodes.insert(at, Node { name: format!("inserted {at}"), op, inputs: vec![ValueId(at)] });
    model
}

fn cases() -> Vec<Case> {
    let conv_linear = |shape: [usize; 4], features: usize, change: &dyn Fn(&mut nutshell::model::Conv)| {
        let chain = Chain::new(vec![2, 6, 5]).conv("conv", shape, 0).flatten();
        let mut model = chain.linear("linear", [3, features]).build();
        if let Op::Conv(conv) = &mut model.graph.nodes[0].op {
            change(conv);
        }
        model
    };
    let signed = |model: Model, name| Case {
        name,
        model,
        values: vec![(6, false), (2, false), (2, false), (0, false)],
        scaling: STANDARDISED,
    };
    let pooled = |op: Op, features: usize, name| Case {
        name,
        model: insert(conv_linear([4, 2, 2, 2], features, &|_| {}), 1, op),
        values: vec![(8, true), (4, false), (5, false), (5, false), (0, false)],
        scaling: Scaling::Unit,
    };
    vec![
        signed(conv_linear([4, 2, 3, 3], 4 * 4 * 3, &|_| {}), "convolution"),
        signed(
            conv_linear([4, 2, 3, 2], 4 * 4 * 3, &|conv| (conv.stride, conv.pads) = ([2, 3], [1, 2, 2, 1])),
            "stride and pads",
        ),
        signed(conv_linear([6, 1, 3, 3], 6 * 4 * 3, &|conv| conv.groups = 2), "groups"),
        signed(conv_linear([2, 2, 2, 2], 2 * 10 * 9, &|conv| conv.pads = [3, 2, 2, 3]).without_biases(), "wide pads"),
        Case {
            name: "linear layers with ReLU",
            model: lenet300([7, 6, 5]),
            values: vec![(8, true), (8, true), (0, true), (1, true), (-1, true), (0, true), (0, false)],
            scaling: Scaling::Unit,
        },
        Case {
            name: "raw bytes, ReLU behind maxima, softmax",
            model: {
                let chain = Chain::new(vec![1, 8, 8]).conv("a", [3, 1, 3, 3], 1).max_pool().relu().flatten();
                insert(chain.linear("b", [4, 48]).build(), 5, Op::Softmax)
            },
            values: vec![(0, true), (-3, true), (-3, true), (-3, true), (-3, true), (0, false), (0, false)],
            scaling: Scaling::Raw,
        },
        pooled(Op::MaxPool(pool([3, 2], [2, 1], [1, 1, 1, 0], false, false)), 4 * 3 * 4, "maxima"),
        pooled(Op::MaxPool(pool([2, 2], [2, 2], [0; 4], true, false)), 4 * 3 * 2, "maxima, partly outside"),
        pooled(Op::AveragePool(pool([3, 3], [2, 2], [1; 4], false, true)), 4 * 3 * 2, "means with pads"),
        pooled(Op::AveragePool(pool([3, 3], [2, 2], [1; 4], false, false)), 4 * 3 * 2, "means without pads"),
        pooled(Op::AveragePool(pool([2, 2], [2, 2], [0; 4], true, true)), 4 * 3 * 2, "means, partly outside"),
        pooled(Op::GlobalAveragePool, 4, "global means"),
        Case {
            name: "a residual block, its ends added",
            model: {
                let chain = Chain::new(vec![2, 5, 5]).conv("a", [2, 2, 3, 3], 1).relu().conv("b", [2, 2, 3, 3], 1);
                let mut model = chain.relu().relu().flatten().linear("c", [3, 50]).build();
                let (a, b) = (ValueId(3), ValueId(0));
                model.graph.nodes[3] = Node { name: "sum".into(), op: Op::Add, inputs: vec![a, b] };
                model
            },
            values: vec![(5, false), (3, true), (3, true), (2, false), (1, true), (1, true), (1, true), (0, false)],
            scaling: Scaling::PerChannel { means: vec![0.3, 0.5], deviations: vec![0.4, 0.25] },
        },
        Case {
            name: "a ReLU beside the value itself",
            model: {
                let mut model = Chain::new(vec![6]).linear("a", [5, 6]).relu().relu().linear("b", [3, 5]).build();
                model.graph.nodes[2] = Node { name: "sum".into(), op: Op::Add, inputs: vec![ValueId(1), ValueId(2)] };
                model
            },
            values: vec![(8, true), (2, false), (4, true), (1, false), (0, false)],
            scaling: Scaling::Unit,
        },
        Case {
            name: "means as the answer",
            model: {
                let graph = Graph { input_name: "x".into(), input_shape: vec![3, 4, 5], ..Graph::default() };
                insert(Model { graph, parameters: Vec::new() }, 0, Op::GlobalAveragePool)
            },
            values: vec![(8, true), (9, true)],
            scaling: Scaling::Unit,
        },
    ]
}

trait WithoutBiases {
    fn without_biases(self) -> Self;
}

impl WithoutBiases for Model {
    fn without_biases(mut self) -> Model {
        for node in &mut self.graph.nodes {
            match &mut node.op {
                Op::Conv(conv) => conv.bias = None,
                Op::Linear(linear) => linear.bias = None,
                _ => {}
            }
        }
        self
    }
}

/// The formats of a case, with those of the sums at the end.
fn formats(case: &Case, fixed: &FixedPoint) -> Vec<ActivationFormat> {
    let mut formats: Vec<_> = case.values.iter().map(|(bits, _)| narrow(*bits)).collect();
    let end = fixed.graph.nodes.iter().rposition(|node| node.op != Op::Softmax).unwrap();
    if let Some((weight, _)) = fixed.graph.nodes[end].op.layer() {
        let input = formats[fixed.graph.nodes[end].inputs[0].0].fraction_bits;
        let fraction_bits = input + fixed.parameters[weight.0].codebook.fraction_bits();
        formats[end + 1..].fill(ActivationFormat { bits: 32, fraction_bits });
    }
    formats
}

#[test]
fn every_operator_agrees_with_the_formulas() {
    for case in cases() {
        let mut rng = rng(3);
        for round in 0..3 {
            let fixed = random_fixed(&case.model, &mut rng);
            let formats = formats(&case, &fixed);
            let samples = samples(&fixed.graph.input_shape, 19, case.scaling.clone());
            let network = IntegerNetwork::new(&fixed, &formats, &case.scaling, 8).unwrap();
            let answers = network.logits(&samples).unwrap();
            let unsigned: Vec<bool> = case.values.iter().map(|(_, unsigned)| *unsigned).collect();
            for (index, answer) in answers.rows().into_iter().enumerate() {
                let expected = reference(&fixed, &formats, &unsigned, bytes(&samples, index), &case.scaling);
                let answer: Vec<i128> = answer.iter().map(|&logit| logit.into()).collect();
                assert_eq!(answer, expected, "{}, round {round}, sample {index}", case.name);
            }
            assert!(
                answers.rows().into_iter().any(|row| row != answers.row(0)),
                "{}: a constant proves nothing",
                case.name
            );
        }
    }
}

#[test]
fn searched_formats_agree_with_the_formulas_too() {
    for case in cases() {
        let fixed = random_fixed(&case.model, &mut rng(5));
        let samples = samples(&fixed.graph.input_shape, 40, case.scaling.clone());
        let formats = search_formats(&fixed, &samples, 8).unwrap();
        let network = IntegerNetwork::new(&fixed, &formats, &case.scaling, 8).unwrap();
        let unsigned: Vec<bool> = case.values.iter().map(|(_, unsigned)| *unsigned).collect();
        let expected = reference(&fixed, &formats, &unsigned, bytes(&samples, 39), &case.scaling);
        let answer: Vec<i128> = network.logits(&samples).unwrap().row(39).iter().map(|&logit| logit.into()).collect();
        assert_eq!(answer, expected, "{}", case.name);
    }
}

#[test]
fn random_networks_answer_as_in_floating_point() {
    let relative =
        Lenet { input_shape: [1, 28, 28], convolutions: vec![5, 7], padding: 2, relu: true, linears: vec![20, 10] };
    for (seed, mut model) in
        [lenet5([6, 8, 20, 10]), lenet300([30, 20, 10]), relative.build().unwrap()].into_iter().enumerate()
    {
        initialize(&mut model, &mut rng(seed as u64));
        for scaling in [Scaling::Unit, STANDARDISED, Scaling::Raw] {
            let shapes = model.parameter_shapes();
            for fixed in [
                quantize_uniform(&model, 6, 1.0, shapes.clone()),
                quantize_shared(&share(&model, &cluster(&model, 16), 1e-4), shapes.clone()),
            ] {
                let samples = samples(&[1, 28, 28], 300, scaling.clone());
                let formats = search_formats(&fixed, &samples.range(0, 100), 8).unwrap();
                let network = IntegerNetwork::new(&fixed, &formats, &scaling, 8).unwrap();
                let float = logits(&fixed.to_model(), &samples).unwrap();
                let integer = network.logits(&samples).unwrap();
                let unit = (-f32::from(network.fraction_bits())).exp2();
                let mean = float.mean().unwrap();
                let deviation = float.mapv(|logit| (logit - mean).powi(2)).mean().unwrap().sqrt();
                let error = (&integer.mapv(|logit| logit as f32 * unit) - &float).mapv(|error| error.powi(2));
                let relative = error.mean().unwrap().sqrt() / deviation;
                let answers = network.predict(&samples).unwrap();
                let agreeing = answers.iter().zip(predictions(&float)).filter(|(a, b)| **a == *b).count();
                assert!(relative < 0.05, "error {relative} of the logits' deviation");
                assert!(agreeing >= 285, "{agreeing} of 300");
                let evaluation = network.evaluate(&samples).unwrap();
                let expected = evaluate(&fixed.to_model(), &samples).unwrap();
                assert!((evaluation.loss / expected.loss - 1.0).abs() < 0.05);
                assert_eq!(evaluation.samples, 300);
                let right = answers.iter().enumerate().filter(|(index, answer)| **answer == index % 3).count();
                assert_eq!(evaluation.correct, Some(right));
            }
        }
    }
}

/// A weight in sixteenths, and a layer that answers with the activation that it makes, in units of that one's format.
fn one_weight(weight: i16, format: i8) -> (FixedPoint, Vec<ActivationFormat>) {
    let model = Chain::new(vec![1]).linear("a", [1, 1]).linear("b", [1, 1]).build().without_biases();
    let parameter = |symbol: i16| FixedParameter {
        name: "weight".into(),
        shape: vec![1, 1],
        symbols: vec![symbol],
        codebook: Codebook::integers(4),
    };
    let parameters = vec![parameter(weight), parameter(0), parameter(1), parameter(0)];
    let original_shapes = model.parameter_shapes();
    let formats = vec![narrow(0), narrow(format), ActivationFormat { bits: 32, fraction_bits: format + 4 }];
    (FixedPoint { graph: model.graph, parameters, original_shapes }, formats)
}

#[test]
fn activations_saturate() {
    let answers = |weight, format| {
        let (fixed, formats) = one_weight(weight, format);
        let samples = Samples::new(vec![1], vec![0, 1, 15, 16, 120, 255], Vec::new(), Scaling::Raw).unwrap();
        let network = IntegerNetwork::new(&fixed, &formats, &Scaling::Raw, 8).unwrap();
        network.logits(&samples).unwrap().into_raw_vec_and_offset().0
    };
    // Units of 1 hold the bytes up to 127, and their negatives up to 128; weights are sixteenths.
    assert_eq!(answers(16, 0), [0, 1, 15, 16, 120, 127]);
    assert_eq!(answers(-16, 0), [0, -1, -15, -16, -120, -128]);
    assert_eq!(answers(16, 3), [0, 8, 120, 127, 127, 127]);
    assert_eq!(answers(8, 0), [0, 1, 8, 8, 60, 127]);
    assert_eq!(answers(-8, 0), [0, 0, -7, -8, -60, -127]);
}

#[test]
fn bytes_become_the_nearest_numbers_of_the_inputs_format() {
    let graph = Graph { input_name: "x".into(), input_shape: vec![1], ..Graph::default() };
    let fixed = FixedPoint { graph, parameters: Vec::new(), original_shapes: Vec::new() };
    let answers = |scaling: Scaling, format| {
        let samples = Samples::new(vec![1], vec![0, 1, 127, 128, 254, 255], Vec::new(), scaling.clone()).unwrap();
        let network = IntegerNetwork::new(&fixed, &[narrow(format)], &scaling, 8).unwrap();
        network.logits(&samples).unwrap().into_raw_vec_and_offset().0
    };
    assert_eq!(answers(Scaling::Unit, 8), [0, 1, 127, 129, 255, 255]);
    assert_eq!(answers(Scaling::Unit, 7), [0, 1, 64, 64, 127, 128]);
    assert_eq!(answers(Scaling::Raw, 0), [0, 1, 127, 128, 254, 255]);
    // From -2 to 2 in steps of 4/255.
    let standardised = Scaling::Standardised { mean: 0.5, deviation: 0.25 };
    assert_eq!(answers(standardised.clone(), 5), [-64, -63, 0, 0, 63, 64]);
    assert_eq!(answers(standardised, 6), [-128, -127, -1, 1, 127, 127]);
}

#[test]
fn the_search_finds_the_format_with_the_least_error() {
    let mut model = lenet5([4, 5, 6, 3]);
    initialize(&mut model, &mut rng(1));
    let fixed = quantize_uniform(&model, 6, 1.0, model.parameter_shapes());
    let samples = samples(&[1, 28, 28], 60, Scaling::Unit);
    let formats = search_formats(&fixed, &samples, 8).unwrap();
    assert_eq!(formats[0], narrow(8));
    assert_eq!([formats[1], formats[3], formats[3]], [formats[2], formats[4], formats[5]]);
    assert_eq!(formats[6], formats[7]);
    let weight_bits = fixed.parameters[6].codebook.fraction_bits();
    assert_eq!(formats[8], ActivationFormat { bits: 32, fraction_bits: formats[7].fraction_bits + weight_bits });

    // Of the second pooling: each neighbour is worse, or makes the largest number saturate.
    let numbers = &nutshell::network::activations(&fixed.to_model(), &[ValueId(4)], &samples).unwrap()[0];
    let error = |bits: i8| -> f64 {
        let scale = f64::from(bits).exp2();
        let rounded = |number: f64| (number * scale).round().clamp(-128.0, 127.0) / scale;
        numbers.iter().map(|&number| (rounded(number.into()) - f64::from(number)).powi(2)).sum()
    };
    let best = (-6..12).min_by(|a, b| error(*a).total_cmp(&error(*b))).unwrap();
    assert_eq!(formats[4].fraction_bits, best);
}

#[test]
fn fewer_bits_round_more() {
    let mut model = lenet5([6, 8, 20, 10]);
    initialize(&mut model, &mut rng(4));
    let fixed = quantize_uniform(&model, 6, 1.0, model.parameter_shapes());
    let samples = samples(&[1, 28, 28], 100, Scaling::Unit);
    let float = logits(&fixed.to_model(), &samples).unwrap();
    let error = |bits| {
        let formats = search_formats(&fixed, &samples, bits).unwrap();
        assert_eq!([0, 1, 8].map(|value: usize| formats[value].bits), [8, bits, 32]);
        let network = IntegerNetwork::new(&fixed, &formats, &Scaling::Unit, bits).unwrap();
        let unit = (-f32::from(network.fraction_bits())).exp2();
        let errors = network.logits(&samples).unwrap().mapv(|logit| logit as f32 * unit) - &float;
        errors.mapv(|error| error.powi(2)).mean().unwrap().sqrt()
    };
    let errors = [8, 6, 4, 2].map(error);
    // Two bits fewer: units four times as large.
    assert!(errors.windows(2).all(|pair| (2.0..8.0).contains(&(pair[1] / pair[0]))), "{errors:?}");

    let formats = search_formats(&fixed, &samples, 5).unwrap();
    assert!(IntegerNetwork::new(&fixed, &formats, &Scaling::Unit, 4).is_err());
    for bits in [1, 9] {
        assert!(matches!(search_formats(&fixed, &samples, bits), Err(Error::Graph(_))));
        assert!(matches!(IntegerNetwork::new(&fixed, &formats, &Scaling::Unit, bits), Err(Error::Graph(_))));
    }
}

#[test]
fn a_network_without_activity_has_formats() {
    let model = lenet300([3, 3, 3]);
    let fixed = quantize_uniform(&model, 6, 1.0, model.parameter_shapes());
    let samples = samples(&[784], 5, Scaling::Unit);
    let formats = search_formats(&fixed, &samples, 8).unwrap();
    let network = IntegerNetwork::new(&fixed, &formats, &Scaling::Unit, 8).unwrap();
    assert_eq!(network.predict(&samples).unwrap(), [0; 5]);
    assert!(network.predict(&samples.range(0, 0)).unwrap().is_empty());
}

/// One output that sums `features` inputs with the largest weight.
fn wide_sum(features: usize) -> FixedPoint {
    let model = Chain::new(vec![features]).linear("sum", [1, features]).build().without_biases();
    let codebook = Codebook::integers(0);
    let parameter = |shape: Vec<usize>, symbol| FixedParameter {
        name: "sum".into(),
        symbols: vec![symbol; shape.iter().product()],
        shape,
        codebook: codebook.clone(),
    };
    let parameters = vec![parameter(vec![1, features], i16::MAX), parameter(vec![1], 0)];
    FixedPoint { graph: model.graph.clone(), parameters, original_shapes: model.parameter_shapes() }
}

#[test]
fn sums_fit_or_are_refused() {
    let formats = [narrow(0), ActivationFormat { bits: 32, fraction_bits: 0 }];
    let fixed = wide_sum(257);
    let white = Samples::new(vec![257], vec![255; 257], Vec::new(), Scaling::Raw).unwrap();
    let network = IntegerNetwork::new(&fixed, &formats, &Scaling::Raw, 8).unwrap();
    assert_eq!(network.logits(&white).unwrap()[(0, 0)], 255 * 257 * 32767);
    let error = IntegerNetwork::new(&wide_sum(258), &formats, &Scaling::Raw, 8).unwrap_err();
    assert!(matches!(error, Error::Graph(error) if error.node == "sum" && error.expected.contains("2147483647")));
    // A bias that is too large at the scale of the sums.
    let mut fixed = wide_sum(1);
    fixed.graph = Chain::new(vec![1]).linear("sum", [1, 1]).build().graph;
    fixed.parameters[1].symbols = vec![-1];
    for (fraction_bits, fits) in [(-30, true), (-31, false), (-113, false), (100, true)] {
        fixed.parameters[1].codebook = Codebook::integers(fraction_bits);
        assert_eq!(IntegerNetwork::new(&fixed, &formats, &Scaling::Raw, 8).is_ok(), fits, "{fraction_bits}");
    }
}

#[test]
fn what_cannot_be_computed_is_an_error() {
    let model = insert(lenet300([4, 4, 3]), 6, Op::Softmax);
    let fixed = random_fixed(&model, &mut rng(2));
    let samples = samples(&[784], 4, Scaling::Unit);
    let formats = search_formats(&fixed, &samples, 8).unwrap();
    let refused =
        |fixed: &FixedPoint, formats: &[ActivationFormat]| match IntegerNetwork::new(fixed, formats, &Scaling::Unit, 8)
            .unwrap_err()
        {
            Error::Graph(error) => (error.node, error.what),
            other => panic!("{other}"),
        };
    let network = IntegerNetwork::new(&fixed, &formats, &Scaling::Unit, 8).unwrap();
    assert_eq!(refused(&fixed, &formats[1..]), ("input".into(), "formats of activations"));
    for value in 0..=6 {
        let mut formats = formats.clone();
        formats[value].bits = 7;
        refused(&fixed, &formats);
    }
    let mut shifted = formats.clone();
    shifted[6].fraction_bits += 1;
    assert_eq!(refused(&fixed, &shifted), ("fc3".into(), "format"));

    let mut coarse = fixed.clone();
    coarse.parameters[0].codebook =
        Codebook::Free { fraction_bits: 4, positive: vec![1, 2, 40_000], negative: vec![1, 2, 3] };
    assert_eq!(refused(&coarse, &formats), ("fc1".into(), "weight"));
    let soft = random_fixed(&insert(lenet300([4, 4, 3]), 3, Op::Softmax), &mut rng(2));
    let soft_formats = search_formats(&soft, &samples, 8).unwrap();
    assert_eq!(refused(&soft, &soft_formats), ("inserted 3".into(), "place in a network of integers"));

    let raw = Samples { scaling: Scaling::Raw, ..samples.clone() };
    assert!(matches!(network.predict(&raw), Err(Error::Data(error)) if error.what == "scaling"));
    let unlabelled = Samples::new(vec![784], vec![0; 784], Vec::new(), Scaling::Unit).unwrap();
    assert!(matches!(network.evaluate(&unlabelled), Err(Error::Data(error)) if error.what == "labels"));
    assert!(matches!(network.evaluate(&samples.range(0, 0)), Err(Error::Data(_))));
    let small = Samples::new(vec![7], vec![0; 7], Vec::new(), Scaling::Unit).unwrap();
    assert!(matches!(network.predict(&small), Err(Error::Data(error)) if error.what == "shape"));
    assert!(matches!(search_formats(&fixed, &samples.range(0, 0), 8), Err(Error::Data(_))));
}
