//! Numbers as people write them. The library's reader is ready for all numbers of 64 bits, which takes fifteen kilobytes of the wasm.

/// The largest power of ten that 128 bits hold, and the largest that leaves a quotient of 30 bits or more of them.
const POWERS: [u32; 2] = [38, 28];

/// Reads a 32-bit float: a sign, digits with a point in them, an exponent; or `inf`, `infinity` or `nan` in any case. It is the nearest
/// one where the number has at most 18 digits and is neither very small nor very large, as good as all that are written; else right to
/// 15 digits before it is rounded.
pub fn parse(text: &str) -> Option<f32> {
    let (negative, text) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let size = match text {
        _ if text.eq_ignore_ascii_case("nan") => f32::NAN,
        _ if text.eq_ignore_ascii_case("inf") || text.eq_ignore_ascii_case("infinity") => f32::INFINITY,
        _ => size(text)?,
    };
    Some(if negative { -size } else { size })
}

fn size(text: &str) -> Option<f32> {
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        // Beyond any float, whatever the digits are.
        Some((digits, exponent)) => (digits, whole(exponent)?.clamp(-1000, 1000)),
        None => (text, 0),
    };
    let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
    if before.is_empty() && after.is_empty() || !before.bytes().chain(after.bytes()).all(|digit| digit.is_ascii_digit())
    {
        return None;
    }
    let (mut number, mut places) = (0u64, exponent - after.len() as i64);
    for digit in before.bytes().chain(after.bytes()) {
        match number < 100_000_000_000_000_000 {
            true => number = 10 * number + u64::from(digit - b'0'),
            // Digits that do not matter any more.
            false => places += 1,
        }
    }
    if number == 0 {
        return Some(0.0);
    }
    let ten =
        |power: i64, most: u32| u32::try_from(power).ok().filter(|&power| power <= most).map(|power| 10u128.pow(power));
    if let Some(product) = ten(places, POWERS[0]).and_then(|factor| factor.checked_mul(number.into())) {
        return Some(product as f32);
    }
    if let Some(divisor) = ten(-places, POWERS[1]) {
        // With a last bit that says whether something is left.
        let shift = number.leading_zeros() + 64;
        let (quotient, rest) = ((u128::from(number) << shift) / divisor, (u128::from(number) << shift) % divisor);
        let rounded = (quotient | u128::from(rest != 0)) as f32;
        return Some((f64::from(rounded) * 2f64.powi(-(shift as i32))) as f32);
    }
    Some((number as f64 * 10f64.powi(places.clamp(-400, 400) as i32)) as f32)
}

/// A whole number; one that is too large is as large as can be.
fn whole(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let size = digits.bytes().fold(0i64, |size, digit| size.saturating_mul(10).saturating_add((digit - b'0').into()));
    Some(if negative { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_a_number_is_what_the_library_says() {
        let texts = [
            "",
            "-",
            "+",
            ".",
            "1",
            "-1",
            "+1",
            "1.",
            ".5",
            "-.5",
            "1e5",
            "1E-5",
            "1e",
            "1e+",
            "e5",
            "1e5.0",
            "0x10",
            "1_0",
            " 1",
            "1 ",
            "nan",
            "NaN",
            "-nan",
            "inf",
            "-Infinity",
            "infinit",
            "1.2.3",
            "--1",
            "1e99999999999999999999",
            "0e999",
            "0.000",
            "340282350000000000000000000000000000000",
            "340282360000000000000000000000000000000",
            "1e39",
            "-1e-50",
            "1.5e-45",
            "16777217",
            "16777219",
            "8388608.5",
            "0.1",
            "123456789012345678901234567890",
            "1e-400",
            "٣",
        ];
        for text in texts {
            match (parse(text), text.parse::<f32>()) {
                (None, Err(_)) => {}
                (Some(got), Ok(expected)) => {
                    assert!(got == expected || got.is_nan() && expected.is_nan(), "{text}: {got}, not {expected}");
                    assert_eq!(got.is_sign_negative(), expected.is_sign_negative(), "{text}");
                }
                (got, expected) => panic!("{text}: {got:?}, not {expected:?}"),
            }
        }
    }

    proptest! {
        #[test]
        fn numbers_are_the_nearest_floats(bits in any::<u32>(), digits in 0usize..12, number in any::<i32>(), places in 0usize..12) {
            let value = f32::from_bits(bits);
            // Subnormal ones are rounded twice.
            if value.is_normal() {
                for text in [value.to_string(), format!("{value:e}"), format!("{value:.digits$e}")] {
                    prop_assert_eq!(parse(&text), Some(text.parse::<f32>().unwrap()), "{}", text);
                }
            }
            let text = format!("{:.1$}", f64::from(number) / 1e4, places);
            prop_assert_eq!(parse(&text), Some(text.parse::<f32>().unwrap()), "{}", text);
        }
    }
}
