// Choosing what is looked at.
import { get, set } from '../state.js';

/** @typedef {import('../types.js').Step} Step */

/** Looks at a step, and no longer follows the run. @param {Step} step @param {import('../types.js').Stage | null} [chosenStage] */
export function chooseStep(step, chosenStage = null) {
  // The steps between are those of a run that samples judge.
  const evidence = step === 'model' || step === 'result' ? get().evidence : 'samples';
  set({ step, chosenStage, followsRun: false, evidence });
}

/** Looks at a layer. @param {number} layer */
export const chooseLayer = (layer) => set({ layer, viewControls: { ...get().viewControls, threshold: null, centroids: null } });

/** Moves a control of the views. @param {Partial<import('../types.js').ViewControls>} change */
export const moveControls = (change) => set({ viewControls: { ...get().viewControls, ...change } });
