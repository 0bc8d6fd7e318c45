//! LeNet-5 and LeNet-300-100.

use crate::model::{Model, Network, Tensor, presets};
use ndarray::{ArrayD, IxDyn};

/// The network that these weights are of, if they have the names and the shapes of LeNet-5 or LeNet-300-100, in any widths: `conv1.weight`,
/// `conv1.bias`, `conv2...`, `fc1...`, `fc2...`, or `fc1...` to `fc3...`; floats, all finite. What lies between the layers is taken to be as in
/// the [`presets`]: the weights do not tell.
pub fn lenet(weights: &Network) -> Option<Model> {
    let find = |name: &str| weights.tensors.iter().find(|tensor| tensor.name == name);
    // Outputs of the layers.
    let widths = |layers: &[&str]| -> Option<Vec<usize>> {
        layers.iter().map(|layer| find(&format!("{layer}.bias"))?.shape.first().copied()).collect()
    };
    let lenet5 = widths(&["conv1", "conv2", "fc1", "fc2"]).and_then(|widths| <[usize; 4]>::try_from(widths).ok());
    let lenet300 = widths(&["fc1", "fc2", "fc3"]).and_then(|widths| <[usize; 3]>::try_from(widths).ok());
    // Widths that are too large for the file would be allocated in vain.
    let most = |widths: &[usize]| widths.iter().all(|&width| (1..=presets::MAX_WIDTH).contains(&width));
    let lenet5 = lenet5.filter(|widths| most(widths) && weights.tensors.len() == 8);
    let lenet300 = lenet300.filter(|widths| most(widths) && weights.tensors.len() == 6);
    let fits = |shape: &[usize], tensor: &Tensor| tensor.shape == shape && tensor.dtype.is_float();
    if let Some(widths) = lenet5
        && find("conv1.weight").is_some_and(|tensor| fits(&[widths[0], 1, 5, 5], tensor))
        && find("fc1.weight").is_some_and(|tensor| fits(&[widths[2], 16 * widths[1]], tensor))
    {
        return filled(presets::lenet5(widths), &find);
    }
    if let Some(widths) = lenet300
        && find("fc1.weight").is_some_and(|tensor| fits(&[widths[0], 784], tensor))
        && find("fc2.weight").is_some_and(|tensor| fits(&[widths[1], widths[0]], tensor))
    {
        return filled(presets::lenet300(widths), &find);
    }
    None
}

/// The model with the weights of its parameters' names, if they fit.
fn filled<'a>(mut model: Model, find: &dyn Fn(&str) -> Option<&'a Tensor>) -> Option<Model> {
    for parameter in &mut model.parameters {
        let tensor = find(&parameter.name)?;
        let values = tensor.values();
        let sound = tensor.dtype.is_float() && values.iter().all(|value| value.is_finite());
        if !sound || tensor.shape != parameter.values.shape() {
            return None;
        }
        parameter.values = ArrayD::from_shape_vec(IxDyn(&tensor.shape), values).ok()?;
    }
    Some(model)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dtype, Origin, Source};
    use rand::SeedableRng;
    use rand_pcg::Pcg64Mcg;

    fn weights_of(model: &Model) -> Network {
        let tensor = |parameter: &crate::model::Parameter| Tensor {
            name: parameter.name.clone(),
            shape: parameter.values.shape().to_vec(),
            dtype: Dtype::F32,
            bytes: parameter.values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            dequantized: false,
            step: None,
        };
        // In another order than the layers'.
        let tensors = model.parameters.iter().rev().map(tensor).collect();
        let origin = Origin { source: Source::Torch, skeleton: Vec::new() };
        Network::new(tensors, origin)
    }

    #[test]
    fn the_presets_are_recognised_in_any_widths_and_nothing_else_is() {
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
