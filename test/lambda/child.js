// Plays the runtime of a serverless function: runs a wrapped handler for each invocation that its parent asks for, writes how that ended,
// and stops itself at once, as the platform freezes it. It goes on by SIGCONT.
import { writeSync } from 'node:fs';

const { host, thread, cloud, options } = JSON.parse(process.argv[2]);

const hosts = {
  async winston() {
    const { default: winston } = await import('winston');
    const { withFlush } = await import('@logferry/winston');
    const { CloudWatchTransport, LogServiceTransport } = await import(`@logferry/winston/${cloud}`);
    const transport = new (CloudWatchTransport ?? LogServiceTransport)({ ...options, thread });
    const logger = winston.createLogger({ transports: [transport] });
    return { withFlush, transport, log: (text) => logger.info(text), stats: () => transport.stats() };
  },
  async bunyan() {
    const { default: bunyan } = await import('bunyan');
    const { withFlush } = await import('@logferry/bunyan');
    const { cloudWatchStream, logServiceStream } = await import(`@logferry/bunyan/${cloud}`);
    const entry = (cloudWatchStream ?? logServiceStream)({ ...options, thread });
    const logger = bunyan.createLogger({ name: 'lambda', streams: [entry] });
    return { withFlush, transport: entry, log: (text) => logger.info(text), stats: () => entry.stream.stats() };
  },
  async pino() {
    const { default: pino } = await import('pino');
    const { close, withFlush } = await import('@logferry/pino');
    const { default: open } = await import(`@logferry/pino/${cloud}`);
    const transport = thread ? pino.transport({ target: `@logferry/pino/${cloud}`, options }) : await open(options);
    const logger = pino(transport);
    return {
      withFlush,
      transport,
      log: (text) => logger.info(text),
      // The counters of pino's worker end with it.
      end: thread && (() => close(transport, { timeoutMs: 100 })),
      stats: () => transport.stats(),
    };
  },
};

const { withFlush, transport, log, end, stats } = await hosts[host]();

/** One handler of each kind. All log the records of their event. */
const handlers = {
  async: withFlush(async ({ texts }, _context) => {
    for (const text of texts) {
      log(text);
      await null;
    }
    return 'a result';
  }, transport),
  throwing: withFlush(async ({ texts }, _context) => {
    for (const text of texts) log(text);
    throw new Error('a result');
  }, transport),
  callback: withFlush(({ texts }, _context, callback) => {
    setImmediate(() => {
      for (const text of texts) log(text);
      callback(null, 'a result');
    });
  }, transport),
  streaming: withFlush(async ({ texts }, stream, _context) => {
    for (const text of texts) log(text);
    stream.end('a result');
  }, transport),
};

process.on('message', async (message) => {
  if (message.ends) await endEnvironment();
  else await invoke(message);
});

say({ started: true });

async function invoke({ kind, texts, timeoutMs }) {
  const deadlineMs = Date.now() + timeoutMs;
  const context = { getRemainingTimeInMillis: () => deadlineMs - Date.now() };
  const result = await run(handlers[kind], kind, { texts }, context);
  say({ result, leftMs: deadlineMs - Date.now() });
  process.kill(process.pid, 'SIGSTOP');
}

function run(handler, kind, event, context) {
  if (kind === 'throwing') return handler(event, context).catch(({ message }) => message);
  if (kind === 'async') return handler(event, context);
  return new Promise((resolve) => {
    if (kind === 'callback') handler(event, context, (_error, result) => resolve(result));
    else {
      let sent;
      const stream = {
        end(text) {
          sent = text;
        },
      };
      handler(event, stream, context).then(() => resolve(sent));
    }
  });
}

/** The environment's end. */
async function endEnvironment() {
  if (end) say({ stats: await end() });
  else process.on('exit', () => say({ stats: stats() }));
  process.exit();
}

/** Synchronous: the parent has read it when this process stands still. */
function say(message) {
  writeSync(1, `${JSON.stringify(message)}\n`);
}
