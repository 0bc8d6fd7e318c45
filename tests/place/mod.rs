//! A directory with samples, a recipe and perhaps a network, and `nutshell` run in it.

use nutshell::formats::onnx;
use nutshell::model::presets;
use nutshell::pipeline::{Effort, Recipe, Split, Target, Training};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub const CLASSES: u8 = 4;
pub const TRAINING: usize = 320;
pub const VALIDATION: usize = 80;
pub const TEST: usize = 100;

/// A directory of its own for a test, with samples and the recipe `recipe.json`.
pub struct Place(pub PathBuf);

impl Place {
    pub fn new(name: &str) -> Self {
        let place = Place::empty(name);
        fs::create_dir_all(place.0.join("data")).unwrap();
        let mut rng = Pcg64Mcg::seed_from_u64(5);
        for (stem, count) in [("train", TRAINING + VALIDATION), ("t10k", TEST)] {
            let (images, labels) = samples(count, &mut rng);
            place.write(&format!("data/{stem}-images-idx3-ubyte"), &images);
            place.write(&format!("data/{stem}-labels-idx1-ubyte"), &labels);
        }
        place.write("recipe.json", &serde_json::to_vec(&recipe()).unwrap());
        place
    }

    /// A directory with nothing in it.
    pub fn empty(name: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(name);
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        Place(directory)
    }

    /// The same with the network `model.onnx`, which was drawn and not trained.
    pub fn with_model(name: &str) -> Self {
        let place = Place::new(name);
        let mut model = presets::lenet5([3, 4, 6, CLASSES.into()]);
        presets::initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(2));
        place.write("model.onnx", &onnx::write(&model).unwrap());
        place
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.0.join(name), bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    /// Runs `nutshell` with arguments that spaces separate, in this directory.
    pub fn run_with(&self, arguments: &str, input: &[u8]) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_nutshell"))
            .args(arguments.split_whitespace())
            .current_dir(&self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that does not read may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }

    /// Runs what has to succeed; gives its standard output.
    pub fn run(&self, arguments: &str) -> Vec<u8> {
        let output = self.run_with(arguments, &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "nutshell {arguments}: {said}");
        output.stdout
    }

    /// Runs what has to succeed; gives the one object on its standard output.
    pub fn json(&self, arguments: &str) -> Value {
        let value: Value = serde_json::from_slice(&self.run(&format!("{arguments} --json"))).unwrap();
        assert!(value.is_object(), "nutshell {arguments}: {value}");
        value
    }

    /// Runs what has to fail with an exit code; gives its message.
    pub fn fail(&self, arguments: &str, code: i32) -> String {
        let output = self.run_with(arguments, &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "nutshell {arguments}: {said}");
        assert!(output.stdout.is_empty(), "nutshell {arguments}");
        said
    }

    /// Runs what has to fail with code 1, and one sentence.
    pub fn refuse(&self, arguments: &str) -> String {
        let said = self.fail(arguments, 1);
        let last = said.lines().last().unwrap_or_default();
        assert!(last.starts_with("nutshell: ") && !said.contains("panicked"), "nutshell {arguments}: {said}");
        last.to_owned()
    }
}

/// Images of 28 x 28 with one bright quarter, and which quarter it is, as IDX files.
fn samples(count: usize, rng: &mut Pcg64Mcg) -> (Vec<u8>, Vec<u8>) {
    let size = (count as u32).to_be_bytes();
    let mut images = [&[0, 0, 8, 3][..], &size, &[0, 0, 0, 28, 0, 0, 0, 28]].concat();
    let mut labels = [&[0, 0, 8, 1][..], &size].concat();
    for _ in 0..count {
        let class = rng.random_range(0..CLASSES);
        labels.push(class);
        for place in 0..28 * 28 {
            let quarter = u8::from(place / 28 >= 14) * 2 + u8::from(place % 28 >= 14);
            images.push(rng.random_range(0..120) + if quarter == class { 100 } else { 0 });
        }
    }
    (images, labels)
}

/// A recipe that takes a moment.
pub fn recipe() -> Recipe {
    let training = |samples| Training { samples, batch: 16, learning_rate: 3e-3, augmentation: 0.2 };
    let usual = Recipe::new(Effort::Quick);
    let mut recipe = Recipe {
        target: Target::Budget(4_000),
        split: Split { validation: VALIDATION, training: 0, seed: 0 },
        ..usual
    };
    recipe.structure.activation_samples = 64;
    (recipe.structure.probes, recipe.prune.probes, recipe.share.probes) = (3, 3, 2);
    (recipe.structure.probe_samples, recipe.prune.probe_samples, recipe.share.probe_samples) = (60, 60, 60);
    (recipe.structure.training, recipe.prune.training) = (training(320), training(160));
    (recipe.share.training, recipe.refine.training) = (training(160), training(640));
    recipe
}
