// The searches that a run's probes belong to.

/** @typedef {import('./types.js').Probe} Probe */

/** Cuts the probes where another search begins: at another variable, or where the interval grows again.
 * @param {Probe[]} probes */
export function split(probes) {
  /** @type {Probe[][]} */
  const searches = [];
  for (const probe of probes) {
    const last = searches.at(-1)?.at(-1);
    const same = last && last.stage === probe.stage && last.variable === probe.variable;
    const inside = same && probe.lo >= last.lo && probe.hi <= last.hi && probe.hi - probe.lo < last.hi - last.lo;
    if (inside) searches.at(-1)?.push(probe);
    else searches.push([probe]);
  }
  return searches;
}
