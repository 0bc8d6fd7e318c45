//! How well symbols are coded: against the entropy of independent symbols, and against the baselines.

mod synthetic;

use nutshell::coding::{baseline, huffman};
use nutshell::container::{WriteOptions, write};
use nutshell::model::{Codebook, FixedParameter, FixedPoint, presets};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// What the best code for independent symbols would take if it knew each parameter's distribution, in bytes.
fn entropy_bytes(network: &FixedPoint) -> f64 {
    let bits = |parameter: &FixedParameter| {
        let counts: Vec<u64> = huffman::symbol_codes(&parameter.symbols).iter().map(|code| code.count).collect();
        huffman::entropy_bits(&counts)
    };
    network.parameters.iter().map(bits).sum::<f64>() / 8.0
}

#[test]
fn structure_is_worth_something() {
    for (widths, density) in [([8, 16, 20, 10], 0.15), ([10, 20, 27, 10], 0.2), ([20, 50, 500, 10], 0.05)] {
        let mut rng = Pcg64Mcg::seed_from_u64(1);
        let model = presets::lenet5(widths);
        let codebook = |_: usize, _: &mut Pcg64Mcg| Codebook::integers(3);
        let mut network = synthetic::fixed_point(&model, None, density, codebook, &mut rng);
        // Biases have no structure to be found.
        for parameter in network.parameters.iter_mut().filter(|parameter| parameter.shape.len() == 1) {
            parameter.symbols.fill(0);
        }
        let file = write(&network, &WriteOptions::default()).unwrap().bytes.len();
        let entropy = entropy_bytes(&network);
        let relative = baseline::relative_index_huffman(&network.parameters);
        let deflated = baseline::deflate(&network.parameters);
        println!(
            "{widths:?}: file {file}, entropy {entropy:.0}, relative index {}, DEFLATE {}",
            relative.len(),
            deflated.len()
        );
        assert!((file as f64) < 0.96 * entropy, "{widths:?}: {file} bytes, entropy {entropy}");
        assert!(file < relative.len() && file < deflated.len());
        check_baselines(&network, &relative, &deflated);
    }
}

fn check_baselines(network: &FixedPoint, relative: &[u8], deflated: &[u8]) {
    let unnamed = |parameter: &FixedParameter| FixedParameter { name: String::new(), ..parameter.clone() };
    let expected: Vec<_> = network.parameters.iter().map(unnamed).collect();
    assert!(baseline::read_relative_index_huffman(relative, 500_000).as_ref() == Some(&expected));
    assert!(baseline::read_deflate(deflated, 500_000) == Some(expected));
}

#[test]
fn baselines_keep_codebooks() {
    let mut rng = Pcg64Mcg::seed_from_u64(3);
    let network = synthetic::fixed_point(&presets::lenet300([30, 20, 10]), None, 0.1, synthetic::free, &mut rng);
    let relative = baseline::relative_index_huffman(&network.parameters);
    check_baselines(&network, &relative, &baseline::deflate(&network.parameters));
}

#[test]
fn where_there_is_no_structure_little_is_lost() {
    for (density, most) in [(0.08, 0.6), (1.0, 2.0)] {
        let mut rng = Pcg64Mcg::seed_from_u64(2);
        let model = presets::lenet5([20, 50, 500, 10]);
        let mut network = synthetic::fixed_point(&model, None, 0.0, synthetic::uniform, &mut rng);
        for symbol in network.parameters.iter_mut().flat_map(|parameter| &mut parameter.symbols) {
            let magnitude = 1 + (-2.0 * rng.random::<f64>().max(1e-3).ln()) as i16;
            let signed = if rng.random() { magnitude } else { -magnitude };
            *symbol = if rng.random_bool(density) { signed } else { 0 };
        }
        let file = write(&network, &WriteOptions::default()).unwrap().bytes.len() as f64;
        let excess = 100.0 * (file / entropy_bytes(&network) - 1.0);
        println!("density {density}: {file} bytes, {excess:.2} % above the entropy");
        assert!(excess < most, "density {density}: {excess} %");
    }
}
