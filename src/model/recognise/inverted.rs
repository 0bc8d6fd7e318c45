//! Networks of inverted residuals: MobileNetV2 (Sandler et al. 2018), MobileNetV3 (Howard et al. 2019), EfficientNet (Tan and Le 2019) and
//! EfficientNetV2 (Tan and Le 2021), as torchvision, timm and Keras name them. A block is three convolutions, of 1 x 1, of a window of each channel by
//! itself and of 1 x 1, each with its normalisation; what it reads is added where the shapes are the same.

use super::build::{Build, Moves, Naming};
use crate::model::{Binary, Function, Model, Network, Op, ValueId};

/// The most blocks of a stage.
const MOST: usize = 64;

/// What a stage has beside its convolutions: channels are scaled by what their means say (Hu et al. 2018, squeeze and excitation).
const EXCITE: u8 = 1;
/// The stage has ReLU, whatever the network has.
const RELU: u8 = 2;
/// The first two convolutions of a block are one, with all its channels.
const FUSED: u8 = 4;

/// Of a stage: how many blocks, 0 if as many as there are; its window; the stride of its first block; what else it has.
type Stage = [u8; 4];

const MOBILE_2: &[Stage] =
    &[[1, 3, 1, 0], [2, 3, 2, 0], [3, 3, 2, 0], [4, 3, 2, 0], [3, 3, 1, 0], [3, 3, 2, 0], [1, 3, 1, 0]];
const SMALL_3: &[Stage] =
    &[[1, 3, 2, EXCITE | RELU], [2, 3, 2, RELU], [3, 5, 2, EXCITE], [2, 5, 1, EXCITE], [3, 5, 2, EXCITE]];
const LARGE_3: &[Stage] =
    &[[1, 3, 1, RELU], [2, 3, 2, RELU], [3, 5, 2, EXCITE | RELU], [4, 3, 2, 0], [2, 3, 1, EXCITE], [3, 5, 2, EXCITE]];
const EFFICIENT: &[Stage] = &[
    [0, 3, 1, EXCITE],
    [0, 3, 2, EXCITE],
    [0, 5, 2, EXCITE],
    [0, 3, 2, EXCITE],
    [0, 5, 1, EXCITE],
    [0, 5, 2, EXCITE],
    [0, 3, 1, EXCITE],
];
const EFFICIENT_2: &[Stage] = &[
    [0, 3, 1, FUSED],
    [0, 3, 2, FUSED],
    [0, 3, 2, FUSED],
    [0, 3, 2, EXCITE],
    [0, 3, 1, EXCITE],
    [0, 3, 2, EXCITE],
    [0, 3, 1, EXCITE],
];

/// The blocks of EfficientNet-B0, B1, B2 and so on to B6; B7 has more. B1 and B2 differ in their widths.
const BLOCKS: [usize; 7] = [16, 23, 23, 26, 32, 39, 45];
/// The most channels behind the blocks of EfficientNet-B1.
const B1: usize = 1280;
/// The first EfficientNet for which torchvision adds more to a variance.
const LATE: usize = 5;

/// Names of layers, one after the other: those of the stem and its normalisation; what begins those of the first block and of the others; in a block the
/// layers that expand, that have a window each channel by itself, that squeeze and excite, that project, and that project where nothing expands; the
/// layer behind the blocks; the last ones. [`Place::name`] has the signs.
const TORCH_2: &str = "features.0.0 features.0.1 features.@.conv. features.@.conv. ?.0 ?.1 ?.0 ?.1 - - ? ! ? features.@.0 features.@.1 classifier.1";
const TORCH_3: &str = "features.0.0 features.0.1 features.@.block. features.@.block. ?.0 ?.1 ?.0 ?.1 ?.fc1 ?.fc2 ?.0 ?.1 ?.0 features.@.0 features.@.1 classifier.0 classifier.3";
const TORCH_E: &str = "features.0.0 features.0.1 features.%.*.block. features.%.*.block. ?.0 ?.1 ?.0 ?.1 ?.fc1 ?.fc2 ?.0 ?.1 ?.0 features.%.0 features.%.1 classifier.1";
const TIMM: &str = "conv_stem bn1 blocks.$.*. blocks.$.*. conv_pw bn! conv_dw bn! se.conv_reduce se.conv_expand conv_pwl bn! conv_pw conv_head bn2 classifier";
const TIMM_3: &str = "conv_stem bn1 blocks.$.*. blocks.$.*. conv_pw bn! conv_dw bn! se.conv_reduce se.conv_expand conv_pwl bn! conv_pw blocks.$.0.conv blocks.$.0.bn1 conv_head classifier";
const KERAS_2: &str = "Conv1 bn_Conv1 expanded_conv_ block_#_ expand expand_BN depthwise depthwise_BN - - project project_BN project Conv_1 Conv_1_bn predictions";
const KERAS_3: &str = "conv conv_bn expanded_conv_ expanded_conv_#_ expand expand_bn depthwise depthwise_bn squeeze_excite_conv squeeze_excite_conv_1 project project_bn project conv_1 conv_1_bn conv_2 logits";
/// As in Keras 2, and in the weights that it has of ImageNet.
const KERAS_3_OLD: &str = "Conv Conv/BatchNorm expanded_conv/ expanded_conv_#/ expand expand/BatchNorm depthwise depthwise/BatchNorm squeeze_excite/Conv squeeze_excite/Conv_1 project project/BatchNorm project Conv_1 Conv_1/BatchNorm Conv_2 Logits";
const KERAS_E: &str = "stem_conv stem_bn block%&_ block%&_ expand_conv expand_bn dwconv bn se_reduce se_expand project_conv project_bn project_conv top_conv top_bn predictions";

