// Choosing what is looked at.
import { get, set } from '../state.js';

/** @typedef {import('../types.js').Step} Step */

/** Looks at a step, and no longer follows the run. @param {Step} step @param {import('../types.js').Stage | null} [part] */
export function chooseStep(step, part = null) {
  // The steps between are those of a run that samples judge.
  const by = step === 'model' || step === 'result' ? get().by : 'samples';
  set({ step, part, following: false, by });
}

/** Looks at a layer. @param {number} layer */
export const chooseLayer = (layer) => set({ layer, explore: { ...get().explore, threshold: null, centroids: null } });

/** Moves a control of the views. @param {Partial<import('../types.js').Explore>} change */
export const explore = (change) => set({ explore: { ...get().explore, ...change } });
