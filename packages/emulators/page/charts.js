// @ts-check
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { bytes, count, duration } from './format.js';
import { html } from './html.js';
import { useNow } from './use-now.js';

/**
 * @typedef {object} Curve
 * @property {string} label
 * @property {string} colour A variable of the style sheet.
 * @property {(second: import('./state.js').Second) => number} read
 *
 * @typedef {object} Definition
 * @property {string} title
 * @property {(value: number) => string} format
 * @property {readonly Curve[]} curves
 */

/** @type {readonly Definition[]} */
const CHARTS = [
  {
    title: 'Records/s',
    format: count,
    curves: [{ label: 'stored', colour: '--accent', read: ({ records }) => records }],
  },
  {
    title: 'Bytes/s',
    format: bytes,
    curves: [{ label: 'on the wire', colour: '--violet', read: ({ wireBytes }) => wireBytes }],
  },
  {
    title: 'Latency',
    format: duration,
    curves: [
      { label: 'slowest', colour: '--warn', read: ({ slowestMs }) => slowestMs },
      { label: 'mean', colour: '--good', read: ({ durationMs, requests }) => durationMs / Math.max(requests, 1) },
    ],
  },
  {
    title: 'Requests/s',
    format: count,
    curves: [
      { label: 'requests', colour: '--dim', read: ({ requests }) => requests },
      { label: 'refused', colour: '--bad', read: ({ refused }) => refused },
    ],
  },
];
const CHART_HEIGHT = 128;
const AXIS_WIDTH = 58;

/** @param {{ state: import('./state.js').State }} props */
export function Charts({ state }) {
  const [minutes, setMinutes] = useState(2);
  // The current second is not over.
  const last = Math.floor(useNow() / 1000) - 1;
  const seconds = Array.from({ length: minutes * 60 }, (_, index) => last - minutes * 60 + 1 + index);
  return html`<div class="charts">
    <label class="bar">
      The last
      <select value=${String(minutes)} onChange=${(/** @type {any} */ event) => setMinutes(Number(event.target.value))}>
        ${[1, 2, 5, 10].map((each) => html`<option key=${each} value=${String(each)}>${each} min</option>`)}
      </select>
    </label>
    ${CHARTS.map((definition) => html`<${Chart} key=${definition.title} definition=${definition} seconds=${seconds} sums=${state.seconds} />`)}
  </div>`;
}

/** @param {{ definition: Definition, seconds: number[], sums: Map<number, import('./state.js').Second> }} props */
function Chart({ definition, seconds, sums }) {
  const { title, format, curves } = definition;
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const plot = useRef(/** @type {uPlot | null} */ (null));
  const theme = useTheme();
  const rows = curves.map(({ read }) =>
    seconds.map((second) => {
      const sum = sums.get(second);
      return sum ? read(sum) : 0;
    }),
  );
  const data = /** @type {uPlot.AlignedData} */ ([seconds, ...rows]);

  useEffect(() => {
    const element = /** @type {HTMLElement} */ (box.current);
    const made = new uPlot(optionsOf(definition, element.clientWidth), data, element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: CHART_HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [theme]);
  useEffect(() => plot.current?.setData(data), [data]);

  const values = curves.map(({ label }, index) => `${label} ${format(rows[index]?.at(-1) ?? 0)}`).join(', ');
  const highest = format(Math.max(0, ...rows.flat()));
  return html`<figure>
    <figcaption><b>${title}</b><span class="push"></span><span class="dim">${values} · highest ${highest}</span></figcaption>
    <div class="chart" ref=${box} role="img" aria-label=${`${title}: ${values}; highest ${highest}`}></div>
  </figure>`;
}

/**
 * @param {Definition} definition
 * @param {number} width
 * @returns {uPlot.Options}
 */
function optionsOf({ format, curves }, width) {
  const style = getComputedStyle(document.documentElement);
  const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--dim'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  return {
    width,
    height: CHART_HEIGHT,
    legend: { show: false },
    cursor: { y: false, sync: { key: 'seconds' } },
    scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
    axes: [
      { ...axis, space: 70, size: 24, values: (_, splits) => splits.map(clock) },
      { ...axis, size: AXIS_WIDTH, space: 28, values: (_, splits) => splits.map(format) },
    ],
    series: [
      {},
      ...curves.map((curve) => ({
        label: curve.label,
        stroke: colour(curve.colour),
        fill: `${colour(curve.colour)}22`,
        width: 1.5,
        points: { show: false },
      })),
    ],
  };
}

/** @param {number} second */
function clock(second) {
  return new Date(second * 1000).toTimeString().slice(0, 8);
}

/** Changes when the user's system changes between light and dark. */
function useTheme() {
  const query = matchMedia('(prefers-color-scheme: dark)');
  const [isDark, setDark] = useState(query.matches);
  useEffect(() => {
    const onChange = () => setDark(query.matches);
    query.addEventListener('change', onChange);
    return () => query.removeEventListener('change', onChange);
  }, []);
  return isDark;
}
