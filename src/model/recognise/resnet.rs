//! ResNet (He et al. 2016) as torchvision has it: ResNet-18, -34, -50, -101, -152, and others of these blocks.

use super::build::{Build, Moves};
use crate::model::{Model, Op, ValueId};

/// Sides of an image, in pixels.
const SIDE: usize = 224;

/// The most blocks of a stage.
const MOST: usize = 64;

/// A convolution of 7 x 7 and a maximum, four stages `layer1` to `layer4` of blocks, a mean, and `fc`. A block has two convolutions of
/// 3 x 3, or three of 1 x 1, 3 x 3 and 1 x 1, of which that of 3 x 3 has the stride; what it reads is added, through a convolution of 1 x 1 where there is one.
pub fn resnet(mut build: Build) -> Option<Model> {
    let (7, channels) = (*build.sides("conv1")?.last()?, build.side("conv1", 1)?) else { return None };
    build.input([channels, SIDE, SIDE]);
    build.conv(build.last(), "conv1", Some("bn1"), Moves { stride: 2, pads: [3; 4], groups: 1 })?;
    build.relu("relu");
    build.max_pool("maxpool", 3, 2, 1);
    for stage in 1..=4 {
        for block in 0..MOST {
            let name = format!("layer{stage}.{block}");
            if build.sides(&format!("{name}.conv1")).is_none() {
                break;
            }
            let stride = if stage > 1 && block == 0 { 2 } else { 1 };
            let deep = build.sides(&format!("{name}.conv3")).is_some();
            let through = build.sides(&format!("{name}.downsample.0")).is_some();
            residual(&mut build, &name, stride, deep, through)?;
        }
    }
    build.mean();
    build.linear(build.last(), "fc")?;
    build.finish()
}

/// A block; `deep` if it has three convolutions, `through` if what it reads passes a convolution.
fn residual(build: &mut Build, name: &str, stride: usize, deep: bool, through: bool) -> Option<ValueId> {
    let from = build.last();
    // Of each convolution, how it moves.
    let (point, spread) = (Moves { stride: 1, pads: [0; 4], groups: 1 }, Moves { stride: 1, pads: [1; 4], groups: 1 });
    let moves = match deep {
        true => vec![point, Moves { stride, ..spread }, point],
        false => vec![Moves { stride, ..spread }, spread],
    };
    for (index, moves) in moves.into_iter().enumerate() {
        if index > 0 {
            build.relu(&format!("{name}.relu{index}"));
        }
        let number = index + 1;
        build.conv(build.last(), &format!("{name}.conv{number}"), Some(&format!("{name}.bn{number}")), moves)?;
    }
    let made = build.last();
    let other = match through {
        true => {
            let norm = format!("{name}.downsample.1");
            build.conv(from, &format!("{name}.downsample.0"), Some(&norm), Moves { stride, ..point })?
        }
        false => from,
    };
    build.node(&format!("{name}.add"), Op::Add, &[made, other]);
    Some(build.relu(&format!("{name}.relu")))
}
