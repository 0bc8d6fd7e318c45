// Axes by d3, in an SVG that Lit has drawn.
import { ticks as evenly } from 'd3-array';
import { axisBottom, axisLeft } from 'd3-axis';
import { select } from 'd3-selection';
import * as format from '../format.js';

/** Draws the axes into the groups `.x` and `.y` below a root.
 * @param {ParentNode} root
 * @param {{ x?: import('d3-axis').AxisScale<number>, y?: import('d3-axis').AxisScale<number>, ticks?: [number, number],
 *   marks?: number[], rows?: number[], write?: (value: number) => string, writeY?: (value: number) => string }} scales */
export function drawAxes(root, { x, y, ticks = [5, 3], marks, rows, write, writeY = format.short }) {
  const chosen = select(/** @type {Element} */ (/** @type {unknown} */ (root)));
  if (x) {
    const axis = axisBottom(x).ticks(ticks[0]).tickSizeOuter(0);
    if (marks) axis.tickValues(marks);
    if (write) axis.tickFormat(write);
    chosen.select(/** @type {'g'} */ ('g.x')).call(/** @type {any} */ (axis));
    thin(root.querySelector('g.x'), ({ left, right }) => [left - ROOM, right]);
  }
  if (y) {
    const axis = axisLeft(y).ticks(ticks[1]).tickSizeOuter(0).tickFormat(writeY);
    if (rows) axis.tickValues(rows);
    chosen.select(/** @type {'g'} */ ('g.y')).call(/** @type {any} */ (axis));
    thin(root.querySelector('g.y'), ({ top, bottom }) => [-bottom, -top]);
  }
}

/** The least room between two labels, in pixels. */
const ROOM = 5;

/** Hides labels that would lie on the one before, from the left, or from below. @param {Element | null} group
 * @param {(box: DOMRect) => [number, number]} ends Of a label, along the axis. */
function thin(group, ends) {
  let last = -Infinity;
  const labels = [...(group?.querySelectorAll('text') ?? [])].map((label) => ({ label, ends: ends(label.getBoundingClientRect()) }));
  for (const { label, ends: [from, to] } of labels.sort((a, b) => a.ends[0] - b.ends[0])) {
    const room = from >= last;
    label.style.visibility = room ? '' : 'hidden';
    if (room) last = to;
  }
}

/** Marks of a logarithmic axis: powers of ten, or where it has but one of them, others besides.
 * @param {number} low @param {number} high @param {number} most */
export function logMarks(low, high, most) {
  const powers = powersOfTen(low, high, most);
  if (powers.length > 1) return powers;
  const first = 10 ** Math.floor(Math.log10(low));
  const found = [1, 2, 5, 10, 20, 50, 100].map((digit) => Number((digit * first).toPrecision(1))).filter((mark) => mark >= low && mark <= high);
  return found.length > 2 ? found : evenly(low, high, Math.min(4, most));
}

/** Powers of ten for a logarithmic axis: all, or every second, third ... where there is no room for more than `most`.
 * @param {number} low @param {number} high @param {number} most */
export function powersOfTen(low, high, most) {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const step = Math.max(1, Math.ceil((last - first + 1) / Math.max(1, most)));
  const marks = [];
  for (let power = first; power <= last; power += step) marks.push(10 ** power);
  return marks;
}
