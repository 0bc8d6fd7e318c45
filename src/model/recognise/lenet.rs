//! LeNet-5 and LeNet-300-100.

use super::build::{Build, Moves, Naming};
use crate::model::Model;

/// The network of these weights, if they have the shapes of LeNet-5 or LeNet-300-100, in any widths, and the names of two convolutions and two
/// linear layers, or of three linear layers. What lies between the layers is taken to be as in the [`presets`](crate::model::presets): the weights
/// do not tell.
pub fn lenet(mut build: Build, naming: Naming, convolutions: [&str; 2], linears: [&str; 3]) -> Option<Model> {
    let torch = naming == Naming::Torch;
    let window = if torch { [2, 3] } else { [0, 1] };
    build.input([1, 28, 28]);
    let five = |name: &str| {
        build.sides(name).is_some_and(|sides| sides.len() == 4 && window.map(|side| sides[side]) == [5, 5])
    };
    let linears = linears.map(str::to_owned);
    let linears = match (convolutions.map(five), build.count()) {
        ([true, true], 8) => {
            for (index, name) in convolutions.into_iter().enumerate() {
                build.conv(build.last(), name, None, Moves { stride: 1, pads: [0; 4], groups: 1 })?;
                build.max_pool(&format!("pool{}", if torch { 2 * index } else { index } + 1), 2, 2, 0);
            }
            &linears[..2]
        }
        ([false, false], 6) => &linears[..],
        _ => return None,
    };
    build.classifier(linears, |layer, place| if torch { format!("relu{place}") } else { format!("{layer}_relu") })?;
    build.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dtype, Network, Origin, Source, Tensor, presets};
    use rand::SeedableRng;
    use rand_pcg::Pcg64Mcg;

    fn weights_of(model: &Model) -> Network {
        let tensor = |parameter: &crate::model::Parameter| {
            let bytes = parameter.values.iter().flat_map(|value| value.to_le_bytes()).collect();
            Tensor::new(parameter.name.clone(), parameter.values.shape().to_vec(), Dtype::F32, bytes)
        };
        // In another order than the layers'.
        let tensors = model.parameters.iter().rev().map(tensor).collect();
        let origin = Origin { source: Source::Torch, skeleton: Vec::new() };
        Network::new(tensors, origin)
    }

    #[test]
    fn the_presets_are_recognised_in_any_widths_and_nothing_else_is() {
        let lenet = |weights: &Network| {
            let build = Build::new(weights, Naming::Torch, "")?;
            lenet(build, Naming::Torch, ["conv1", "conv2"], ["fc1", "fc2", "fc3"])
        };
        for mut model in [presets::lenet5([3, 4, 5, 6]), presets::lenet300([7, 6, 5])] {
            presets::initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(1));
            let weights = weights_of(&model);
            assert_eq!(lenet(&weights), Some(model));
            for index in 0..weights.tensors.len() {
                let mut other = weights.clone();
                other.tensors[index].name += "x";
                assert_eq!(lenet(&other), None);
                let mut other = weights.clone();
                other.tensors[index].bytes[..4].copy_from_slice(&f32::NAN.to_le_bytes());
                assert_eq!(lenet(&other), None);
                let mut other = weights.clone();
                other.tensors[index].shape.push(1);
                assert_eq!(lenet(&other), None);
                let mut other = weights.clone();
                other.tensors.remove(index);
                assert_eq!(lenet(&other), None);
            }
        }
    }
}
