//! VGG and its kind (Simonyan and Zisserman 2015), as `torch.nn.Sequential` names it: `features.N` and `classifier.N`.

use super::build::{Build, Moves, Naming};
use crate::model::{Model, Network, Op};

/// The most convolutions, and the most linear layers.
const MOST: usize = 64;

/// A convolution in `features`, by its place: blocks of layers may be nested once, as `features.BLOCK.N`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
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
pub fn vgg(weights: &Network) -> Option<Model> {
    let shape =
        |name: &str| weights.tensors.iter().find(|tensor| tensor.name == name).map(|tensor| tensor.shape.as_slice());
    let mut places: Vec<Place> = Vec::new();
    let mut linears: Vec<usize> = Vec::new();
    for tensor in &weights.tensors {
        let Some(layer) = tensor.name.strip_suffix(".weight") else { continue };
        if let (Some(path), 4) = (layer.strip_prefix("features."), tensor.shape.len()) {
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
    places.sort();
    linears.sort_unstable();
    if places.is_empty() || linears.is_empty() || places.len() > MOST || linears.len() > MOST {
        return None;
    }
    let normed = |place: &Place| shape(&format!("{}.running_mean", place.name(1))).is_some();
    // The layer after the convolution, its normalisation and its ReLU.
    let next = |place: &Place| place.index + if normed(place) { 3 } else { 2 };
    let pooled: Vec<bool> = (0..places.len())
        .map(|at| {
            let follower = places.get(at + 1).filter(|follower| follower.block == places[at].block);
            follower.is_none_or(|follower| follower.index > next(&places[at]))
        })
        .collect();
    let first = shape(&format!("{}.weight", places[0].name(0)))?;
    let features = *shape(&format!("classifier.{}.weight", linears[0]))?.get(1)?;
    let channels = *shape(&format!("{}.weight", places.last()?.name(0)))?.first()?;
    let side = features.checked_div(channels)?.isqrt();
    let pools = pooled.iter().filter(|&&pooled| pooled).count();
    let input = side.checked_mul(1usize.checked_shl(u32::try_from(pools).ok()?)?)?;
    if side * side * channels != features {
        return None;
    }
    let mut build = Build::new(weights, Naming::Torch, [first[1], input, input]);
    for (place, pooled) in places.iter().zip(pooled) {
        let norm = normed(place).then(|| place.name(1));
        let kernel = shape(&format!("{}.weight", place.name(0)))?[3];
        let moves = Moves { stride: 1, pads: [kernel / 2; 4], groups: 1 };
        build.conv(build.last(), &place.name(0), norm.as_deref(), moves)?;
        let offset = if norm.is_some() { 2 } else { 1 };
        build.relu(&place.name(offset));
        if pooled {
            build.max_pool(&place.name(offset + 1), 2, 2, 0);
        }
    }
    let last = build.last();
    build.node("flatten", Op::Flatten, &[last]);
    for (order, index) in linears.iter().enumerate() {
        if order > 0 {
            build.relu(&format!("classifier.{}", linears[order - 1] + 1));
        }
        build.linear(build.last(), &format!("classifier.{index}"))?;
    }
    build.finish()
}
