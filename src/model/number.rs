//! A constant of an operator: a float that is compared by its bits, so that graphs can be compared.

/// A 32-bit float.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Number(u32);

impl Number {
    /// Of a float.
    pub const fn new(value: f32) -> Self {
        Number(value.to_bits())
    }

    /// The float.
    pub const fn get(self) -> f32 {
        f32::from_bits(self.0)
    }
}

impl std::fmt::Debug for Number {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.get().fmt(formatter)
    }
}
