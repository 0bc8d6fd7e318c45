//! Threads natively, none in a tab: the only place that knows the difference. Neither changes a result.

/// Does `work` to each item, possibly at the same time.
#[cfg(not(target_arch = "wasm32"))]
pub fn for_each<T: Send>(items: &mut [T], work: impl Fn(&mut T) + Sync + Send) {
    use rayon::prelude::*;
    items.par_iter_mut().for_each(work);
}

/// Does `work` to each item.
#[cfg(target_arch = "wasm32")]
pub fn for_each<T>(items: &mut [T], work: impl Fn(&mut T)) {
    items.iter_mut().for_each(work);
}

/// How many items can be worked on at the same time.
pub fn threads() -> usize {
    #[cfg(not(target_arch = "wasm32"))]
    let threads = rayon::current_num_threads();
    #[cfg(target_arch = "wasm32")]
    let threads = 1;
    threads
}
