//! Reading a `.nut` file, damaged or hostile, allocates no more than the caller's cap allows.

mod counting;
mod synthetic;

use nutshell::container::{WriteOptions, layout, read, write};
use nutshell::error::DecodeError;
use nutshell::model::presets::{self, Chain};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// The most that reading allocates at once, beside the file.
fn peak(bytes: &[u8], cap: u64) -> usize {
    counting::peak(|| drop(read(bytes, cap)))
}

fn sealed(mut body: Vec<u8>) -> Vec<u8> {
    let checksum = crc32fast::hash(&body);
    body.extend_from_slice(&checksum.to_le_bytes());
    body
}

/// A file with a stored graph that the bytes describe, and a coded stream that never says anything probable.
fn stored(graph: &[u8], stream: &[u8]) -> Vec<u8> {
    let mut body = layout::MAGIC.to_vec();
    body.extend_from_slice(&[layout::VERSION << 5 | 1, 1, 1]);
    let mut length = graph.len();
    while length >= 0x80 {
        body.push(length as u8 | 0x80);
        length >>= 7;
    }
    body.push(length as u8);
    body.extend_from_slice(graph);
    body.extend_from_slice(stream);
    sealed(body)
}

// One test, because the counts are of the whole process.
#[test]
fn memory_stays_within_the_cap() {
    const CAP: u64 = 1 << 20;
    const MOST: usize = 6 * CAP as usize + (1 << 16);
    assert!(synthetic_peak(CAP) < MOST);

    // Widths of 2^28 - 1 and the like: refused before anything is allocated.
    let wide =
        stored(&[1, 0xff, 0xff, 0xff, 0x7f, 1, 0x21, 2, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f], &[0; 8]);
    let said = read(&wide, CAP);
    assert!(matches!(said, Err(DecodeError::TooLarge { .. })), "{said:?}");
    assert!(peak(&wide, CAP) < 1 << 16);

    // As many weights as the cap allows, in one row, and bytes that decode to something.
    let row = [&[1u8, 0xff, 0xff, 0x0f, 1, 0x01, 1, 1, 0xff, 0xff, 0x0f][..]].concat();
    for byte in [0x00, 0x55, 0xaa, 0xff] {
        assert!(peak(&stored(&row, &[byte; 4000]), CAP) < MOST, "{byte}");
    }

    // Many small layers, each with a codebook as large as can be.
    let mut layers = vec![1, 1, 0x80, 0x02];
    layers.extend(vec![1; 256]);
    layers.extend([0x80, 0x02]);
    layers.extend(vec![1; 512]);
    for byte in [0x00, 0x55, 0xaa, 0xff] {
        assert!(peak(&stored(&layers, &[byte; 4000]), CAP) < MOST, "{byte}");
    }

    // A node a byte.
    let mut nodes = vec![1, 1, 0x80, 0x80, 0x40];
    nodes.extend(vec![3; 1 << 20]);
    nodes.push(0);
    let file = stored(&nodes, &[0; 4]);
    assert!(matches!(read(&file, CAP), Err(DecodeError::TooLarge { place: "stored graph", .. })));
    assert!(peak(&file, CAP) < MOST);
    assert!(peak(&file, 1 << 30) < 1 << 30);
}

/// The most that reading damaged files of synthetic networks allocates.
fn synthetic_peak(cap: u64) -> usize {
    let mut rng = Pcg64Mcg::seed_from_u64(21);
    let chain = Chain::new(vec![2, 6, 6]).conv("a", [3, 2, 3, 3], 0).max_pool().flatten().linear("b", [2, 12]).build();
    let files: Vec<Vec<u8>> = [chain, presets::lenet300([4, 3, 2]), presets::lenet5([2, 3, 4, 5])]
        .iter()
        .zip([synthetic::uniform, synthetic::free, synthetic::free])
        .map(|(model, codebook)| {
            let network = synthetic::fixed_point(model, None, 0.2, codebook, &mut rng);
            write(&network, &WriteOptions { names: true, ..WriteOptions::default() }).unwrap().bytes
        })
        .collect();
    let mut most = 0;
    for round in 0..3000 {
        let mut bytes = files[round % files.len()].clone();
        bytes.truncate(bytes.len() - layout::CHECKSUM_BYTES);
        for _ in 0..rng.random_range(1..4) {
            let place = rng.random_range(2..bytes.len());
            bytes[place] = rng.random();
        }
        most = most.max(peak(&sealed(bytes), cap));
    }
    most
}
