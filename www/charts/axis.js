// Axes by d3, in an SVG that Lit has drawn.
import { axisBottom, axisLeft } from 'd3-axis';
import { select } from 'd3-selection';

/** Draws the axes into the groups `.x` and `.y` of an element.
 * @param {Element} element
 * @param {{ x?: import('d3-axis').AxisScale<number>, y?: import('d3-axis').AxisScale<number>, ticks?: [number, number],
 *   marks?: number[], write?: (value: number) => string }} scales */
export function drawAxes(element, { x, y, ticks = [5, 3], marks, write }) {
  if (x) {
    const axis = axisBottom(x).ticks(ticks[0]).tickSizeOuter(0);
    if (marks) axis.tickValues(marks);
    if (write) axis.tickFormat(write);
    select(element).select(/** @type {'g'} */ ('g.x')).call(/** @type {any} */ (axis));
  }
  if (y) select(element).select('g.y').call(/** @type {any} */ (axisLeft(y).ticks(ticks[1], '~s').tickSizeOuter(0)));
}
