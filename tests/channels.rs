//! What may be removed together, against another runtime.

use ndarray::{ArrayD, IxDyn};
use nutshell::formats::onnx;
use nutshell::model::channels::{channel_groups, fold_biases, keep};
use nutshell::model::presets::{self, Chain};
use nutshell::model::{Conv, Node, Pool};
use nutshell::model::{Model, Op, ParamId, ValueId};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use rten::Value;

/// What another runtime computes for two samples.
fn outputs(model: &Model) -> Vec<f32> {
    let shape: Vec<usize> = std::iter::once(2).chain(model.graph.input_shape.iter().copied()).collect();
    let inputs = (0..shape.iter().product()).map(|at: usize| (at * 37 % 101) as f32 / 50.0 - 1.0).collect();
    let network = rten::Model::load(onnx::write(model).unwrap()).unwrap();
    match network.run_one(Value::from_shape(shape, inputs).unwrap().into(), None).unwrap() {
        Value::FloatTensor(output) => output.into_data(),
        other => panic!("not floats: {:?}", other.dtype()),
    }
}

fn assert_same(a: &Model, b: &Model) {
    let (a, b) = (outputs(a), outputs(b));
    assert_eq!(a.len(), b.len());
    a.iter().zip(&b).for_each(|(a, b)| assert!((a - b).abs() <= 1e-4 * a.abs().max(1.0), "{a} {b}"));
}

/// Weights and biases, none of them zero.
fn random(mut model: Model) -> Model {
    let rng = &mut Pcg64Mcg::seed_from_u64(3);
    presets::initialize(&mut model, rng);
    for parameter in model.parameters.iter_mut().filter(|parameter| parameter.values.ndim() == 1) {
        parameter.values.mapv_inplace(|_| rng.random::<f32>() - 0.5);
    }
    model
}

/// A convolution, ReLU, means, a padded convolution, a global mean, and a linear layer.
fn other() -> Model {
    let chain = Chain::new(vec![2, 8, 8]).conv("a", [4, 2, 3, 3], 1).relu().conv("b", [5, 4, 3, 3], 1);
    let mut model = chain.max_pool().conv("c", [3, 5, 2, 2], 0).flatten().linear("d", [2, 27]).build();
    let pool = Pool { kernel: [2, 2], stride: [2, 2], pads: [0; 4], ceil: false, count_pads: true };
    model.graph.nodes[3].op = Op::AveragePool(pool);
    random(model)
}

#[test]
fn lenet5_is_followed_through_pools_and_flattening() {
    let groups = channel_groups(&presets::lenet5([2, 3, 4, 5])).unwrap();
    let seen: Vec<_> = groups
        .iter()
        .map(|group| {
            let consumers: Vec<_> =
                group.consumers.iter().map(|to| (to.node, to.input.0, to.weight.0, to.columns)).collect();
            (group.producer, group.channels, consumers, group.removable, group.linear, group.bias_folds)
        })
        .collect();
    assert_eq!(
        seen,
        [
            (0, 2, vec![(2, 2, 2, 1)], true, false, true),
            (2, 3, vec![(5, 5, 4, 16)], true, false, true),
            (5, 4, vec![(7, 7, 6, 1)], true, false, false),
            (7, 5, vec![], false, false, false),
        ]
    );
}

#[test]
fn padding_and_relu_stop_biases() {
    let groups = channel_groups(&other()).unwrap();
    let seen: Vec<_> = groups.iter().map(|group| (group.removable, group.linear, group.bias_folds)).collect();
    assert_eq!(seen, [(true, false, false), (true, true, true), (true, true, true), (false, false, false)]);
}

#[test]
fn a_permutation_changes_nothing() {
    for model in [random(presets::lenet5([4, 5, 6, 3])), random(presets::lenet300([7, 5, 3])), other()] {
        for group in channel_groups(&model).unwrap().iter().filter(|group| group.removable) {
            let order: Vec<usize> = (0..group.channels).rev().collect();
            let permuted = keep(&model, group, &order).unwrap();
            assert_ne!(permuted, model);
            assert!(permuted.parameters.iter().all(|parameter| parameter.values.is_standard_layout()));
            assert_same(&permuted, &model);
            assert_eq!(keep(&permuted, group, &order).unwrap(), model);
        }
    }
}

