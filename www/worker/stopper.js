// Early ends of what is long.

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
