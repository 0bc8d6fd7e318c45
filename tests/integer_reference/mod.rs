//! The operators of an integer network straight from their definitions, in 128-bit arithmetic, one image at a time.

use nutshell::model::{ActivationFormat, FixedPoint, Op, ParamId, Pool, Scaling};

/// `numerator / denominator * 2^-from` in units of `2^-to`: rounded, halves upwards, and saturated.
fn convert(numerator: i128, denominator: i128, from: i32, to: i32, unsigned: bool) -> i128 {
    let shift = to - from;
    let (numerator, denominator) = (numerator << shift.max(0), denominator << (-shift).max(0));
    let rounded = (2 * numerator + denominator).div_euclid(2 * denominator);
    if unsigned { rounded.clamp(0, 255) } else { rounded.clamp(-128, 127) }
}

/// The logits of one image, straight from the operators' definitions. `unsigned` says which values are.
pub fn reference(
    fixed: &FixedPoint,
    formats: &[ActivationFormat],
    unsigned: &[bool],
    image: &[u8],
    scaling: &Scaling,
) -> Vec<i128> {
    let shapes = fixed.to_model().shapes().unwrap();
    let bits = |value: usize| i32::from(formats[value].fraction_bits);
    let of_channel = image.len() / scaling.channels().unwrap_or(1);
    let input = image.iter().enumerate().map(|(place, &byte)| {
        let (factor, offset) = scaling.affine(place / of_channel);
        let number = f64::from(factor) * f64::from(byte) + f64::from(offset);
        let integer = (number * f64::from(bits(0)).exp2()).round() as i128;
        if unsigned[0] { integer.clamp(0, 255) } else { integer.clamp(-128, 127) }
    });
    let mut values: Vec<Vec<i128>> = vec![input.collect()];
    for (index, node) in fixed.graph.nodes.iter().enumerate() {
        let output = index + 1;
        let from = node.inputs[0].0;
        let (x, shape) = (&values[from], &shapes[from]);
        let finish = |numerator: i128, denominator: i128, scale: i32| match formats[output].bits {
            32 => {
                assert_eq!((denominator, scale), (1, bits(output)));
                numerator
            }
            _ => convert(numerator, denominator, scale, bits(output), unsigned[output]),
        };
        let pixel = |channel: usize, y: isize, x_: isize| {
            let inside = (0..shape[1] as isize).contains(&y) && (0..shape[2] as isize).contains(&x_);
            inside.then(|| x[(channel * shape[1] + y as usize) * shape[2] + x_ as usize])
        };
        let to = &shapes[output];
        let bias = |id: Option<ParamId>, row: usize, scale: i32| {
            let Some(id) = id else { return 0 };
            let bias = &fixed.parameters[id.0];
            let shift = scale - i32::from(bias.codebook.fraction_bits());
            let (numerator, denominator) = (i128::from(bias.integers()[row]) << shift.max(0), 1i128 << (-shift).max(0));
            (2 * numerator + denominator).div_euclid(2 * denominator)
        };
        let pool = |pool: &Pool, mean: bool| {
            let mut made = Vec::new();
            for place in 0..to.iter().product() {
                let (channel, y, x) = (place / (to[1] * to[2]), place / to[2] % to[1], place % to[2]);
                let (mut best, mut sum, mut count) = (i128::MIN, 0, 0);
                for line in 0..pool.kernel[0] {
                    for column in 0..pool.kernel[1] {
                        let y = (y * pool.stride[0] + line) as isize - pool.pads[0] as isize;
                        let x = (x * pool.stride[1] + column) as isize - pool.pads[1] as isize;
                        if let Some(value) = pixel(channel, y, x) {
                            (best, sum, count) = (best.max(value), sum + value, count + 1);
                        } else if pool.count_pads
                            && y < (shape[1] + pool.pads[2]) as isize
                            && x < (shape[2] + pool.pads[3]) as isize
                        {
                            count += 1;
                        }
                    }
                }
                made.push(if mean { finish(sum, count, bits(from)) } else { finish(best, 1, bits(from)) });
            }
            made
        };
        let made: Vec<i128> = match &node.op {
            Op::Conv(conv) => {
                let weight = &fixed.parameters[conv.weight.0];
                let &[out, per_group, height, width] = weight.shape.as_slice() else { panic!() };
                let scale = bits(from) + i32::from(weight.codebook.fraction_bits());
                let weights = weight.integers();
                let mut made = Vec::new();
                for place in 0..to.iter().product() {
                    let (row, y, x) = (place / (to[1] * to[2]), place / to[2] % to[1], place % to[2]);
                    let mut sum = bias(conv.bias, row, scale);
                    for tap in 0..per_group * height * width {
                        let (channel, line, column) = (tap / (height * width), tap / width % height, tap % width);
                        let y = (y * conv.stride[0] + line) as isize - conv.pads[0] as isize;
                        let x = (x * conv.stride[1] + column) as isize - conv.pads[1] as isize;
                        let channel = row / (out / conv.groups) * per_group + channel;
                        let weight = weights[row * per_group * height * width + tap];
                        sum += i128::from(weight) * pixel(channel, y, x).unwrap_or(0);
                    }
                    made.push(finish(sum, 1, scale));
                }
                made
            }
            Op::Linear(linear) => {
                let weight = &fixed.parameters[linear.weight.0];
                let scale = bits(from) + i32::from(weight.codebook.fraction_bits());
                let rows = weight.integers();
                let sums = rows.chunks(x.len()).enumerate().map(|(row, weights)| {
                    let products = weights.iter().zip(x).map(|(&weight, x)| i128::from(weight) * x);
                    finish(bias(linear.bias, row, scale) + products.sum::<i128>(), 1, scale)
                });
                sums.collect()
            }
            Op::Add => {
                let other = node.inputs[1].0;
                let scale = bits(from).max(bits(other));
                let aligned = |value: i128, bits: i32| value << (scale - bits);
                let sum = |(&a, &b)| finish(aligned(a, bits(from)) + aligned(b, bits(other)), 1, scale);
                x.iter().zip(&values[other]).map(sum).collect()
            }
            Op::Relu => x.iter().map(|&x| finish(x.max(0), 1, bits(from))).collect(),
            Op::MaxPool(window) => pool(window, false),
            Op::AveragePool(window) => pool(window, true),
            Op::GlobalAveragePool => {
                let pixels = shape[1] * shape[2];
                x.chunks(pixels).map(|x| finish(x.iter().sum(), pixels as i128, bits(from))).collect()
            }
            Op::Flatten | Op::Reshape(_) | Op::Softmax => x.clone(),
            other => panic!("{} in a network of integers", other.name()),
        };
        values.push(made);
    }
    values.pop().unwrap()
}
