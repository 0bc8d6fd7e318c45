// What all charts look like. Colours are those of the page, or the ones here where there is no page.
import { css } from 'lit';

export const style = css`
  :host {
    --c-ink: var(--ink, light-dark(#26201a, #f1eae1));
    --c-quiet: var(--quiet, light-dark(#675c50, #b9ad9f));
    --c-line: var(--line, light-dark(#e3dbd0, #3d362f));
    --c-card: var(--card, light-dark(#ffffff, #24201c));
    --c-accent: var(--accent, light-dark(#8a4b14, #eba55a));
    --c-before: var(--before, light-dark(#938573, #8f8272));
    --c-after: var(--after, light-dark(#1f6f8b, #62bcd8));
    --c-tint: var(--tint, light-dark(#f6ebde, #362a1d));
    --c-gone: var(--gone, light-dark(#c0752b, #eba55a));
    display: block;
    min-width: 0;
    position: relative;
  }
  :host([hidden]) {
    display: none;
  }
  svg {
    display: block;
    overflow: visible;
    font: 11px/1.3 system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif;
    font-variant-numeric: tabular-nums;
  }
  svg text {
    fill: var(--c-quiet);
  }
  svg .ink {
    fill: var(--c-ink);
    font-size: 12px;
  }
  .axis,
  .axis text {
    font: inherit;
  }
  .axis path,
  .axis line {
    stroke: var(--c-line);
  }
  .axis text {
    fill: var(--c-quiet);
  }
  .bars {
    fill: var(--c-before);
  }
  .bars.kept {
    fill: var(--c-after);
  }
  .bars.gone {
    fill: var(--c-gone);
  }
  .band {
    fill: var(--c-gone);
    opacity: 0.14;
  }
  .stem {
    stroke: var(--c-after);
    stroke-width: 2;
  }
  .dot {
    fill: var(--c-after);
  }
  .hollow {
    fill: var(--c-card);
    stroke: var(--c-after);
    stroke-width: 2;
  }
  .grid-line {
    stroke: var(--c-line);
    stroke-width: 1;
  }
  .shift {
    stroke: var(--c-accent);
    stroke-width: 2;
  }
  .handle {
    stroke: var(--c-accent);
    stroke-width: 2;
  }
  .grip {
    fill: var(--c-accent);
  }
  .hit {
    fill: transparent;
    pointer-events: all;
  }
  .drag {
    cursor: ew-resize;
    touch-action: none;
  }
  .select {
    cursor: crosshair;
    touch-action: pan-y;
  }
  .selection {
    fill: var(--c-accent);
    opacity: 0.2;
  }
  .line {
    fill: none;
    stroke: var(--c-after);
    stroke-width: 2;
  }
  .interval {
    stroke: var(--c-before);
    stroke-width: 3;
    stroke-linecap: round;
  }
  .error {
    stroke: var(--c-after);
    stroke-width: 1.5;
  }
  .limit {
    stroke: var(--c-accent);
    stroke-width: 1.5;
    stroke-dasharray: 4 3;
  }
  svg .marked {
    fill: var(--c-accent);
    font-weight: 600;
  }
  .kind-0 { --kind: var(--kind-0, light-dark(#1f6f8b, #62bcd8)); }
  .kind-1 { --kind: var(--kind-1, light-dark(#c0752b, #eba55a)); }
  .kind-2 { --kind: var(--kind-2, light-dark(#5b8c3c, #9ccb78)); }
  .kind-3 { --kind: var(--kind-3, light-dark(#8d5aa8, #c79be0)); }
  .kind-4 { --kind: var(--kind-4, light-dark(#b9445c, #f08ca0)); }
  .kind-5 { --kind: var(--kind-5, light-dark(#766b5e, #9c9185)); }
  rect[class^='kind'] {
    fill: var(--kind);
  }
  svg text.on-bar {
    fill: var(--c-card);
    font-size: 12px;
  }
  .stroke {
    fill: none;
    stroke: var(--kind);
    stroke-width: 2.5;
  }
  path.kind-0:not(.stroke),
  path.kind-1:not(.stroke),
  circle.kind-0 {
    fill: var(--kind);
  }
  .outline {
    fill: none;
    stroke: var(--c-quiet);
    opacity: 0.45;
  }
  .box {
    fill: var(--c-card);
    stroke: var(--c-line);
  }
  .box.weighted {
    fill: var(--c-tint);
    stroke: var(--c-accent);
  }
  .box.chosen {
    stroke-width: 2.5;
  }
  svg .strong {
    font-weight: 600;
  }
  svg .small {
    font-size: 11px;
  }
  .edge {
    fill: none;
    stroke: var(--c-quiet);
    stroke-width: 1.5;
  }
  .head {
    fill: var(--c-quiet);
  }
  .edge.branch {
    stroke: var(--c-after);
  }
  .head.branch {
    fill: var(--c-after);
  }
  .legend {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 16px;
    margin: 0 0 6px;
    padding: 0;
    list-style: none;
    font-size: 0.8125rem;
    color: var(--c-ink);
  }
  .swatch {
    display: inline-block;
    width: 11px;
    height: 11px;
    border-radius: 3px;
    margin-right: 6px;
    background: var(--kind);
  }
  .swatch.mark-1 {
    width: 3px;
    border-radius: 0;
  }
  .swatch.mark-2 {
    clip-path: polygon(0 20%, 20% 0, 50% 30%, 80% 0, 100% 20%, 70% 50%, 100% 80%, 80% 100%, 50% 70%, 20% 100%, 0 80%, 30% 50%);
  }
  .colour-bar {
    width: min(100%, 260px);
    display: inline-block;
    vertical-align: top;
    margin-right: 8px;
  }
  .colour-bar > :first-child {
    height: 9px;
    border: 1px solid var(--c-line);
    border-radius: 3px;
  }
  .colour-bar .words {
    display: grid;
    grid-auto-flow: column;
    justify-content: space-between;
    font-variant-numeric: tabular-nums;
  }
  .quiet {
    color: var(--c-quiet);
  }
  details {
    font-size: 0.8125rem;
    margin-top: 2px;
  }
  summary {
    width: max-content;
    color: var(--c-quiet);
    cursor: pointer;
    padding: 2px 0;
  }
  summary:focus-visible,
  [tabindex]:focus-visible,
  button:focus-visible,
  .scroll:focus-visible {
    outline: 2px solid var(--c-accent);
    outline-offset: 2px;
  }
  button {
    font: inherit;
    color: var(--c-accent);
    background: none;
    border: 0;
    padding: 0 4px;
    min-height: 24px;
    text-decoration: underline;
    cursor: pointer;
  }
  .scroll {
    max-height: 260px;
    overflow: auto;
  }
  table {
    border-collapse: collapse;
    font-variant-numeric: tabular-nums;
    color: var(--c-ink);
  }
  th,
  td {
    padding: 2px 14px 2px 0;
    border-bottom: 1px solid var(--c-line);
    text-align: right;
    font-weight: 400;
    white-space: nowrap;
  }
  thead th {
    color: var(--c-quiet);
  }
  th:first-child,
  td:first-child {
    text-align: left;
  }
`;
