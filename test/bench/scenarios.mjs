// The scenarios, as data. Each scenario is a table. Each row is a contender with its options, and has a process of its own in
// every round. Ratios are to the row named `versus`; added costs are relative to the framework `alone` in the same scenario.
const burst = (records) => ({ shape: 'burst', records, perTurn: 200 });
const steady = (perSecond, seconds) => ({ shape: 'steady', records: perSecond * seconds, perSecond });
const row = (contender, options, label = contender) => ({ contender, label, options });

/**
 * A contender as it is, with a bare `writeSync` beside each log call, and with a journal: the price of the journal is what it adds, as
 * a multiple of what the bare call adds.
 */
const journalRows = (contender, options, label) => [
  row(contender, options, label),
  { ...row(contender, options, `${label}, and a writeSync`), over: label, writes: true },
  { ...row(contender, { ...options, spool: {} }, `${label}, journal`), over: label },
];

const LARGE_BUFFER = { maxBufferBytes: 512 * 1024 * 1024 };
const large = (contender) => row(contender, LARGE_BUFFER, `${contender}, 512 MiB`);
const threaded = (contender) => row(contender, { ...LARGE_BUFFER, thread: true }, `${contender}, thread, 512 MiB`);

/** The region is that of the local server: signatures have version 4. */
const SIGNED = { credentials: 'env', region: 'us-east-1' };

const ALL = ['rate', 'cpu', 'call', 'added', 'loopP99', 'loopMax', 'rss', 'requests', 'wire', 'server', 'lost'];

export const scenarios = [
  {
    name: 'winston',
    title: 'winston to CloudWatch, bursts',
    loads: [1000, 10_000, 100_000, 300_000, 1_000_000].map(burst),
    rows: [
      row('winston alone'),
      row('winston + logferry'),
      large('winston + logferry'),
      threaded('winston + logferry'),
      row('winston + winston-cloudwatch'),
      row('floor'),
    ],
    versus: 'winston + winston-cloudwatch',
    columns: ALL,
    plotted: { ours: 'winston + logferry', peer: 'winston + winston-cloudwatch' },
  },
  {
    name: 'pino',
    title: 'pino to CloudWatch, from its worker thread, bursts',
    loads: [1000, 10_000, 20_000, 100_000].map(burst),
    rows: [row('pino alone'), row('pino + logferry'), row('pino + @serdnam/pino-cloudwatch-transport')],
    versus: 'pino + @serdnam/pino-cloudwatch-transport',
    columns: ALL,
    plotted: { ours: 'pino + logferry', peer: 'pino + @serdnam/pino-cloudwatch-transport' },
  },
  {
    name: 'pace',
    title:
      'The pace of a worker: a burst from pino, worker and connection warm, from the first call to the last record at CloudWatch',
    loads: [burst(20_000)],
    isWarm: true,
    rows: [row('pino + logferry'), row('floor')],
    versus: 'floor',
    columns: ['delivery', 'requests', 'lost'],
  },
  {
    name: 'bunyan',
    title: 'bunyan to CloudWatch, bursts',
    loads: [1000, 10_000, 100_000, 300_000].map(burst),
    rows: [
      row('bunyan alone'),
      row('bunyan + logferry'),
      large('bunyan + logferry'),
      threaded('bunyan + logferry'),
      row('bunyan + bunyan-cloudwatch'),
      row('floor'),
    ],
    versus: 'floor',
    columns: ALL,
    plotted: { ours: 'bunyan + logferry', peer: 'bunyan + bunyan-cloudwatch' },
  },
  {
    name: 'steady',
    title: 'To CloudWatch at 20,000 records/s',
    loads: [steady(20_000, 5)],
    rows: [
      row('winston alone'),
      row('winston + logferry'),
      row('winston + logferry', { thread: true }, 'winston + logferry, thread'),
      row('winston + winston-cloudwatch'),
      row('bunyan alone'),
      row('bunyan + logferry'),
      row('bunyan + logferry', { thread: true }, 'bunyan + logferry, thread'),
      row('pino alone'),
      row('pino + logferry'),
    ],
    columns: ['cpu', 'added', 'loopP99', 'addedLoopP99', 'loopMax', 'rss', 'requests', 'lost'],
  },
  {
    name: 'drain',
    title: 'A backlog (435,000 records are 100 MB), logged in one turn, to a CloudWatch that responds after 100 ms',
    loads: [{ shape: 'burst', records: 435_000, perTurn: 435_000 }],
    latencyMs: 100,
    rows: [large('winston + logferry'), large('bunyan + logferry'), row('winston + winston-cloudwatch')],
    versus: 'winston + winston-cloudwatch',
    columns: ['drain', 'cpu', 'rss', 'requests', 'lost'],
  },
  {
    name: 'log-service',
    title: 'To Log Service, bursts',
    cloud: 'log-service',
    loads: [burst(100_000)],
    rows: ['winston', 'bunyan', 'pino'].flatMap((host) => [
      row(`${host} alone`),
      row(`${host} + logferry`),
      row(`${host} + logferry`, SIGNED, `${host} + logferry, signed`),
    ]),
    columns: ALL,
  },
  {
    name: 'journal',
    title:
      'The price of a journal on disk: what it adds to the CPU time, as a multiple of what a bare writeSync of the same bytes adds',
    loads: [burst(300_000)],
    rows: [
      ...journalRows('winston + logferry', LARGE_BUFFER, 'winston'),
      ...journalRows('bunyan + logferry', LARGE_BUFFER, 'bunyan'),
      ...journalRows('winston + logferry', { ...LARGE_BUFFER, thread: true }, 'winston, thread'),
      ...journalRows('bunyan + logferry', { ...LARGE_BUFFER, thread: true }, 'bunyan, thread'),
      ...journalRows('pino + logferry', LARGE_BUFFER, 'pino'),
    ],
    columns: ['cpu', 'price', 'call', 'rate', 'rss', 'lost'],
  },
  {
    name: 'start-up',
    title: 'Start: the imports, a logger, and one record delivered',
    loads: [burst(1)],
    isColdStart: true,
    rows: ['winston', 'bunyan', 'pino']
      .flatMap((host) => [`${host} alone`, `${host} + logferry`])
      .concat('winston + winston-cloudwatch', 'pino + @serdnam/pino-cloudwatch-transport', 'bunyan + bunyan-cloudwatch')
      .map((contender) => row(contender)),
    columns: ['startup', 'startupRss', 'firstDelivery'],
  },
  {
    name: 'compression-cloudwatch',
    title: 'Compression of the request log of a web server, from pino to CloudWatch',
    loads: [burst(20_000)],
    recordKind: 'request',
    rows: ['none', 'gzip'].map((compression) => row('pino + logferry', { compression }, compression)),
    versus: 'none',
    columns: ['wireBytesPerRecord', 'cpu', 'requests', 'lost'],
  },
  {
    name: 'compression-log-service',
    title: 'Compression of the request log of a web server, from pino to Log Service',
    cloud: 'log-service',
    loads: [burst(20_000)],
    recordKind: 'request',
    rows: ['none', 'lz4', 'deflate'].flatMap((compression) => [
      row('pino + logferry', { compression }, compression),
      row('pino + logferry', { compression, ...SIGNED }, `${compression}, signed`),
    ]),
    versus: 'none',
    columns: ['wireBytesPerRecord', 'cpu', 'requests', 'lost'],
  },
];
