// A file without a network that can be run, in words.
import { html, nothing } from 'lit';
import * as format from '../format.js';
import { get } from '../state.js';

/** @param {import('../types.js').Weights} weights */
export function weightsFacts({ name, summary, obstacle }) {
  const { format: kind, source, file_bytes, tensors, elements, tensor_bytes, notes, nut } = summary;
  const titles = new Map(get().formats.models);
  const types = [...new Set(tensors.map(({ dtype }) => dtype))];
  const quantised = tensors.filter(({ dequantized }) => dequantized).length;
  return html`
    <p class="lead"><strong>${name}</strong></p>
    <p id="obstacle" class="small-text">It cannot be run: ${obstacle}.</p>
    <dl class="facts">
      <dt>Format</dt>
      <dd>${titles.get(kind) ?? kind}${kind === source ? nothing : `, made from ${titles.get(source) ?? source}`}</dd>
      <dt>Size</dt>
      <dd>${format.bytes(file_bytes)} on disk${nut ? `, ${format.ratio(nut.ratio)} smaller than its tensors` : nothing}</dd>
      <dt>Tensors</dt>
      <dd>
        ${format.count(tensors.length)} with ${format.count(elements)} elements, ${format.bytes(tensor_bytes)} in their own
        types${types.length > 0 ? `: ${types.join(', ')}` : nothing}
      </dd>
      ${quantised > 0
        ? html`<dt>Note</dt>
            <dd>Already quantised: ${format.count(quantised)} of the tensors. The file stores integers and a scale; this page shows the values that they stand for.</dd>`
        : nothing}
      ${notes.map((note) => html`<dt>Note</dt><dd>${note}</dd>`)}
    </dl>
  `;
}
