//! Several floats at a time, in the best way that the machine has, chosen when the program runs.
//!
//! The kernels of training always have eight samples side by side ([`dispatch`]); those that run one sample take whatever fills a
//! register ([`widest`]).

/// Floats in one vector of [`dispatch`]; the innermost dimension of training's kernels is a multiple of it.
pub const LANES: usize = 8;

/// The most floats in one vector of [`widest`].
pub const WIDEST: usize = 16;

/// Some floats. Implementations differ in instructions; all round alike, except that [`Lanes::mul_add`] may round once
/// (fused) or twice.
pub trait Lanes: Copy {
    /// How many: [`LANES`] in a kernel that [`dispatch`] runs, 4 to [`WIDEST`] in one that [`widest`] runs.
    const COUNT: usize;

    /// Whether registers are enough for two vectors beside each other in each of six rows.
    const WIDE: bool;

    /// Reads [`Lanes::COUNT`] floats.
    ///
    /// # Safety
    /// `from` must be valid for reading so many floats; it need not be aligned.
    unsafe fn load(from: *const f32) -> Self;

    /// Writes [`Lanes::COUNT`] floats.
    ///
    /// # Safety
    /// `to` must be valid for writing so many floats; it need not be aligned.
    unsafe fn store(self, to: *mut f32);

    /// The same float in all lanes.
    fn splat(value: f32) -> Self;

    /// `self * factor + addend`.
    fn mul_add(self, factor: Self, addend: Self) -> Self;

    /// `self + other`.
    fn add(self, other: Self) -> Self;

    /// `self - other`.
    fn sub(self, other: Self) -> Self;

    /// `self * other`.
    fn mul(self, other: Self) -> Self;

    /// `self / other`.
    fn div(self, other: Self) -> Self;

    /// `self` where it is larger than `other`, else `other`.
    fn max(self, other: Self) -> Self;

    /// `self` where it is smaller than `other`, else `other`.
    fn min(self, other: Self) -> Self;

    /// `value` where `self == other`, else 0.
    fn where_equal(self, other: Self, value: Self) -> Self;

    /// `2^n` where `self` is `2^23 + 2^22 + n`, for whole n from -126 to 127: the number's last bits become an exponent.
    fn power_of_two(self) -> Self;

    /// The floats at even places of `self` and then `next`, and those at odd places.
    fn unzip(self, next: Self) -> (Self, Self);

    /// The floats of `self` and `other` in turn: the first half of them, and the second.
    fn zip(self, other: Self) -> (Self, Self);

    /// Sum of all, in a fixed order: halves onto each other until one is left.
    #[inline(always)]
    fn sum(self) -> f32 {
        let mut v = [0.0; WIDEST];
        // SAFETY: `v` holds as many floats as any vector.
        unsafe { self.store(v.as_mut_ptr()) };
        let mut half = Self::COUNT / 2;
        while half > 0 {
            for lane in 0..half {
                v[lane] += v[lane + half];
            }
            half /= 2;
        }
        v[0]
    }
}

/// Added to a small number and taken away again, rounds it to a whole one: above it, floats are whole.
pub const ROUNDING: f32 = 12_582_912.0;

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

/// Runs a kernel with the widest vectors that fit one register of this machine.
#[inline]
pub fn widest(kernel: impl Kernel) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the machine has been asked for all three.
        return unsafe { x86::run_widest(kernel) };
    }
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    kernel.run::<wasm::Quad>();
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    dispatch(kernel);
}

