// Whether a run has reached its target, in words.
import * as format from './format.js';

/** @typedef {import('./types.js').Report} Report */
/** @typedef {import('./types.js').Accuracy} Accuracy */

/** The most that rounding adds to a difference, in percentage points. */
const ROUNDING = 1e-6;

/** The target of a run, whether it was met, and what says so. @param {Report} report @returns {{ met: boolean, words: string }} */
export function verdict({ recipe: { target }, before, after, file_bytes, snr, criterion }) {
  if (target === 'lossless') return { met: snr === null, words: 'every number is unchanged, bit for bit' };
  if ('budget' in target) return { met: file_bytes <= target.budget, words: `${format.bytes(file_bytes)} of at most ${format.bytes(target.budget)}` };
  if ('snr' in target) {
    const reached = snr === null ? 'no number was changed' : `${format.decibels(snr)} signal to noise`;
    return { met: snr === null || snr >= target.snr, words: `${reached}, at least ${format.number(target.snr)} dB wanted` };
  }
  if (!before || !after) return { met: false, words: 'nothing was measured' };
  const [first, last] = [before.validation, after.validation];
  const what = { labels: 'accuracy', agreement: 'agreement with the original', targets: 'R\u00b2', outputs: 'R\u00b2 to the original\u2019s outputs', snr: '', none: '' }[criterion];
  return {
    met: 100 * (first.accuracy - last.accuracy) <= target.tolerance + ROUNDING,
    words: `on ${format.count(last.samples)} validation samples ${what} ${change(first, last)}; at most ${format.number(target.tolerance)} may be lost`,
  };
}

/** How an accuracy has changed, so that it adds up with both as they are written. @param {Accuracy} before @param {Accuracy} after */
function change(before, after) {
  const points = (/** @type {Accuracy} */ { accuracy }) => Math.round(1e4 * accuracy);
  const fallen = (points(before) - points(after)) / 100;
  const words = fallen === 0 ? 'is unchanged' : `${fallen > 0 ? 'fell' : 'rose'} by ${Math.abs(fallen).toFixed(2)} percentage points`;
  const numbers = after.correct === null ? [before, after].map(({ accuracy }) => accuracy.toFixed(4)) : [before, after].map(({ accuracy }) => format.percent(accuracy));
  const error = after.correct === null ? '' : ` (standard error ${format.points(after)})`;
  return fallen === 0 ? `${words}: ${numbers[1]}${error}` : `${words}, from ${numbers[0]} to ${numbers[1]}${error}`;
}
