// What tabs with the page tell one another.

/** The lock that a tab holds while it runs. */
export const RUN = 'nutshell run';

/** A message: a run has started, or other runs are kept now. @typedef {'started' | 'runs'} Message */

const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('nutshell');

/** Tells the other tabs. @param {Message} message */
export const tell = (message) => channel?.postMessage(message);

/** Hears the other tabs. @param {Record<Message, () => void>} reactions */
export function hear(reactions) {
  channel?.addEventListener('message', ({ data }) => reactions[/** @type {Message} */ (data)]?.());
}

/** Holds the lock until the returned function is called. Where locks are refused, as in a page opened from disk, nobody asks for them. */
export function hold() {
  /** @type {() => void} */
  let release = () => {};
  const over = new Promise((resolve) => (release = () => resolve(undefined)));
  // Told once it is held, so that who asks finds it.
  navigator.locks?.request(RUN, () => (tell('started'), over)).catch(() => {});
  return release;
}