/// How many floats a vector of [`widest`] has on this machine.
pub fn width() -> usize {
    struct Ask<'a>(&'a mut usize);
    impl Kernel for Ask<'_> {
        #[inline(always)]
        fn run<V: Lanes>(self) {
            *self.0 = V::COUNT;
        }
    }
    let mut count = 0;
    widest(Ask(&mut count));
    count
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use wasm::Simd128 as Fallback;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use Portable as Fallback;

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

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Kernel, Lanes};
    use std::arch::x86_64::{
        __m256, __m512, _CMP_EQ_OQ, _mm256_add_epi32, _mm256_add_ps, _mm256_and_ps, _mm256_castpd_ps, _mm256_castps_pd,
        _mm256_castps_si256, _mm256_castsi256_ps, _mm256_cmp_ps, _mm256_div_ps, _mm256_fmadd_ps, _mm256_loadu_ps,
        _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_permute2f128_ps, _mm256_permute4x64_pd, _mm256_set1_epi32,
        _mm256_set1_ps, _mm256_shuffle_ps, _mm256_slli_epi32, _mm256_storeu_ps, _mm256_sub_ps, _mm256_unpackhi_ps,
        _mm256_unpacklo_ps, _mm512_add_epi32, _mm512_add_ps, _mm512_castps_si512, _mm512_castsi512_ps,
        _mm512_cmp_ps_mask, _mm512_div_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_maskz_mov_ps, _mm512_max_ps,
        _mm512_min_ps, _mm512_mul_ps, _mm512_permutex2var_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setr_epi32,
        _mm512_slli_epi32, _mm512_storeu_ps, _mm512_sub_ps,
    };

    /// # Safety
    /// The machine must have AVX2 and FMA.
    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn run(kernel: impl Kernel) {
        kernel.run::<Avx2>();
    }

    /// # Safety
    /// The machine must have AVX-512, AVX2 and FMA.
    #[target_feature(enable = "avx512f,avx2,fma")]
    pub unsafe fn run_widest(kernel: impl Kernel) {
        kernel.run::<Avx512>();
    }

    /// Private to this module, so that only [`run_widest`] brings it into being: then the machine has AVX-512, which is what
    /// every `SAFETY` of its operations rests on.
    #[derive(Clone, Copy)]
    struct Avx512(__m512);

    impl Lanes for Avx512 {
        const COUNT: usize = 16;
        const WIDE: bool = true;

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the caller's promise.
            Avx512(unsafe { _mm512_loadu_ps(from) })
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the caller's promise.
            unsafe { _mm512_storeu_ps(to, self.0) }
        }

        #[inline(always)]
        fn splat(value: f32) -> Self {
            // SAFETY: see `Avx512`.
            Avx512(unsafe { _mm512_set1_ps(value) })
        }

        #[inline(always)]
        fn mul_add(self, factor: Self, addend: Self) -> Self {
            // SAFETY: see `Avx512`.
            Avx512(unsafe { _mm512_fmadd_ps(self.0, factor.0, addend.0) })
        }

        #[inline(always)]
        fn add(self, other: Self) -> Self {
            // SAFETY: see `Avx512`.
            Avx512(unsafe { _mm512_add_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            // SAFETY: see `Avx512`.
            Avx512(unsafe { _mm512_sub_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            // SAFETY: see `Avx512`.
            Avx512(unsafe { _mm512_mul_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn div(self, other: Self) -> Self {
            // SAFETY: see `Avx512`.
            Avx512(unsafe { _mm512_div_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn max(self, other: Self) -> Self {
            // SAFETY: see `Avx512`.
            Avx512(unsafe { _mm512_max_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn min(self, other: Self) -> Self {
            // SAFETY: see `Avx512`.
            Avx512(unsafe { _mm512_min_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn where_equal(self, other: Self, value: Self) -> Self {
            // SAFETY: see `Avx512`.
            Avx512(unsafe { _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(self.0, other.0), value.0) })
        }

        #[inline(always)]
        fn power_of_two(self) -> Self {
            // SAFETY: see `Avx512`.
            unsafe {
                let exponent = _mm512_slli_epi32::<23>(_mm512_castps_si512(self.0));
                Avx512(_mm512_castsi512_ps(_mm512_add_epi32(exponent, _mm512_set1_epi32(127 << 23))))
            }
        }

        #[inline(always)]
        fn unzip(self, next: Self) -> (Self, Self) {
            // SAFETY: see `Avx512`.
            unsafe {
                let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
                let odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
                let take = |places| Avx512(_mm512_permutex2var_ps(self.0, places, next.0));
                (take(even), take(odd))
            }
        }

        #[inline(always)]
        fn zip(self, other: Self) -> (Self, Self) {
            // SAFETY: see `Avx512`.
            unsafe {
                let first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
                let second = _mm512_add_epi32(first, _mm512_set1_epi32(8));
                let take = |places| Avx512(_mm512_permutex2var_ps(self.0, places, other.0));
                (take(first), take(second))
            }
        }
    }

    /// Private to this module, so that only [`run`] brings it into being: then the machine has AVX2 and FMA, which is what
    /// every `SAFETY` below rests on.
    #[derive(Clone, Copy)]
    struct Avx2(__m256);

    impl Lanes for Avx2 {
        const COUNT: usize = 8;
        const WIDE: bool = true;

        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            // SAFETY: see `Avx2`.
            Avx2(unsafe { _mm256_mul_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn div(self, other: Self) -> Self {
            // SAFETY: see `Avx2`.
            Avx2(unsafe { _mm256_div_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn min(self, other: Self) -> Self {
            // SAFETY: see `Avx2`.
            Avx2(unsafe { _mm256_min_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn power_of_two(self) -> Self {
            // SAFETY: see `Avx2`.
            unsafe {
                let exponent = _mm256_slli_epi32::<23>(_mm256_castps_si256(self.0));
                Avx2(_mm256_castsi256_ps(_mm256_add_epi32(exponent, _mm256_set1_epi32(127 << 23))))
            }
        }

        #[inline(always)]
        fn unzip(self, next: Self) -> (Self, Self) {
            // SAFETY: see `Avx2`.
            unsafe {
                // Within halves of four first; then the pairs are brought into order.
                let order = |pairs| _mm256_castpd_ps(_mm256_permute4x64_pd::<0b11_01_10_00>(_mm256_castps_pd(pairs)));
                let even = order(_mm256_shuffle_ps::<0b10_00_10_00>(self.0, next.0));
                let odd = order(_mm256_shuffle_ps::<0b11_01_11_01>(self.0, next.0));
                (Avx2(even), Avx2(odd))
            }
        }

        #[inline(always)]
        fn zip(self, other: Self) -> (Self, Self) {
            // SAFETY: see `Avx2`.
            unsafe {
                // Within halves of four first; then the halves are brought together.
                let (low, high) = (_mm256_unpacklo_ps(self.0, other.0), _mm256_unpackhi_ps(self.0, other.0));
                let (first, second) =
                    (_mm256_permute2f128_ps::<0x20>(low, high), _mm256_permute2f128_ps::<0x31>(low, high));
                (Avx2(first), Avx2(second))
            }
        }

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
        f32x4_add, f32x4_div, f32x4_eq, f32x4_mul, f32x4_pmax, f32x4_pmin, f32x4_splat, f32x4_sub, i32x4_add,
        i32x4_shl, i32x4_shuffle, i32x4_splat, v128, v128_and, v128_load, v128_store,
    };

    /// One vector of four. There is no fused multiply-add: the relaxed one may differ between browsers.
    #[derive(Clone, Copy)]
    pub struct Quad(v128);

    impl Lanes for Quad {
        const COUNT: usize = 4;
        const WIDE: bool = false;

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the caller's promise.
            Quad(unsafe { v128_load(from.cast()) })
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the caller's promise.
            unsafe { v128_store(to.cast(), self.0) }
        }

        #[inline(always)]
        fn splat(value: f32) -> Self {
            Quad(f32x4_splat(value))
        }

        #[inline(always)]
        fn mul_add(self, factor: Self, addend: Self) -> Self {
            Quad(f32x4_add(f32x4_mul(self.0, factor.0), addend.0))
        }

        #[inline(always)]
        fn add(self, other: Self) -> Self {
            Quad(f32x4_add(self.0, other.0))
        }

        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            Quad(f32x4_sub(self.0, other.0))
        }

        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            Quad(f32x4_mul(self.0, other.0))
        }

        #[inline(always)]
        fn div(self, other: Self) -> Self {
            Quad(f32x4_div(self.0, other.0))
        }

        #[inline(always)]
        fn max(self, other: Self) -> Self {
            // The pseudo-maximum answers its first operand unless that is smaller.
            Quad(f32x4_pmax(other.0, self.0))
        }

        #[inline(always)]
        fn min(self, other: Self) -> Self {
            Quad(f32x4_pmin(other.0, self.0))
        }

        #[inline(always)]
        fn where_equal(self, other: Self, value: Self) -> Self {
            Quad(v128_and(f32x4_eq(self.0, other.0), value.0))
        }

        #[inline(always)]
        fn power_of_two(self) -> Self {
            Quad(i32x4_add(i32x4_shl(self.0, 23), i32x4_splat(127 << 23)))
        }

        #[inline(always)]
        fn unzip(self, next: Self) -> (Self, Self) {
            (Quad(i32x4_shuffle::<0, 2, 4, 6>(self.0, next.0)), Quad(i32x4_shuffle::<1, 3, 5, 7>(self.0, next.0)))
        }

        #[inline(always)]
        fn zip(self, other: Self) -> (Self, Self) {
            (Quad(i32x4_shuffle::<0, 4, 1, 5>(self.0, other.0)), Quad(i32x4_shuffle::<2, 6, 3, 7>(self.0, other.0)))
        }
    }

    /// Two of them.
    #[derive(Clone, Copy)]
    pub struct Simd128(Quad, Quad);

    impl Lanes for Simd128 {
        const COUNT: usize = 8;
        const WIDE: bool = false;

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the caller's promise.
            unsafe { Simd128(Quad::load(from), Quad::load(from.add(4))) }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the caller's promise.
            unsafe {
                self.0.store(to);
                self.1.store(to.add(4));
            }
        }

        #[inline(always)]
        fn splat(value: f32) -> Self {
            Simd128(Quad::splat(value), Quad::splat(value))
        }

        #[inline(always)]
        fn mul_add(self, factor: Self, addend: Self) -> Self {
            Simd128(self.0.mul_add(factor.0, addend.0), self.1.mul_add(factor.1, addend.1))
        }

        #[inline(always)]
        fn add(self, other: Self) -> Self {
            Simd128(self.0.add(other.0), self.1.add(other.1))
        }

        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            Simd128(self.0.sub(other.0), self.1.sub(other.1))
        }

        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            Simd128(self.0.mul(other.0), self.1.mul(other.1))
        }

        #[inline(always)]
        fn div(self, other: Self) -> Self {
            Simd128(self.0.div(other.0), self.1.div(other.1))
        }

        #[inline(always)]
        fn max(self, other: Self) -> Self {
            Simd128(self.0.max(other.0), self.1.max(other.1))
        }

        #[inline(always)]
        fn min(self, other: Self) -> Self {
            Simd128(self.0.min(other.0), self.1.min(other.1))
        }

        #[inline(always)]
        fn where_equal(self, other: Self, value: Self) -> Self {
            Simd128(self.0.where_equal(other.0, value.0), self.1.where_equal(other.1, value.1))
        }

        #[inline(always)]
        fn power_of_two(self) -> Self {
            Simd128(self.0.power_of_two(), self.1.power_of_two())
        }

        #[inline(always)]
        fn unzip(self, next: Self) -> (Self, Self) {
            let ((a, b), (c, d)) = (self.0.unzip(self.1), next.0.unzip(next.1));
            (Simd128(a, c), Simd128(b, d))
        }

        #[inline(always)]
        fn zip(self, other: Self) -> (Self, Self) {
            let ((a, b), (c, d)) = (self.0.zip(other.0), self.1.zip(other.1));
            (Simd128(a, b), Simd128(c, d))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Check<'a>(&'a [f32; 48], &'a mut [f32; 80]);

    impl Kernel for Check<'_> {
        #[inline(always)]
        fn run<V: Lanes>(self) {
            for at in (0..16).step_by(V::COUNT) {
                // SAFETY: 16 floats lie at each of the offsets.
                unsafe {
                    let [a, b, c] = [0, 16, 32].map(|offset| V::load(self.0.as_ptr().add(offset + at)));
                    let result = a.mul_add(b, c).add(V::splat(self.0[0])).sub(b.max(c)).add(a.where_equal(b, c));
                    let result = result.mul(a.min(b)).div(V::splat(4.0));
                    result.add(a.add(V::splat(ROUNDING)).power_of_two()).store(self.1.as_mut_ptr().add(at));
                    self.1[16] += result.sum();
                    let (even, odd) = a.unzip(b);
                    even.store(self.1.as_mut_ptr().add(17));
                    odd.store(self.1.as_mut_ptr().add(17 + V::COUNT));
                    // One undoes the other.
                    let (first, second) = even.zip(odd);
                    first.sub(a).store(self.1.as_mut_ptr().add(49));
                    self.1[70] += self.1[49..49 + V::COUNT].iter().map(|off| off.abs()).sum::<f32>();
                    second.sub(b).store(self.1.as_mut_ptr().add(49));
                    self.1[70] += self.1[49..49 + V::COUNT].iter().map(|off| off.abs()).sum::<f32>();
                }
            }
        }
    }

    #[test]
    fn all_lanes_agree_with_the_portable_ones() {
        // Small integers: every result is exact, fused or not.
        let input: [f32; 48] = std::array::from_fn(|i| (i * 7 % 11) as f32 - 5.0);
        let [mut fast, mut wide, mut plain] = [[0.0; 80]; 3];
        dispatch(Check(&input, &mut fast));
        widest(Check(&input, &mut wide));
        Check(&input, &mut plain).run::<Portable>();
        assert_eq!(fast, plain);
        assert_eq!(wide[..17], plain[..17]);
        let result = |i: usize| {
            let [a, b, c] = [input[i], input[16 + i], input[32 + i]];
            (a * b + c + input[0] - b.max(c) + if a == b { c } else { 0.0 }) * a.min(b) / 4.0
        };
        assert_eq!(plain[16], (0..16).map(result).sum::<f32>());
        for (i, got) in plain[..16].iter().enumerate() {
            assert_eq!(*got, result(i) + input[i].exp2());
        }
        assert_eq!([fast[70], wide[70], plain[70]], [0.0; 3]);
        // Of the last vectors the even places, then the odd ones.
        let count = width();
        let last = |i: usize| input[if i < count { 16 - count + i } else { 32 - 2 * count + i }];
        for i in 0..count {
            assert_eq!((wide[17 + i], wide[17 + count + i]), (last(2 * i), last(2 * i + 1)));
        }
    }
}
