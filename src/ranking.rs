//! Places in the order of a key. Every sort of another type is another copy of the sort in the wasm, of two kilobytes: this is one for all.

/// The places `0..count` in the rising order of `key`; equal ones as they are.
pub fn ranked(count: usize, key: &dyn Fn(usize) -> u128) -> Vec<usize> {
    let mut places: Vec<(u128, usize)> = (0..count).map(|place| (key(place), place)).collect();
    places.sort_unstable();
    places.into_iter().map(|(_, place)| place).collect()
}

/// Different numbers in their rising order, each once.
pub fn distinct(numbers: &[usize]) -> Vec<usize> {
    let mut rising: Vec<usize> =
        ranked(numbers.len(), &|at| numbers[at] as u128).into_iter().map(|at| numbers[at]).collect();
    rising.dedup();
    rising
}

/// The places `0..count` in the rising order of a text; equal ones as they are.
pub fn ranked_texts(count: usize, text: &dyn Fn(usize) -> String) -> Vec<usize> {
    let mut places: Vec<(String, usize)> = (0..count).map(|place| (text(place), place)).collect();
    places.sort_unstable();
    places.into_iter().map(|(_, place)| place).collect()
}

/// A key whose order is that of the numbers, as [`f64::total_cmp`] has it.
pub fn key_of(number: f64) -> u128 {
    let bits = number.to_bits();
    u128::from(if bits >> 63 == 0 { bits | 1 << 63 } else { !bits })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_are_in_their_order() {
        let numbers = [1.5, -0.0, f64::NEG_INFINITY, 0.0, -3.0, f64::MAX];
        assert_eq!(ranked(6, &|place| key_of(numbers[place])), [2, 4, 1, 3, 0, 5]);
        let texts = ["b", "a", "ab", "a"];
        assert_eq!(ranked_texts(4, &|place| texts[place].to_owned()), [1, 3, 2, 0]);
    }

    #[test]
    fn equal_keys_keep_their_order() {
        let keys = [3u128, 1, 3, 0, 1];
        assert_eq!(ranked(5, &|place| keys[place]), [3, 1, 4, 0, 2]);
        assert!(ranked(0, &|_| 0).is_empty());
        assert_eq!(distinct(&[3, 1, 3, 0, 1]), [0, 1, 3]);
    }
}
