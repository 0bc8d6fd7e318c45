//! What Winograd's transforms do to one row or column of a tile.

use crate::lanes::Lanes;

/// What is done to each line of `P` points, of a tile of `S` pixels.
pub(super) trait Lines<const P: usize, const S: usize> {
    /// Pixels of the input to points; the same for all tiles of as many points.
    fn inward<V: Lanes>(pixels: [V; P]) -> [V; P];

    /// Points to pixels of the output.
    fn outward<V: Lanes>(points: [V; P]) -> [V; S];
}

pub(super) struct Two;

impl Lines<4, 2> for Two {
    #[inline(always)]
    fn inward<V: Lanes>([a, b, c, d]: [V; 4]) -> [V; 4] {
        [a.sub(c), b.add(c), c.sub(b), b.sub(d)]
    }

    #[inline(always)]
    fn outward<V: Lanes>([a, b, c, d]: [V; 4]) -> [V; 2] {
        [a.add(b).add(c), b.sub(c).sub(d)]
    }
}

pub(super) struct Four;

impl Lines<6, 4> for Four {
    #[inline(always)]
    fn inward<V: Lanes>([a, b, c, d, e, f]: [V; 6]) -> [V; 6] {
        let (two, four, minus_four, minus_five) = (V::splat(2.0), V::splat(4.0), V::splat(-4.0), V::splat(-5.0));
        let (odd, even) = (minus_four.mul_add(b, d), minus_four.mul_add(c, e));
        let (twice, rest) = (two.mul(d.sub(b)), e.sub(c));
        [
            four.mul_add(a, minus_five.mul_add(c, e)),
            even.add(odd),
            even.sub(odd),
            rest.add(twice),
            rest.sub(twice),
            four.mul_add(b, minus_five.mul_add(d, f)),
        ]
    }

    #[inline(always)]
    fn outward<V: Lanes>([a, b, c, d, e, f]: [V; 6]) -> [V; 4] {
        let (two, four, eight) = (V::splat(2.0), V::splat(4.0), V::splat(8.0));
        let (sum, difference, far, apart) = (b.add(c), b.sub(c), d.add(e), d.sub(e));
        [
            a.add(sum).add(far),
            two.mul_add(apart, difference),
            four.mul_add(far, sum),
            eight.mul_add(apart, difference).add(f),
        ]
    }
}

pub(super) struct TwoOfFive;

impl Lines<6, 2> for TwoOfFive {
    #[inline(always)]
    fn inward<V: Lanes>(pixels: [V; 6]) -> [V; 6] {
        Four::inward(pixels)
    }

    #[inline(always)]
    fn outward<V: Lanes>([a, b, c, d, e, f]: [V; 6]) -> [V; 2] {
        [a.add(b).add(c).add(d).add(e), V::splat(2.0).mul_add(d.sub(e), b.sub(c)).add(f)]
    }
}
