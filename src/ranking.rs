//! Places in the order of a key. Every sort of another type is another copy of the sort in the wasm, of two kilobytes: this is one for all.

/// The places `0..count` in the rising order of `key`; equal ones as they are.
pub fn ranked(count: usize, key: &dyn Fn(usize) -> u128) -> Vec<usize> {
    let mut places: Vec<(u128, usize)> = (0..count).map(|place| (key(place), place)).collect();
    places.sort_unstable();
    places.into_iter().map(|(_, place)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_keep_their_order() {
        let keys = [3u128, 1, 3, 0, 1];
        assert_eq!(ranked(5, &|place| keys[place]), [3, 1, 4, 0, 2]);
        assert!(ranked(0, &|_| 0).is_empty());
    }
}
