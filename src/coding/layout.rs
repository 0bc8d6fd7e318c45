//! How the positions of a parameter relate: which share an output, an input channel, a place in a kernel.

use crate::model::{Class, Graph, Op};

/// A parameter as `rows` filters over `channels` images of `height x width` taps, row-major.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Outputs.
    pub rows: usize,
    /// Input channels, or features.
    pub channels: usize,
    /// Rows of a kernel; of the image that a linear layer reads flattened; or 1.
    pub height: usize,
    /// Columns of the same.
    pub width: usize,
    /// What it is, which decides about its contexts.
    pub form: Form,
}

/// Forms of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The kernels of a convolution.
    Kernels,
    /// Weights of a linear layer that reads a flattened image.
    Image,
    /// Weights of other layers: kernels of one tap, too.
    Features,
    /// A bias or other vector, whose numbers are larger and seldom zero.
    Vector,
}

impl Form {
    /// Which of the three models of matrices it has; a vector has none of them.
    pub fn index(self) -> usize {
        match self {
            Form::Kernels => 0,
            Form::Image => 1,
            Form::Features | Form::Vector => 2,
        }
    }
}

impl Layout {
    /// A layout from the shape alone.
    pub fn of_shape(shape: &[usize]) -> Self {
        match *shape {
            [] | [_] => Layout::flat(1, shape.iter().product(), Form::Vector),
            [rows, channels, 1, 1] => Layout::flat(rows, channels, Form::Features),
            [rows, channels, height, width] => Layout { rows, channels, height, width, form: Form::Kernels },
            [rows, ref rest @ ..] => Layout::flat(rows, rest.iter().product(), Form::Features),
        }
    }

    fn flat(rows: usize, channels: usize, form: Form) -> Self {
        Layout { rows, channels, height: 1, width: 1, form }
    }

    /// Taps of one kernel.
    pub fn taps(&self) -> usize {
        self.height * self.width
    }

    /// Positions of one row.
    pub fn row_len(&self) -> usize {
        self.channels * self.taps()
    }
}

/// The layout of each parameter. The columns of a linear layer that reads a flattened image are grouped into that image's
/// channels; the graph tells, so that a file need not.
///
/// `value_shapes` are what [`Graph::shapes`] gave, by [`ValueId`](crate::model::ValueId).
pub fn layouts(graph: &Graph, parameter_shapes: &[Vec<usize>], value_shapes: &[Vec<usize>]) -> Vec<Layout> {
    let mut layouts: Vec<Layout> = parameter_shapes.iter().map(|shape| Layout::of_shape(shape)).collect();
    // For each value, the image that became it by flattening, elementwise operators aside.
    let mut images: Vec<Option<usize>> = vec![None];
    for node in &graph.nodes {
        let input = node.inputs.first().map_or(0, |input| input.0);
        images.push(match (&node.op, node.op.class()) {
            (Op::Flatten, _) => Some(input),
            (_, Class::Elementwise) => images[input],
            _ => None,
        });
        let Op::Linear(linear) = &node.op else { continue };
        let image = images[input].and_then(|value| value_shapes.get(value)).map(Vec::as_slice);
        if let Some(&[channels, height, width]) = image
            && let Some(layout) = layouts.get_mut(linear.weight.0)
            && height * width > 1
        {
            *layout = Layout { channels, height, width, form: Form::Image, ..*layout };
        }
    }
    layouts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets;

    #[test]
    fn a_linear_layer_after_flattening_is_grouped_into_channels() {
        let model = presets::lenet5([3, 4, 5, 10]);
        let layouts = layouts(&model.graph, &model.parameter_shapes(), &model.shapes().unwrap());
        let sides: Vec<_> =
            layouts.iter().map(|layout| (layout.rows, layout.channels, layout.height, layout.width)).collect();
        let expected = [
            (3, 1, 5, 5),
            (1, 3, 1, 1),
            (4, 3, 5, 5),
            (1, 4, 1, 1),
            (5, 4, 4, 4),
            (1, 5, 1, 1),
            (10, 5, 1, 1),
            (1, 10, 1, 1),
        ];
        assert_eq!(sides, expected);
        let model = presets::lenet300([3, 4, 10]);
        let layouts = super::layouts(&model.graph, &model.parameter_shapes(), &model.shapes().unwrap());
        assert_eq!((layouts[0].channels, layouts[0].height, layouts[0].width), (1, 28, 28));
    }
}
