//! VGG and its kind (Simonyan and Zisserman 2015), as `torch.nn.Sequential` names it: `features.N` and `classifier.N`.

use super::build::{Build, Moves};
use crate::model::Model;
use crate::ranking::ranked;

/// The most convolutions, and the most linear layers.
const MOST: usize = 64;

/// A convolution in `features`, by its place: blocks of layers may be nested once, as `features.BLOCK.N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    block: Option<usize>,
    index: usize,
}

impl Place {
    fn name(&self, offset: usize) -> String {
        let index = self.index + offset;
        match self.block {
            Some(block) => format!("features.{block}.{index}"),
            None => format!("features.{index}"),
        }
    }
}

/// Convolutions of stride 1 that keep the size of an image, each with a ReLU, then linear layers with ReLU between. After a convolution
/// there may be a batch normalisation. Where a place is left out before the next convolution, and at the end of a block, is a maximum over
/// 2 x 2. So VGG11 to VGG19 of torchvision are recognised, and smaller ones of that kind; images are as large as the first linear layer expects.
/// timm has convolutions in place of the linear layers but the last: `pre_logits.fc1` and `pre_logits.fc2`, then `head.fc`.
pub fn vgg(mut build: Build) -> Option<Model> {
    let mut places: Vec<Place> = Vec::new();
    let mut linears: Vec<usize> = Vec::new();
    for (name, shape) in build.shapes() {
        let Some(layer) = name.strip_suffix(".weight") else { continue };
        if let (Some(path), 4) = (layer.strip_prefix("features."), shape.len()) {
            let numbers: Vec<usize> = path.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
            places.push(match numbers[..] {
                [index] => Place { block: None, index },
                [block, index] => Place { block: Some(block), index },
                _ => return None,
            });
        } else if let Some(index) = layer.strip_prefix("classifier.") {
            linears.push(index.parse().ok()?);
        }
    }
    let rank = |place: &Place| (place.block.map_or(0, |block| block as u128 + 1) << 64) | place.index as u128;
    let order = ranked(places.len(), &|at| rank(&places[at]));
    let places: Vec<Place> = order.into_iter().map(|at| places[at]).collect();
    let order = ranked(linears.len(), &|at| linears[at] as u128);
    let linears: Vec<usize> = order.into_iter().map(|at| linears[at]).collect();
    if places.is_empty() || places.len() > MOST || linears.len() > MOST {
        return None;
    }
    let normed: Vec<bool> = places.iter().map(|place| build.is_norm(&place.name(1))).collect();
    // The layer after the convolution, its normalisation and its ReLU.
    let next = |at: usize| places[at].index + if normed[at] { 3 } else { 2 };
    let pooled: Vec<bool> = (0..places.len())
        .map(|at| {
            let follower = places.get(at + 1).filter(|follower| follower.block == places[at].block);
            follower.is_none_or(|follower| follower.index > next(at))
        })
        .collect();
    let linears: Vec<String> = linears.iter().map(|index| format!("classifier.{index}")).collect();
    let convolved = build.window("pre_logits.fc1");
    let side = match convolved {
        Some([_, _, window]) => window,
        None => {
            let features = build.side(linears.first()?, 1)?;
            let channels = build.side(&places.last()?.name(0), 0)?;
            let side = features.checked_div(channels)?.isqrt();
            if side * side * channels != features {
                return None;
            }
            side
        }
    };
    let pools = pooled.iter().filter(|&&pooled| pooled).count();
    let input = side.checked_mul(1usize.checked_shl(u32::try_from(pools).ok()?)?)?;
    build.input([build.side(&places[0].name(0), 1)?, input, input]);
    for ((place, pooled), normed) in places.iter().zip(pooled).zip(normed) {
        let norm = normed.then(|| place.name(1));
        let kernel = build.side(&place.name(0), 3)?;
        let moves = Moves { stride: 1, pads: [kernel / 2; 4], groups: 1 };
        build.conv(build.last(), &place.name(0), norm.as_deref(), moves)?;
        let offset = if normed { 2 } else { 1 };
        build.relu(&place.name(offset));
        if pooled {
            build.max_pool(&place.name(offset + 1), 2, 2, 0);
        }
    }
    if convolved.is_some() {
        for layer in ["pre_logits.fc1", "pre_logits.fc2"] {
            build.conv(build.last(), layer, None, Moves { stride: 1, pads: [0; 4], groups: 1 })?;
            build.relu(&layer.replace("fc", "act"));
        }
        build.mean();
        build.linear(build.last(), "head.fc")?;
        return build.finish();
    }
    // A ReLU is a layer of its own, behind the linear one.
    let behind = |layer: &str| {
        layer.rsplit_once('.').and_then(|(_, index)| index.parse::<usize>().ok()).map_or(0, |index| index + 1)
    };
    build.classifier(&linears, |layer, _| format!("classifier.{}", behind(layer)))?;
    build.finish()
}
