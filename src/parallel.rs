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

/// Makes this thread one of those that work: it then need not wake another for each small piece. To be called once, at the start of
/// a program; later calls change nothing.
#[cfg(not(target_arch = "wasm32"))]
pub fn work_on_this_thread() {
    // The only error is that the threads are there already.
    let _ = rayon::ThreadPoolBuilder::new().use_current_thread().build_global();
}
