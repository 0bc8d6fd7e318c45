//! `Relu`: `max(x, 0)`.

use crate::kernels::elementwise;

pub fn forward(x: &[f32], y: &mut [f32]) {
    elementwise::relu(x, y);
}

pub fn backward(y: &[f32], dy: &[f32], dx: &mut [f32]) {
    elementwise::relu_gradient(y, dy, dx);
}

#[cfg(test)]
mod tests {
    use crate::model::presets::Chain;
    use crate::network::trainer::tests::assert_gradients;

    #[test]
    fn gradients_agree_with_central_differences() {
        assert_gradients(Chain::new(vec![6]).linear("a", [9, 6]).relu().linear("b", [4, 9]).build());
    }
}
