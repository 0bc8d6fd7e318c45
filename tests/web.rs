//! The crate in a browser and natively: the same tests.

use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[wasm_bindgen_test(unsupported = test)]
fn a_histogram_counts_each_weight_once() {
    assert_eq!(nutshell::stats::histogram([-1.0, 0.0, 0.5], 2, [-1.0, 1.0]), [1, 1]);
}
