// The half-interval searches of a run, probe by probe.
import { html, nothing } from 'lit';
import '../charts/search-plot.js';
import * as format from '../format.js';
import { get } from '../state.js';
import { Element } from './element.js';

/** @typedef {import('../types.js').Probe} Probe */

class SearchCard extends Element {
  render() {
    const { run, result } = get();
    const searches = split(result?.report.probes ?? run?.probes ?? []);
    this.hidden = searches.length === 0;
    if (searches.length === 0) return nothing;
    return html`
      <h2>Search</h2>
      <p class="quiet">
        Each line is a probe: the interval that is left, and the point in its middle that was tried. A filled point was
        accepted, a hollow one refused.
      </p>
      <div class="searches">
        ${searches.map(
          (probes) => html`<figure>
            <figcaption>
              <strong>${format.STAGES[probes[0].stage]}</strong> <span class="quiet">${probes[0].variable}, by ${probes[0].criterion}</span>
            </figcaption>
            <search-plot .probes=${probes}></search-plot>
          </figure>`,
        )}
      </div>
    `;
  }
}

/** Cuts the probes where another search begins: at another variable, or where the interval grows again.
 * @param {Probe[]} probes */
function split(probes) {
  /** @type {Probe[][]} */
  const searches = [];
  for (const probe of probes) {
    const last = searches.at(-1)?.at(-1);
    const same = last && last.stage === probe.stage && last.variable === probe.variable;
    const inside = same && probe.hi - probe.lo <= last.hi - last.lo;
    if (inside) searches.at(-1)?.push(probe);
    else searches.push([probe]);
  }
  return searches;
}

customElements.define('search-card', SearchCard);
