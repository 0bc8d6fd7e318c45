//! A compact model in the shapes of its original: what was removed comes back as zeros.

use super::{Model, Parameter};
use crate::error::GraphError;
use ndarray::{ArrayD, IxDyn, Slice};

/// The model with every parameter padded with zeros to its original shape. Hidden units that were kept come first on
/// every axis, so that only the leading block of a parameter is filled; that holds behind a flattening too, since
/// `[channels, height, width]` is flattened channel by channel. The function stays the same.
///
/// # Errors
/// [`GraphError`] if there is not one original shape for each parameter, if one is smaller than the compact one on
/// any axis, or if the padded shapes do not fit the graph.
pub fn expand(compact: &Model, original_shapes: &[Vec<usize>]) -> Result<Model, GraphError> {
    let fault = |place: &str, expected: String, got: String| {
        GraphError::new(place, "", "original shape of the parameter", expected, got)
    };
    if original_shapes.len() != compact.parameters.len() {
        let expected = format!("{} shapes", compact.parameters.len());
        return Err(fault("the graph", expected, original_shapes.len().to_string()));
    }
    for (parameter, original) in compact.parameters.iter().zip(original_shapes) {
        let shape = parameter.values.shape();
        if shape.len() != original.len() || shape.iter().zip(original).any(|(kept, all)| kept > all) {
            let expected = format!("at least {shape:?}, on as many axes");
            return Err(fault(&parameter.name, expected, format!("{original:?}")));
        }
    }
    // Proves the sizes, before anything is allocated.
    compact.graph.shapes(original_shapes)?;
    let parameters = compact.parameters.iter().zip(original_shapes).map(|(parameter, original)| {
        let shape = parameter.values.shape();
        let mut values = ArrayD::zeros(IxDyn(original));
        values.slice_each_axis_mut(|axis| Slice::from(0..shape[axis.axis.index()])).assign(&parameter.values);
        Parameter { name: parameter.name.clone(), values }
    });
    Ok(Model { parameters: parameters.collect(), graph: compact.graph.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::channels::{channel_groups, keep};
    use crate::model::presets;
    use rand::SeedableRng;
    use rand_pcg::Pcg64Mcg;

    #[test]
    fn the_first_channels_are_filled_and_the_rest_is_zero() {
        let mut model = presets::lenet5([4, 5, 6, 3]);
        presets::initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(5));
        // Zero the last channels of each group, remove them, and put them back.
        let kept = [2, 3, 5];
        let mut zeroed = model.clone();
        for (group, kept) in channel_groups(&model).unwrap().iter().zip(kept) {
            let rows = |axis: ndarray::AxisDescription| {
                if axis.axis.index() == 0 { Slice::from(kept..) } else { Slice::from(..) }
            };
            zeroed.values_mut(group.weight).slice_each_axis_mut(rows).fill(0.0);
            for consumer in &group.consumers {
                let columns = |axis: ndarray::AxisDescription| {
                    if axis.axis.index() == 1 { Slice::from(kept * consumer.columns..) } else { Slice::from(..) }
                };
                zeroed.values_mut(consumer.weight).slice_each_axis_mut(columns).fill(0.0);
            }
        }
        let mut compact = zeroed.clone();
        for (index, kept) in kept.into_iter().enumerate() {
            let group = channel_groups(&compact).unwrap().swap_remove(index);
            compact = keep(&compact, &group, &(0..kept).collect::<Vec<_>>()).unwrap();
        }
        assert_eq!(compact.parameter_shapes()[4], [5, 48]);
        assert_eq!(expand(&compact, &model.parameter_shapes()), Ok(zeroed));
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let model = presets::lenet300([4, 3, 2]);
        let mut shapes = model.parameter_shapes();
        shapes[0] = vec![3, 784];
        let message = expand(&model, &shapes).unwrap_err().to_string();
        assert!(message.contains("'fc1.weight'") && message.contains("got [3, 784]"), "{message}");
        shapes[0] = vec![5, 784];
        assert!(expand(&model, &shapes).is_err(), "the next layer reads 4");
        shapes[0] = vec![4, 784, 1];
        assert!(expand(&model, &shapes).is_err());
        assert!(expand(&model, &shapes[1..]).is_err());
    }
}
