//! Dependent quantization: which multiples of a step a number may become depends on those before it (trellis-coded quantization, Marcellin and Fischer
//! 1990; with entropy coding, Fischer and Wang 1992; in this form as of VVC, Schwarz et al. 2019).
//!
//! There are two quantizers, of even multiples, and of odd ones and 0; each has levels `..., -1, 0, 1, ...`, which is what is coded. Eight states
//! tell which of the two comes next, by whether levels are odd. Multiples are as fine as half the step of each quantizer, but cost as many bits as
//! those of the whole: numbers are about 1 dB nearer than in steps of the same bits.
//!
//! Each column of a matrix has a state of its own, which goes from row to row: rows are rounded independently of each other, columns are not where errors
//! are fed back.

/// States.
pub const STATES: usize = 8;
/// Rows after which all states are 0 again, so that as many can be rounded at a time.
pub const STRIP: usize = 256;

/// The state after an even and an odd level.
pub const NEXT: [[u8; 2]; STATES] = [[0, 2], [7, 5], [1, 3], [6, 4], [2, 0], [5, 7], [3, 1], [4, 6]];

/// Which of the two quantizers a state has: 0 for even multiples, 1 for odd ones and 0.
#[inline]
pub fn quantizer(state: u8) -> usize {
    usize::from(state & 1)
}

/// The multiple that a level stands for.
#[inline]
pub fn multiple(state: u8, level: i16) -> i32 {
    2 * i32::from(level) - i32::from(level.signum()) * i32::from(state & 1)
}

/// The level of a multiple; `None` if the state's quantizer does not have it.
fn level(state: u8, multiple: i16) -> Option<i16> {
    let twice = i32::from(multiple) + i32::from(multiple.signum()) * i32::from(state & 1);
    (twice % 2 == 0).then_some((twice / 2) as i16)
}

/// The states of all columns.
#[derive(Debug, Clone)]
pub struct States {
    columns: Vec<u8>,
    row: usize,
    column: usize,
}

impl States {
    /// At the first row.
    pub fn new(columns: usize) -> Self {
        States { columns: vec![0; columns], row: 0, column: 0 }
    }

    /// That of the place that comes next.
    #[inline]
    pub fn here(&self) -> u8 {
        self.columns[self.column]
    }

    /// Goes on to the next place.
    #[inline]
    pub fn record(&mut self, level: i16) {
        let state = &mut self.columns[self.column];
        *state = NEXT[usize::from(*state)][usize::from(level & 1 != 0)];
        self.column += 1;
        if self.column == self.columns.len() {
            (self.column, self.row) = (0, self.row + 1);
            if self.row.is_multiple_of(STRIP) {
                self.columns.fill(0);
            }
        }
    }
}

/// The levels of multiples, `[rows, columns]`, and the quantizer of each; `None` if they have none.
pub fn levels(multiples: &[i16], columns: usize) -> Option<(Vec<i16>, Vec<u8>)> {
    let mut states = States::new(columns);
    let mut levels = Vec::with_capacity(multiples.len());
    let mut quantizers = Vec::with_capacity(multiples.len());
    for &multiple in multiples {
        let state = states.here();
        let level = level(state, multiple)?;
        levels.push(level);
        quantizers.push(quantizer(state) as u8);
        states.record(level);
    }
    Some((levels, quantizers))
}

/// Makes levels to the multiples that they stand for; says the first that needs more than 16 bits.
///
/// # Errors
/// That multiple.
pub fn multiples(levels: &mut [i16], columns: usize) -> Result<(), i32> {
    let mut states = States::new(columns);
    for own in levels {
        let wide = multiple(states.here(), *own);
        states.record(*own);
        *own = i16::try_from(wide).map_err(|_| wide)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn levels_come_back(levels in prop::collection::vec(-16_000i16..=16_000, 600 * 2), columns in 1usize..=2) {
            let mut multiples = levels.clone();
            super::multiples(&mut multiples, columns).unwrap();
            let (found, quantizers) = super::levels(&multiples, columns).unwrap();
            assert_eq!(found, levels);
            assert!(multiples.iter().zip(quantizers).all(|(own, quantizer)| *own == 0 || (own & 1 != 0) == (quantizer == 1)));
        }
    }

    #[test]
    fn every_state_has_two_ways_in() {
        for state in 0..STATES as u8 {
            assert_eq!(NEXT.iter().flatten().filter(|&&next| next == state).count(), 2);
        }
    }

    #[test]
    fn what_is_in_no_quantizer_or_needs_more_than_16_bits_is_refused() {
        assert_eq!(levels(&[1], 1), None);
        // An odd level, and from state 2 another one: state 3 has the odd multiples.
        assert_eq!(levels(&[2, 2, 1], 1).map(|(levels, _)| levels), Some(vec![1, 1, 1]));
        assert_eq!(levels(&[2, 2, 2], 1), None);
        assert_eq!(multiples(&mut [16_383, 20_000], 2), Err(40_000));
    }
}
