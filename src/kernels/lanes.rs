//! Eight floats at a time, in the best way that the machine has, chosen when the program runs.

/// Floats in one vector; every kernel's innermost dimension is a multiple of it.
pub const LANES: usize = 8;

/// Eight floats. Implementations differ in instructions; all round alike, except that [`Lanes::mul_add`] may round once
/// (fused) or twice.
pub trait Lanes: Copy {
    /// Whether registers are enough for two vectors beside each other in each of six rows.
    const WIDE: bool;

    /// Reads eight floats.
    ///
    /// # Safety
    /// `from` must be valid for reading eight floats; it need not be aligned.
    unsafe fn load(from: *const f32) -> Self;

    /// Writes eight floats.
    ///
    /// # Safety
    /// `to` must be valid for writing eight floats; it need not be aligned.
    unsafe fn store(self, to: *mut f32);

    /// The same float eight times.
    fn splat(value: f32) -> Self;

    /// `self * factor + addend`.
    fn mul_add(self, factor: Self, addend: Self) -> Self;

    /// `self + other`.
    fn add(self, other: Self) -> Self;

    /// `self - other`.
    fn sub(self, other: Self) -> Self;

    /// `self` where it is larger than `other`, else `other`.
    fn max(self, other: Self) -> Self;

    /// `value` where `self == other`, else 0.
    fn where_equal(self, other: Self, value: Self) -> Self;

    /// Sum of the eight, in a fixed order: pairs four apart, then two apart, then neighbours.
    #[inline(always)]
    fn sum(self) -> f32 {
        let mut v = [0.0; LANES];
        // SAFETY: `v` holds eight floats.
        unsafe { self.store(v.as_mut_ptr()) };
        let halves = [v[0] + v[4], v[1] + v[5], v[2] + v[6], v[3] + v[7]];
        (halves[0] + halves[2]) + (halves[1] + halves[3])
    }
}

/// Work that can be done with any kind of [`Lanes`].
pub trait Kernel {
    /// Does it. Must be `#[inline(always)]`, down to the innermost loop, so that it is compiled for the instructions of `V`.
    fn run<V: Lanes>(self);
}

/// Runs a kernel with the best instructions that this machine has.
#[inline]
pub fn dispatch(kernel: impl Kernel) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the machine has been asked for both.
        return unsafe { x86::run(kernel) };
    }
    kernel.run::<Fallback>();
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use wasm::Simd128 as Fallback;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use Portable as Fallback;

/// Any machine; the plain meaning of each operation.
#[derive(Debug, Clone, Copy)]
pub struct Portable([f32; LANES]);

impl Lanes for Portable {
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
    fn where_equal(mut self, other: Self, value: Self) -> Self {
        for lane in 0..LANES {
            self.0[lane] = if self.0[lane] == other.0[lane] { value.0[lane] } else { 0.0 };
        }
        self
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Kernel, Lanes};
    use std::arch::x86_64::{
        __m256, _CMP_EQ_OQ, _mm256_add_ps, _mm256_and_ps, _mm256_cmp_ps, _mm256_fmadd_ps, _mm256_loadu_ps,
        _mm256_max_ps, _mm256_set1_ps, _mm256_storeu_ps, _mm256_sub_ps,
    };

    /// # Safety
    /// The machine must have AVX2 and FMA.
    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn run(kernel: impl Kernel) {
        kernel.run::<Avx2>();
    }

    /// Private to this module, so that only [`run`] brings it into being: then the machine has AVX2 and FMA, which is what
    /// every `SAFETY` below rests on.
    #[derive(Clone, Copy)]
    struct Avx2(__m256);

    impl Lanes for Avx2 {
        const WIDE: bool = true;

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the caller's promise.
            Avx2(unsafe { _mm256_loadu_ps(from) })
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the caller's promise.
            unsafe { _mm256_storeu_ps(to, self.0) }
        }

        #[inline(always)]
        fn splat(value: f32) -> Self {
            // SAFETY: see `Avx2`.
            Avx2(unsafe { _mm256_set1_ps(value) })
        }

