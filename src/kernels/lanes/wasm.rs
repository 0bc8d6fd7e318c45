//! Vectors of a tab.

use super::vector::Lanes;
use std::arch::wasm32::{
    f32x4_add, f32x4_div, f32x4_eq, f32x4_mul, f32x4_pmax, f32x4_pmin, f32x4_splat, f32x4_sub, i32x4_add, i32x4_shl,
    i32x4_shuffle, i32x4_splat, v128, v128_and, v128_load, v128_store,
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
