//! `nutshell recipe`, and the options that make a recipe.

use crate::{Answer, Task, files, units};
use clap::Args;
use nutshell::Error;
use nutshell::error::LoadError;
use nutshell::pipeline::{Effort, Recipe, Target};
use std::path::Path;

/// Print a recipe as JSON, to be edited and given to `compress --recipe`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The numbers to start from [default: balanced, or calibrate with --lock].
    #[arg(long, value_enum)]
    effort: Option<Effort>,
    #[command(flatten)]
    settings: Settings,
}

/// What differs from the recipe that a run starts from.
#[derive(Debug, Args)]
pub struct Settings {
    /// Make the smallest file whose validation accuracy drops by at most this many percentage points.
    #[arg(long, value_name = "POINTS", value_parser = units::points, allow_negative_numbers = true, conflicts_with = "budget")]
    tolerance: Option<f64>,
    /// Make the most accurate file of at most this many bytes on disk.
    #[arg(long, value_name = "BYTES", value_parser = units::bytes, allow_negative_numbers = true)]
    budget: Option<usize>,
    /// Seed of every random choice: the same seed gives the same file.
    #[arg(long)]
    seed: Option<u64>,
    /// Share of the images that trainings mirror left to right, 0 to 1: 0.5 for most photos.
    #[arg(long, value_name = "SHARE", value_parser = units::short_share, allow_negative_numbers = true)]
    mirror: Option<f32>,
    /// With effort calibrate: keep this layer in 16 bits, by its name as `nutshell inspect` lists it. May be given several times.
    #[arg(long, value_name = "NAME")]
    lock: Vec<String>,
}

impl Task for Arguments {
    fn run(&self) -> Result<Answer, Error> {
        let recipe = self.settings.apply(Recipe::new(self.effort.unwrap_or(self.settings.usual_effort())))?;
        let pretty = serde_json::to_string_pretty(&recipe).expect("every setting has a JSON form");
        Ok(Answer::new(pretty, &recipe))
    }
}

impl Settings {
    /// The byte budget, if there is one.
    pub fn budget(&self) -> Option<usize> {
        self.budget
    }

    /// Whether anything is set that only training can keep to.
    pub fn need_data(&self) -> bool {
        self.tolerance.is_some() || self.seed.is_some() || self.mirror.is_some() || !self.lock.is_empty()
    }

    /// The effort where none is asked for: layers are locked only where they are rounded.
    pub fn usual_effort(&self) -> Effort {
        if self.lock.is_empty() { Effort::Balanced } else { Effort::Calibrate }
    }

    /// The recipe with these settings in place of its own.
    pub fn apply(&self, mut recipe: Recipe) -> Result<Recipe, Error> {
        if let Some(points) = self.tolerance {
            recipe.target = Target::Tolerance(points);
        }
        if let Some(bytes) = self.budget {
            recipe.target = Target::Budget(bytes);
        }
        if let Some(seed) = self.seed {
            recipe.seed = seed;
        }
        if let Some(share) = self.mirror {
            recipe.mirror = share;
        }
        if !self.lock.is_empty() {
            recipe.round.locked.clone_from(&self.lock);
        }
        recipe.check()?;
        Ok(recipe)
    }
}

/// A recipe in a file.
pub fn read(path: &Path) -> Result<Recipe, Error> {
    let recipe: Recipe = serde_json::from_slice(&files::read(path)?).map_err(|error| LoadError::Malformed {
        format: "JSON",
        place: path.display().to_string(),
        expected: "a recipe as `nutshell recipe` prints it".into(),
        got: error.to_string(),
    })?;
    recipe.check()?;
    Ok(recipe)
}

/// The recipe in a file, if there is one; else one whose split and scaling are the usual ones.
pub fn read_or_usual(path: Option<&Path>) -> Result<Recipe, Error> {
    path.map_or_else(|| Ok(Recipe::default()), read)
}
