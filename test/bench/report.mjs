const MB = 1e6;

/** The columns: the title, the function that reads the number from a run, and whether a ratio makes sense. */
export const columns = {
  rate: { title: 'records/s', of: (run) => (1000 * run.delivered) / (deliveredAt(run) - run.startedAt), ratio: true },
  delivery: { title: 'ms', of: (run) => deliveredAt(run) - run.startedAt, ratio: true },
  drain: {
    title: 'MB/s',
    of: (run) => run.messageBytes / 1000 / (deliveredAt(run) - run.loggedAt),
    digits: 1,
    ratio: true,
  },
  cpu: { title: 'CPU µs/record', of: cpuMicros, digits: 1, ratio: true },
  price: { title: 'price, × writeSync', of: cpuMicros, digits: 2, inWrites: true },
  call: { title: 'µs/call', of: callMicros, digits: 2, ratio: true },
  added: { title: 'added µs/call', of: callMicros, digits: 2, ratio: true, overAlone: true },
  loopP99: { title: 'loop p99 ms', of: (run) => run.loopDelayP99Ms, digits: 1 },
  addedLoopP99: { title: 'added p99 ms', of: (run) => run.loopDelayP99Ms, digits: 1, overAlone: true },
  loopMax: { title: 'loop max ms', of: (run) => run.loopDelayMaxMs },
  rss: { title: 'peak RSS MB', of: (run) => run.peakRssBytes / MB, ratio: true },
  requests: { title: 'requests', of: (run) => run.requests },
  wire: { title: 'wire MB', of: (run) => run.wireBytes / MB, digits: 1 },
  wireBytesPerRecord: { title: 'wire bytes/record', of: (run) => run.wireBytes / run.delivered, ratio: true },
  server: { title: 'server busy %', of: (run) => (100 * run.serverCpuMs) / (deliveredAt(run) - run.startedAt) },
  lost: { title: 'lost (worst)', of: (run) => run.load.records - run.delivered, isWorst: true },
  startup: { title: 'import and construct, ms', of: (run) => run.startupMs },
  startupRss: { title: 'RSS of that, MB', of: (run) => run.startupRssBytes / MB, digits: 1 },
  firstDelivery: { title: 'process start to delivered and closed, ms', of: (run) => run.sinceProcessStartMs },
};

/** The runs of a scenario as a markdown table: medians, and in brackets the ratio to the row `versus`. */
export function tableOf(scenario, runs) {
  const cells = scenario.loads.flatMap((load) => {
    const ofLoad = runs.filter((run) => run.load.records === load.records);
    return scenario.rows.map((row) => [
      format(load.records),
      row.label,
      ...scenario.columns.map((name) => cell(scenario, ofLoad, row, columns[name])),
    ]);
  });
  const head = ['records', '', ...scenario.columns.map((name) => columns[name].title)];
  const lines = [head, head.map((_, index) => (index === 1 ? '---' : '--:')), ...cells];
  const failures = new Set(
    runs.flatMap(({ label, failure, endError }) => {
      if (failure) return `- ${label} failed: ${failure}`;
      return endError ? `- ${label}, at its end: ${endError}` : [];
    }),
  );
  const violations = new Set(
    runs.flatMap(({ label, violations = [] }) =>
      // Messages that differ only in numbers are listed once.
      violations.map(({ error, message }) => `- ${label}: ${error}, ${message.replace(/\d{5,}/, '…')}`),
    ),
  );
  const notes = [...failures, ...violations];
  const table = lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
  return `### ${scenario.title}\n\n${table}\n${notes.length > 0 ? `\n${notes.join('\n')}\n` : ''}`;
}

/** The column's value for one row of one load: the median of all rounds. */
export function medianOf(scenario, runs, label, column) {
  const values = runs.filter((run) => run.label === label && !run.failure).map(column.of);
  if (column.isWorst) return Math.max(...values);
  const value = median(values);
  if (column.inWrites) return priceOf(scenario, runs, label, { of: column.of });
  if (!column.overAlone) return value;
  const alone = `${label.split(' ')[0]} alone`;
  if (label === alone || !scenario.rows.some((row) => row.label === alone)) return Number.NaN;
  return value - medianOf(scenario, runs, alone, { of: column.of });
}

/** What a row adds to another, as a multiple of what a bare write adds to it. */
function priceOf(scenario, runs, label, column) {
  const { over } = scenario.rows.find((row) => row.label === label);
  const write = scenario.rows.find((row) => row.writes && row.over === over);
  if (!write) return Number.NaN;
  const [value, written, base] = [label, write.label, over].map((each) => medianOf(scenario, runs, each, column));
  return (value - base) / (written - base);
}

function cell(scenario, runs, { label }, column) {
  const value = medianOf(scenario, runs, label, column);
  if (!Number.isFinite(value)) return '–';
  const text = format(value, column.digits);
  if (!column.ratio || !scenario.versus || label === scenario.versus || label.endsWith(' alone')) return text;
  const ratio = value / medianOf(scenario, runs, scenario.versus, column);
  return Number.isFinite(ratio) && ratio > 0 ? `${text} (${ratio.toFixed(2)}×)` : text;
}

function cpuMicros(run) {
  return (1000 * run.cpuMs) / run.delivered;
}

function callMicros(run) {
  return (1000 * run.callMs) / run.load.records;
}

/** A framework alone delivers to nowhere. */
function deliveredAt({ lastStoredAt, endedAt }) {
  return lastStoredAt || endedAt;
}

export function median(numbers) {
  if (numbers.length === 0) return Number.NaN;
  const sorted = numbers.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}

export function format(number, digits = 0) {
  return number.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
