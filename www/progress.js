// How far a run is, and how long it will still take: the engine says how much work there is.

import * as format from './format.js';

/** @typedef {import('./types.js').Run} Run */

/** The share of a run that is done, 0 to 1. @param {Run} run */
export const share = ({ progress }) => (progress && progress.of > 0 ? progress.done / progress.of : 0);

/** How long something will still take, in words, with a comma before them; empty while nothing is known of it.
 * @param {number} share What is done of it. @param {number} seconds What that took. */
export function leftWords(share, seconds) {
  const left = secondsLeft(share, seconds);
  return left === null ? '' : left < 1 ? ', almost done' : `, about ${format.duration(left)} left`;
}

/** Seconds that a run will still take if it goes on as so far; null while that says nothing.
 * @param {number} share What is done of it.
 * @param {number} seconds What that took. */
export const secondsLeft = (share, seconds) => (share > 0.03 && seconds > 2 ? (seconds * (1 - share)) / share : null);
