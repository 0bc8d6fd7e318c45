// What all workers do first: show that they live, and start the wasm.

/** Never settles: what waits for it holds its lock for as long as this worker lives. */
const { promise: never } = Promise.withResolvers();

/** Looks, while something long is done in blocks, whether it is to end early; lets other calls in between.
 * @param {MessagePort} port */
export function stopper(port) {
  let stopped = false;
  port.onmessage = () => (stopped = true);
  return async () => {
    await new Promise((resolve) => setTimeout(resolve));
    return stopped;
  };
}

/** Holds the lock that says that this worker lives, and starts the wasm.
 * @param {string} lock
 * @param {() => Promise<unknown>} start */
export async function startWorker(lock, start) {
  // Where locks are refused, as in a page opened from disk, nobody waits for them either.
  await new Promise((held) => {
    if (!navigator.locks) return held(0);
    navigator.locks.request(lock, () => (held(0), never)).catch(held);
  });
  await start();
}
