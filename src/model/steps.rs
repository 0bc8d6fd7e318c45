//! What the units of a tensor's numbers are worth.

/// A step for all elements of a tensor, or one for each index along an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Steps {
    /// What one unit is worth where there are no rows, or where a row's code is 0: finite, above 0.
    pub step: f32,
    /// Finer or coarser steps of rows.
    pub rows: Option<RowSteps>,
}

/// Steps of the rows of a tensor: that of a row is the tensor's times `2^(code / 8)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowSteps {
    /// The axis along which rows are counted.
    pub axis: usize,
    /// As many as the axis is long.
    pub codes: Vec<i8>,
}

/// `2^(i / 8)`, each rounded to 32 bits.
const EIGHTHS: [f32; 8] =
    [1.0, 1.090_507_7, 1.189_207_1, 1.296_839_6, std::f32::consts::SQRT_2, 1.542_210_8, 1.681_792_9, 1.834_008_1];

/// `2^(code / 8)`: one of eight numbers times a power of two.
pub fn factor(code: i8) -> f32 {
    EIGHTHS[code.rem_euclid(8) as usize] * f32::from(code.div_euclid(8)).exp2()
}

/// The code whose factor is nearest, at most 2^16 from 1.
pub fn code_of(factor: f64) -> i8 {
    (8.0 * factor.log2()).round().clamp(-127.0, 127.0) as i8
}

impl Steps {
    /// One step for all.
    pub fn whole(step: f32) -> Self {
        Steps { step, rows: None }
    }

    /// The step of each row: of the one row of the whole, or of each along the axis.
    pub fn of_rows(&self) -> Vec<f32> {
        match &self.rows {
            None => vec![self.step],
            Some(rows) => rows.codes.iter().map(|&code| self.step * factor(code)).collect(),
        }
    }

    /// The step of each element of a tensor of this shape, row-major.
    pub fn of_elements(&self, shape: &[usize]) -> impl Iterator<Item = f32> + use<> {
        let steps = self.of_rows();
        let inner = self.rows.as_ref().map_or(1, |rows| shape[rows.axis + 1..].iter().product()).max(1);
        (0..shape.iter().product()).map(move |index: usize| steps[index / inner % steps.len()])
    }

    /// The elements of a tensor of this shape: each is its symbol times its step, as a 32-bit float.
    pub fn times(&self, shape: &[usize], symbols: &[i16]) -> Vec<f32> {
        symbols.iter().zip(self.of_elements(shape)).map(|(&symbol, step)| f32::from(symbol) * step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_eighths_of_octaves() {
        for code in i8::MIN..=i8::MAX {
            let exact = (f64::from(code) / 8.0).exp2();
            assert!((f64::from(factor(code)) / exact - 1.0).abs() < 1e-7, "{code}");
            assert_eq!(code_of(exact), code.max(-127));
        }
        assert_eq!((code_of(0.0), code_of(f64::INFINITY)), (-127, 127));
        // Each is the double's, rounded once, so that any reader can make them.
        for (index, eighth) in EIGHTHS.iter().enumerate() {
            assert_eq!(*eighth, (index as f64 / 8.0).exp2() as f32);
        }
    }

    #[test]
    fn rows_along_any_axis_have_their_steps() {
        let steps = |axis| Steps { step: 0.5, rows: Some(RowSteps { axis, codes: vec![0, 8] }) };
        let symbols = [1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(steps(0).times(&[2, 2, 2], &symbols), [0.5, 1.0, 1.5, 2.0, 5.0, 6.0, 7.0, 8.0]);
        assert_eq!(steps(1).times(&[2, 2, 2], &symbols), [0.5, 1.0, 3.0, 4.0, 2.5, 3.0, 7.0, 8.0]);
        assert_eq!(steps(2).times(&[2, 2, 2], &symbols), [0.5, 2.0, 1.5, 4.0, 2.5, 6.0, 3.5, 8.0]);
        assert_eq!(Steps::whole(2.0).times(&[2], &[1, -3]), [2.0, -6.0]);
    }
}
