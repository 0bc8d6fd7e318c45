// The target of a run by the weights alone, and the tensor that is looked at.
import { get, set } from '../state.js';

/** @typedef {import('../types.js').WeightsTargetChoice} WeightsTargetChoice */

/** Bytes of the tensors over the budget that the form begins with. */
const USUAL_RATIO = 8;

/** Changes what is to be reached. @param {Partial<WeightsTargetChoice>} change */
export const changeWeightsTarget = (change) => set({ weightsTarget: { ...get().weightsTarget, ...change } });

/** The budget that is set, or what it begins with. @param {WeightsTargetChoice} chosen @param {import('../types.js').Summary} summary */
export const budgetOf = ({ budget }, summary) => budget ?? Math.ceil(summary.tensor_bytes / USUAL_RATIO);

/** What is to be reached, as the engine is told. @param {WeightsTargetChoice} chosen @param {import('../types.js').Summary} summary
 * @returns {import('../../pkg/nutshell.js').Target} */
export function targetOf(chosen, summary) {
  switch (chosen.kind) {
    case 'lossless':
      return 'lossless';
    case 'snr':
      return { snr: chosen.snr };
    case 'budget':
      return { budget: budgetOf(chosen, summary) };
  }
}

/** Looks at a tensor. @param {number} tensor */
export const chooseTensor = (tensor) => set({ tensor });
