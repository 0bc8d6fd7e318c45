//! Functions of two values, several elements at a time.

use super::lanes::{Kernel, Lanes, WIDEST, widest};

/// A function of two values that is one vector operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pair {
    /// `a + b`.
    Add,
    /// `a - b`.
    Sub,
    /// `a b`.
    Mul,
    /// `a / b`.
    Div,
}

/// Computes each element from those of `a` and `b`, each of which has as many as the output, or one for all.
///
/// # Panics
/// If the lengths do not fit.
pub fn apply(function: Pair, a: &[f32], b: &[f32], output: &mut [f32]) {
    assert!([a.len(), b.len()].iter().all(|&length| length == 1 || length == output.len()));
    each(Task { function, a, b, output });
}

/// A call of its own, as of `lists`.
#[inline(never)]
fn each(task: Task) {
    widest(task);
}

struct Task<'a> {
    function: Pair,
    a: &'a [f32],
    b: &'a [f32],
    output: &'a mut [f32],
}

impl Kernel for Task<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        match self.function {
            Pair::Add => self.map::<V, Add>(),
            Pair::Sub => self.map::<V, Sub>(),
            Pair::Mul => self.map::<V, Mul>(),
            Pair::Div => self.map::<V, Div>(),
        }
    }
}

/// A function of two vectors; closures would be called for each.
trait Map {
    fn of<V: Lanes>(a: V, b: V) -> V;
}

macro_rules! maps {
    ($($name:ident $method:ident),*) => {$(
        struct $name;

        impl Map for $name {
            #[inline(always)]
            fn of<V: Lanes>(a: V, b: V) -> V {
                a.$method(b)
            }
        }
    )*};
}

maps!(Add add, Sub sub, Mul mul, Div div);

impl Task<'_> {
    #[inline(always)]
    fn map<V: Lanes, M: Map>(self) {
        let whole = self.output.len() / V::COUNT * V::COUNT;
        for at in (0..whole).step_by(V::COUNT) {
            // SAFETY: a whole vector lies there in the output, and in an operand that is as long.
            unsafe {
                let value = M::of(vector::<V>(self.a, at), vector(self.b, at));
                value.store(self.output.as_mut_ptr().add(at));
            }
        }
        let rest = &mut self.output[whole..];
        if rest.is_empty() {
            return;
        }
        let last = |values: &[f32]| {
            let mut last = [0.0; WIDEST];
            match values {
                [value] => last[..rest.len()].fill(*value),
                values => last[..rest.len()].copy_from_slice(&values[whole..]),
            }
            last
        };
        let (a, b, mut values) = (last(self.a), last(self.b), [0.0; WIDEST]);
        // SAFETY: any vector fits.
        unsafe { M::of(V::load(a.as_ptr()), V::load(b.as_ptr())).store(values.as_mut_ptr()) };
        rest.copy_from_slice(&values[..rest.len()]);
    }
}

/// The elements from `at` on, or the one for all.
#[inline(always)]
unsafe fn vector<V: Lanes>(values: &[f32], at: usize) -> V {
    match values {
        [value] => V::splat(*value),
        // SAFETY: the caller's promise.
        values => unsafe { V::load(values.as_ptr().add(at)) },
    }
}

#[cfg(test)]
mod tests {
    use super::super::correlate::tests::noise;
    use super::*;

    #[test]
    fn agree_with_their_formulas() {
        let formula = |function: Pair, a: f32, b: f32| match function {
            Pair::Add => a + b,
            Pair::Sub => a - b,
            Pair::Mul => a * b,
            Pair::Div => a / b,
        };
        for function in [Pair::Add, Pair::Sub, Pair::Mul, Pair::Div] {
            for length in [1, 3, 16, 37] {
                for lengths in [[length, length], [1, length], [length, 1]] {
                    let (a, b) = (noise(lengths[0], 1), noise(lengths[1], 2));
                    let mut output = vec![f32::NAN; length];
                    apply(function, &a, &b, &mut output);
                    for (at, &got) in output.iter().enumerate() {
                        assert_eq!(got, formula(function, a[at % a.len()], b[at % b.len()]), "{function:?}");
                    }
                }
            }
        }
    }
}
