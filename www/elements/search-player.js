// The half-interval searches of a stage, played probe by probe.
import { html, nothing } from 'lit';
import '../charts/search.js';
import * as format from '../format.js';
import { split } from '../searches.js';
import { get } from '../state.js';
import { Element } from './element.js';
import './frame-player.js';
import { term } from './term.js';

class SearchPlayer extends Element {
  static properties = { stage: {}, chosen: { state: true }, upTo: { state: true } };

  constructor() {
    super();
    /** @type {import('../types.js').Stage} */
    this.stage = 'prune';
    /** Which search is shown; null for the last. @type {number | null} */
    this.chosen = null;
    /** Probes that are shown; null for all. @type {number | null} */
    this.upTo = null;
  }

  render() {
    const { run, result } = get();
    const all = (result?.report.probes ?? run?.probes ?? []).filter(({ stage }) => stage === this.stage);
    const searches = split(all);
    const index = Math.min(this.chosen ?? Infinity, searches.length - 1);
    const probes = searches[index];
    if (!probes) return nothing;
    const shown = Math.min(this.upTo ?? Infinity, probes.length);
    const last = probes[shown - 1];
    return html`<figure class="part search">
      <figcaption>
        <h3>The ${term('half-interval search')} for ${NAMES[probes[0].variable] ?? probes[0].variable}</h3>
        <span class="quiet">
          Each row is a probe of the middle of the interval. If the loss rises by no more than the limit, the probe is accepted
          (filled) and the search continues above it; otherwise it is rejected (hollow) and the search continues below. Grey bars are the intervals, the dashed line is the limit; error bars show two ${term('standard error', 'standard errors')}.
        </span>
      </figcaption>
      <div class="row tools">
        ${searches.length > 1
          ? html`<label>Round
              <select @change=${(/** @type {Event & { target: HTMLSelectElement }} */ { target }) => ((this.chosen = Number(target.value)), (this.upTo = null))}>
                ${searches.map((_, round) => html`<option value=${round} ?selected=${round === index}>${round + 1} of ${searches.length}</option>`)}
              </select></label>`
          : nothing}
        <frame-player name="Probe" .count=${probes.length} .shown=${shown}
          @show=${(/** @type {CustomEvent<number>} */ { detail }) => (this.upTo = detail)}></frame-player>
      </div>
      <nutshell-search .probes=${probes} .upTo=${shown}></nutshell-search>
      <p class="small-text">
        Probe ${shown}, between ${format.number(last.lo)} and ${format.number(last.hi)}: at ${format.number(last.mid)} the ${term('loss')}
        rises by ${format.number(last.value)} (limit ${format.number(last.limit)}) on ${format.count(last.samples)} ${term('validation samples')},
        accuracy ${format.percent(last.accuracy)}: <b>${last.accepted ? 'accepted' : 'rejected'}</b>.
      </p>
    </figure>`;
  }
}

/** What the searched numbers are called in a heading. @type {Record<string, string>} */
const NAMES = { threshold: 'the threshold', epsilon: 'epsilon, the share that may stay unexplained', 'price of a bit': 'the price of a bit' };

customElements.define('search-player', SearchPlayer);