// Places in a list of names.
const STEM: usize = 0;
const BLOCK: usize = 2;
const EXPAND: usize = 4;
const DEPTHWISE: usize = 6;
const SQUEEZE: usize = 8;
const PROJECT: usize = 10;
const PROJECT_ALONE: usize = 12;
const HEAD: usize = 13;
const LAST: usize = 15;

/// What stands between layers.
#[derive(Clone, Copy, PartialEq)]
enum Curve {
    Relu,
    Relu6,
    /// And a hard sigmoid behind what excites.
    HardSwish,
    /// `x sigmoid(x)`, and a sigmoid behind what excites.
    Silu,
}

/// An architecture as a library names it.
struct Known {
    naming: Naming,
    names: &'static str,
    stages: &'static [Stage],
    curve: Curve,
    /// What a normalisation adds to a variance: up to EfficientNet-B4, and in all that are larger.
    epsilons: [f32; 2],
    /// Sides of an image in pixels; if there are several, of EfficientNet-B0, B1 and so on.
    sides: &'static [u16],
}

const fn known(
    naming: Naming,
    names: &'static str,
    stages: &'static [Stage],
    curve: Curve,
    epsilons: [f32; 2],
    sides: &'static [u16],
) -> Known {
    Known { naming, names, stages, curve, epsilons, sides }
}

const SMALL: [f32; 2] = [1e-5; 2];
const LARGE: [f32; 2] = [1e-3; 2];

#[rustfmt::skip]
static KNOWN: [Known; 16] = [
    known(Naming::Torch, TORCH_2, MOBILE_2, Curve::Relu6, SMALL, &[224]),
    known(Naming::Torch, TORCH_3, SMALL_3, Curve::HardSwish, LARGE, &[224]),
    known(Naming::Torch, TORCH_3, LARGE_3, Curve::HardSwish, LARGE, &[224]),
    known(Naming::Torch, TORCH_E, EFFICIENT, Curve::Silu, [1e-5, 1e-3], &[224, 240, 288, 300, 380, 456, 528, 600]),
    known(Naming::Torch, TORCH_E, EFFICIENT_2.split_at(6).0, Curve::Silu, LARGE, &[384]),
    known(Naming::Torch, TORCH_E, EFFICIENT_2, Curve::Silu, LARGE, &[480]),
    known(Naming::Torch, TIMM, MOBILE_2, Curve::Relu6, SMALL, &[224]),
    known(Naming::Torch, TIMM_3, SMALL_3, Curve::HardSwish, SMALL, &[224]),
    known(Naming::Torch, TIMM_3, LARGE_3, Curve::HardSwish, SMALL, &[224]),
    known(Naming::Torch, TIMM, EFFICIENT, Curve::Silu, SMALL, &[224, 240, 256, 288, 320, 448, 528, 600]),
    known(Naming::Keras, KERAS_2, MOBILE_2, Curve::Relu6, LARGE, &[224]),
    known(Naming::Keras, KERAS_3, SMALL_3, Curve::HardSwish, LARGE, &[224]),
    known(Naming::Keras, KERAS_3, LARGE_3, Curve::HardSwish, LARGE, &[224]),
    known(Naming::Keras, KERAS_3_OLD, SMALL_3, Curve::HardSwish, LARGE, &[224]),
    known(Naming::Keras, KERAS_3_OLD, LARGE_3, Curve::HardSwish, LARGE, &[224]),
    known(Naming::Keras, KERAS_E, EFFICIENT, Curve::Silu, LARGE, &[224, 240, 260, 300, 380, 456, 528, 600]),
];

