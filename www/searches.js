// The searches that a run's probes belong to.

/** @typedef {import('./types.js').Probe} Probe */

/** Whether a probe is a trial of a budget, which halves no interval. @param {Probe} probe */
export const isTrial = ({ lo, hi }) => lo === hi;

/** Cuts the probes where another search begins: at another variable, or where the interval grows again. Trials of a budget are left out.
 * @param {Probe[]} probes */
export function split(probes) {
  /** @type {Probe[][]} */
  const searches = [];
  for (const probe of probes.filter((probe) => !isTrial(probe))) {
    const last = searches.at(-1)?.at(-1);
    const same = last && last.stage === probe.stage && last.variable === probe.variable;
    const inside = same && probe.lo >= last.lo && probe.hi <= last.hi && probe.hi - probe.lo < last.hi - last.lo;
    if (inside) searches.at(-1)?.push(probe);
    else searches.push([probe]);
  }
  return searches;
}
