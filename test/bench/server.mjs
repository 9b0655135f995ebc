// The server of a run, in a process of its own. Each measurement has a fresh emulator, as strict as the services. The floor
// has a sink that accepts anything.
import { createServer } from 'node:http';
import { startCloudWatch, startLogService } from '@logferry/emulators';

const starters = {
  cloudwatch: async () => {
    const emulator = await startCloudWatch();
    return {
      emulator,
      requestsOf: ({ requests }) => requests.PutLogEvents ?? 0,
      idOf: ({ message }) => idIn(message),
      storedAtOf: ({ ingestionTime }) => ingestionTime,
      messageBytesOf: ({ message }) => Buffer.byteLength(message),
    };
  },
  'log-service': async () => ({
    emulator: await startLogService(),
    requestsOf: ({ operations }) => (operations.PutWebTracking ?? 0) + (operations.PutLogs ?? 0),
    idOf: ({ fields }) => fields.id ?? idIn(fields.message),
    storedAtOf: ({ receiveTime }) => receiveTime,
    messageBytesOf: ({ fields }) => Buffer.byteLength(JSON.stringify(fields)),
  }),
  sink: startSink,
  loki: startLoki,
};

/** In a line of JSON, or of text. */
function idIn(text) {
  return /(?:"id":|\bid=)(\d+)/.exec(text)?.[1];
}

let running;
let cpuAtStart;

const commands = {
  async start({ kind, delayMs }) {
    running = await starters[kind]();
    if (delayMs) running.emulator.faults({ delayMs });
    cpuAtStart = process.cpuUsage();
    const { url, env = {}, target } = running.emulator;
    // The AWS SDK reads its target from the environment.
    return { url, env, target: kind === 'log-service' ? target : undefined };
  },
  /** Counts the stored records, and closes the server. */
  async stop({ records }) {
    const { user, system } = process.cpuUsage(cpuAtStart);
    const counts = running.counts?.() ?? countEvents(running, records);
    await running.emulator.close();
    running = undefined;
    return { ...counts, serverCpuMs: (user + system) / 1000 };
  },
};

process.on('message', async ({ command, argument }) => process.send(await commands[command](argument)));
process.on('disconnect', () => process.exit());

function countEvents({ emulator, requestsOf, idOf, storedAtOf, messageBytesOf }, records) {
  const events = emulator.events();
  const stats = emulator.stats();
  const seen = new Uint8Array(records);
  let distinct = 0;
  let messageBytes = 0;
  let lastStoredAt = 0;
  for (const event of events) {
    lastStoredAt = Math.max(lastStoredAt, storedAtOf(event));
    messageBytes += messageBytesOf(event);
    // Notices of the transport have no number.
    const id = Number(idOf(event) ?? -1);
    if (seen[id] === 0) distinct += seen[id] = 1;
  }
  return {
    delivered: distinct,
    messageBytes,
    lastStoredAt,
    requests: requestsOf(stats),
    wireBytes: stats.wireBytes,
    violations: stats.violations.slice(0, 3),
  };
}

async function startSink() {
  const counts = noCounts();
  return startCounting(counts, async (request, response) => {
    for await (const chunk of request) counts.wireBytes += chunk.length;
    counts.requests++;
    counts.delivered += Number(request.headers['x-records']);
    counts.lastStoredAt = Date.now();
    response.end('{}');
  });
}

/** Responds as the push API of Grafana Loki does. */
async function startLoki() {
  const counts = noCounts();
  return startCounting(counts, async (request, response) => {
    const chunks = await request.toArray();
    counts.requests++;
    for (const { length } of chunks) counts.wireBytes += length;
    for (const { values } of JSON.parse(Buffer.concat(chunks).toString()).streams) {
      counts.delivered += values.length;
      for (const [, line] of values) counts.messageBytes += Buffer.byteLength(line);
    }
    counts.lastStoredAt = Date.now();
    response.writeHead(204).end();
  });
}

function noCounts() {
  return { delivered: 0, messageBytes: 0, lastStoredAt: 0, requests: 0, wireBytes: 0, violations: [] };
}

async function startCounting(counts, listener) {
  const server = createServer(listener);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => new Promise((resolve) => server.close(resolve).closeAllConnections());
  return { emulator: { url: `http://127.0.0.1:${server.address().port}`, close }, counts: () => counts };
}
