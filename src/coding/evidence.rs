//! What speaks for a symbol: the inputs of the mixers, from the marginals and the neighbours.

use super::adaptive::{Counts, EVEN};
use super::layout::Layout;
use super::marginals::{Marginals, Strengths};
use super::neighbours::{Neighbours, Place, Similarity};

/// Magnitudes up to this are coded in unary, larger ones as this and a number.
pub const UNARY: usize = 8;

/// Inputs of the mixer of positions.
pub const POSITION_INPUTS: usize = 14;
/// Inputs of the mixer of signs.
pub const SIGN_INPUTS: usize = 15;
/// Inputs of the mixer of magnitudes.
pub const MAGNITUDE_INPUTS: usize = 11;

/// One bit of log-odds.
const BIT: i32 = 4096;

/// Inputs that could grow are cut to +-this.
const MOST: i32 = 4 * BIT;

const POSITIONS: Strengths = Strengths { all: 32, row: 16, kernel: 4, column: 32, channel: 4, tap: 16 };
const SIGNS: Strengths = Strengths { all: 48, row: 64, kernel: 64, column: 16, channel: 256, tap: 64 };
const MAGNITUDES: Strengths = Strengths { all: 8, row: 128, kernel: 16, column: 128, channel: 64, tap: 8 };
/// Of a magnitude given its sign.
const BY_SIGN: u32 = 16;
/// A magnitude above 1, and one above more, before any was seen: 3 and 2 in 10.
const LARGER: [u32; 2] = [19661, 13107];

/// A place and what lies around it.
#[derive(Debug, Clone, Copy)]
pub struct Here {
    /// Where.
    pub place: Place,
    /// What lies around.
    pub near: Neighbours,
}

/// What was seen of one parameter so far.
#[derive(Debug, Clone)]
pub struct Evidence {
    layout: Layout,
    positions: Marginals,
    signs: Marginals,
    /// The first step, and all others together but for the counts over all.
    magnitudes: [Marginals; 2],
    /// Of each step, over all and by sign.
    steps: [[Counts; 3]; UNARY],
    similarity: Similarity,
    /// The last symbol of the current kernel that is not 0.
    last: i16,
    /// Positive less negative symbols of the current kernel.
    balance: i32,
}

impl Evidence {
    /// Nothing seen yet.
    pub fn new(layout: &Layout) -> Self {
        Evidence {
            layout: *layout,
            positions: Marginals::new(layout),
            signs: Marginals::new(layout),
            magnitudes: [Marginals::new(layout), Marginals::new(layout)],
            steps: Default::default(),
            similarity: Similarity::default(),
            last: 0,
            balance: 0,
        }
    }

    fn marginals(&mut self) -> [&mut Marginals; 4] {
        let [first, others] = &mut self.magnitudes;
        [&mut self.positions, &mut self.signs, first, others]
    }

    /// Forgets the row before.
    pub fn start_row(&mut self) {
        self.marginals().into_iter().for_each(Marginals::start_row);
        self.similarity = Similarity::default();
    }

    /// Forgets the kernel before.
    pub fn start_kernel(&mut self) {
        self.marginals().into_iter().for_each(Marginals::start_kernel);
        (self.last, self.balance) = (0, 0);
    }

    /// Whether a kernel has more than one tap.
    pub fn spatial(&self) -> bool {
        self.layout.taps() > 1
    }

    /// Looks around a place.
    pub fn look(&self, symbols: &[i16], place: Place) -> Here {
        Here { place, near: Neighbours::of(&self.layout, symbols, &place, self.last) }
    }

    /// For a symbol not to be 0.
    pub fn of_position(&self, Here { place, near }: &Here) -> [i32; POSITION_INPUTS] {
        let odds = self.positions.odds(place, EVEN, &POSITIONS);
        // Against how large it is in the mean, so that its weight need not make up for the bias.
        let mean = (odds.probability >> 4) as i32;
        let size = |symbol: i16| BIT * i32::from(symbol.unsigned_abs()).min(2) - mean;
        [
            odds.all,
            odds.row,
            odds.column,
            odds.channel,
            odds.tap,
            odds.kernel,
            BIT,
            size(near.left),
            size(near.up),
            size(near.up_left),
            size(near.up_right),
            size(near.row),
            size(near.channel),
            size(near.channel2),
        ]
    }

    /// Takes into account whether a symbol was not 0.
    pub fn record_position(&mut self, here: &Here, nonzero: bool) {
        self.positions.record(&here.place, nonzero);
    }

    /// For a symbol to be negative.
    pub fn of_sign(&self, symbols: &[i16], Here { place, near }: &Here) -> [i32; SIGN_INPUTS] {
        let odds = self.signs.odds(place, EVEN, &SIGNS);
        let size = |symbol: i16| {
            -(BIT / 2) * [0, 2, 3][usize::from(symbol.unsigned_abs()).min(2)] * i32::from(symbol.signum())
        };
        let expected = self.similarity.expected(&self.layout, symbols, place);
        let cut = |input: i32| input.clamp(-MOST, MOST);
        [
            odds.all,
            odds.row,
            odds.column,
            odds.channel,
            size(near.left),
            size(near.up),
            size(near.up_left),
            size(near.up_right),
            size(near.row),
            size(near.channel),
            size(near.left2),
            size(near.up2),
            size(near.last),
            cut(expected.saturating_mul(-BIT / 32)),
            cut(self.balance.saturating_mul(-BIT / 4)),
        ]
    }

    /// Takes a sign into account.
    pub fn record_sign(&mut self, here: &Here, negative: bool) {
        self.signs.record(&here.place, negative);
    }

    /// For a magnitude to exceed `step`, which is at least 1 and at most [`UNARY`].
    pub fn of_magnitude(&self, Here { place, near }: &Here, negative: bool, step: usize) -> [i32; MAGNITUDE_INPUTS] {
        let later = usize::from(step > 1);
        let prior = LARGER[later];
        let [all, signs @ ..] = self.steps[step - 1];
        let base = all.odds(prior, MAGNITUDES.all);
        let probability = all.probability(prior, MAGNITUDES.all);
        let odds = self.magnitudes[later].odds(place, probability, &MAGNITUDES);
        let size = |symbol: i16| match usize::from(symbol.unsigned_abs()) {
            0 => 0,
            magnitude if magnitude > step => BIT,
            magnitude if magnitude == step => 0,
            _ => -BIT / 2,
        };
        [
            base,
            odds.row,
            odds.column,
            odds.kernel,
            odds.tap,
            signs[usize::from(negative)].odds(probability, BY_SIGN) - base,
            size(near.left),
            size(near.up),
            size(near.row),
            size(near.channel),
            BIT,
        ]
    }

    /// Takes into account whether a magnitude exceeded `step`.
    pub fn record_magnitude(&mut self, here: &Here, negative: bool, step: usize, larger: bool) {
        self.magnitudes[usize::from(step > 1)].record(&here.place, larger);
        let [all, signs @ ..] = &mut self.steps[step - 1];
        all.record(larger);
        signs[usize::from(negative)].record(larger);
    }

    /// Takes a whole symbol that is not 0 into account, which `symbols` holds already.
    pub fn record_symbol(&mut self, symbols: &[i16], here: &Here, symbol: i16) {
        self.last = symbol;
        self.balance += i32::from(symbol.signum());
        self.similarity.record(&self.layout, symbols, &here.place);
    }
}
