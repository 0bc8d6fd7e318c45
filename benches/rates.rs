//! `cargo bench`: how fast this machine trains and runs networks, on one thread and on all. See `nutshell::bench`.

use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let now = || start.elapsed().as_secs_f64();
    let seconds = std::env::var("NUTSHELL_BENCH_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(1.0);
    for threads in [1, rayon::current_num_threads()] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let clock = move || now();
        println!("{threads} thread(s)");
        for rate in pool.install(|| nutshell::bench::rates(&clock, seconds))? {
            println!("{}", rate.describe());
        }
    }
    Ok(())
}
