//! Vectors of x86-64: AVX2 and AVX-512.

use super::vector::{Kernel, Lanes};
use std::arch::x86_64::{
    __m256, __m512, _CMP_EQ_OQ, _mm256_add_epi32, _mm256_add_ps, _mm256_and_ps, _mm256_castpd_ps, _mm256_castps_pd,
    _mm256_castps_si256, _mm256_castsi256_ps, _mm256_cmp_ps, _mm256_div_ps, _mm256_fmadd_ps, _mm256_loadu_ps,
    _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_permute2f128_ps, _mm256_permute4x64_pd, _mm256_set1_epi32,
    _mm256_set1_ps, _mm256_shuffle_ps, _mm256_slli_epi32, _mm256_storeu_ps, _mm256_sub_ps, _mm256_unpackhi_ps,
    _mm256_unpacklo_ps, _mm512_add_epi32, _mm512_add_ps, _mm512_castps_si512, _mm512_castsi512_ps, _mm512_cmp_ps_mask,
    _mm512_div_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_maskz_mov_ps, _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps,
    _mm512_permutex2var_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setr_epi32, _mm512_slli_epi32, _mm512_storeu_ps,
    _mm512_sub_ps,
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
