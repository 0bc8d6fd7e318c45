// Other tabs with the page: what they run, and what they keep.
import { get, set } from '../state.js';
import * as storage from '../storage.js';
import { hear, RUN } from '../tabs.js';
import { offerResume } from './run.js';
import { loadRuns } from './runs.js';

/** Says what another tab runs, for as long as it does; and hears of runs that it keeps or forgets. */
export async function watchTabs() {
  hear({ started: () => void look(), runs: () => void loadRuns() });
  await look();
}

/** Looks whether another tab runs something, and waits for its end. */
async function look() {
  const held = (await navigator.locks?.query().catch(() => null))?.held ?? [];
  if (!held.some(({ name }) => name === RUN)) return;
  const kept = await storage.load().catch(() => null);
  const { run } = get();
  const ended = run && run.status !== 'running' && run.status !== 'done';
  // What could be resumed is what the other tab goes on with, or has taken the place of.
  set({ elsewhere: kept?.run.network ?? 'a network', ...(ended ? { run: null } : {}) });
  void navigator.locks.request(RUN, { mode: 'shared' }, () => {}).then(async () => {
    set({ elsewhere: '' });
    await loadRuns();
    await offerResume();
  });
}
