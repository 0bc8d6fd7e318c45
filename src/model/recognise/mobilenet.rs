//! MobileNetV2 (Sandler et al. 2018) as torchvision has it.

use super::build::{Build, Moves};
use crate::model::{Model, Op};

/// Sides of an image, in pixels.
const SIDE: usize = 224;

/// Blocks of each stage, and the stride of its first one (table 2 of the paper).
const STAGES: [(usize, usize); 7] = [(1, 1), (2, 2), (3, 2), (4, 2), (3, 1), (3, 2), (1, 1)];

/// `features.0` is a convolution of stride 2, `features.1` to `features.17` are inverted residuals, `features.18` is a convolution of 1 x 1;
/// then a mean and `classifier.1`. In any widths.
pub fn mobilenet_v2(mut build: Build) -> Option<Model> {
    build.input([build.side("features.0.0", 1)?, SIDE, SIDE]);
    let point = Moves { stride: 1, pads: [0; 4], groups: 1 };
    build.conv(build.last(), "features.0.0", Some("features.0.1"), Moves { stride: 2, pads: [1; 4], groups: 1 })?;
    build.relu6("features.0.2");
    let mut index = 1;
    for (blocks, stride) in STAGES {
        for block in 0..blocks {
            let stride = if block == 0 { stride } else { 1 };
            let name = format!("features.{index}.conv");
            let from = build.last();
            // The first block does not expand.
            let expands = build.is_norm(&format!("{name}.3"));
            let mut place = 0;
            let channels = build.side(&format!("{name}.0.0"), usize::from(expands))?;
            if expands {
                build.conv(from, &format!("{name}.0.0"), Some(&format!("{name}.0.1")), point)?;
                build.relu6(&format!("{name}.0.2"));
                place = 1;
            }
            let depthwise = format!("{name}.{place}");
            let groups = build.side(&format!("{depthwise}.0"), 0)?;
            let moves = Moves { stride, pads: [1; 4], groups };
            build.conv(build.last(), &format!("{depthwise}.0"), Some(&format!("{depthwise}.1")), moves)?;
            build.relu6(&format!("{depthwise}.2"));
            let (out, norm) = (format!("{name}.{}", place + 1), format!("{name}.{}", place + 2));
            let made = build.conv(build.last(), &out, Some(&norm), point)?;
            if stride == 1 && channels == build.side(&out, 0)? {
                build.node(&format!("features.{index}.add"), Op::Add, &[made, from]);
            }
            index += 1;
        }
    }
    build.conv(build.last(), "features.18.0", Some("features.18.1"), point)?;
    build.relu6("features.18.2");
    build.mean();
    build.linear(build.last(), "classifier.1")?;
    build.finish()
}
