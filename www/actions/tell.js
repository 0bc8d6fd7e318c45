// A run is told of outside the page: in the tab's title, and by a notification when it is over, if the user allows that.
import * as format from '../format.js';
import { share } from '../progress.js';
import { get, set, subscribe } from '../state.js';

/** The title of the page as it is. */
const TITLE = document.title;

/** Keeps the title, and tells of the end of a run. */
export function keepTold() {
  let last = get().run?.status;
  subscribe(() => {
    const { run, result } = get();
    const title = titleOf();
    if (document.title !== title) document.title = title;
    // A result comes a moment after the end.
    if (last === 'running' && run?.status === 'done' && !result) return;
    if (last === 'running' && run?.status === 'done') notify(`${run.network}: ${outcome()}`);
    if (last === 'running' && run?.status === 'failed') notify(`${run.network} stopped: ${run.message}`);
    last = run?.status;
  });
}

function titleOf() {
  const { run, result } = get();
  if (run?.status === 'running') return `${Math.floor(100 * share(run))} %, compressing ${run.network} \u2013 Nutshell`;
  if (run?.status === 'failed') return `Stopped \u2013 Nutshell`;
  return run?.status === 'done' && result ? `Done: ${outcome()} \u2013 Nutshell` : TITLE;
}

/** The result in few words. */
function outcome() {
  const { result } = get();
  return result ? `${format.bytes(result.report.file_bytes)}, ${format.ratio(result.report.ratio)} smaller` : '';
}

/** @param {string} words */
function notify(words) {
  if (!document.hidden || typeof Notification === 'undefined' || Notification.permission !== 'granted') return;
  try {
    new Notification('Nutshell', { body: words, tag: 'nutshell run' });
  } catch {
    // Some phones notify only from service workers: the title says it.
  }
}

/** Whether the user may be asked for leave. */
export const mayAskToNotify = () => typeof Notification !== 'undefined' && Notification.permission === 'default';

/** Asks for leave to notify. */
export async function askToNotify() {
  await Notification.requestPermission();
  // Drawn again without the question.
  set({});
}
