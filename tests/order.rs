//! The order of units, and what each symbol costs, against the file that is written.

use nutshell::coding::order::reorder;
use nutshell::coding::trace::symbol_costs;
use nutshell::container::{WriteOptions, write};
use nutshell::model::{Codebook, presets};
use nutshell::model::{FixedParameter, FixedPoint};
use nutshell::stages::quantize::quantize_uniform;
use rand::RngExt;
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

#[test]
fn the_network_stays_the_same_and_its_file_gets_smaller() {
    let mut rng = Pcg64Mcg::seed_from_u64(1);
    let model = presets::lenet5([5, 7, 9, 10]);
    let parameters = model.parameters.iter().map(|parameter| {
        let shape = parameter.values.shape().to_vec();
        let row: usize = shape.iter().skip(1).product();
        // Units of very different densities, in no order.
        let symbols = (0..parameter.values.len())
            .map(|index| {
                let density = [0.02, 0.5, 0.1, 0.8][index / row * 7 % 4];
                i16::from(rng.random_bool(density)) * [1, -1, 2][index % 3]
            })
            .collect();
        let codebook = Codebook::integers(0);
        FixedParameter { name: parameter.name.clone(), shape, symbols, codebook }
    });
    let parameters = parameters.collect();
    let original_shapes = model.parameter_shapes();
    let network = FixedPoint { graph: model.graph, parameters, original_shapes };
    let ordered = reorder(&network, 300_000, &mut rng).unwrap();
    let size = |network: &FixedPoint| write(network, &WriteOptions::default()).unwrap().bytes.len();
    assert!(size(&ordered) < size(&network), "{} {}", size(&ordered), size(&network));
    // All sums are of small integers: no rounding, so that the order does not show.
    let image: Vec<f32> = (0..784).map(|pixel| (pixel * 37 % 11) as f32).collect();
    assert_eq!(scores(&ordered, &image), scores(&network, &image));
}

/// A plain forward pass of LeNet-5.
fn scores(network: &FixedPoint, image: &[f32]) -> Vec<f32> {
    let weights = |layer: usize| network.parameters[2 * layer].values();
    let bias = |layer: usize| network.parameters[2 * layer + 1].values();
    let convolve = |layer: usize, image: &[f32], side: usize| -> Vec<f32> {
        let weight = weights(layer);
        let out = side - 4;
        let mut values = Vec::new();
        for filter in 0..weight.shape()[0] {
            for place in 0..out * out {
                let mut sum = bias(layer)[[filter]];
                for channel in 0..weight.shape()[1] {
                    for tap in 0..25 {
                        let pixel = channel * side * side + (place / out + tap / 5) * side + place % out + tap % 5;
                        sum += weight[[filter, channel, tap / 5, tap % 5]] * image[pixel];
                    }
                }
                values.push(sum);
            }
        }
        let at = |plane: usize, y: usize, x: usize| values[plane * out * out + y * out + x];
        let half = out / 2;
        (0..weight.shape()[0] * half * half)
            .map(|index| {
                let (plane, y, x) = (index / (half * half), index / half % half * 2, index % half * 2);
                at(plane, y, x).max(at(plane, y, x + 1)).max(at(plane, y + 1, x)).max(at(plane, y + 1, x + 1))
            })
            .collect()
    };
    let dense = |layer: usize, input: &[f32]| -> Vec<f32> {
        let rows = weights(layer);
        let sums =
            rows.outer_iter().map(|row| row.iter().zip(input).map(|(weight, value)| weight * value).sum::<f32>());
        sums.zip(&bias(layer)).map(|(sum, bias)| sum + bias).collect()
    };
    let planes = convolve(1, &convolve(0, image, 28), 12);
    let hidden: Vec<f32> = dense(2, &planes).into_iter().map(|value| value.max(0.0)).collect();
    dense(3, &hidden)
}

#[test]
fn the_costs_add_up_to_what_the_file_spends() {
    let mut model = presets::lenet5([3, 4, 6, 10]);
    presets::initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(2));
    model.parameters[2].values.fill(0.0);
    let network = quantize_uniform(&model, 4, 1.0, model.parameter_shapes());
    let spent = write(&network, &WriteOptions::default()).unwrap().items.parameters;
    for ((costs, head), (name, bits)) in symbol_costs(&network).unwrap().iter().zip(spent) {
        let sum = costs.iter().sum::<f32>() + head;
        assert!((f64::from(sum) - bits.total()).abs() < 1e-3 * bits.total().max(1.0), "{name}: {sum} {}", bits.total());
    }
    assert!(symbol_costs(&network).unwrap()[2].0.iter().all(|&cost| cost == 0.0));
}
