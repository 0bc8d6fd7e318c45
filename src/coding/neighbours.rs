//! What lies around a position, among the symbols that were coded before it.

use super::layout::Layout;

/// Where a symbol is.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Output.
    pub row: usize,
    /// Input channel.
    pub channel: usize,
    /// Place in the kernel, row-major.
    pub tap: usize,
    /// `channel * taps + tap`.
    pub column: usize,
}

/// Symbols around a place; 0 where there is none. Those of the same kernel go by their direction.
#[derive(Debug, Clone, Copy)]
pub struct Neighbours {
    /// One tap to the left.
    pub left: i16,
    /// One tap up.
    pub up: i16,
    /// One tap up and one to the left.
    pub up_left: i16,
    /// One tap up and one to the right.
    pub up_right: i16,
    /// Two taps to the left.
    pub left2: i16,
    /// Two taps up.
    pub up2: i16,
    /// The last symbol of this kernel that is not 0.
    pub last: i16,
    /// Same column, previous row.
    pub row: i16,
    /// Same row and tap, previous channel.
    pub channel: i16,
    /// Same row and tap, two channels before.
    pub channel2: i16,
}

impl Neighbours {
    /// Looks around `place`; `last` is what [`Neighbours::last`] shall be.
    pub fn of(layout: &Layout, symbols: &[i16], place: &Place, last: i16) -> Self {
        let (taps, width, row_len) = (layout.taps(), layout.width, layout.row_len());
        let index = place.row * row_len + place.column;
        let (y, x) = (place.tap / width, place.tap % width);
        let back = |steps: usize, there: bool| if there { symbols[index - steps] } else { 0 };
        Neighbours {
            left: back(1, x > 0),
            up: back(width, y > 0),
            up_left: back(width + 1, y > 0 && x > 0),
            up_right: back(width - 1, y > 0 && x + 1 < width),
            left2: back(2, x > 1),
            up2: back(2 * width, y > 1),
            last,
            row: back(row_len, place.row > 0),
            channel: back(taps, place.channel > 0),
            channel2: back(2 * taps, place.channel > 1),
        }
    }
}

/// Rows before the current one that it is compared with.
const COMPARED: usize = 16;

/// Most that two rows can be said to agree or differ.
const MOST: i32 = 1 << 16;

/// How much the current row agrees with those before it: filters often come in pairs of alike or opposite ones.
#[derive(Debug, Clone, Default)]
pub struct Similarity {
    /// Columns where both signs are the same less those where they differ; the row just before first.
    agreement: [i32; COMPARED],
}

impl Similarity {
    /// Signs of the rows before at this column, each times its agreement: above 0 for a positive symbol.
    pub fn expected(&self, layout: &Layout, symbols: &[i16], place: &Place) -> i32 {
        self.signs(layout, symbols, place).map(|(row, sign)| self.agreement[row] * sign).sum()
    }

    /// Takes the symbol at `place` into account.
    pub fn record(&mut self, layout: &Layout, symbols: &[i16], place: &Place) {
        let own = i32::from(symbols[place.row * layout.row_len() + place.column].signum());
        for (row, sign) in self.clone().signs(layout, symbols, place) {
            self.agreement[row] = (self.agreement[row] + own * sign).clamp(-MOST, MOST);
        }
    }

    fn signs<'a>(
        &self,
        layout: &Layout,
        symbols: &'a [i16],
        place: &Place,
    ) -> impl Iterator<Item = (usize, i32)> + use<'a> {
        let row_len = layout.row_len();
        let index = place.row * row_len + place.column;
        let rows = place.row.min(COMPARED);
        (0..rows).map(move |row| (row, i32::from(symbols[index - (row + 1) * row_len].signum())))
    }
}
