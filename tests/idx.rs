//! IDX files that are damaged: each is read as what it says, or an error.

use nutshell::data::idx::{read, read_images, read_labels};
use nutshell::formats::is_idx;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use std::io::Write;

const CAP: u64 = 4096;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Three images of 2 x 4, and their labels.
fn images() -> Vec<u8> {
    [&[0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 4][..], &(0..24).collect::<Vec<u8>>()].concat()
}

fn labels() -> Vec<u8> {
    vec![0, 0, 8, 1, 0, 0, 0, 3, 2, 0, 1]
}

#[test]
fn is_told_from_other_formats() {
    for file in [images(), labels()] {
        assert!(is_idx(&file));
        assert!(!is_idx(&gzip(&file)));
    }
    assert_eq!(read(&images(), Some(&labels()), CAP).unwrap().classes(), 3);
    assert!(!is_idx(b"Nu"));
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..Config::default() })
}

/// Plain files: what is read has as many bytes as the shape says.
#[test]
fn mutations_are_read_as_what_they_say() {
    let whole = images();
    let changes = prop::collection::vec((0..whole.len(), any::<u8>()), 0..4);
    let check = |(changes, length): (Vec<(usize, u8)>, usize)| {
        let mut bytes = whole.clone();
        changes.iter().for_each(|&(at, byte)| bytes[at] = byte);
        bytes.truncate(length);
        if let Ok((shape, values)) = read_images(&bytes, CAP) {
            let sample: usize = shape.iter().product();
            prop_assert!(sample > 0 && values.len() % sample == 0 && values.len() as u64 <= CAP);
            prop_assert_eq!(&bytes[bytes.len() - values.len()..], &values[..]);
        }
        let _ = read_labels(&bytes, CAP);
        Ok(())
    };
    // Half of them are cut.
    runner(100_000).run(&(changes, 0..2 * whole.len()), check).unwrap();
}

/// Compressed files: the checksum finds the damage, or it did not matter.
#[test]
fn damaged_compression_is_found() {
    let whole = gzip(&images());
    let check = |(at, byte): (usize, u8)| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        if let Ok((shape, values)) = read_images(&bytes, CAP) {
            prop_assert_eq!((shape, values), (vec![1, 2, 4], (0..24).collect::<Vec<u8>>()));
        }
        Ok(())
    };
    runner(20_000).run(&(0..whole.len(), any::<u8>()), check).unwrap();
}
