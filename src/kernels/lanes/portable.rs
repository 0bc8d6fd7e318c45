//! Vectors of any machine.

use super::vector::{LANES, Lanes};

/// Any machine; the plain meaning of each operation.
#[derive(Debug, Clone, Copy)]
pub struct Portable([f32; LANES]);

impl Lanes for Portable {
    const COUNT: usize = LANES;
    const WIDE: bool = false;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise.
        Portable(unsafe { from.cast::<[f32; LANES]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    fn splat(value: f32) -> Self {
        Portable([value; LANES])
    }

    #[inline(always)]
    fn mul_add(mut self, factor: Self, addend: Self) -> Self {
        for lane in 0..LANES {
            self.0[lane] = self.0[lane] * factor.0[lane] + addend.0[lane];
        }
        self
    }

    #[inline(always)]
    fn add(mut self, other: Self) -> Self {
        for lane in 0..LANES {
            self.0[lane] += other.0[lane];
        }
        self
    }

    #[inline(always)]
    fn sub(mut self, other: Self) -> Self {
        for lane in 0..LANES {
            self.0[lane] -= other.0[lane];
        }
        self
    }

    #[inline(always)]
    fn max(mut self, other: Self) -> Self {
        for lane in 0..LANES {
            self.0[lane] = if self.0[lane] > other.0[lane] { self.0[lane] } else { other.0[lane] };
        }
        self
    }

    #[inline(always)]
    fn mul(mut self, other: Self) -> Self {
        for lane in 0..LANES {
            self.0[lane] *= other.0[lane];
        }
        self
    }

    #[inline(always)]
    fn div(mut self, other: Self) -> Self {
        for lane in 0..LANES {
            self.0[lane] /= other.0[lane];
        }
        self
    }

    #[inline(always)]
    fn min(mut self, other: Self) -> Self {
        for lane in 0..LANES {
            self.0[lane] = if self.0[lane] < other.0[lane] { self.0[lane] } else { other.0[lane] };
        }
        self
    }

    #[inline(always)]
    fn power_of_two(self) -> Self {
        Portable(self.0.map(|value| f32::from_bits((value.to_bits() << 23).wrapping_add(127 << 23))))
    }

    #[inline(always)]
    fn unzip(self, next: Self) -> (Self, Self) {
        let at = |place: usize| if place < LANES { self.0[place] } else { next.0[place - LANES] };
        (Portable(std::array::from_fn(|lane| at(2 * lane))), Portable(std::array::from_fn(|lane| at(2 * lane + 1))))
    }

    #[inline(always)]
    fn zip(self, other: Self) -> (Self, Self) {
        let at = |place: usize| if place.is_multiple_of(2) { self.0[place / 2] } else { other.0[place / 2] };
        (Portable(std::array::from_fn(at)), Portable(std::array::from_fn(|lane| at(LANES + lane))))
    }

    #[inline(always)]
    fn where_equal(mut self, other: Self, value: Self) -> Self {
        for lane in 0..LANES {
            self.0[lane] = if self.0[lane] == other.0[lane] { value.0[lane] } else { 0.0 };
        }
        self
    }
}
