//! A layer's values on a fixed-point grid.

use crate::model::{Model, ParamId};
use crate::stages::quantize::fitting_fraction_bits;
use serde::Serialize;

/// Values on the grid of a Qm.n format.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "FixedPointGrid"))]
pub struct Grid {
    /// Bits of a number, its sign among them.
    pub bits: u32,
    /// The n of Qm.n: one unit is `2^-n`.
    pub fraction_bits: i8,
    /// The m of Qm.n: `bits - 1 - n`; negative where even the first fraction bits are never needed.
    pub integer_bits: i32,
    /// Each value on the grid, in the order in which they came.
    pub values: Vec<Rounded>,
    /// Root mean square of the rounding errors over that of the values, each value counted as often as it occurs.
    pub relative_error: f64,
}

/// A value and its place on the grid.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Rounded {
    /// The value.
    pub value: f32,
    /// How many weights have it.
    pub population: u32,
    /// In units of `2^-n`.
    pub integer: i32,
    /// `integer * 2^-n`.
    pub rounded: f32,
}

/// Rounds values to numbers of `bits` bits (2 to 16), in the finest format that holds the largest of them.
pub fn grid(values: &[(f32, u32)], bits: u32) -> Grid {
    let bits = bits.clamp(2, 16);
    let largest = values.iter().fold(0.0f32, |largest, (value, _)| largest.max(value.abs()));
    let fraction_bits = format_of(largest, bits);
    let unit = (-f32::from(fraction_bits)).exp2();
    let rounded: Vec<Rounded> = values
        .iter()
        .map(|&(value, population)| {
            let integer = (value / unit).round();
            Rounded { value, population, integer: integer as i32, rounded: integer * unit }
        })
        .collect();
    let sum = |of: &dyn Fn(&Rounded) -> f32| -> f64 {
        rounded.iter().map(|entry| f64::from(of(entry)).powi(2) * f64::from(entry.population)).sum()
    };
    let (errors, energy) = (sum(&|entry| entry.rounded - entry.value), sum(&|entry| entry.value));
    Grid {
        bits,
        fraction_bits,
        integer_bits: bits as i32 - 1 - i32::from(fraction_bits),
        relative_error: if energy > 0.0 { (errors / energy).sqrt() } else { 0.0 },
        values: rounded,
    }
}

/// A layer's format, and what rounding all its weights to it loses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LayerFormat {
    /// The n of Qm.n.
    pub fraction_bits: i8,
    /// The m of Qm.n.
    pub integer_bits: i32,
    /// Root mean square of the rounding errors over that of the weights.
    pub relative_error: f64,
}

/// The formats of `bits` bits (2 to 16) of all layers' weights, as [`round_model`] takes them.
pub fn formats(model: &Model, bits: u32) -> Vec<LayerFormat> {
    let of = |weight: ParamId| {
        let values: Vec<(f32, u32)> = model.values(weight).iter().map(|&value| (value, 1)).collect();
        let Grid { fraction_bits, integer_bits, relative_error, .. } = grid(&values, bits);
        LayerFormat { fraction_bits, integer_bits, relative_error }
    };
    model.graph.layers().map(|(_, weight, _)| of(weight)).collect()
}

/// The model with every parameter rounded to numbers of `bits` bits (2 to 16), a format each.
pub fn round_model(model: &Model, bits: u32) -> Model {
    let bits = bits.clamp(2, 16);
    let mut model = model.clone();
    for parameter in &mut model.parameters {
        let largest = parameter.values.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        let unit = (-f32::from(format_of(largest, bits))).exp2();
        parameter.values.mapv_inplace(|value| (value / unit).round() * unit);
    }
    model
}

fn format_of(largest: f32, bits: u32) -> i8 {
    fitting_fraction_bits(largest, ((1u32 << (bits - 1)) - 1) as i16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets::Chain;
    use ndarray::array;

    #[test]
    fn four_bits_hold_seven_units() {
        let grid = grid(&[(-0.9, 1), (0.3, 2), (0.03, 5)], 4);
        // 7.49 / 0.9 = 8.3: units of 1/8.
        assert_eq!((grid.fraction_bits, grid.integer_bits), (3, 0));
        let integers: Vec<i32> = grid.values.iter().map(|value| value.integer).collect();
        assert_eq!(integers, [-7, 2, 0]);
        let errors = 0.025f64.powi(2) + 2.0 * 0.05f64.powi(2) + 5.0 * 0.03f64.powi(2);
        let energy = 0.81 + 2.0 * 0.09 + 5.0 * 0.0009;
        assert!((grid.relative_error - (errors / energy).sqrt()).abs() < 1e-6);
    }

    #[test]
    fn nothing_but_zero_has_a_grid_too() {
        let grid = grid(&[(0.0, 3)], 8);
        assert_eq!((grid.fraction_bits, grid.relative_error, grid.values[0].integer), (0, 0.0, 0));
        assert_eq!(super::grid(&[], 8).values, []);
    }

    #[test]
    fn a_model_is_rounded_parameter_by_parameter() {
        let mut model = Chain::new(vec![2]).linear("a", [1, 2]).build();
        model.parameters[0].values = array![[0.9, -0.3]].into_dyn();
        model.parameters[1].values = array![100.0].into_dyn();
        let rounded = round_model(&model, 4);
        let [format] = formats(&model, 4)[..] else { panic!("one layer") };
        assert_eq!((format.fraction_bits, format.integer_bits), (3, 0));
        let error = ((0.025f64.powi(2) + 0.05f64.powi(2)) / (0.81 + 0.09)).sqrt();
        assert!((format.relative_error - error).abs() < 1e-6, "{format:?}");
        assert_eq!(rounded.parameters[0].values, array![[0.875, -0.25]].into_dyn());
        // 7.49 / 100: units of 16.
        assert_eq!(rounded.parameters[1].values, array![96.0].into_dyn());
    }
}
