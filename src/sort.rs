//! Sorting by one function for all types: the standard library's is compiled for each, and each takes kilobytes of wasm.

use std::cmp::Ordering;

/// Sorts; equal values keep their order.
pub fn sort_by<T: Clone>(values: &mut [T], order: &dyn Fn(&T, &T) -> Ordering) {
    let unsorted = values.to_vec();
    let places = places(values.len(), &|a, b| order(&unsorted[a], &unsorted[b]));
    for (value, place) in values.iter_mut().zip(places) {
        value.clone_from(&unsorted[place]);
    }
}

/// The places `0..count` in the order of what is there.
fn places(count: usize, order: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|&a, &b| order(a, b));
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_keep_their_order() {
        let mut pairs = [(2, 'a'), (1, 'b'), (2, 'c'), (0, 'd'), (1, 'e')];
        sort_by(&mut pairs, &|a, b| a.0.cmp(&b.0));
        assert_eq!(pairs, [(0, 'd'), (1, 'b'), (1, 'e'), (2, 'a'), (2, 'c')]);
    }
}
