import { createRequire } from 'node:module';
import { columns, medianOf } from './report.mjs';

const peer = createRequire(new URL('peers/package.json', import.meta.url));

/** Throughput and loss by size of the burst, ours against the peer of each framework, as SVG. */
export async function plotBursts(measured) {
  const values = measured.flatMap(({ scenario, runs }) =>
    scenario.loads.flatMap((load) => pointsOf(scenario, runs, load)),
  );
  const [vega, { compile }] = await Promise.all([import(peer.resolve('vega')), import(peer.resolve('vega-lite'))]);
  const panels = [...new Set(values.map(({ panel }) => panel))];
  const { spec } = compile({ ...specOf(panels), data: { values } });
  return new vega.View(vega.parse(spec), { renderer: 'none' }).toSVG();
}

function pointsOf(scenario, runs, { records }) {
  const ofLoad = runs.filter((run) => run.load.records === records);
  const { ours, peer: other } = scenario.plotted;
  return Object.entries({ Logferry: ours, peer: other }).map(([series, label]) => ({
    series,
    panel: other.replace(' + ', ', peer: '),
    records,
    rate: medianOf(scenario, ofLoad, label, columns.rate),
    lost: medianOf(scenario, ofLoad, label, columns.lost) / records,
  }));
}

/** Two rows of panels: throughput above, loss below; a column for each framework. */
function specOf(panels) {
  const axis = { title: 'records in the burst', format: '~s', tickCount: 3, grid: false };
  const x = { field: 'records', type: 'quantitative', scale: { type: 'log' }, axis };
  const color = {
    field: 'series',
    type: 'nominal',
    title: null,
    scale: { domain: ['Logferry', 'peer'], range: ['#2563eb', '#d97706'] },
    legend: { orient: 'top' },
  };
  const panel = (y, header) => ({
    facet: { column: { field: 'panel', type: 'nominal', title: null, sort: panels, header } },
    spec: {
      width: 230,
      height: 150,
      mark: { type: 'line', point: { filled: true, size: 45 }, strokeWidth: 2 },
      encoding: { x, color, y: { type: 'quantitative', ...y } },
    },
  });
  const lostAxis = { field: 'lost', title: 'lost', axis: { format: '.0%' }, scale: { domain: [0, 1] } };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    padding: 12,
    config: { font: 'system-ui, sans-serif', view: { stroke: null } },
    vconcat: [
      panel({ field: 'rate', title: 'records delivered per second', axis: { format: '~s' } }, { labelFontSize: 11 }),
      panel(lostAxis, { labels: false }),
    ],
  };
}
