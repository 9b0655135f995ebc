// An application with a logger for each framework and cloud. Its plan is JSON: what happens around its first record, and the options
// of both clouds. It prints what came of each logger.
import { AsyncLocalStorage } from 'node:async_hooks';
import { mock } from 'node:test';

const { act, options } = JSON.parse(process.env.PLAN);
const { setTimeout: startTimer } = globalThis;
const sleep = (ms) => new Promise((resolve) => startTimer(resolve, ms));

// The AWS SDK adds to globalThis when it is loaded, and so does Node.js 22 and 24 with node:http.
if (act.startsWith('globalThis'))
  for (const name of ['node:http', '@aws-sdk/client-cloudwatch-logs']) await import(name);
if (act === 'globalThis is closed before') Object.preventExtensions(globalThis);

const { cloudWatchStream } = await import('@logferry/bunyan/cloudwatch');
const { logServiceStream } = await import('@logferry/bunyan/log-service');
const { default: cloudWatchTarget } = await import('@logferry/pino/cloudwatch');
const { default: logServiceTarget } = await import('@logferry/pino/log-service');
const { CloudWatchTransport } = await import('@logferry/winston/cloudwatch');
const { LogServiceTransport } = await import('@logferry/winston/log-service');
const { default: bunyan } = await import('bunyan');
const { default: pino } = await import('pino');
const { default: winston } = await import('winston');

const toWinston = (Transport, options) => {
  const transport = new Transport(options);
  return { transport, logger: winston.createLogger({ transports: [transport] }) };
};
const toBunyan = (createStream, options) => {
  const entry = createStream(options);
  return { transport: entry.stream, logger: bunyan.createLogger({ name: 'app', streams: [entry] }) };
};
const toPino = async (createStream, options) => {
  const transport = await createStream(options);
  return { transport, logger: pino(transport) };
};
const ways = {
  'winston to cloudwatch': () => toWinston(CloudWatchTransport, options.cloudwatch),
  'winston to log-service': () => toWinston(LogServiceTransport, options['log-service']),
  'winston to cloudwatch in a thread': () => toWinston(CloudWatchTransport, { ...options.cloudwatch, thread: true }),
  'bunyan to cloudwatch': () => toBunyan(cloudWatchStream, options.cloudwatch),
  'bunyan to log-service': () => toBunyan(logServiceStream, options['log-service']),
  'bunyan to log-service in a thread': () => toBunyan(logServiceStream, { ...options['log-service'], thread: true }),
  'pino to cloudwatch': () => toPino(cloudWatchTarget, options.cloudwatch),
  'pino to log-service': () => toPino(logServiceTarget, options['log-service']),
};

const acts = {
  async 'globalThis is closed after'(start) {
    Object.freeze(globalThis);
    return acts['globalThis is closed before'](start);
  },
  async 'globalThis is closed before'(start) {
    const { transport, logger } = await start();
    for (let i = 0; i < 10; i++) logger.info('a line');
    const { received, delivered } = await transport.flush();
    return { received, delivered };
  },
  /** Delivers by itself, with no flush. */
  async 'node:test fakes the timers'(start) {
    const { transport, logger } = await start();
    logger.info('during the fakes');
    faked = true;
    return { delivered: await settled(transport, 1) };
  },
  /** The connection, and the thread, stay open. */
  async 'a request has a context'(start) {
    const requests = new AsyncLocalStorage();
    const inRequest = async (handle) => {
      const request = { body: 'x' };
      const result = await requests.run(request, handle);
      return { result, request: new WeakRef(request) };
    };
    const made = await inRequest(start);
    const { transport, logger } = made.result;
    const first = await inRequest(() => void logger.info('the first line'));
    await settled(transport, 1);
    const flushed = await inRequest(() => void transport.flush({ timeoutMs: 60_000 }));
    const held = async () => {
      globalThis.gc();
      const refs = { 'the one that makes the transport': made, 'the first record': first, flush: flushed };
      return Object.keys(refs).filter((name) => refs[name].request.deref());
    };
    delete made.result;
    for (let i = 0; i < 100 && (await held()).length > 0; i++) await sleep(10);
    return { held: await held(), delivered: transport.stats().delivered };
  },
};

let faked = false;

async function settled(transport, records) {
  for (let i = 0; i < 1000 && transport.stats().delivered < records; i++) await sleep(10);
  return transport.stats().delivered;
}

if (act === 'node:test fakes the timers') mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate'] });
const running = Object.entries(ways).map(async ([name, start]) => [name, await acts[act](start)]);
if (act === 'node:test fakes the timers') {
  while (!faked) await null;
  mock.timers.reset();
}
process.stdout.write(JSON.stringify(Object.fromEntries(await Promise.all(running))), () => process.exit());