/// MobileNetV2, MobileNetV3 (small and large) and EfficientNet-B0 to B7 as torchvision, timm and Keras name them, and torchvision's
/// EfficientNetV2 (S, M, L), in any widths; the depth of an EfficientNet is that of its weights, and tells the usual side of an image. Behind
/// `tf_` timm has networks of the same names and shapes, which put their zeros and norm a little differently: what is recognised is the one without.
pub fn inverted(weights: &Network, naming: Naming, prefix: &str) -> Option<Model> {
    let first = Build::new(weights, naming, prefix)?;
    KNOWN.iter().filter(|known| known.naming == naming).find_map(|known| {
        let names: Vec<&str> = known.names.split(' ').collect();
        first.sides(names[STEM])?;
        let place = Place { names, stage: 0, block: 0, before: 0, part: 0 };
        Residuals { build: Build::new(weights, naming, prefix)?, known, place, side: 0 }.network()
    })
}

/// Where in a network a name is.
struct Place {
    names: Vec<&'static str>,
    stage: usize,
    /// In the stage.
    block: usize,
    /// Blocks before it, in all stages.
    before: usize,
    /// How many parts of the block come before.
    part: usize,
}

impl Place {
    /// The name in a place of the list. `%` is the stage counted from 1, `$` counted from 0; `*` the block in its stage, `&` as a letter; `@` and `#` the block among all, counted
    /// from 1 and from 0; `!` and `?` the part of a block.
    fn name(&self, place: usize) -> String {
        let begin = match place {
            EXPAND..HEAD => self.names[BLOCK + usize::from(self.before > 0)],
            _ => "",
        };
        let mut name = String::new();
        for letter in begin.chars().chain(self.names[place].chars()) {
            let number = match letter {
                '$' => self.stage,
                '%' => self.stage + 1,
                '*' => self.block,
                '#' => self.before,
                '@' => self.before + 1,
                '?' => self.part,
                '!' => self.part + 1,
                _ => {
                    name.push(if letter == '&' { (b'a' + self.block as u8).into() } else { letter });
                    continue;
                }
            };
            name += &number.to_string();
        }
        name
    }
}

/// A network on its way.
struct Residuals<'a> {
    build: Build<'a>,
    known: &'static Known,
    place: Place,
    /// Of an image, so far.
    side: usize,
}

