// The network as it was given: its graph, and a layer's weights.
import { html, nothing } from 'lit';
import { viewer } from '../actions/engine.js';
import { chooseLayer } from '../actions/look-at.js';
import '../charts/graph.js';
import * as format from '../format.js';
import { get } from '../state.js';
import { Element } from './element.js';
import { term } from './term.js';
import './weight-figures.js';

/** @typedef {import('../types.js').LayerState} LayerState */

class ModelView extends Element {
  render() {
    const { network, layer } = get();
    const own = network?.graph.layers[layer];
    if (!network || !own) return nothing;
    return html`
      <p class="lesson">
        A trained network is a graph and its ${term('weight', 'weights')}: here ${format.count(network.graph.parameters)} 32-bit
        numbers. Most are close to zero, in a bell-shaped distribution. The next steps exploit this.
      </p>
      ${this.#graph(layer)}
      <p class="quiet small-text">Tinted boxes have weights; choose one to see them.</p>
      <weight-figures
        .name=${own.name}
        .shape=${own.shape}
        .words=${imageWords(own)}
        .scope=${`${network.id} ${layer}`}
        .sources=${[sourceOf(layer)]}
      ></weight-figures>
    `;
  }

  /** The graph. @param {number} layer */
  #graph(layer) {
    const { graph } = /** @type {import('../types.js').Network} */ (get().network);
    let layers = 0;
    const nodes = [
      { name: 'input', op: 'input', shape: graph.input_shape, parameters: 0, inputs: /** @type {number[]} */ ([]) },
      ...graph.nodes.map((node) => ({ ...node, layer: node.parameters ? layers++ : undefined })),
    ];
    return html`<nutshell-graph
      class="graph"
      label="The network's graph"
      .nodes=${nodes}
      .chosen=${layer}
      @choose=${(/** @type {CustomEvent<number>} */ { detail }) => chooseLayer(detail)}
    ></nutshell-graph>`;
  }
}

/** A layer of the opened network, to be drawn. @param {number} layer @returns {import('./weight-figures.js').Source} */
const sourceOf = (layer) => ({
  label: '',
  moments: () => viewer.ask((remote) => remote.moments('original', layer)),
  histogram: (range, bins) => viewer.ask((remote) => remote.histogram({ stage: 'original' }, layer, range, bins)),
  picture: (most) => viewer.ask((remote) => remote.picture({ stage: 'original' }, layer, most)),
});

/** @param {LayerState} layer */
function imageWords({ shape }) {
  if (shape.length === 4)
    return shape[1] === 1
      ? `Each tile is one of ${shape[0]} filters of ${shape[2]} \u00d7 ${shape[3]} weights.`
      : `One column of tiles for each of ${shape[0]} filters, one row for each of ${shape[1]} input channels.`;
  return `One row for each of ${format.count(shape[0])} outputs, one column for each of ${format.count(shape[1])} inputs.`;
}

customElements.define('model-view', ModelView);
