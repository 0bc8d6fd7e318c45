//! Several floats at a time, in the best way that the machine has, chosen when the program runs.
//!
//! The kernels of training always have eight samples side by side ([`dispatch`]); those that run one sample take whatever fills a
//! register ([`widest`]).

#[cfg(any(test, not(all(target_arch = "wasm32", target_feature = "simd128"))))]
mod portable;
mod vector;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use vector::{Kernel, LANES, Lanes, ROUNDING, WIDEST};

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
use portable::Portable as Fallback;

#[cfg(test)]
mod tests {
    use super::portable::Portable;
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
