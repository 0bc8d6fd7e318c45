// What a run by the weights alone did to the tensors of a file.
import { html, nothing } from 'lit';
import { reader } from '../actions/engine.js';
import '../charts/bars.js';
import * as format from '../format.js';
import { get } from '../state.js';
import './tensor-table.js';
import { figures, sourceOf } from './tensors-view.js';

/** @typedef {import('../types.js').Report} Report */

/** Where the bytes go, and each tensor. @param {import('../types.js').Result} result */
export function tensorParts({ nut, report }) {
  const { weights, tensor } = get();
  const own = report.tensors[tensor];
  return html`
    <figure class="part">
      <figcaption><h3>Where the ${format.bytes(report.file_bytes)} go</h3></figcaption>
      <nutshell-bars label="Bytes of the file by kind" .bars=${kinds(report)}></nutshell-bars>
    </figure>
    <section class="part">
      <h3>What happened to each tensor</h3>
      <tensor-table reported .tensors=${report.tensors}></tensor-table>
    </section>
    ${own && weights
      ? figures(own, `${reader.idOf(nut)} ${tensor}`, [sourceOf('before', weights.bytes, tensor), sourceOf('after', nut, tensor)])
      : nothing}
  `;
}

/** What held the tensors to the original. @param {Report} report */
export const criterion = ({ criterion, tensors }) =>
  criterion === 'none'
    ? html`No criterion was needed: every number in the file matches the original, bit for bit.`
    : html`Judged by the weights alone: no samples were used, so the effect on the network's answers to real ones is unknown.
        ${format.count(tensors.filter(wasRounded).length)} of ${format.count(tensors.length)} tensors were rounded; the
        others are unchanged, bit for bit.`;

/** Those of runs of earlier versions do not say it. @param {Report['tensors'][number]} tensor */
const wasRounded = ({ changed, step }) => changed || step !== null;

/** Bytes by kind; what is left over is the file's head and checksum. @param {Report} report */
function kinds({ file_bytes, sections, tensors }) {
  const of = (/** @type {boolean} */ rounded) =>
    Math.round(tensors.filter((tensor) => wasRounded(tensor) === rounded).reduce((sum, { bytes }) => sum + bytes, 0));
  const named = [
    { name: 'Rounded tensors', value: of(true), ours: true },
    { name: 'Unchanged tensors', value: of(false), ours: true },
    ...sections.map(([name, value]) => ({ name: SECTIONS[name] ?? name, value })),
  ];
  const rest = file_bytes - named.reduce((sum, { value }) => sum + value, 0);
  // The coder's counts of bits are rounded, and may come to more than there is.
  return rest > 0 ? [...named, { name: 'Header, checksum and rounding', value: rest }] : named;
}

/** @type {Record<string, string>} */
const SECTIONS = { tensors: 'Shapes, types and steps', 'names and origin': "Names, and the original's graph" };

