//! Numbers as people write them: with a unit behind, and sizes in kB.

/// A size in bytes: `4479`, `4kB`, `1.5 MB`, `64KiB`.
pub fn bytes(text: &str) -> Result<usize, String> {
    let (number, unit) = split(text);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" | "byte" | "bytes" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        _ => return Err("expected a size in bytes, such as 4479, 4kB, 1.5MB or 64KiB".into()),
    };
    let size = number.parse::<f64>().ok().map(|number| number * factor);
    // Whole numbers up to 2^53 are exact.
    match size.filter(|size| (1.0..=9e15).contains(size)) {
        Some(size) => Ok(size.floor() as usize),
        None => Err("expected a size of at least 1 byte, such as 4479, 4kB, 1.5MB or 64KiB".into()),
    }
}

/// Percentage points: `0.3`, `0.3%`.
pub fn points(text: &str) -> Result<f64, String> {
    with_unit(text, &["%", "points", "pp"], "expected percentage points, such as 0.3 or 0.3%")
}

/// Decibels: `30`, `30dB`.
pub fn decibels(text: &str) -> Result<f64, String> {
    with_unit(text, &["db"], "expected decibels, such as 30 or 30dB")
}

/// A share, 0 to 1: `0.2`, `20%`.
pub fn share(text: &str) -> Result<f64, String> {
    let number = with_unit(text, &["%"], "expected a share, such as 0.2 or 20%")?;
    Ok(if text.trim_end().ends_with('%') { number / 100.0 } else { number })
}

/// As [`share`], in fewer bits.
pub fn short_share(text: &str) -> Result<f32, String> {
    share(text).map(|share| share as f32)
}

fn with_unit(text: &str, units: &[&str], expected: &str) -> Result<f64, String> {
    let (number, unit) = split(text);
    let known = unit.is_empty() || units.contains(&unit.to_ascii_lowercase().as_str());
    number.parse().ok().filter(|_| known).ok_or_else(|| expected.to_owned())
}

/// The number and the unit behind it.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let is_number = |letter: char| letter.is_ascii_digit() || "+-.eE".contains(letter);
    let words = ["nan", "inf", "-inf", "infinity"];
    if words.contains(&text.to_ascii_lowercase().as_str()) {
        return (text, "");
    }
    let end = text.find(|letter| !is_number(letter)).unwrap_or(text.len());
    (text[..end].trim(), text[end..].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, size) in [("4479", 4479), ("4kB", 4000), ("4 kB", 4000), ("4KB", 4000), ("1.5MB", 1_500_000)] {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
        assert_eq!(bytes("64KiB"), Ok(65_536));
        assert_eq!(bytes("2g"), Ok(2_000_000_000));
        for text in ["", "kB", "0", "-1", "4 parsecs", "1e400", "nan", "4kB2"] {
            let said = bytes(text).unwrap_err();
            assert!(said.starts_with("expected a size"), "{text}: {said}");
        }
    }

    #[test]
    fn units_behind_numbers_are_understood_and_others_are_not() {
        assert_eq!((points("0.3"), points("0.3%"), points("0.3 %")), (Ok(0.3), Ok(0.3), Ok(0.3)));
        assert_eq!((decibels("30dB"), decibels("30 db"), decibels("-3")), (Ok(30.0), Ok(30.0), Ok(-3.0)));
        assert_eq!((share("0.2"), share("20%")), (Ok(0.2), Ok(0.2)));
        assert!(points("nan").unwrap().is_nan());
        assert!(points("30dB").is_err() && decibels("30%").is_err() && share("two").is_err());
    }
}
