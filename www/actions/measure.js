// Measuring the opened network on the test samples.
import { busy, get, set, whenChanged } from '../state.js';
import { bridge } from './engine.js';
import { judgeBy } from './judge.js';
import { look } from './look.js';

/** Measures again whenever another network is open, other samples have come, or their numbers are scaled otherwise. */
export const keepMeasured = () => whenChanged(({ network, data, recipe }) => JSON.stringify([network?.id, data.id, data.reading?.numbers, recipe?.scaling]), () => void measure());

/** The id of the opened network, if the weights judge it only because the samples did not fit it. @type {number | null} */
let unfit = null;

/** Ends the measuring that is going on. */
let measuring = new AbortController();

/** Ends the measuring; what was measured so far stays. */
export const stopMeasuring = () => measuring.abort();

/** Measures the opened network on the test samples, if there are some that fit. */
export async function measure() {
  const { network, data, recipe } = get();
  if (!network) return stopMeasuring();
  if (!recipe || data.id === null) return;
  measuring.abort();
  const own = (measuring = new AbortController());
  set({ examples: [] });
  const total = data.test;
  const started = performance.now();
  /** @param {import('../types.js').Measured} measured */
  const show = (measured) => {
    const now = get().network;
    if (now && now.summary === network.summary && own === measuring) set({ network: { ...now, measured } });
  };
  if (total === 0) return show({ kind: 'none', reason: 'there are no test samples' });
  show({ kind: 'waiting', done: 0, total, started });
  try {
    if (!data.labelled.test) {
      // One answer shows whether they fit.
      await bridge.look(0, 1, recipe.scaling);
      show({ kind: 'unlabelled' });
      judgeAgain(network.id);
      return await look();
    }
    const accuracy = await bridge.evaluate(recipe.scaling, (done) => show({ kind: 'waiting', done, total, started }), own.signal);
    show(accuracy ? { kind: 'known', accuracy } : { kind: 'none', reason: 'the measurement was cancelled' });
    if (accuracy) judgeAgain(network.id);
    await look();
  } catch (error) {
    show({ kind: 'none', reason: error instanceof Error ? error.message : String(error) });
    // Samples that do not fit judge nothing; the weights of a file of the user's do. A result that is looked at stays.
    if (own === measuring && get().weights && get().evidence === 'samples' && get().step !== 'result' && get().network?.summary === network.summary) {
      unfit = network.id;
      void judgeBy('weights');
    }
  }
}

/** Samples that fit judge again, if those before did not fit. @param {number} network The id of the measured one. */
function judgeAgain(network) {
  if (unfit !== network || busy()) return;
  unfit = null;
  void judgeBy('samples');
}
