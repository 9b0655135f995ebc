import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { assertBalanced } from '@logferry/core';
import { type LogServiceEmulator, startLogService } from '@logferry/emulators';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { full } from '../forms.js';
import { hosts } from './support/hosts.js';

const RECORDS = 600;
const BATCH = 20;
/** A key ends after so many accepted requests. */
const REQUESTS_PER_KEY = 3;

/** Log Service, behind a proxy that ends temporary keys, and the server that gives them. */
class Service {
  readonly #emulator: LogServiceEmulator;
  readonly #servers: Server[] = [];
  /** Number of the last key that was issued. */
  keys = 0;
  /** How often the server of keys was asked. */
  asked = 0;
  accepted = 0;
  /** Token and body of each request that was refused for its key. */
  readonly refused: string[] = [];
  readonly failures: string[] = [];

  constructor(emulator: LogServiceEmulator) {
    this.#emulator = emulator;
    this.#issue();
  }

  async start(): Promise<object> {
    const proxy = await this.#listen((incoming) => this.#forward(incoming));
    const source = await this.#listen(async () => {
      this.asked++;
      return { status: 200, headers: {}, body: Buffer.from(JSON.stringify({ Code: 'Success', ...this.#key() })) };
    });
    const credentials = { type: 'credentials_uri', credentialsURI: source };
    return { ...this.#emulator.target, endpoint: proxy, credentials };
  }

  async close(): Promise<void> {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
    await this.#emulator.close();
  }

  #key() {
    const number = this.keys;
    const Expiration = new Date(Date.now() + 3_600_000).toISOString();
    return {
      AccessKeyId: `STS.${number}`,
      AccessKeySecret: `secret${number}`,
      SecurityToken: `token${number}`,
      Expiration,
    };
  }

  #issue(): void {
    this.keys++;
    const { AccessKeyId: accessKeyId, AccessKeySecret: accessKeySecret, SecurityToken: securityToken } = this.#key();
    this.#emulator.credentials({ accessKeyId, accessKeySecret, securityToken });
  }

  async #forward(incoming: IncomingMessage) {
    const body = await buffer(incoming);
    const { method, url, headers } = incoming;
    const outgoing = request(new URL(url ?? '', this.#emulator.url), { method, headers });
    outgoing.end(body);
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    const { statusCode: status = 0 } = response;
    const token = String(headers['x-acs-security-token']);
    if (status === 401) this.refused.push(`${token} ${createHash('sha256').update(body).digest('hex')}`);
    else if (status !== 200) this.failures.push(`HTTP ${status}`);
    else if (++this.accepted % REQUESTS_PER_KEY === 0) this.#issue();
    return { status, headers: response.headers, body: await buffer(response) };
  }

  async #listen(
    answer: (
      incoming: IncomingMessage,
    ) => Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }>,
  ): Promise<string> {
    const server = createServer(async (incoming, response) => {
      const { status, headers, body } = await answer(incoming);
      response.writeHead(status, headers).end(body);
    });
    this.#servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
}

/** In the short form: in process, in a thread, and in pino's worker. */
const chosen = hosts.filter(({ name }) => full || ['winston', 'bunyan in a thread', 'pino in a worker'].includes(name));

describe.each(chosen)('temporary keys that end while records are delivered, $name', (host) => {
  let emulator: LogServiceEmulator;
  let service: Service;
  beforeEach(async () => {
    emulator = await startLogService({ strict: true });
    service = new Service(emulator);
  });
  afterEach(() => service.close());

  it('lose no record, and no batch is sent twice with an ended key', async () => {
    const options = await service.start();
    const logger = await host.start('log-service', { ...options, maxBatchEvents: BATCH, maxDelayMs: 20 });
    for (let id = 0; id < RECORDS; id++) {
      logger.log('info', 'x', { id });
      if (id % BATCH === 0) await delay(1);
    }
    await logger.flush();
    const stats = await logger.stats();
    assertBalanced(stats);
    expect(stats).toMatchObject({ received: RECORDS, delivered: RECORDS });
    await logger.end();
    const ids = emulator.events().map(({ fields }) => Number(fields.id));
    expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: RECORDS }, (_, id) => id));
    expect(service.keys).toBeGreaterThan(5);
    expect(service.refused.length).toBeGreaterThan(3);
    expect(new Set(service.refused).size).toBe(service.refused.length);
    expect(service.asked).toBeLessThanOrEqual(service.keys);
    expect(service.failures).toEqual([]);
  });
});
