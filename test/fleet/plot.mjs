import { createRequire } from 'node:module';
import { describeFleet, names } from './table.mjs';

const peer = createRequire(new URL('../bench/peers/package.json', import.meta.url));

/** Seconds of a point in the plot. */
const STEP_S = 5;

/** Requests and backlog over time, ours and with fixed retries, as SVG. */
export async function plotFleets(results) {
  const values = results.filter(({ fleet }) => fleet !== 'hanging').flatMap(pointsOf);
  const [vega, { compile }] = await Promise.all([import(peer.resolve('vega')), import(peer.resolve('vega-lite'))]);
  const panels = [...new Set(values.map(({ panel }) => panel))];
  const { spec } = compile({ ...specOf(panels), data: { values } });
  return new vega.View(vega.parse(spec), { renderer: 'none' }).toSVG();
}

function pointsOf({ scenario, client, seconds, backlog }) {
  const points = [];
  for (let at = 0; at + STEP_S <= backlog.length; at += STEP_S) {
    const part = seconds.slice(at, at + STEP_S);
    const mean = (of) => part.reduce((sum, second) => sum + of(second), 0) / STEP_S;
    points.push({
      panel: describeFleet(scenario),
      series: names[client],
      minutes: at / 60,
      requests: mean(({ requests }) => requests),
      throttled: mean(({ throttled }) => throttled),
      backlog: Math.max(...backlog.slice(at, at + STEP_S)),
    });
  }
  return points;
}

/** Three rows of panels, a column for each fleet. */
function specOf(panels) {
  const axis = { title: 'minutes', tickCount: 5, grid: false };
  const color = {
    field: 'series',
    type: 'nominal',
    title: null,
    scale: { domain: Object.values(names), range: ['#2563eb', '#d97706', '#6b7280'] },
    legend: { orient: 'top' },
  };
  const panel = (field, title, header) => ({
    facet: { column: { field: 'panel', type: 'nominal', title: null, sort: panels, header } },
    spec: {
      width: 260,
      height: 110,
      mark: { type: 'line', strokeWidth: 1.2 },
      encoding: {
        x: { field: 'minutes', type: 'quantitative', axis },
        // A scale of zeros only would have no end.
        y: {
          field,
          type: 'quantitative',
          title,
          axis: { format: '~s', tickCount: 4 },
          scale: { domain: { unionWith: [0, 1] } },
        },
        color,
      },
    },
    resolve: { scale: { y: 'independent' } },
  });
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    padding: 12,
    config: { font: 'system-ui, sans-serif', view: { stroke: null } },
    vconcat: [
      panel('requests', 'requests per second', { labelFontSize: 10 }),
      panel('throttled', 'throttled per second', { labels: false }),
      panel('backlog', 'records waiting', { labels: false }),
    ],
  };
}
