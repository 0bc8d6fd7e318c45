//! Functions of each element, several elements at a time.

use super::lanes::{Kernel, Lanes, ROUNDING, WIDEST, widest};

/// A function that is made of few vector operations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    /// `min(max(x, lowest), highest)`.
    Clip(f32, f32),
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `x / (1 + exp(-x))`.
    Silu,
    /// `min(max(a x + b, 0), 1)`.
    HardSigmoid(f32, f32),
    /// `x min(max(x / 6 + 1 / 2, 0), 1)`.
    HardSwish,
}

/// Replaces each value by the function of it.
pub fn apply(function: Function, values: &mut [f32]) {
    each(Task { function, values });
}

/// `values += addend`, which is of the same length.
#[inline(never)]
pub fn add(addend: &[f32], values: &mut [f32]) {
    assert_eq!(addend.len(), values.len());
    widest(Add { addend, values });
}

struct Add<'a> {
    addend: &'a [f32],
    values: &'a mut [f32],
}

impl Kernel for Add<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let whole = self.values.len() / V::COUNT * V::COUNT;
        for at in (0..whole).step_by(V::COUNT) {
            // SAFETY: a whole vector lies there in both.
            unsafe {
                let to = self.values.as_mut_ptr().add(at);
                V::load(to).add(V::load(self.addend.as_ptr().add(at))).store(to);
            }
        }
        for at in whole..self.values.len() {
            self.values[at] += self.addend[at];
        }
    }
}

/// A call of its own, as of `lists`.
#[inline(never)]
fn each(task: Task) {
    widest(task);
}

struct Task<'a> {
    function: Function,
    values: &'a mut [f32],
}

impl Kernel for Task<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let values = self.values;
        match self.function {
            Function::Clip(lowest, highest) => map(values, Clip(V::splat(lowest), V::splat(highest))),
            Function::Sigmoid => map::<V>(values, Sigmoid),
            Function::Silu => map::<V>(values, Silu),
            Function::HardSigmoid(a, b) => map(values, HardSigmoid(V::splat(a), V::splat(b))),
            Function::HardSwish => map(values, HardSwish(HardSigmoid(V::splat(1.0 / 6.0), V::splat(0.5)))),
        }
    }
}

/// A function of vectors; closures would be called for each.
trait Map<V: Lanes> {
    fn of(&self, x: V) -> V;
}

struct Clip<V>(V, V);
struct Sigmoid;
struct Silu;
struct HardSigmoid<V>(V, V);
struct HardSwish<V>(HardSigmoid<V>);

impl<V: Lanes> Map<V> for Clip<V> {
    #[inline(always)]
    fn of(&self, x: V) -> V {
        x.max(self.0).min(self.1)
    }
}

impl<V: Lanes> Map<V> for Sigmoid {
    #[inline(always)]
    fn of(&self, x: V) -> V {
        let one = V::splat(1.0);
        one.div(one.add(exp(V::splat(0.0).sub(x))))
    }
}

impl<V: Lanes> Map<V> for Silu {
    #[inline(always)]
    fn of(&self, x: V) -> V {
        x.mul(Sigmoid.of(x))
    }
}

impl<V: Lanes> Map<V> for HardSigmoid<V> {
    #[inline(always)]
    fn of(&self, x: V) -> V {
        self.0.mul_add(x, self.1).max(V::splat(0.0)).min(V::splat(1.0))
    }
}

impl<V: Lanes> Map<V> for HardSwish<V> {
    #[inline(always)]
    fn of(&self, x: V) -> V {
        x.mul(self.0.of(x))
    }
}

#[inline(always)]
fn map<V: Lanes>(values: &mut [f32], function: impl Map<V>) {
    let whole = values.len() / V::COUNT * V::COUNT;
    let mut at = 0;
    while at < whole {
        // SAFETY: a whole vector lies there.
        unsafe {
            let place = values.as_mut_ptr().add(at);
            function.of(V::load(place)).store(place);
        }
        at += V::COUNT;
    }
    let rest = &mut values[whole..];
    if rest.is_empty() {
        return;
    }
    let mut last = [0.0; WIDEST];
    last[..rest.len()].copy_from_slice(rest);
    // SAFETY: any vector fits.
    unsafe { function.of(V::load(last.as_ptr())).store(last.as_mut_ptr()) };
    rest.copy_from_slice(&last[..rest.len()]);
}

/// `exp(x)` with a relative error below 2e-7, for x from -87 to 88; beyond, that of the nearest end. By a polynomial between two powers of
/// two (Moshier, Cephes, `expf`).
#[inline(always)]
fn exp<V: Lanes>(x: V) -> V {
    let x = x.max(V::splat(-87.0)).min(V::splat(88.0));
    let shifted = x.mul_add(V::splat(std::f32::consts::LOG2_E), V::splat(ROUNDING));
    let whole = shifted.sub(V::splat(ROUNDING));
    // ln 2 in two parts, the first of few bits.
    let rest = whole.mul_add(V::splat(-0.693_359_4), x);
    let rest = whole.mul_add(V::splat(2.121_944_4e-4), rest);
    let sum = V::splat(1.987_569_1e-4).mul_add(rest, V::splat(1.398_199_9e-3));
    let sum = sum.mul_add(rest, V::splat(8.333_452e-3)).mul_add(rest, V::splat(4.166_579_6e-2));
    let sum = sum.mul_add(rest, V::splat(1.666_666_5e-1)).mul_add(rest, V::splat(0.5));
    sum.mul_add(rest.mul(rest), rest.add(V::splat(1.0))).mul(shifted.power_of_two())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agree_with_their_formulas() {
        let inputs: Vec<f32> = (-2003..2003).map(|at| at as f32 / 20.0).collect();
        let check = |function: Function, expected: &dyn Fn(f64) -> f64| {
            let mut values = inputs.clone();
            apply(function, &mut values);
            for (&x, &got) in inputs.iter().zip(&values) {
                let expected = expected(x.into());
                let off = (f64::from(got) - expected).abs();
                assert!(off <= 3e-7 * expected.abs() + 1e-36, "{function:?}({x}) = {got}, not {expected}");
            }
        };
        let hard = |x: f64, a: f64, b: f64| (a * x + b).clamp(0.0, 1.0);
        // Below -88 the exponential is that of 88, and the result as good as 0.
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x.max(-88.0)).exp());
        check(Function::Sigmoid, &sigmoid);
        check(Function::Silu, &|x| x * sigmoid(x));
        check(Function::Clip(-1.5, 6.0), &|x| x.clamp(-1.5, 6.0));
        check(Function::HardSwish, &|x| x * hard(x, f64::from(1.0f32 / 6.0), 0.5));
        check(Function::HardSigmoid(0.25, 0.5), &|x| hard(x, 0.25, 0.5));
    }
}
