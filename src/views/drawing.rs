//! A hand-drawn digit as MNIST has its digits: in the middle, and of their size.

/// The side of the square that a digit is fitted into, as a share of the image's: 20 of MNIST's 28 pixels.
const BOX: f64 = 20.0 / 28.0;

/// A drawing of `size` (width and height; 0 paper, 255 ink, row by row) as an image of `side x side` pixels.
///
/// As LeCun et al. 1998 made MNIST: the ink is scaled to fit the middle square with its aspect ratio kept, and moved so
/// that its centre of mass is the image's centre. `None` for a drawing without ink, or of another length than its size says.
pub fn normalise(drawing: &[u8], size: [usize; 2], side: usize) -> Option<Vec<u8>> {
    let [width, height] = size;
    if width.checked_mul(height) != Some(drawing.len()) || side == 0 {
        return None;
    }
    let ink = |x: usize, y: usize| f64::from(drawing[y * width + x]);
    let inked = || (0..drawing.len()).filter(|&place| drawing[place] > 0).map(|place| (place % width, place / width));
    let (left, right) = (inked().map(|(x, _)| x).min()?, inked().map(|(x, _)| x).max()?);
    let (top, bottom) = (inked().map(|(_, y)| y).min()?, inked().map(|(_, y)| y).max()?);
    let extent = (right - left + 1).max(bottom - top + 1) as f64;
    // Pixels of the drawing in one pixel of the image.
    let scale = extent / (BOX * side as f64);
    let mass: f64 = inked().map(|(x, y)| ink(x, y)).sum();
    let center = |of: &dyn Fn(usize, usize) -> f64| inked().map(|(x, y)| ink(x, y) * of(x, y)).sum::<f64>() / mass;
    let (center_x, center_y) = (center(&|x, _| x as f64 + 0.5), center(&|_, y| y as f64 + 0.5));
    // The corner of the image, in pixels of the drawing.
    let (corner_x, corner_y) = (center_x - scale * side as f64 / 2.0, center_y - scale * side as f64 / 2.0);
    let mut image = Vec::with_capacity(side * side);
    for row in 0..side {
        let (from_y, to_y) = (corner_y + scale * row as f64, corner_y + scale * (row + 1) as f64);
        for column in 0..side {
            let (from_x, to_x) = (corner_x + scale * column as f64, corner_x + scale * (column + 1) as f64);
            // The mean of the pixels that it covers, by the area of each.
            let mut sum = 0.0;
            for (y, share_y) in covered(from_y, to_y, height) {
                for (x, share_x) in covered(from_x, to_x, width) {
                    sum += share_x * share_y * ink(x, y);
                }
            }
            image.push((sum / (scale * scale)).round().clamp(0.0, 255.0) as u8);
        }
    }
    Some(image)
}

/// The whole numbers below `limit` whose unit intervals the interval covers, with how much of each.
fn covered(from: f64, to: f64, limit: usize) -> impl Iterator<Item = (usize, f64)> {
    let first = from.floor().max(0.0) as usize;
    let last = (to.ceil().max(0.0) as usize).min(limit);
    (first..last).map(move |place| (place, (to.min(place as f64 + 1.0) - from.max(place as f64)).max(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_fills_the_middle_wherever_it_is_drawn() {
        for (x, y) in [(0, 0), (37, 60), (12, 3)] {
            let mut drawing = vec![0; 100 * 100];
            for place in 0..1600 {
                drawing[(y + place / 40) * 100 + x + place % 40] = 255;
            }
            let image = normalise(&drawing, [100, 100], 28).unwrap();
            for (place, &pixel) in image.iter().enumerate() {
                let inside = (4..24).contains(&(place % 28)) && (4..24).contains(&(place / 28));
                assert_eq!(pixel, if inside { 255 } else { 0 }, "{place}");
            }
        }
    }

    #[test]
    fn the_centre_is_that_of_the_mass() {
        // A flag: a pole, and a heavy square at its top right.
        let mut drawing = vec![0u8; 64 * 64];
        for row in 0..60 {
            for column in 10..if row < 12 { 26 } else { 14 } {
                drawing[row * 64 + column] = 200;
            }
        }
        let image = normalise(&drawing, [64, 64], 28).unwrap();
        let mass: f64 = image.iter().map(|&pixel| f64::from(pixel)).sum();
        let mean = |of: &dyn Fn(usize) -> usize| {
            image.iter().enumerate().map(|(i, &pixel)| (of(i) as f64 + 0.5) * f64::from(pixel)).sum::<f64>() / mass
        };
        assert!((mean(&|i| i % 28) - 14.0).abs() < 0.1 && (mean(&|i| i / 28) - 14.0).abs() < 0.1);
    }

    #[test]
    fn paper_and_nonsense_are_none() {
        assert_eq!(normalise(&[0; 16], [4, 4], 28), None);
        assert_eq!(normalise(&[1; 15], [4, 4], 28), None);
        assert_eq!(normalise(&[], [0, 0], 28), None);
        assert_eq!(normalise(&[1; 16], [4, 4], 0), None);
    }
}
