import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FailureKind, TestService } from '@logferry/core/testing';

/** A line as Loki stores it. */
interface LokiLine {
  readonly labels: Readonly<Record<string, string>>;
  /** In epoch nanoseconds. */
  readonly time: string;
  readonly line: string;
}

/**
 * A local Loki with the default limits of Loki, which can fail. As Loki does, it stores the valid lines of a request that it
 * refuses, and stores a line once that has the labels, time and text of another.
 */
export interface Loki extends Omit<TestService, 'create'> {
  readonly url: string;
  lines(): readonly LokiLine[];
}

/** https://grafana.com/docs/loki/latest/configure/#limits_config: the defaults. */
const MAX_LINE_BYTES = 256 * 1024;
const MAX_LABELS = 15;
const MAX_LABEL_BYTES = 2048;
const MAX_AGE_MS = 7 * 24 * 3600 * 1000;
const MAX_FUTURE_MS = 10 * 60 * 1000;
/** A limit of this server, to test that a destination keeps it. */
const MAX_BODY_BYTES = 2_000_000;

const STATUS: Readonly<Record<string, number>> = { throttle: 429, serverError: 500, refuse: 400, tooLarge: 413 };
const OFTEN = ['throttle', 'serverError', 'reset', 'never', 'never', 'never'] as const;

/** `retryAfterSeconds` is a header of each HTTP 429. */
export async function startLoki({ retryAfterSeconds }: { readonly retryAfterSeconds?: number } = {}): Promise<Loki> {
  const stored = new Map<string, LokiLine>();
  const violations: string[] = [];
  let requests = 0;
  let failure: FailureKind | 'never' = 'never';
  const respond: RequestListener = async (request, response) => {
    const how = failure === 'often' ? (OFTEN[requests % OFTEN.length] ?? 'never') : failure;
    requests++;
    if (how === 'hang') return;
    if (how === 'reset') return void request.socket.destroy();
    const retryAfter = how === 'throttle' && retryAfterSeconds !== undefined;
    if (retryAfter) response.setHeader('retry-after', retryAfterSeconds);
    if (how !== 'never') return void response.writeHead(STATUS[how] ?? 500).end();
    try {
      const lines = await read(request);
      const valid = lines.filter((line) => faultOf(line) === undefined);
      for (const line of valid) stored.set(JSON.stringify(line), line);
      const faults = lines.map(faultOf).filter((fault) => fault !== undefined);
      check(faults.length === 0, faults.join());
      response.writeHead(204).end();
    } catch (error) {
      violations.push(String(error));
      response.writeHead(400).end(String(error));
    }
  };
  const server = createServer(respond);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lines: () => [...stored.values()],
    texts: () => [...stored.values()].map(({ line }) => line),
    requests: () => requests,
    violations: () => violations,
    fail(how) {
      failure = how;
    },
    close: () => server.close().closeAllConnections(),
  };
}

/** Returns the lines of a push request. Throws if its form is wrong. */
async function read(request: IncomingMessage): Promise<readonly LokiLine[]> {
  const { method, url, headers } = request;
  const body = Buffer.concat(await request.toArray());
  check(method === 'POST' && url === '/loki/api/v1/push', `${method} ${url}`);
  check(headers['content-type'] === 'application/json', `content-type ${headers['content-type']}`);
  check(body.length <= MAX_BODY_BYTES, `${body.length} bytes`);
  const { streams } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as PushRequest;
  check(streams.length > 0, 'no stream');
  return streams.flatMap(({ stream: labels, values }) => {
    checkLabels(labels);
    check(values.length > 0, 'no values');
    return values.map(([time, line]) => {
      check(typeof time === 'string' && /^\d{19}$/.test(time), `timestamp ${time}`);
      check(typeof line === 'string', `line ${line}`);
      return { labels, time, line };
    });
  });
}

interface PushRequest {
  readonly streams: readonly {
    readonly stream: Readonly<Record<string, string>>;
    readonly values: readonly (readonly [time: string, line: string])[];
  }[];
}

function checkLabels(labels: Readonly<Record<string, unknown>>): void {
  const names = Object.keys(labels);
  check(names.length > 0 && names.length <= MAX_LABELS, `${names.length} labels`);
  for (const [name, value] of Object.entries(labels)) {
    check(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name), `label ${name}`);
    check(typeof value === 'string' && Buffer.byteLength(value) <= MAX_LABEL_BYTES, `value of label ${name}`);
  }
}

/** The reason why a line is refused. */
function faultOf({ time, line }: LokiLine): string | undefined {
  const ageMs = Date.now() - Number(time) / 1e6;
  if (ageMs > MAX_AGE_MS) return 'timestamp too old';
  if (ageMs < -MAX_FUTURE_MS) return 'timestamp too new';
  return Buffer.byteLength(line) > MAX_LINE_BYTES ? 'line too long' : undefined;
}

function check(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}
