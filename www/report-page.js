// The report as a page of its own: one file, with its charts as SVG and nothing loaded from anywhere.
import './charts/bars.js';
import './charts/bytes.js';
import './charts/codebook.js';
import './charts/search.js';
import './charts/units.js';
import './charts/waterfall.js';
import { style } from './charts/style.js';
import * as format from './format.js';
import { split } from './searches.js';
import { verdict } from './verdict.js';

/** @typedef {import('./types.js').Report} Report */

/** Width of a chart, in pixels. */
const WIDTH = 760;

/** The page. @param {Report} report @param {string} name Of the network. @returns {Promise<string>} */
export async function reportPage(report, name) {
  const { before, baselines, stages, probes } = report;
  const last = stages[stages.length - 1];
  const kinds = ['positions', 'signs', 'magnitudes', 'biases', 'codebook'];
  const parts = (/** @type {import('./types.js').LayerState} */ { bits }) => kinds.map((kind) => bits[/** @type {keyof typeof bits} */ (kind)] / 8);
  const charts = [
    { title: 'Bytes after each stage', tag: 'nutshell-waterfall', of: { steps: stages.map(({ stage, bytes }) => ({ name: format.stage(stage), bytes })) } },
    {
      title: 'Channels and neurons left',
      tag: 'nutshell-units',
      of: { rows: last.layers.map(({ name, shape }, index) => ({ name, left: shape[0], gone: stages[0].layers[index].shape[0] - shape[0] })) },
    },
    { title: 'Bytes by kind, one row per layer', tag: 'nutshell-bytes', of: { kinds, rows: last.layers.map((layer) => ({ name: layer.name, parts: parts(layer) })) } },
    {
      title: 'The same symbols in other codings',
      tag: 'nutshell-bars',
      of: { bars: [...baselines.map(({ name, bytes }) => ({ name, value: bytes })), { name: 'Nutshell', value: report.file_bytes, ours: true }] },
    },
    ...split(probes).map((own, index) => ({ title: `Search ${index + 1}: ${format.stage(own[0].stage)}, ${own[0].variable}`, tag: 'nutshell-search', of: { probes: own } })),
    ...last.layers.map(({ name, centroids, range }) => {
      const reach = 1.1 * (Math.max(Math.abs(range[0]), Math.abs(range[1])) || 1);
      return { title: `The values of ${name}`, tag: 'nutshell-codebook', of: { values: centroids, range: [-reach, reach] } };
    }),
  ];
  const figures = [];
  for (const { title, tag, of } of charts) figures.push(`<figure><h2>${escape(title)}</h2>${await drawn(tag, { ...of, label: title })}</figure>`);
  const { met, words } = verdict(report);
  const facts = [
    ['Network', name],
    [met ? 'Target met' : 'Target missed', words],
    ['Size on disk', `${format.bytes(report.file_bytes)} of ${format.bytes(report.baseline_bytes)}, ${format.ratio(report.ratio)}`],
    [format.measureOf(report), format.quality(report)],
    ...(before ? [['Original', format.accuracy(before.test ?? before.validation)]] : []),
    ['Time', `${format.duration(report.seconds)} on ${report.platform}`],
    ['Version', report.version],
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(name)}: Nutshell report</title>
<style>
:root { color-scheme: light dark; }
body { max-width: 820px; margin: 32px auto; padding: 0 16px; font: 16px/1.5 system-ui, sans-serif; background: light-dark(#fff, #24201c); color: light-dark(#26201a, #f1eae1); }
h2 { font-size: 1.1rem; margin: 32px 0 8px; }
figure { margin: 0; overflow-x: auto; }
table { border-collapse: collapse; } th, td { text-align: left; padding: 4px 18px 4px 0; border-bottom: 1px solid light-dark(#e3dbd0, #3d362f); font-variant-numeric: tabular-nums; }
pre { overflow-x: auto; font-size: 0.8rem; }
${style.cssText.replaceAll(/:host\(([^)]*)\)/g, '.chart$1').replaceAll(':host', '.chart')}
th, td { text-align: left; }
</style>
</head>
<body>
<h1>${escape(name)}</h1>
${table(['', ''], facts)}
${figures.join('\n')}
<h2>After each stage</h2>
${table(
    ['Stage', 'Bytes', 'Ratio', 'Nonzero', format.measureOf(report)],
    stages.map((state) => [format.stage(state.stage), format.bytes(state.bytes), format.ratio(state.ratio), format.count(state.nonzeros), format.accuracy(state.validation)]),
  )}
<h2>Recipe</h2>
<pre>${escape(JSON.stringify(report.recipe, null, 2))}</pre>
</body>
</html>
`;
}

/** A chart as it is drawn, as text. @param {string} tag @param {object} properties */
async function drawn(tag, properties) {
  const chart = /** @type {import('./charts/chart.js').Chart} */ (Object.assign(document.createElement(tag), properties));
  chart.style.cssText = `position: absolute; left: -9999px; width: ${WIDTH}px`;
  document.body.append(chart);
  try {
    chart.width = WIDTH;
    await chart.updateComplete;
    const own = [...chart.renderRoot.children].filter((element) => element.matches('svg, ul'));
    return `<div class="chart">${own.map((element) => element.outerHTML.replaceAll(/<!--.*?-->/g, '')).join('')}</div>`;
  } finally {
    chart.remove();
  }
}

/** @param {string[]} columns @param {string[][]} rows */
const table = (columns, rows) =>
  `<table><thead><tr>${columns.map((column) => `<th>${escape(column)}</th>`).join('')}</tr></thead><tbody>${rows
    .map((row) => `<tr>${row.map((cell) => `<td>${escape(cell)}</td>`).join('')}</tr>`)
    .join('')}</tbody></table>`;

/** @param {string} text */
const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
