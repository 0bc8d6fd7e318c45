// Where the bits go, and what other codes would have taken.
import { html, nothing } from 'lit';
import { viewer } from '../actions/engine.js';
import '../charts/bars.js';
import '../charts/bytes.js';
import '../charts/dots.js';
import '../charts/image.js';
import * as format from '../format.js';
import { Query } from '../query.js';
import { get } from '../state.js';
import { layersOf, stageState } from '../steps.js';
import { Element } from './element.js';
import { term } from './term.js';

/** @typedef {import('../types.js').LayerState} LayerState */
/** @typedef {import('../types.js').Stage} Stage */

/** @type {{ kind: keyof LayerState['bits'], label: string }[]} */
const KINDS = [
  { kind: 'positions', label: 'which weights are nonzero' },
  { kind: 'signs', label: 'signs' },
  { kind: 'magnitudes', label: 'magnitudes or indices' },
  { kind: 'biases', label: 'biases' },
  { kind: 'codebook', label: 'codebooks' },
];
const HEAD = 'file header and rounding';

class CodeView extends Element {
  #code = new Query(this);
  #picture = new Query(this);
  #baselines = new Query(this);

  render() {
    const { network, viewerStages, layer } = get();
    if (!network) return nothing;
    /** @type {import('../types.js').Stage[]} */
    const fixed = ['quantize', 'round', 'refine', 'code'];
    const stage = fixed.findLast((own) => viewerStages.includes(own)) ?? (network.graph.compressed ? 'original' : null);
    return html`
      <p class="lesson">
        Finally, the symbols are encoded as bytes. A ${term('Huffman code')} spends whole bits on each symbol and at best reaches the
        ${term('entropy')}. Our ${term('range coder')} predicts each symbol from its neighbours: the better the prediction, the fewer bits
        it spends.
      </p>
      ${stage ? this.#coded(network.id, stage, layer) : html`<p class="quiet">Compress the network to see where its bits go.</p>`}
    `;
  }

  /** @param {number} id @param {Stage} stage @param {number} layer */
  #coded(id, stage, layer) {
    const { result, viewerStages, network } = get();
    const layers = stage === 'original' ? (network?.graph.layers ?? []) : layersOf(stage);
    const own = layers[layer];
    if (!own) return nothing;
    const total = result?.report.file_bytes ?? stageState(stage)?.bytes ?? network?.summary.file_bytes ?? 0;
    const code = this.#code.read(`${id} ${stage} ${layer}`, [viewerStages.length], () => viewer.ask((remote) => remote.coded(stage, layer)));
    const picture = this.#picture.read(`${id} ${stage} ${layer}`, [viewerStages.length], () =>
      viewer.ask((remote) => remote.costPicture(stage, layer, [1200, 400])),
    );
    const asked = this.#baselines.read(`${id} ${stage}`, [viewerStages.length], async () =>
      result ? undefined : viewer.ask((remote) => remote.baselines(stage)),
    );
    const baselines = result?.report.baselines ?? asked;
    return html`
      <figure class="part">
        <figcaption>
          <h3>Where the ${format.bytes(total)} go</h3>
          <span class="quiet">As counted by the coder, to fractions of a bit${stage === 'refine' || stage === 'round' || stage === 'quantize' ? ', if the file were written now' : nothing}.</span>
        </figcaption>
        <nutshell-bytes label="Bytes of the file by kind, one row per layer" .kinds=${[...KINDS.map(({ label }) => label), HEAD]} .rows=${rows(layers, total)}></nutshell-bytes>
      </figure>
      <div class="charts">
        <figure>
          <figcaption>
            <h3>What each value of ${own.name} costs</h3>
            <span class="quiet">${code
              ? `The length of its Huffman code, compared with the entropy bound and the bits that our coder spent${code.symbols.length > SYMBOLS ? `; the ${SYMBOLS} most frequent of ${code.symbols.length} symbols` : ''}.`
              : nothing}</span>
          </figcaption>
          ${code ? lengths(code, own.name) : html`<div class="placeholder">${this.#code.problem || 'Encoding'}</div>`}
        </figure>
        <figure>
          <figcaption>
            <h3>The weights of ${own.name} in three codes</h3>
            <span class="quiet">${code ? html`${format.count(code.weights)} weights, ${code.symbols.length} different symbols. Blue: ours.` : nothing}</span>
          </figcaption>
          ${code
            ? html`<nutshell-bars
                label="Bytes of ${own.name} in three codes"
                .bars=${[
                  { name: 'Huffman, without its table', value: code.huffman_bits / 8 },
                  { name: 'Entropy of independent symbols', value: code.entropy_bits / 8 },
                  { name: 'Nutshell, codebook included', value: code.coder_bits / 8, ours: true },
                ]}
              ></nutshell-bars>`
            : nothing}
        </figure>
        <figure>
          <figcaption><h3>Bits of each weight of ${own.name}</h3><span class="quiet">The stronger the colour, the more bits: rare symbols cost more bits.</span></figcaption>
          ${picture ? html`<nutshell-image costs label="Bits of each weight of ${own.name}" .picture=${picture}></nutshell-image>` : nothing}
        </figure>
        <figure>
          <figcaption>
            <h3>The whole file in other formats</h3>
            <span class="quiet">Blue: ours. ${term('Deep Compression')}, ${term('DEFLATE')} and ours, for the same symbols: complete files with headers. Our tests decode each of them.</span>
          </figcaption>
          ${baselines
            ? html`<nutshell-bars
                label="Bytes of the file in other formats"
                .bars=${[
                  ...baselines.map(({ name, bytes }) => ({ name: NAMES[name] ?? name, value: bytes })),
                  ...(result ? [{ name: 'Nutshell, with the graph stored', value: result.report.file_bytes_with_graph, ours: true }] : []),
                  { name: 'Nutshell', value: total, ours: true },
                ]}
              ></nutshell-bars>`
            : html`<div class="placeholder">${this.#baselines.problem || 'Encoding'}</div>`}
        </figure>
      </div>
    `;
  }
}

/** @type {Record<string, string>} */
const NAMES = {
  'relative index + Huffman': 'Deep Compression: index, Huffman',
  DEFLATE: 'DEFLATE, as in a .zip file',
};

/** A row for the file and one for each layer. @param {LayerState[]} layers @param {number} total */
function rows(layers, total) {
  const own = layers.map(({ name, bits }) => ({ name, parts: [...KINDS.map(({ kind }) => bits[kind] / 8), 0] }));
  const sums = KINDS.map((_, index) => own.reduce((sum, { parts }) => sum + parts[index], 0));
  // What is no parameter's: magic, topology, widths, checksum, and the last byte's unused bits.
  return [{ name: 'file', parts: [...sums, Math.max(0, total - sums.reduce((sum, part) => sum + part, 0))] }, ...own];
}

/** The most symbols that are drawn. */
const SYMBOLS = 12;

/** What a symbol costs in each code. @param {import('../../pkg/nutshell.js').LayerCode} code @param {string} name Of the layer. */
function lengths({ symbols }, name) {
  const frequent = [...symbols].sort((a, b) => b.count - a.count).slice(0, SYMBOLS);
  return html`<nutshell-dots
    label="Bits of each symbol of ${name} in three codes"
    unit="bits per weight"
    .series=${['Nutshell, on average', 'entropy bound', 'Huffman']}
    .rows=${frequent.map(({ value, count, coder, ideal, huffman }) => ({ name: format.number(value), count, values: [coder, ideal, huffman] }))}
  ></nutshell-dots>`;
}

customElements.define('code-view', CodeView);
