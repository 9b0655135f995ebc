import { once } from 'node:events';
import { Agent, get as httpGet } from 'node:http';
import type { Socket } from 'node:net';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startCloudWatch, startLogService } from '../src/index.js';
import { connect, event, events, GROUP, messagesIn, NOW, put, STREAM, setUp, TARGET } from './helpers.js';

describe('startCloudWatch', () => {
  it('works for an SDK client that is configured only by environment variables', async () => {
    const { emulator } = await setUp();
    for (const [name, value] of Object.entries(emulator.env)) vi.stubEnv(name, value);
    const client = new CloudWatchLogsClient();
    await client.send(new PutLogEventsCommand({ ...TARGET, logEvents: [event('hello')] }));
    client.destroy();
    vi.unstubAllEnvs();
    expect(emulator.events()).toHaveLength(1);
  });

  it('has options for a client that reads no environment variable, and another server of the process has its own', async () => {
    vi.stubEnv('AWS_REGION', 'of the machine');
    vi.stubEnv('AWS_SESSION_TOKEN', 'of the machine');
    onTestFinished(() => void vi.unstubAllEnvs());
    const credentials = { accessKeyId: 'AKIAMINE', secretAccessKey: 'mine', sessionToken: 'session' };
    const servers = [
      await startCloudWatch({ strict: true }),
      await startCloudWatch({ strict: true, region: 'eu-west-1', credentials }),
    ];
    expect(servers[1]?.target).toEqual({ endpoint: servers[1]?.url, region: 'eu-west-1', credentials });
    for (const [index, server] of servers.entries()) {
      onTestFinished(() => server.close());
      const client = new CloudWatchLogsClient(server.target);
      await client.send(new CreateLogGroupCommand({ logGroupName: GROUP }));
      await client.send(new CreateLogStreamCommand(TARGET));
      await client.send(
        new PutLogEventsCommand({ ...TARGET, logEvents: [{ timestamp: Date.now(), message: `to ${index}` }] }),
      );
      client.destroy();
    }
    expect(servers.map(messagesIn)).toEqual([['to 0'], ['to 1']]);
    expect(servers.flatMap((server) => server.stats().violations)).toEqual([]);
  });

  it('listens on the given port, and rejects if that port is taken', async () => {
    const { emulator } = await setUp();
    const port = Number(new URL(emulator.url).port);
    await expect(startCloudWatch({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await emulator.close();
    const second = await startCloudWatch({ port });
    expect(second.url).toBe(emulator.url);
    await second.close();
  });

  it('answers a preflight request as the service, but allows no other origin', async () => {
    const { emulator } = await setUp();
    const { status, headers } = await fetch(emulator.url, {
      method: 'OPTIONS',
      headers: { origin: 'https://a.example' },
    });
    expect(status).toBe(200);
    expect(headers.get('x-amzn-requestid')).toMatch(/^[\da-f-]{36}$/);
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(emulator.stats().violationCount).toBe(0);
  });

  it('listens on IPv6 addresses', async () => {
    const emulator = await startCloudWatch({ host: '::1' });
    expect(emulator.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    await emulator.close();
  });

  it.each([
    ['0.0.0.0', '127.0.0.1'],
    ['::', '[::1]'],
  ])('listens on all addresses with host %s, and gives one to which clients can connect', async (host, address) => {
    const emulator = await startCloudWatch({ host });
    expect(new URL(emulator.url).hostname).toBe(address);
    expect((await fetch(emulator.url)).status).toBe(200);
    await emulator.close();
  });

  it('can be closed twice; then it refuses connections, and events() still works', async () => {
    const { emulator, client } = await setUp();
    await put(client, [event('hello')]);
    await emulator.close();
    await emulator.close();
    await expect(put(connect(emulator), [event()])).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(emulator.events()).toHaveLength(1);
  });
});

it('closeIdleConnections() closes the connections without a request, and no other', async () => {
  const { emulator, client } = await setUp();
  const service = await startLogService();
  for (const server of [emulator, service]) {
    const agent = new Agent({ keepAlive: true });
    const get = () =>
      new Promise<Socket>((resolve) => {
        const request = httpGet(server.url, { agent }, (response) =>
          response.resume().once('end', () => resolve(request.socket as Socket)),
        );
      });
    const idle = await get();
    const closed = once(idle, 'close');
    server.closeIdleConnections();
    await closed;
    expect((await get()).destroyed).toBe(false);
    agent.destroy();
  }
  emulator.faults({ delayMs: 200 });
  const slow = put(client, [event('slow')]);
  await expect.poll(() => emulator.events()).toHaveLength(1);
  emulator.closeIdleConnections();
  await slow;
  await service.close();
});

describe('events()', () => {
  it('filters by group and stream', async () => {
    const { emulator, client } = await setUp();
    await client.send(new CreateLogStreamCommand({ logGroupName: GROUP, logStreamName: 'web-2' }));
    await put(client, [event('one')]);
    await put(client, [event('two')], { logStreamName: 'web-2' });
    const messages = (filter: object) => emulator.events(filter).map(({ message }) => message);
    expect(messages({})).toEqual(['one', 'two']);
    expect(messages({ logGroupName: GROUP })).toEqual(['one', 'two']);
    expect(messages({ logGroupName: 'other' })).toEqual([]);
    expect(messages({ logStreamName: STREAM })).toEqual(['one']);
    expect(messages({ logGroupName: GROUP, logStreamName: 'web-2' })).toEqual(['two']);
  });

  it('is also available as one JSON object per line by GET /, which stats() does not count', async () => {
    const { emulator, client } = await setUp();
    await put(client, [event('first\n'), event('second')]);
    const before = emulator.stats();
    const lines = (await (await fetch(emulator.url)).text()).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(emulator.events());
    expect(emulator.stats()).toEqual(before);
  });

  it('returns a list that later requests do not change', async () => {
    const { emulator, client } = await setUp();
    const before = emulator.events();
    await put(client, [event()]);
    expect(before).toEqual([]);
    expect(emulator.events()).toHaveLength(1);
  });
});

describe('stats()', () => {
  it('counts requests by operation, bytes and the largest batch', async () => {
    const { emulator, client } = await setUp();
    await put(client, events(3, 'abc'));
    await put(client, [event('x'.repeat(1000))]);
    const stats = emulator.stats();
    expect(stats).toMatchObject({
      requests: { CreateLogGroup: 1, CreateLogStream: 1, PutLogEvents: 2 },
      acceptedPuts: 2,
      storedEvents: 4,
      storedBytes: 3 * 29 + 1026,
      largestBatch: { events: 3, bytes: 1026 },
      concurrent: { perStream: 1, overall: 1 },
      faults: {},
      violations: [],
      violationCount: 0,
    });
    expect(stats.wireBytes).toBeGreaterThan(stats.storedBytes);
  });

  it('keeps the first 100 violations and counts all', async () => {
    const { emulator, client } = await setUp();
    for (let n = 0; n < 102; n++) {
      await expect(put(client, [event('m', NOW), event('m', NOW - 1 - n)])).rejects.toThrow();
    }
    const { violations, violationCount } = emulator.stats();
    expect(violations).toHaveLength(100);
    expect(violationCount).toBe(102);
  });

  it('returns the most PutLogEvents in flight at once, per stream and overall', async () => {
    const { emulator, client } = await setUp();
    await client.send(new CreateLogStreamCommand({ logGroupName: GROUP, logStreamName: 'web-2' }));
    await put(client, [event()]);
    await put(client, [event()]);
    expect(emulator.stats().concurrent).toEqual({ perStream: 1, overall: 1 });
    emulator.faults({ hang: 1 });
    const hanging = [
      put(client, [event()]),
      put(client, [event()]),
      put(client, [event()], { logStreamName: 'web-2' }),
    ].map((request) => request.catch((error) => error.code));
    await expect.poll(() => emulator.stats().faults.hang).toBe(3);
    expect(emulator.stats().concurrent).toEqual({ perStream: 2, overall: 3 });
    await emulator.close();
    expect(await Promise.all(hanging)).toEqual(['ECONNRESET', 'ECONNRESET', 'ECONNRESET']);
  });

  it('stops counting a request as in flight when its client disconnects', async () => {
    const { emulator, client } = await setUp();
    emulator.faults({ next: ['hang', 'hang'] });
    for (let n = 1; n <= 2; n++) {
      const abort = new AbortController();
      const hanging = client.send(new PutLogEventsCommand({ ...TARGET, logEvents: [event()] }), {
        abortSignal: abort.signal,
      });
      const aborted = expect(hanging).rejects.toMatchObject({ name: 'AbortError' });
      await expect.poll(() => emulator.stats().faults.hang).toBe(n);
      abort.abort();
      await aborted;
    }
    expect(emulator.stats().concurrent).toEqual({ perStream: 1, overall: 1 });
  });
});
