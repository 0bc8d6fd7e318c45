// Choosing what a run is judged by: samples, or the weights alone.
import { get, set } from '../state.js';
import { bridge, reader, report } from './engine.js';

/** Chooses what a run is judged by; the reader opens the tensors of a network when they are first asked for. @param {'samples' | 'weights'} evidence */
export async function judgeBy(evidence) {
  set({ evidence, step: get().step === 'result' ? 'result' : 'model' });
  const { network, weights } = get();
  const bytes = bridge.network;
  if (evidence === 'samples' || !network || weights || !bytes) return;
  try {
    const { summary } = await reader.open(bytes);
    const { id, name, file } = network;
    if (get().network?.id === id) set({ weights: { id, name, file, bytes, summary, obstacle: '' }, tensor: 0 });
  } catch (error) {
    report(error);
  }
}
