// Each chart with what it is for, its properties, and a live example with its code.
import './style.css';
import './charts/index.js';

/** @type {{ tag: string, words: string, properties: Record<string, string>, example: Record<string, unknown> }[]} */
const CHARTS = [
  {
    tag: 'nutshell-histogram',
    words: 'A histogram of numbers that were counted elsewhere, in equal bins.',
    properties: {
      counts: 'counts, lowest bin first',
      gone: 'counts of the same bins that stand below the others in another colour',
      range: 'the outer edges; of natural logarithms with logValues',
      logCounts: 'a logarithmic axis of counts',
      threshold: 'a value with a handle, or null; the event "threshold" says where it is dragged to',
      zoomable: 'a part can be chosen by dragging: the event "range" says which; or by arrow keys, + and -: the event "move" has its shift in widths, and the factor of its width',
      unit: 'words below the axis',
    },
    example: { label: 'Weights', unit: 'weight', range: [-1, 1], counts: [1, 4, 9, 0, 0, 8, 5, 1], gone: [0, 0, 6, 21, 19, 7, 0, 0] },
  },
  {
    tag: 'nutshell-codebook',
    words: 'The few values that weights share, as sticks over the histogram of these weights.',
    properties: {
      values: 'pairs of a value and how many weights have it, rising',
      counts: 'a histogram behind them, over range',
      rounded: 'for each value its place on a grid, to which it is moved',
      unit: 'the step of that grid, or 0',
    },
    example: { label: 'Codebook', values: [[-0.6, 40], [-0.2, 310], [0.3, 280], [0.7, 35]], rounded: [-0.5, -0.25, 0.25, 0.75], unit: 0.25, range: [-1, 1] },
  },
  {
    tag: 'nutshell-curve',
    words: 'A curve through points, one of which may be chosen.',
    properties: {
      points: 'pairs of x and y, rising in x',
      errors: 'half the length of an error bar for each',
      logY: 'a logarithmic axis',
      chosen: 'the x of the chosen point, or null; the event "choose" says another',
      knee: 'the x of a point to be pointed out, or 0',
      xName: 'words below the axis',
      yName: 'words above the other',
    },
    example: { label: 'Distortion', xName: 'values k', yName: 'distortion', logY: true, points: [[1, 1], [2, 0.36], [3, 0.18], [4, 0.11], [5, 0.08], [6, 0.06]], knee: 3, chosen: 4 },
  },
  {
    tag: 'nutshell-search',
    words: 'A half-interval search, a row a probe.',
    properties: { probes: 'as the events of a run give them', upTo: 'how many are shown' },
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
    words: 'Stacked bars of bytes, a row a thing.',
    properties: { kinds: 'what the parts are called, at most six', rows: 'each with its name and its parts in bytes' },
    example: { label: 'Bytes', kinds: ['positions', 'signs', 'magnitudes'], rows: [{ name: 'conv1', parts: [40, 12, 30] }, { name: 'fc1', parts: [210, 40, 22] }] },
  },
  {
    tag: 'nutshell-bars',
    words: 'Bars to compare, each below its name.',
    properties: { bars: 'each with its name and value, and whether it is ours', write: 'a function that writes a value', most: 'the value of a full bar, or 0 for the largest' },
    example: { label: 'Codings', bars: [{ name: 'Huffman', value: 299 }, { name: 'Range coder', value: 228, ours: true }] },
  },
  {
    tag: 'nutshell-waterfall',
    words: 'Bytes after each step, falling, on a logarithmic axis.',
    properties: { steps: 'each with its name and bytes' },
    example: { label: 'Bytes', steps: [{ name: 'Original', bytes: 1724320 }, { name: 'Prune', bytes: 41051 }, { name: 'Code', bytes: 4047 }] },
  },
  {
    tag: 'nutshell-image',
    words: 'Weights as an image, a pixel a weight.',
    properties: {
      picture: 'width, height, reach and pixels: a byte each, 0 a gap, 1 zero, 2 to 255 from -reach to reach',
      costs: 'the bytes are costs from 0 to reach',
      values: 'a codebook: the bytes from 2 on are indices of its values',
      most: 'the height in pixels that it may take',
    },
    example: { label: 'Weights', most: 120, picture: { width: 6, height: 2, reach: 1, pixels: [2, 60, 110, 1, 180, 255, 255, 200, 1, 1, 90, 20] } },
  },
  {
    tag: 'nutshell-units',
    words: "A network's channels and neurons as squares, a row of them a layer: those that are left, and those that are gone.",
    properties: { rows: 'each with its name, how many are left, how many are dying (if any), and how many are gone' },
    example: { label: 'Units', rows: [{ name: 'conv1', left: 11, dying: 2, gone: 7 }, { name: 'conv2', left: 28, dying: 0, gone: 22 }, { name: 'fc1', left: 71, dying: 9, gone: 420 }] },
  },
  {
    tag: 'nutshell-graph',
    words: "A network's graph: boxes in the order in which they run, and lines to what reads them.",
    properties: {
      nodes: 'the first is the input; each with name, op, shape, parameters, inputs (places of nodes), and the number of its layer if it has weights',
      chosen: 'the layer that is looked at, or null; the event "choose" says another',
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
    words: 'Up to three numbers of each of several things, as marks on a line a thing.',
    properties: { series: 'what the numbers are called', rows: 'each with name, count (how often it occurs), and values in the order of the series', unit: 'words below the axis' },
    example: { label: 'Bits of symbols', unit: 'bits', series: ['adaptive coder', 'entropy bound', 'Huffman'], rows: [{ name: '0', count: 80, values: [0.2, 0.32, 1] }, { name: '0.5', count: 13, values: [2.4, 2.94, 2] }, { name: '1', count: 7, values: [3.9, 3.84, 2] }] },
  },
  {
    tag: 'nutshell-scatter',
    words: 'Bytes against accuracy, or signal to noise, with the front of what no other beats in both.',
    properties: { measure: 'accuracy, or snr for decibels', points: 'each with id, name, bytes, quality, samples if it has some, and whether it is shown; the event "choose" says an id' },
    example: { label: 'Runs', points: [[900, 0.971], [2100, 0.985], [4000, 0.989], [4300, 0.984]].map(([bytes, quality], id) => ({ id: String(id), name: `run ${id + 1}`, bytes, quality, samples: 10000 })) },
  },
  {
    tag: 'nutshell-confusion',
    words: 'A confusion matrix: a row a class, a column an answer.',
    properties: { classes: 'how many', counts: 'row by row' },
    example: { label: 'Answers', classes: 3, counts: [97, 2, 1, 0, 99, 1, 3, 0, 97] },
  },
];

for (const { tag, words, properties, example } of CHARTS) {
  const section = Object.assign(document.createElement('section'), { className: 'card chart-card' });
  const facts = Object.entries({ label: 'what it shows, for those who cannot see it', ...properties });
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
