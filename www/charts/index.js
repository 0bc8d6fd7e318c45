// All charts, as elements of their own.
export { BarsChart } from './bars.js';
export { BytesChart } from './bytes.js';
export { CodebookChart } from './codebook.js';
export { Confusion } from './confusion.js';
export { Curve } from './curve.js';
export { DotsChart } from './dots.js';
export { GraphChart } from './graph.js';
export { Histogram } from './histogram.js';
export { WeightImage } from './image.js';
export { Scatter } from './scatter.js';
export { SearchChart } from './search.js';
export { UnitsChart } from './units.js';
export { Waterfall } from './waterfall.js';