impl Residuals<'_> {
    fn network(mut self) -> Option<Model> {
        let mut counts = Vec::new();
        for (stage, &[blocks, ..]) in self.known.stages.iter().enumerate() {
            self.place.stage = stage;
            let mut count = blocks.into();
            while count < MOST && blocks == 0 {
                self.place.block = count;
                if self.build.sides(&self.place.name(DEPTHWISE)).is_none() {
                    break;
                }
                count += 1;
            }
            if count == 0 {
                return None;
            }
            counts.push(count);
        }
        let blocks = counts.iter().sum();
        self.place.stage = counts.len();
        self.place.before = blocks;
        let [channels, ..] = self.build.window(&self.place.name(HEAD))?;
        let mut number = BLOCKS.iter().filter(|&&most| blocks > most).count();
        if number == 1 && channels > B1 {
            number = 2;
        }
        self.build.epsilon(self.known.epsilons[usize::from(number >= LATE)]);
        self.side = (*self.known.sides.get(number).or(self.known.sides.first())?).into();
        let [mut channels, colours, _] = self.build.window(&self.place.name(STEM))?;
        self.build.input([colours, self.side, self.side]);
        self.conv(STEM, STEM + 1, 3, 2, false)?;
        self.curve(STEM, self.known.curve);
        self.place.before = 0;
        for (stage, (&[_, window, stride, with], count)) in self.known.stages.iter().zip(counts).enumerate() {
            self.place.stage = stage;
            for block in 0..count {
                self.place.block = block;
                let stride = if block == 0 { stride.into() } else { 1 };
                channels = self.block(channels, window.into(), stride, with)?;
                self.place.before += 1;
            }
        }
        self.place.stage = self.known.stages.len();
        self.conv(HEAD, HEAD + 1, 1, 1, false)?;
        self.curve(HEAD, self.known.curve);
        self.last_layers()?;
        if self.known.naming == Naming::Keras && self.known.curve == Curve::Silu {
            // Of the pictures: it becomes their scaling.
            self.build.leave("normalization");
        }
        self.build.finish()
    }

    /// Appends a block, and returns how many channels it has.
    fn block(&mut self, channels: usize, window: usize, stride: usize, with: u8) -> Option<usize> {
        let from = self.build.last();
        let curve = if with & RELU > 0 { Curve::Relu } else { self.known.curve };
        let counts = with & EXCITE > 0 && self.place.names[SQUEEZE].starts_with('?');
        self.place.part = 1 + usize::from(with & FUSED == 0) + usize::from(counts);
        let wide = self.build.is_norm(&self.place.name(PROJECT + 1));
        self.place.part = 0;
        let wide = wide && self.build.sides(&self.place.name(EXPAND)).is_some();
        let project = if wide { PROJECT } else { PROJECT_ALONE };
        if with & FUSED > 0 {
            self.conv(EXPAND, EXPAND + 1, window, stride, false)?;
            self.curve(EXPAND, curve);
        } else {
            if wide {
                self.conv(EXPAND, EXPAND + 1, 1, 1, false)?;
                self.curve(EXPAND, curve);
                self.place.part = 1;
            }
            self.conv(DEPTHWISE, DEPTHWISE + 1, window, stride, true)?;
            self.curve(DEPTHWISE, curve);
        }
        if with & EXCITE > 0 {
            self.place.part += usize::from(counts);
            self.excite()?;
        }
        self.place.part += 1;
        let out = if wide || with & FUSED == 0 {
            self.conv(project, PROJECT + 1, 1, 1, false)?
        } else {
            self.place.part = 0;
            self.build.window(&self.place.name(EXPAND))?[0]
        };
        if stride == 1 && channels == out {
            let made = self.build.last();
            self.build.node(&(self.place.name(project) + "_add"), Op::Add, &[made, from]);
        }
        Some(out)
    }

    /// Appends a convolution with its normalisation, and returns how many outputs its weight says.
    fn conv(&mut self, layer: usize, norm: usize, window: usize, stride: usize, depthwise: bool) -> Option<usize> {
        let (name, norm) = (self.place.name(layer), self.place.name(norm));
        let [outputs, inputs, sides] = self.build.window(&name)?;
        let after = window / 2;
        // TensorFlow puts what is odd below and right.
        let odd = self.known.naming == Naming::Keras && stride == 2 && self.side.is_multiple_of(2);
        let before = after - usize::from(odd);
        self.side = self.side.div_ceil(stride);
        // One of the two is 1 then.
        let groups = if depthwise { outputs.max(inputs) } else { 1 };
        let moves = Moves { stride, pads: [before, before, after, after], groups };
        let last = self.build.last();
        self.build.conv(last, &name, Some(&norm), moves).filter(|_| sides == window)?;
        Some(outputs)
    }

    /// Appends a convolution of 1 x 1 that has a bias and no normalisation.
    fn point(&mut self, name: &str) -> Option<ValueId> {
        self.build.conv(self.build.last(), name, None, Moves { stride: 1, pads: [0; 4], groups: 1 })
    }

    /// Appends a function behind a layer.
    fn curve(&mut self, layer: usize, curve: Curve) {
        let (name, last) = (self.place.name(layer), self.build.last());
        let act = name.clone() + "_act";
        match curve {
            Curve::Relu => self.build.relu(&act),
            Curve::Relu6 => self.build.unary(&act, Function::Clip, 0.0, 6.0),
            Curve::HardSwish => self.build.unary(&act, Function::HardSwish, 0.0, 0.0),
            Curve::Silu => {
                let gate = self.build.unary(&(name + "_gate"), Function::Sigmoid, 0.0, 0.0);
                self.build.node(&act, Op::Binary(Binary::Mul), &[last, gate])
            }
        };
    }

    /// Appends what scales each channel by what the means of all say.
    fn excite(&mut self) -> Option<()> {
        let hard = self.known.curve == Curve::HardSwish;
        let [squeeze, excite] = [SQUEEZE, SQUEEZE + 1].map(|place| self.place.name(place));
        let from = self.build.last();
        self.build.node(&(squeeze.clone() + "_mean"), Op::GlobalAveragePool, &[from]);
        self.point(&squeeze)?;
        self.curve(SQUEEZE, if hard { Curve::Relu } else { self.known.curve });
        self.point(&excite)?;
        let name = excite.clone() + "_gate";
        let gate = match hard {
            true => self.build.unary(&name, Function::HardSigmoid, 1.0 / 6.0, 0.5),
            false => self.build.unary(&name, Function::Sigmoid, 0.0, 0.0),
        };
        self.build.node(&(excite + "_mul"), Op::Binary(Binary::Mul), &[from, gate]);
        Some(())
    }

    /// Appends a mean over all positions and the last layers, which all have a bias.
    fn last_layers(&mut self) -> Option<()> {
        let last = self.build.last();
        self.build.node("avgpool", Op::GlobalAveragePool, &[last]);
        let mut flat = false;
        for place in LAST..self.place.names.len() {
            if place > LAST {
                self.curve(place - 1, self.known.curve);
            }
            let name = self.place.name(place);
            if !self.build.is_biased(&name) {
                return None;
            }
            if self.build.sides(&name)?.len() == 4 {
                self.point(&name)?;
                continue;
            }
            if !flat {
                self.flatten();
                flat = true;
            }
            self.build.linear(self.build.last(), &name)?;
        }
        if !flat {
            self.flatten();
        }
        Some(())
    }

    fn flatten(&mut self) {
        let last = self.build.last();
        self.build.node("flatten", Op::Flatten, &[last]);
    }
}
