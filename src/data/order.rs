//! In which order a network numbers the classes.

use super::Dataset;
use crate::error::DataError;
use crate::ranking::{ranked, ranked_texts};
use std::sync::Arc;

/// How classes are numbered, where the data set and the network may differ.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ClassOrder {
    /// As the data set says: numbers as they are, words in their alphabetical order.
    #[default]
    Given,
    /// As texts are sorted, which is torchvision's and Keras' way with folders: 0, 1, 10, 11, 2.
    Text,
    /// One after the other, without those that do not occur: labels 1 to 26 become 0 to 25.
    Dense,
    /// The place in this list is the number in the data set, what stands there is the network's.
    Listed(Vec<u32>),
}

impl ClassOrder {
    /// As the command line writes it.
    pub fn name(&self) -> String {
        match self {
            ClassOrder::Given => "given".into(),
            ClassOrder::Text => "text".into(),
            ClassOrder::Dense => "dense".into(),
            ClassOrder::Listed(list) => list.iter().map(u32::to_string).collect::<Vec<_>>().join(","),
        }
    }

    /// The other way round.
    ///
    /// # Errors
    /// Says what would have been right.
    pub fn of_name(name: &str) -> Result<Self, String> {
        match name {
            "given" => Ok(ClassOrder::Given),
            "text" => Ok(ClassOrder::Text),
            "dense" => Ok(ClassOrder::Dense),
            list => {
                let numbers: Result<_, _> = list.split(',').map(|number| number.trim().parse()).collect();
                numbers
                    .map(ClassOrder::Listed)
                    .map_err(|_| "expected given, text, dense, or the network's numbers such as 1,0,2".into())
            }
        }
    }
}

impl Dataset {
    /// The classes that have samples in any part, or a name, in their order.
    fn known_classes(&self) -> Vec<u32> {
        let parts = [&self.training, &self.test].into_iter().flatten();
        let mut all: Vec<u32> = (0..self.class_names.len() as u32).collect();
        all.extend(parts.flat_map(|part| part.labels.iter().copied()));
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The number of each class in another order: its place in this list is what it is in the data set.
    ///
    /// # Errors
    /// [`DataError`] if a list does not have a class.
    pub fn numbering(&self, order: &ClassOrder) -> Result<Vec<u32>, DataError> {
        let mut known = self.known_classes();
        let count = known.last().map_or(0, |&last| last + 1);
        match order {
            ClassOrder::Given => return Ok((0..count).collect()),
            ClassOrder::Listed(list) if list.len() < count as usize => {
                let expected = format!("a number for each of {count} classes");
                return Err(DataError::new("class order", expected, format!("{} numbers", list.len())));
            }
            ClassOrder::Listed(list) => return Ok(list.clone()),
            ClassOrder::Text => {
                let name = |place: usize| match self.class_names.get(known[place] as usize) {
                    Some(name) => name.clone(),
                    None => known[place].to_string(),
                };
                known = ranked_texts(known.len(), &name).into_iter().map(|place| known[place]).collect();
            }
            ClassOrder::Dense => {}
        }
        let mut numbers: Vec<u32> = (0..count).collect();
        (0..).zip(known).for_each(|(number, class)| numbers[class as usize] = number);
        Ok(numbers)
    }

    /// With the classes numbered in another order.
    ///
    /// # Errors
    /// As [`Dataset::numbering`].
    pub fn numbered(mut self, order: &ClassOrder) -> Result<Dataset, DataError> {
        let numbers = self.numbering(order)?;
        for part in [&mut self.training, &mut self.test].into_iter().flatten() {
            part.labels = Arc::new(part.labels.iter().map(|&label| numbers[label as usize]).collect());
        }
        let names = std::mem::take(&mut self.class_names);
        let order = ranked(names.len().min(numbers.len()), &|place| numbers[place].into());
        self.class_names = order.into_iter().map(|place| names[place].clone()).collect();
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Samples;
    use crate::model::Scaling;

    fn dataset(labels: &[u8], class_names: &[&str]) -> Dataset {
        let samples = Samples::new(vec![1], vec![0; labels.len()], labels.to_vec(), Scaling::Unit).unwrap();
        let class_names = class_names.iter().map(|name| (*name).to_owned()).collect();
        Dataset { training: Some(samples), class_names, ..Dataset::default() }
    }

    #[test]
    fn orders_change_numbers_and_names_together() {
        let names: Vec<String> = (0..12).map(|class| class.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let all: Vec<u8> = (0..12).collect();
        let text = dataset(&all, &names).numbered(&ClassOrder::Text).unwrap();
        assert_eq!(*text.training.unwrap().labels, [0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 2, 3]);
        assert_eq!(text.class_names[..4], ["0", "1", "10", "11"]);
        // Numbers without names sort in the same way.
        let numbers = dataset(&all, &[]).numbered(&ClassOrder::Text).unwrap();
        assert_eq!(numbers.training.unwrap().labels[2], 4);
        let dense = dataset(&[1, 3, 26, 1], &[]).numbered(&ClassOrder::Dense).unwrap();
        assert_eq!(*dense.training.unwrap().labels, [0, 1, 2, 0]);
        let listed = dataset(&[0, 1], &["cat", "dog"]).numbered(&ClassOrder::Listed(vec![1, 0])).unwrap();
        assert_eq!(
            (listed.training.unwrap().labels.to_vec(), listed.class_names),
            (vec![1, 0], vec!["dog".into(), "cat".into()])
        );
        assert!(dataset(&[0, 2], &[]).numbered(&ClassOrder::Listed(vec![1, 0])).is_err());
    }

    #[test]
    fn names_are_read_back() {
        for order in [ClassOrder::Given, ClassOrder::Text, ClassOrder::Dense, ClassOrder::Listed(vec![2, 0, 1])] {
            assert_eq!(ClassOrder::of_name(&order.name()), Ok(order));
        }
        assert!(ClassOrder::of_name("alphabet").is_err());
    }
}
