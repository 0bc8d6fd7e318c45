//! What a vector of floats can do.

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
