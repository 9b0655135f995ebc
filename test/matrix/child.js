// The process under test. Its plan is JSON. It logs records through one framework to one cloud, half of them in the turn in
// which the process ends, and some in the listeners of the plan. On stdout it writes the time of the last record and, unless a worker has them, the counters at the
// exit.
import { once } from 'node:events';
import { writeSync } from 'node:fs';

const { cell, host, cloud, options, records, act, listeners, flushesHalf } = JSON.parse(process.argv[2]);

const hosts = {
  async winston() {
    const { default: winston } = await import('winston');
    const { CloudWatchTransport, LogServiceTransport } = await import(`@logferry/winston/${cloud}`);
    const transport = new (CloudWatchTransport ?? LogServiceTransport)(options);
    const logger = winston.createLogger({ transports: [transport] });
    return {
      log: (fields) => logger.info('a record', fields),
      end() {
        logger.end();
        return once(logger, 'finish');
      },
      flush: (options) => transport.flush(options),
      stats: () => transport.stats(),
      logger,
      transport,
    };
  },
  async 'pino in its worker'() {
    const { default: pino } = await import('pino');
    const transport = pino.transport({ target: `@logferry/pino/${cloud}`, options });
    // pino ends the worker of a transport that is garbage collected.
    globalThis.held = transport;
    return pinoLogger(pino(transport), transport);
  },
  async 'pino in process'() {
    const { default: pino } = await import('pino');
    const { default: openStream } = await import(`@logferry/pino/${cloud}`);
    const stream = await openStream(options);
    return { ...pinoLogger(pino(stream), stream), stats: () => stream.stats() };
  },
  async bunyan() {
    const { default: bunyan } = await import('bunyan');
    const { cloudWatchStream, logServiceStream } = await import(`@logferry/bunyan/${cloud}`);
    const entry = (cloudWatchStream ?? logServiceStream)(options);
    const logger = bunyan.createLogger({ name: 'matrix', streams: [entry] });
    return {
      log: (fields) => logger.info(fields, 'a record'),
      end: () => entry.stream.close(),
      flush: (options) => entry.stream.flush(options),
      stats: () => entry.stream.stats(),
    };
  },
};

const acts = {
  nothing() {},
  async 'end, exit'() {
    await running.end();
    process.exit();
  },
  async 'flush, exit'() {
    await running.flush();
    process.exit();
  },
  async 'short flush, exit'() {
    await Promise.race([running.flush(), new Promise((resolve) => setTimeout(resolve, 300))]);
    process.exit();
  },
  async 'flush, idle'() {
    await running.flush();
    say({ actedAt: Date.now() });
  },
  exit: () => process.exit(),
  'exit later': () => setTimeout(() => process.exit(), 30),
  'SIGTERM, exit'() {
    process.on('SIGTERM', () => process.exit());
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => {}, 60_000);
  },
  'log at two ends'() {
    let ends = 0;
    process.on('beforeExit', () => {
      if (++ends <= 2) setTimeout(() => log(1));
    });
  },
  throw() {
    throw new Error('broken');
  },
  reject: () => void Promise.reject(new Error('broken')),
  SIGTERM: () => process.kill(process.pid, 'SIGTERM'),
  SIGINT: () => process.kill(process.pid, 'SIGINT'),
  SIGKILL: () => process.kill(process.pid, 'SIGKILL'),
  'logger.close': () => running.logger.close(),
  'logger.remove': () => running.logger.remove(running.transport),
};

let logged = 0;
const running = await hosts[host]();
if (listeners === 'exit before') process.on('exit', () => process.exit());
if (listeners === 'log before') process.on('exit', () => log(3));
if (running.stats) process.on('exit', () => say({ stats: running.stats() }));
const half = Math.floor(records / 2);
log(half);
if (listeners === 'exit after') process.on('exit', () => process.exit());
if (listeners === 'log after') process.on('exit', () => log(3));
// A service that is down takes none of them, but then they have reached the worker.
if (flushesHalf) await running.flush({ timeoutMs: 300 });
setImmediate(() => {
  log(records - half);
  say({ actedAt: Date.now() });
  acts[act]();
});

function log(count) {
  for (let i = 0; i < count; i++) running.log({ cell, number: logged++ });
  say({ logged });
}

function pinoLogger(logger, stream) {
  return {
    log: (fields) => logger.info(fields, 'a record'),
    end() {
      stream.end();
      return once(stream, 'close');
    },
    flush: () => new Promise((resolve) => logger.flush(resolve)),
  };
}

function say(message) {
  writeSync(1, `${JSON.stringify(message)}\n`);
}