#[test]
fn dead_channels_may_go() {
    for model in [random(presets::lenet5([4, 5, 6, 3])), other()] {
        for group in channel_groups(&model).unwrap().iter().filter(|group| group.removable) {
            let mut dead = model.clone();
            for channel in [0, 2] {
                dead.values_mut(group.weight).index_axis_mut(ndarray::Axis(0), channel).fill(0.0);
                dead.values_mut(group.bias.unwrap())[channel] = 0.0;
            }
            let kept: Vec<usize> = (0..group.channels).filter(|channel| ![0, 2].contains(channel)).collect();
            let smaller = keep(&dead, group, &kept).unwrap();
            assert!(smaller.parameter_count() < model.parameter_count());
            assert_same(&smaller, &dead);
        }
    }
}

#[test]
fn biases_move_as_far_as_they_can() {
    let model = random(presets::lenet5([4, 5, 6, 3]));
    let mut folded = model.clone();
    fold_biases(&mut folded).unwrap();
    assert_same(&folded, &model);
    let zero: Vec<bool> =
        [1, 3, 5, 7].iter().map(|&bias| folded.values(ParamId(bias)).iter().all(|&value| value == 0.0)).collect();
    assert_eq!(zero, [true, true, false, false]);

    let model = other();
    let mut folded = model.clone();
    fold_biases(&mut folded).unwrap();
    assert_same(&folded, &model);
    assert_eq!(folded.values(ParamId(1)), model.values(ParamId(1)));
    assert!([3, 5].iter().all(|&bias| folded.values(ParamId(bias)).iter().all(|&value| value == 0.0)));
}

#[test]
fn a_consumer_without_a_bias_gets_one() {
    let mut model = random(presets::lenet5([4, 5, 6, 3]));
    let Op::Conv(conv) = &mut model.graph.nodes[2].op else { panic!("a convolution") };
    conv.bias = None;
    let mut folded = model.clone();
    fold_biases(&mut folded).unwrap();
    assert_eq!(folded.parameters.last().map(|parameter| parameter.name.as_str()), Some("conv2.bias"));
    assert_same(&folded, &model);
}

#[test]
fn branches_sums_groups_and_shared_weights_have_to_stay() {
    let removable =
        |model: &Model| -> Vec<bool> { channel_groups(model).unwrap().iter().map(|group| group.removable).collect() };
    // Two linear layers read the first: both are consumers. Their sum is the output.
    let mut model = Chain::new(vec![3]).linear("a", [4, 3]).relu().linear("b", [2, 4]).linear("c", [2, 4]).build();
    model.graph.nodes[3].inputs = vec![ValueId(2)];
    model.graph.nodes.push(Node { name: "sum".into(), op: Op::Add, inputs: vec![ValueId(3), ValueId(4)] });
    assert_eq!(removable(&model), [true, false, false]);
    let model = random(model);
    let groups = channel_groups(&model).unwrap();
    assert_eq!(groups[0].consumers.iter().map(|to| to.node).collect::<Vec<_>>(), [2, 3]);
    assert_same(&keep(&model, &groups[0], &[3, 1, 0, 2]).unwrap(), &model);
    let error = keep(&model, &groups[1], &[0]).unwrap_err();
    assert_eq!(error.got, "one that has to stay");
    for kept in [&[][..], &[4], &[1, 1]] {
        assert!(keep(&model, &groups[0], kept).is_err());
    }

    let mut grouped = Chain::new(vec![2, 4, 4]).conv("a", [4, 2, 1, 1], 0).conv("b", [4, 4, 1, 1], 0).build();
    let grouped_conv =
        Conv { weight: ParamId(2), bias: Some(ParamId(3)), stride: [1, 1], pads: [0; 4], groups: 2, dilation: [1, 1] };
    grouped.graph.nodes[1].op = Op::Conv(grouped_conv);
    grouped.parameters[2].values = ArrayD::zeros(IxDyn(&[4, 2, 1, 1]));
    assert_eq!(removable(&grouped), [false, false]);

    let mut shared = presets::lenet300([4, 4, 4]);
    let Op::Linear(linear) = &mut shared.graph.nodes[5].op else { panic!("a linear layer") };
    linear.weight = ParamId(2);
    assert_eq!(removable(&shared), [false, false, false]);
}