        #[inline(always)]
        fn mul_add(self, factor: Self, addend: Self) -> Self {
            // SAFETY: see `Avx2`.
            Avx2(unsafe { _mm256_fmadd_ps(self.0, factor.0, addend.0) })
        }

        #[inline(always)]
        fn add(self, other: Self) -> Self {
            // SAFETY: see `Avx2`.
            Avx2(unsafe { _mm256_add_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            // SAFETY: see `Avx2`.
            Avx2(unsafe { _mm256_sub_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn max(self, other: Self) -> Self {
            // SAFETY: see `Avx2`.
            Avx2(unsafe { _mm256_max_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn where_equal(self, other: Self, value: Self) -> Self {
            // SAFETY: see `Avx2`.
            Avx2(unsafe { _mm256_and_ps(_mm256_cmp_ps::<_CMP_EQ_OQ>(self.0, other.0), value.0) })
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm {
    use super::Lanes;
    use std::arch::wasm32::{
        f32x4_add, f32x4_eq, f32x4_mul, f32x4_pmax, f32x4_splat, f32x4_sub, v128, v128_and, v128_load, v128_store,
    };

    /// Two vectors of four. There is no fused multiply-add: the relaxed one may differ between browsers.
    #[derive(Clone, Copy)]
    pub struct Simd128(v128, v128);

    impl Lanes for Simd128 {
        const WIDE: bool = false;

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the caller's promise.
            unsafe { Simd128(v128_load(from.cast()), v128_load(from.add(4).cast())) }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the caller's promise.
            unsafe {
                v128_store(to.cast(), self.0);
                v128_store(to.add(4).cast(), self.1);
            }
        }

        #[inline(always)]
        fn splat(value: f32) -> Self {
            Simd128(f32x4_splat(value), f32x4_splat(value))
        }

        #[inline(always)]
        fn mul_add(self, factor: Self, addend: Self) -> Self {
            Simd128(f32x4_add(f32x4_mul(self.0, factor.0), addend.0), f32x4_add(f32x4_mul(self.1, factor.1), addend.1))
        }

        #[inline(always)]
        fn add(self, other: Self) -> Self {
            Simd128(f32x4_add(self.0, other.0), f32x4_add(self.1, other.1))
        }

        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            Simd128(f32x4_sub(self.0, other.0), f32x4_sub(self.1, other.1))
        }

        #[inline(always)]
        fn max(self, other: Self) -> Self {
            // The pseudo-maximum answers its first operand unless that is smaller.
            Simd128(f32x4_pmax(other.0, self.0), f32x4_pmax(other.1, self.1))
        }

        #[inline(always)]
        fn where_equal(self, other: Self, value: Self) -> Self {
            Simd128(v128_and(f32x4_eq(self.0, other.0), value.0), v128_and(f32x4_eq(self.1, other.1), value.1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Check<'a>(&'a [f32; 24], &'a mut [f32; 8]);

    impl Kernel for Check<'_> {
        #[inline(always)]
        fn run<V: Lanes>(self) {
            // SAFETY: 8 floats lie at each of the offsets.
            unsafe {
                let [a, b, c] = [0, 8, 16].map(|offset| V::load(self.0.as_ptr().add(offset)));
                let result = a.mul_add(b, c).add(V::splat(self.0[0])).sub(b.max(c)).add(a.where_equal(b, c));
                result.store(self.1.as_mut_ptr());
                self.1[0] = result.sum();
            }
        }
    }

    #[test]
    fn the_chosen_lanes_agree_with_the_portable_ones() {
        // Small integers: every result is exact, fused or not.
        let input = std::array::from_fn(|i| (i * 7 % 11) as f32 - 5.0);
        let (mut fast, mut plain) = ([0.0; 8], [0.0; 8]);
        dispatch(Check(&input, &mut fast));
        Check(&input, &mut plain).run::<Portable>();
        assert_eq!(fast, plain);
        let result = |i: usize| {
            let [a, b, c] = [input[i], input[8 + i], input[16 + i]];
            a * b + c + input[0] - b.max(c) + if a == b { c } else { 0.0 }
        };
        assert_eq!(plain[0], (0..8).map(result).sum::<f32>());
        assert_eq!(plain[7], result(7));
    }
}
