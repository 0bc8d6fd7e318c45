// Axes by d3, in an SVG that Lit has drawn.
import { axisBottom, axisLeft } from 'd3-axis';
import { select } from 'd3-selection';

/** Draws the axes into the groups `.x` and `.y` below a root.
 * @param {ParentNode} root
 * @param {{ x?: import('d3-axis').AxisScale<number>, y?: import('d3-axis').AxisScale<number>, ticks?: [number, number],
 *   marks?: number[], rows?: number[], write?: (value: number) => string, writeY?: (value: number) => string }} scales */
export function drawAxes(root, { x, y, ticks = [5, 3], marks, rows, write, writeY }) {
  const chosen = select(/** @type {Element} */ (/** @type {unknown} */ (root)));
  if (x) {
    const axis = axisBottom(x).ticks(ticks[0]).tickSizeOuter(0);
    if (marks) axis.tickValues(marks);
    if (write) axis.tickFormat(write);
    chosen.select(/** @type {'g'} */ ('g.x')).call(/** @type {any} */ (axis));
  }
  if (y) {
    const axis = axisLeft(y).ticks(ticks[1], '~s').tickSizeOuter(0);
    if (rows) axis.tickValues(rows);
    if (writeY) axis.tickFormat(writeY);
    chosen.select(/** @type {'g'} */ ('g.y')).call(/** @type {any} */ (axis));
  }
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
