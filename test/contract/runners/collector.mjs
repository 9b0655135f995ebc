// A third party's destination for a collector of lines, and its harness for the destination contract.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createHttpClient, DeliveryError, enclosePayloads } from '@logferry/core';

const MAX_BYTES = 200_000;
const CODES = { 400: 'INVALID', 413: 'TOO_LARGE', 429: 'THROTTLED', 500: 'UNAVAILABLE' };

export function createCollector(options) {
  const http = createHttpClient();
  return {
    name: 'collector',
    reads: 'text',
    separator: '\n',
    limits: { maxEvents: 500, maxBytes: MAX_BYTES },
    encode({ time, level, text }) {
      const payload = JSON.stringify({ time, level, text: text.toWellFormed() });
      const bytes = Buffer.byteLength(payload) + 1;
      if (bytes > MAX_BYTES && !options.exceedsLimit) return { refused: 'too-large' };
      return { route: options.url, time, payload, bytes };
    },
    async send(batch, signal) {
      const body = enclosePayloads(batch, '', '\n');
      const request = { url: batch.route, method: 'POST', headers: {}, body, signal };
      const { status } = await http.request(request).catch((cause) => {
        throw new DeliveryError(signal.aborted ? 'TIMEOUT' : 'NETWORK', cause.message, { cause, ambiguous: true });
      });
      if (status === 200 || (status === 429 && options.swallowsThrottling))
        return { rejected: [], wireBytes: body.length };
      throw new DeliveryError(CODES[status] ?? 'MISCONFIGURED', `HTTP ${status}`, { ambiguous: status >= 500 });
    },
    close: async () => http.close(),
    recipe: () => ({ module: import.meta.url, factory: 'createCollector', options }),
  };
}

const STATUS = { throttle: 429, serverError: 500, refuse: 400, tooLarge: 413 };
const OFTEN = ['throttle', 'serverError', 'reset', 'never', 'never', 'never'];

/** Starts a collector whose destinations have these `faults`. */
export async function startCollector(faults) {
  const texts = [];
  const violations = [];
  let requests = 0;
  let failure = 'never';
  const server = createServer(async (request, response) => {
    const how = failure === 'often' ? OFTEN[requests % OFTEN.length] : failure;
    requests++;
    if (how === 'hang') return;
    if (how === 'reset') return request.socket.destroy();
    if (how !== 'never') return response.writeHead(STATUS[how]).end();
    const body = Buffer.concat(await request.toArray());
    const lines = body.toString().split('\n').slice(0, -1);
    if (body.length > MAX_BYTES || lines.length > 500) violations.push(`${lines.length} lines, ${body.length} bytes`);
    texts.push(...lines.map((line) => JSON.parse(line).text));
    response.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${server.address().port}/`;
  return {
    create: () => createCollector({ url, ...faults }),
    texts: () => texts,
    requests: () => requests,
    violations: () => violations,
    fail: (how) => (failure = how),
    close: () => server.close().closeAllConnections(),
  };
}
