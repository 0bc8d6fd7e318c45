//! The architectures as Keras has them (`keras.applications`): other names, other orders of the axes, and small differences in what lies between.

use super::build::{Build, Moves, Naming};
use super::inverted::inverted;
use super::lenet::lenet;
use crate::model::{Model, Network, Op, ValueId};

/// Sides of an image, in pixels.
const SIDE: usize = 224;

/// The most convolutions of a block, blocks of a stage, and layers at the end.
const MOST: usize = 64;

/// A convolution that keeps the size of an image.
const fn same(kernel: usize) -> Moves {
    Moves { stride: 1, pads: [kernel / 2; 4], groups: 1 }
}

/// VGG16 and VGG19, ResNet-50 to -152 (the first version), networks of inverted residuals and the two LeNets, with Keras' names, in any widths. A file may
/// put folders before the layer's name, and `:0` behind. Outputs are those before the softmax.
pub fn keras(weights: &Network) -> Option<Model> {
    let build = || Build::new(weights, Naming::Keras, "");
    let lenet = |convolutions, linears| lenet(build()?, Naming::Keras, convolutions, linears);
    vgg(build()?)
        .or_else(|| resnet(build()?))
        .or_else(|| inverted(weights, Naming::Keras, ""))
        .or_else(|| lenet(["conv1", "conv2"], ["fc1", "fc2", "fc3"]))
        // As Keras names layers that are given no name.
        .or_else(|| lenet(["conv2d", "conv2d_1"], ["dense", "dense_1", "dense_2"]))
}

/// Blocks `block1_conv1`, `block1_conv2` and so on of convolutions that keep the size, each with a ReLU, and a maximum over 2 x 2 after each block;
/// then `fc1`, `fc2` and so on with a ReLU, and `predictions`. Images are as large as the first of those expects.
fn vgg(mut build: Build) -> Option<Model> {
    let convolutions = |block: usize| {
        let names = (1..=MOST).map(move |index| format!("block{block}_conv{index}"));
        names.take_while(|name| build.sides(name).is_some()).collect::<Vec<String>>()
    };
    let blocks: Vec<Vec<String>> = (1..).map(convolutions).take_while(|block| !block.is_empty()).take(MOST).collect();
    let hidden = (1..=MOST).map(|index| format!("fc{index}")).take_while(|name| build.sides(name).is_some());
    let linears: Vec<String> = hidden.chain(["predictions".to_owned()]).collect();
    let features = build.side(&linears[0], 0)?;
    let outputs = build.side(blocks.last()?.last()?, 3)?;
    let side = features.checked_div(outputs)?.isqrt();
    let input = side.checked_mul(1usize.checked_shl(u32::try_from(blocks.len()).ok()?)?)?;
    build.input([build.side(&blocks[0][0], 2)?, input, input]);
    for (index, block) in blocks.iter().enumerate() {
        for name in block {
            let moves = same(build.side(name, 0)?);
            build.conv(build.last(), name, None, moves)?;
            build.relu(&format!("{name}_relu"));
        }
        build.max_pool(&format!("block{}_pool", index + 1), 2, 2, 0);
    }
    build.classifier(&linears, |layer, _| format!("{layer}_relu"))?;
    build.finish()
}

/// A convolution of 7 x 7 and a maximum, four stages `conv2` to `conv5` of blocks, a mean, and `predictions`. A block has three convolutions of
/// 1 x 1, 3 x 3 and 1 x 1, of which the first has the stride (not that of 3 x 3, as in torchvision).
fn resnet(mut build: Build) -> Option<Model> {
    build.epsilon(1.001e-5);
    build.input([build.side("conv1_conv", 2)?, SIDE, SIDE]);
    let stem = Moves { stride: 2, pads: [3; 4], groups: 1 };
    build.conv(build.last(), "conv1_conv", Some("conv1_bn"), stem)?;
    build.relu("conv1_relu");
    // Keras puts zeros around what is at least 0, and takes the maximum of that.
    build.max_pool("pool1_pool", 3, 2, 1);
    for stage in 2..=5 {
        for block in 1..=MOST {
            let name = format!("conv{stage}_block{block}");
            if build.sides(&format!("{name}_1_conv")).is_none() {
                break;
            }
            let stride = if stage > 2 && block == 1 { 2 } else { 1 };
            let through = build.sides(&format!("{name}_0_conv")).is_some();
            residual(&mut build, &name, stride, through)?;
        }
    }
    build.mean();
    build.linear(build.last(), "predictions")?;
    build.finish()
}

/// A block; `through` if what it reads passes a convolution.
fn residual(build: &mut Build, name: &str, stride: usize, through: bool) -> Option<ValueId> {
    let from = build.last();
    let other = match through {
        true => {
            let norm = format!("{name}_0_bn");
            build.conv(from, &format!("{name}_0_conv"), Some(&norm), Moves { stride, ..same(1) })?
        }
        false => from,
    };
    let mut made = from;
    for (number, moves) in [(1, Moves { stride, ..same(1) }), (2, same(3)), (3, same(1))] {
        made = build.conv(made, &format!("{name}_{number}_conv"), Some(&format!("{name}_{number}_bn")), moves)?;
        if number < 3 {
            made = build.relu(&format!("{name}_{number}_relu"));
        }
    }
    build.node(&format!("{name}_add"), Op::Add, &[other, made]);
    Some(build.relu(&format!("{name}_out")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dtype, Origin, Source, Tensor};

    /// Weights of 1, 2, 3 and so on.
    fn weights(layers: &[(&str, &[usize])]) -> Network {
        let mut tensors = Vec::new();
        for (layer, shape) in layers {
            for (part, shape) in [("kernel", *shape), ("bias", &shape[shape.len() - 1..])] {
                let count: usize = shape.iter().product();
                let bytes = (1..=count).flat_map(|number| (number as f32).to_le_bytes()).collect();
                let name = format!("{layer}/{part}");
                tensors.push(Tensor::new(name, shape.to_vec(), Dtype::F32, bytes));
            }
        }
        Network::new(tensors, Origin { source: Source::Npz, skeleton: Vec::new() })
    }

    #[test]
    fn layers_without_names_of_their_own_make_a_lenet() {
        let lenet5 = weights(&[
            ("conv2d", &[5, 5, 1, 2]),
            ("conv2d_1", &[5, 5, 2, 3]),
            ("dense", &[48, 4]),
            ("dense_1", &[4, 10]),
        ]);
        let model = keras(&lenet5).unwrap();
        assert_eq!(model.shapes(), crate::model::presets::lenet5([2, 3, 4, 10]).shapes());
        let numbers = |index: usize| model.parameters[index].values.as_slice().unwrap();
        // Row 0 of the window of output 1, then how output 2 reads the image: 4 x 4 of channel 0 first.
        assert_eq!(numbers(0)[25..30], [2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(numbers(4)[2 * 48..][..3], [3.0, 15.0, 27.0]);
        let lenet300 = weights(&[("fc1", &[784, 5]), ("fc2", &[5, 4]), ("fc3", &[4, 10])]);
        assert_eq!(keras(&lenet300).unwrap().parameter_count(), 784 * 5 + 5 + 24 + 50);
        assert!(keras(&weights(&[("fc1", &[783, 5]), ("fc2", &[5, 4]), ("fc3", &[4, 10])])).is_none());
        let twice = weights(&[("a/fc1", &[784, 5]), ("fc2", &[5, 4]), ("b/fc1", &[784, 5])]);
        assert!(keras(&twice).is_none());
    }
}
