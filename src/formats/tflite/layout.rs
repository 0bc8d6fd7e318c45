//! How the elements of a tensor lie. An *order* says of each axis of a value which axis of the file's tensor it is.

/// The axes as they are in the file.
pub fn plain(rank: usize) -> Vec<usize> {
    (0..rank).collect()
}

/// The last axis, that of the channels, behind the first.
pub fn channels_first(rank: usize) -> Vec<usize> {
    match rank {
        0..=2 => plain(rank),
        _ => [0, rank - 1].into_iter().chain(1..rank - 1).collect(),
    }
}

/// The sides in an order.
pub fn permuted<T: Copy>(sides: &[T], order: &[usize]) -> Vec<T> {
    order.iter().map(|&axis| sides[axis]).collect()
}

/// The axis of a value that is this one of the tensor.
pub fn position(order: &[usize], axis: usize) -> usize {
    order.iter().position(|&of| of == axis).unwrap_or(0)
}

/// Number of elements; as many as fit, if there are more.
pub fn elements(shape: &[usize]) -> usize {
    shape.iter().fold(1, |product, &side| product.saturating_mul(side))
}

/// The axes that have several places. The first counts as one, since it may be that of the samples.
fn wide(shape: &[usize]) -> Vec<usize> {
    (0..shape.len()).filter(|&axis| axis == 0 || shape[axis] != 1).collect()
}

/// Which of the wide axes each wide axis of the value is.
fn ranks(shape: &[usize], order: &[usize]) -> Vec<usize> {
    let wide = wide(shape);
    order.iter().filter_map(|axis| wide.iter().position(|of| of == axis)).collect()
}

/// Whether the elements of a tensor in one order are those in another, one after the other.
pub fn same(shape: &[usize], one: &[usize], other: &[usize]) -> bool {
    ranks(shape, one) == ranks(shape, other)
}

/// Whether a tensor, once it has another shape, is in an order without that an element moves.
pub fn keeps(shape: &[usize], order: &[usize], to: &[usize], in_order: &[usize]) -> bool {
    let is_plain = |shape: &[usize], order: &[usize]| same(shape, order, &plain(shape.len()));
    let sides = |shape: &[usize]| permuted(shape, &wide(shape));
    is_plain(shape, order) && is_plain(to, in_order)
        || sides(shape) == sides(to) && ranks(shape, order) == ranks(to, in_order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_of_the_same_elements_are_found() {
        assert_eq!(channels_first(4), [0, 3, 1, 2]);
        assert_eq!(channels_first(2), [0, 1]);
        assert!(same(&[1, 1, 1, 8], &[0, 3, 1, 2], &[0, 1, 2, 3]));
        assert!(same(&[1, 1, 5, 1], &[0, 3, 1, 2], &[0, 1, 2, 3]));
        assert!(!same(&[1, 1, 5, 8], &[0, 3, 1, 2], &[0, 1, 2, 3]));
        // The samples are no axis of one place.
        assert!(!same(&[1, 5], &[1, 0], &[0, 1]));
    }

    #[test]
    fn another_shape_keeps_an_order_or_not() {
        let first = channels_first;
        // An axis of one place comes and goes.
        assert!(keeps(&[1, 1, 5, 8], &first(4), &[1, 5, 8], &first(3)));
        assert!(keeps(&[1, 5, 8], &first(3), &[1, 5, 1, 8], &first(4)));
        // A vector is one in any order.
        assert!(keeps(&[1, 1, 1, 8], &first(4), &[1, 8], &plain(2)));
        assert!(keeps(&[1, 8], &plain(2), &[1, 1, 1, 8], &first(4)));
        // Sides of the same product are not the same sides.
        assert!(!keeps(&[1, 4, 6, 8], &first(4), &[1, 6, 4, 8], &first(4)));
        assert!(!keeps(&[1, 4, 6, 8], &first(4), &[1, 192], &plain(2)));
        assert!(!keeps(&[1, 4, 4, 8], &plain(4), &[1, 4, 4, 8], &first(4)));
    }
}
