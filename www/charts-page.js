// Each chart with what it is for, its properties, and a live example with its code.
import './style.css';
import './charts/index.js';

/** @type {{ tag: string, words: string, properties: Record<string, string>, example: Record<string, unknown> }[]} */
const CHARTS = [
  {
    tag: 'nutshell-histogram',
    words: 'A histogram of counts in bins of equal width.',
    properties: {
      counts: 'counts, lowest bin first',
      gone: 'a second set of counts for the same bins, stacked below the first in another colour',
      range: 'the outer edges of the bins; with logValues, their natural logarithms',
      logCounts: 'whether the axis of counts is logarithmic',
      threshold: 'a value with a drag handle, or null; the event "threshold" reports the value it is dragged to',
      zoomable: 'whether the user can select a range: dragging fires the event "range" with the range; the arrow keys, + and \u2212 fire the event "move" with a shift, in widths of the range, and a factor for its width',
      unit: 'the label below the axis',
    },
    example: { label: 'Weights', unit: 'weight', range: [-1, 1], counts: [1, 4, 9, 0, 0, 8, 5, 1], gone: [0, 0, 6, 21, 19, 7, 0, 0] },
  },
  {
    tag: 'nutshell-codebook',
    words: 'The values that the weights share, as sticks over a histogram of the weights.',
    properties: {
      values: 'pairs of a value and the number of weights that have it, in ascending order',
      counts: 'the counts of a histogram over range, drawn behind the sticks',
      rounded: 'for each value, the grid point it is rounded to',
      unit: 'the step of that grid, or 0 for none',
    },
    example: { label: 'Codebook', values: [[-0.6, 40], [-0.2, 310], [0.3, 280], [0.7, 35]], rounded: [-0.5, -0.25, 0.25, 0.75], unit: 0.25, range: [-1, 1] },
  },
  {
    tag: 'nutshell-curve',
    words: 'A curve through points, with an optional selected point.',
    properties: {
      points: 'pairs of x and y, in ascending order of x',
      errors: 'half the length of the error bar at each point',
      logY: 'whether the y axis is logarithmic',
      chosen: 'the x of the selected point, or null; the event "choose" reports the x of another one',
      knee: 'the x of a point to mark as the knee, or 0 for none',
      xName: 'the label of the x axis',
      yName: 'the label of the y axis',
    },
    example: { label: 'Distortion', xName: 'values k', yName: 'distortion', logY: true, points: [[1, 1], [2, 0.36], [3, 0.18], [4, 0.11], [5, 0.08], [6, 0.06]], knee: 3, chosen: 4 },
  },
  {
    tag: 'nutshell-search',
    words: 'A half-interval search, one row per probe.',
    properties: { probes: 'in the form of the events of a run', upTo: 'how many probes to show' },
    example: {
      label: 'Search',
      probes: [
        [0, 0.5, 1, 0.3, false],
        [0, 0.25, 0.5, 0.02, true],
        [0.25, 0.375, 0.5, 0.09, false],
        [0.25, 0.3125, 0.375, 0.04, true],
      ].map(([lo, mid, hi, value, accepted]) => ({ stage: 'prune', variable: 'threshold', lo, mid, hi, value, accepted, criterion: 'rise of the mean loss', limit: 0.05, standard_error: 0.01, accuracy: 0.99, samples: 1000 })),
    },
  },
  {
    tag: 'nutshell-bytes',
    words: 'Stacked bars of bytes, one row per item.',
    properties: { kinds: 'the names of the parts, at most six', rows: 'each with a name and its parts in bytes' },
    example: { label: 'Bytes', kinds: ['positions', 'signs', 'magnitudes'], rows: [{ name: 'conv1', parts: [40, 12, 30] }, { name: 'fc1', parts: [210, 40, 22] }] },
  },
  {
    tag: 'nutshell-bars',
    words: 'Bars to compare, each with its name above it.',
    properties: { bars: 'each with a name, a value, and ours: true to highlight it', write: 'a function that formats a value', most: 'the value of a full-width bar, or 0 to use the largest value' },
    example: { label: 'Codings', bars: [{ name: 'Huffman', value: 299 }, { name: 'Range coder', value: 228, ours: true }] },
  },
  {
    tag: 'nutshell-waterfall',
    words: 'The bytes that are left after each step, on a logarithmic axis.',
    properties: { steps: 'each with a name and its bytes' },
    example: { label: 'Bytes', steps: [{ name: 'Original', bytes: 1724320 }, { name: 'Prune', bytes: 41051 }, { name: 'Code', bytes: 4047 }] },
  },
  {
    tag: 'nutshell-image',
    words: 'Weights as an image, one pixel per weight.',
    properties: {
      picture: 'width, height, reach and pixels, one byte per pixel: 0 is a gap, 1 is zero, 2 to 255 range from \u2212reach to reach',
      costs: 'whether the bytes are costs, from 0 to reach',
      values: 'a codebook: bytes from 2 up are indices into its values',
      most: 'the maximum height, in pixels',
    },
    example: { label: 'Weights', most: 120, picture: { width: 6, height: 2, reach: 1, pixels: [2, 60, 110, 1, 180, 255, 255, 200, 1, 1, 90, 20] } },
  },
  {
    tag: 'nutshell-units',
    words: "A network's channels and neurons as squares, one row per layer: those that are left, and those that were removed.",
    properties: { rows: 'each with a name and three counts: left, dying (optional) and gone' },
    example: { label: 'Units', rows: [{ name: 'conv1', left: 11, dying: 2, gone: 7 }, { name: 'conv2', left: 28, dying: 0, gone: 22 }, { name: 'fc1', left: 71, dying: 9, gone: 420 }] },
  },
  {
    tag: 'nutshell-graph',
    words: "A network's graph: boxes in execution order, with lines to the nodes that read them.",
    properties: {
      nodes: 'the first is the input; each with name, op, shape, parameters, inputs (indices of nodes), and the index of its layer if it has weights',
      chosen: 'the index of the selected layer, or null; the event "choose" reports another one',
    },
    example: {
      label: 'Graph',
      chosen: 1,
      nodes: [
        { name: 'input', op: 'input', shape: [3, 32, 32], parameters: 0, inputs: [] },
        { name: 'a', op: 'Conv', shape: [16, 32, 32], parameters: 448, inputs: [0], layer: 0 },
        { name: 'b', op: 'Conv', shape: [16, 32, 32], parameters: 2320, inputs: [1], layer: 1 },
        { name: 'c', op: 'Relu', shape: [16, 32, 32], parameters: 0, inputs: [2] },
        { name: 'sum', op: 'Add', shape: [16, 32, 32], parameters: 0, inputs: [3, 1] },
        { name: 'pool', op: 'GlobalAveragePool', shape: [16, 1, 1], parameters: 0, inputs: [4] },
        { name: 'd', op: 'Gemm', shape: [10], parameters: 170, inputs: [5], layer: 2 },
      ],
    },
  },
  {
    tag: 'nutshell-dots',
    words: 'Up to three numbers per item, as marks on one line per item.',
    properties: { series: 'the names of the numbers', rows: 'each with name, count (how often it occurs), and values in the order of the series', unit: 'the label below the axis' },
    example: { label: 'Bits of symbols', unit: 'bits', series: ['adaptive coder', 'entropy bound', 'Huffman'], rows: [{ name: '0', count: 80, values: [0.2, 0.32, 1] }, { name: '0.5', count: 13, values: [2.4, 2.94, 2] }, { name: '1', count: 7, values: [3.9, 3.84, 2] }] },
  },
  {
    tag: 'nutshell-scatter',
    words: 'Bytes against accuracy or signal-to-noise ratio, with the Pareto front.',
    properties: { measure: 'accuracy, or snr for decibels', points: 'each with id, name, bytes, quality, samples (optional), and whether it is shown; the event "choose" reports an id' },
    example: { label: 'Runs', points: [[900, 0.971], [2100, 0.985], [4000, 0.989], [4300, 0.984]].map(([bytes, quality], id) => ({ id: String(id), name: `run ${id + 1}`, bytes, quality, samples: 10000 })) },
  },
  {
    tag: 'nutshell-confusion',
    words: 'A confusion matrix: one row per true class, one column per answer.',
    properties: { classes: 'the number of classes', counts: 'the cells, row by row' },
    example: { label: 'Answers', classes: 3, counts: [97, 2, 1, 0, 99, 1, 3, 0, 97] },
  },
];

for (const { tag, words, properties, example } of CHARTS) {
  const section = Object.assign(document.createElement('section'), { className: 'card chart-card' });
  const facts = Object.entries({ label: 'what the chart shows, for screen readers', ...properties });
  const list = document.createElement('dl');
  for (const [name, meaning] of facts)
    list.append(Object.assign(document.createElement('dt'), { textContent: name }), Object.assign(document.createElement('dd'), { textContent: meaning }));
  const code = `<${tag}></${tag}>\n<script type="module">\n  import './charts.js';\n  Object.assign(document.querySelector('${tag}'), ${JSON.stringify(example)});\n</script>`;
  const shown = document.createElement('pre');
  shown.tabIndex = 0;
  shown.append(Object.assign(document.createElement('code'), { textContent: code }));
  section.append(
    Object.assign(document.createElement('h2'), { textContent: `<${tag}>` }),
    Object.assign(document.createElement('p'), { textContent: words }),
    Object.assign(document.createElement(tag), example),
    list,
    shown,
  );
  document.querySelector('#charts')?.append(section);
}
