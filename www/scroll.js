// Bringing something into view, and keeping it there while what is around it is still being drawn.

/** How often is looked, and how long at most, in milliseconds. */
const PACE = 100;
const LONGEST = 20_000;
/** How long the place is kept. */
const KEPT = 10_000;

/** Waits until something is so; false if it takes too long, or need not be any more. @param {() => unknown} is @param {() => boolean} goesOn */
export async function when(is, goesOn) {
  const end = performance.now() + LONGEST;
  while (performance.now() < end && goesOn()) {
    if (is()) return true;
    await new Promise((resolve) => setTimeout(resolve, PACE));
  }
  return false;
}

/** Brings what a selector finds below the bar and the panel of the walk, once it is there; returns whether it is. For a while it is kept there, unless
 * the user scrolls. @param {string} selector @param {() => boolean} goesOn */
export async function bring(selector, goesOn) {
  if (!(await when(() => document.querySelector(selector), goesOn))) return false;
  const user = new AbortController();
  for (const name of ['wheel', 'touchmove', 'keydown', 'pointerdown']) addEventListener(name, () => user.abort(), { signal: user.signal, passive: true });
  const place = () => {
    const target = document.querySelector(selector);
    if (!target || user.signal.aborted) return;
    // Both stick to the top once there is room to scroll.
    const above = ['pipeline-bar', 'learn-panel:not([hidden])'].reduce((sum, own) => sum + (document.querySelector(own)?.getBoundingClientRect().height ?? 0), 0);
    const off = target.getBoundingClientRect().top - above;
    if (Math.abs(off) > 2) scrollBy({ top: off, behavior: 'instant' });
  };
  place();
  const end = performance.now() + KEPT;
  void (async () => {
    while (performance.now() < end && goesOn() && !user.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, PACE));
      place();
    }
    user.abort();
  })();
  return true;
}
