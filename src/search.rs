//! The half-interval search: pure; it knows an acceptance test, and no network.

/// One step of a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The highest value that was accepted so far, or the lower end.
    pub lo: f64,
    /// The value to judge.
    pub mid: f64,
    /// The lowest value that was refused so far, or the upper end.
    pub hi: f64,
}

/// The interval that a search looks at, and how it is halved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Interval {
    /// Halved at the arithmetic mean.
    Linear {
        /// Lower end; never returned.
        lo: f64,
        /// Upper end; never returned.
        hi: f64,
    },
    /// Halved at the geometric mean, for scalars that span orders of magnitude. Both ends are above 0.
    Geometric {
        /// Lower end; never returned.
        lo: f64,
        /// Upper end; never returned.
        hi: f64,
    },
}

impl Interval {
    fn ends(self) -> (f64, f64) {
        match self {
            Interval::Linear { lo, hi } | Interval::Geometric { lo, hi } => (lo, hi),
        }
    }

    fn middle(self, lo: f64, hi: f64) -> f64 {
        match self {
            Interval::Linear { .. } => lo + (hi - lo) / 2.0,
            // Through logarithms: the product of two tiny or huge ends would leave the range of a double.
            Interval::Geometric { .. } => (f64::midpoint(lo.ln(), hi.ln())).exp(),
        }
    }
}

/// The largest accepted value, within `probes` halvings, of a test that accepts small values and refuses large ones.
///
/// What is returned was accepted when it was probed: a noisy or non-monotone test costs size, never the guarantee. `None` if nothing was accepted.
/// The search stops early when the interval cannot be halved any further.
///
/// # Errors
/// Whatever `accept` fails with.
pub fn half_interval<E>(
    interval: Interval,
    probes: usize,
    mut accept: impl FnMut(Step) -> Result<bool, E>,
) -> Result<Option<f64>, E> {
    let (mut lo, mut hi) = interval.ends();
    let mut found = None;
    for _ in 0..probes {
        let mid = interval.middle(lo, hi);
        if !(lo < mid && mid < hi) {
            break;
        }
        if accept(Step { lo, mid, hi })? {
            (lo, found) = (mid, Some(mid));
        } else {
            hi = mid;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn run(interval: Interval, probes: usize, mut accept: impl FnMut(f64) -> bool) -> Option<f64> {
        half_interval(interval, probes, |step| Ok::<_, Infallible>(accept(step.mid))).unwrap()
    }

    #[test]
    fn a_geometric_search_halves_the_exponent() {
        let mut seen = Vec::new();
        let interval = Interval::Geometric { lo: 1e-4, hi: 1.0 };
        run(interval, 2, |mid| {
            seen.push(mid);
            true
        });
        assert!((seen[0] - 1e-2).abs() < 1e-12 && (seen[1] - 1e-1).abs() < 1e-12, "{seen:?}");
    }

    #[test]
    fn an_empty_or_broken_interval_gives_nothing_without_a_probe() {
        for (lo, hi) in [(1.0, 1.0), (2.0, 1.0), (1.0, f64::NAN), (f64::NAN, 1.0)] {
            assert_eq!(run(Interval::Linear { lo, hi }, 50, |_| panic!("probed")), None);
        }
    }

    #[test]
    fn errors_come_through() {
        let result = half_interval(Interval::Linear { lo: 0.0, hi: 1.0 }, 5, |_| Err::<bool, _>("broken"));
        assert_eq!(result, Err("broken"));
    }

    proptest! {
        #[test]
        fn a_monotone_test_is_solved_to_the_last_halving(edge in 0.0f64..1.0, probes in 0usize..40) {
            let found = run(Interval::Linear { lo: 0.0, hi: 1.0 }, probes, |mid| mid <= edge).unwrap_or(0.0);
            prop_assert!(found <= edge && edge - found <= 0.5f64.powi(probes as i32) + 1e-15);
        }

        #[test]
        fn a_noisy_test_lands_inside_its_noise(edge in 0.2f64..0.8, noise in prop::collection::vec(-0.05f64..0.05, 30)) {
            let mut draw = noise.iter();
            let found = run(Interval::Linear { lo: 0.0, hi: 1.0 }, 30, |mid| mid <= edge + draw.next().unwrap()).unwrap();
            prop_assert!((found - edge).abs() <= 0.05 + 1e-6);
        }

        #[test]
        fn an_adversary_gets_only_what_it_accepted(answers in prop::collection::vec(any::<bool>(), 60)) {
            let mut accepted = Vec::new();
            let mut draw = answers.iter();
            let found = run(Interval::Geometric { lo: 1e-9, hi: 1e9 }, 60, |mid| {
                let answer = *draw.next().unwrap();
                if answer {
                    accepted.push(mid);
                }
                answer
            });
            prop_assert_eq!(found, accepted.last().copied());
        }
    }
}
