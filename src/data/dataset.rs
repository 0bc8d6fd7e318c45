//! What a file or a folder of samples holds.

use super::Samples;
use crate::error::DataError;

/// What a file or a folder of samples holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dataset {
    /// Such as `idx`, `npz`, `csv` or `pictures`.
    pub format: &'static str,
    /// Samples to train and validate with; all there are, if nothing is said to be for testing.
    pub training: Option<Samples>,
    /// Samples to report with.
    pub test: Option<Samples>,
    /// The classes' names, in the order of their numbers; empty if they have none.
    pub class_names: Vec<String>,
    /// The column of a table that has what samples are answered with.
    pub label_column: Option<String>,
    /// What was found and not used.
    pub ignored: Vec<String>,
}

impl Dataset {
    /// The samples to train and validate with.
    ///
    /// # Errors
    /// [`DataError`] if there are none.
    pub fn training(&self) -> Result<&Samples, DataError> {
        self.training.as_ref().ok_or_else(|| missing("training samples"))
    }

    /// The samples to report with.
    ///
    /// # Errors
    /// [`DataError`] if there are none.
    pub fn test(&self) -> Result<&Samples, DataError> {
        self.test.as_ref().ok_or_else(|| missing("test samples"))
    }

    /// Whether some of its samples have classes.
    pub fn labelled(&self) -> bool {
        [&self.training, &self.test].into_iter().flatten().any(Samples::labelled)
    }

    /// With the numbers of both parts as floats, if those of one are: bytes would be scaled otherwise.
    pub fn alike(self) -> Dataset {
        let Dataset { training: Some(training), test: Some(test), .. } = &self else { return self };
        if training.are_bytes() == test.are_bytes() {
            return self;
        }
        let floats = |samples: Samples| Samples { values: samples.values.into_floats(), ..samples };
        Dataset { training: self.training.map(floats), test: self.test.map(floats), ..self }
    }

    /// Without a part for testing: a share of all samples becomes it, drawn by `seed`, each class in its share.
    ///
    /// # Errors
    /// [`DataError`] if there is such a part already, or one of both would have no sample.
    pub fn hold_out_test(mut self, share: f64, seed: u64) -> Result<Dataset, DataError> {
        if self.test.is_some() {
            return Err(DataError::new("test samples", "no test samples in the data set, to hold some out", "some"));
        }
        if !(share > 0.0 && share < 1.0) {
            return Err(DataError::new("share of test samples", "above 0 and below 1", share));
        }
        let all = self.training()?;
        // Seed 0 would keep the file's order.
        let (training, test) = all.split((share * all.len() as f64).round() as usize, seed.max(1))?;
        (self.training, self.test) = (Some(training), Some(test));
        Ok(self)
    }
}

fn missing(what: &'static str) -> DataError {
    DataError::new(what, "at least 1", "none in the data set")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Scaling;

    #[test]
    fn a_share_is_held_out_by_class() {
        let labels: Vec<u8> = (0..40).map(|index| u8::from(index >= 30)).collect();
        let all = Samples::new(vec![1], (0..40).collect(), labels, Scaling::Unit).unwrap();
        let dataset = Dataset { training: Some(all), ..Dataset::default() };
        let held_out = dataset.clone().hold_out_test(0.2, 0).unwrap();
        assert_eq!(held_out.test().unwrap().class_counts(), [6, 2]);
        assert_eq!(held_out.training().unwrap().class_counts(), [24, 8]);
        assert_eq!(held_out, dataset.clone().hold_out_test(0.2, 1).unwrap());
        assert_ne!(held_out, dataset.clone().hold_out_test(0.2, 2).unwrap());
        assert!(held_out.hold_out_test(0.2, 1).is_err());
        for share in [0.0, 0.001, 1.0, f64::NAN] {
            assert!(dataset.clone().hold_out_test(share, 1).is_err(), "{share}");
        }
        assert!(Dataset::default().hold_out_test(0.5, 1).is_err());
    }
}
