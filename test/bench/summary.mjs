import { columns, format, medianOf } from './report.mjs';

const WINSTON = ['winston + logferry', 'winston + winston-cloudwatch'];
const PINO = ['pino + logferry', 'pino + @serdnam/pino-cloudwatch-transport'];
const BUNYAN = ['bunyan + logferry', 'bunyan + bunyan-cloudwatch'];

/** The figures of docs/measured.md: each line compares two rows of one scenario. */
const figures = [
  figure('winston, 300,000 records: delivered per second', 'winston', 300_000, 'rate', WINSTON),
  figure('CPU time of the process per record, µs', 'winston', 300_000, 'cpu', WINSTON),
  figure('added to a log call, µs', 'winston', 300_000, 'added', WINSTON),
  figure('peak memory (RSS), MB', 'winston', 300_000, 'rss', WINSTON),
  figure('winston, 1,000,000 records: lost at worst, and counted', 'winston', 1_000_000, 'lost', WINSTON),
  figure('with `maxBufferBytes` of 512 MiB', 'winston', 1_000_000, 'lost', ['winston + logferry, 512 MiB', WINSTON[1]]),
  figure('pino, 20,000 records: delivered per second', 'pino', 20_000, 'rate', PINO),
  figure('bunyan, 300,000 records: lost', 'bunyan', 300_000, 'lost', BUNYAN),
  figure('CPU time of the process per record, µs', 'bunyan', 300_000, 'cpu', [BUNYAN[0], 'floor']),
  figure('winston, 20,000 records/s: p99 of the event-loop delay, ms', 'steady', 100_000, 'loopP99', WINSTON),
  figure('with `thread: true`, against winston alone', 'steady', 100_000, 'loopP99', [
    'winston + logferry, thread',
    'winston alone',
  ]),
  figure('winston, 100 MB waiting, responses take 100 ms: MB/s', 'drain', 435_000, 'drain', [
    'winston + logferry, 512 MiB',
    WINSTON[1],
  ]),
  figure('with `spool`, 300,000 records: CPU time of the process per record, µs', 'journal', 300_000, 'cpu', [
    'winston, journal',
    'winston',
  ]),
  figure('added by it, as a multiple of a bare `writeSync` of the same bytes', 'journal', 300_000, 'price', [
    'winston, journal',
    'winston, and a writeSync',
  ]),
  figure('the same with `thread: true`', 'journal', 300_000, 'price', [
    'winston, thread, journal',
    'winston, thread, and a writeSync',
  ]),
  figure(
    "gzip, a web server's request log: bytes on the wire per record",
    'compression-cloudwatch',
    20_000,
    'wireBytesPerRecord',
    ['gzip', 'none'],
  ),
];

function figure(text, scenario, records, column, [ours, other]) {
  return { text, scenario, records, column, ours, other };
}

/** The figures as a markdown table: medians of all rounds. */
export function summaryOf(measured) {
  const lines = figures.map(({ text, scenario: name, records, column: columnName, ours, other }) => {
    const { scenario, runs } = measured.find((each) => each.scenario.name === name);
    const ofLoad = runs.filter(({ load }) => load.records === records);
    const column = columns[columnName];
    const [mine, theirs] = [ours, other].map((label) => medianOf(scenario, ofLoad, label, column));
    const ratio = mine > 0 && theirs > 0 ? `${(mine / theirs).toFixed(2)}×` : '';
    return [text, format(mine, column.digits), `${format(theirs, column.digits)} (${nameOf(other)})`, ratio];
  });
  const head = [
    ['figure', 'Logferry', 'compared with', 'ratio'],
    ['---', '--:', '--:', '--:'],
  ];
  return [...head, ...lines].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

/** The name of a peer without that of its framework. */
function nameOf(label) {
  return label === 'none' ? 'without' : label.replace(/^\w+ \+ /, '');
}
