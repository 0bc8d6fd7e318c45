// The accuracy of a network that is tried, on samples that no training of ours sees.
import { html } from 'lit';
import * as format from '../format.js';
import { byAgreement, get } from '../state.js';

/** Why there are no held-out samples to measure on. */
export const missing = () => (byAgreement(get().data) ? 'not known: the samples have no labels' : 'once the samples have loaded');

/** @param {import('../types.js').Accuracy | null | undefined} accuracy */
export function heldOut(accuracy) {
  if (accuracy) return html`${format.percent(accuracy.accuracy)} of ${format.count(accuracy.samples)} held-out samples`;
  return get().heldOutCount > 0 ? 'measuring' : missing();
}
