// Other tabs with the page: what they run, and what they keep.
import { set } from '../state.js';
import * as storage from '../storage.js';
import { offerResume } from './run.js';
import { loadRuns } from './runs.js';
import { hear, RUN } from '../tabs.js';

/** Says what another tab runs, for as long as it does; and hears of runs that it keeps or forgets. */
export function watchTabs() {
  hear({ started: () => void wait(), runs: () => void loadRuns() });
  void wait();
}

/** Waits for the end of a run in another tab, if there is one. */
async function wait() {
  const held = (await navigator.locks?.query().catch(() => null))?.held ?? [];
  if (!held.some(({ name }) => name === RUN)) return;
  const kept = await storage.load().catch(() => null);
  set({ elsewhere: kept?.run.network ?? 'a network' });
  await navigator.locks.request(RUN, { mode: 'shared' }, () => {});
  set({ elsewhere: '' });
  await loadRuns();
  await offerResume();
}
