import { describe, expect, it } from 'vitest';
import { type LogServiceEmulatorOptions, startLogService } from '../src/index.js';
import { log, logs, messagesIn, NOW, PATH, put, send, setUp } from './log-service-helpers.js';

const to = (logstore: string) => ({ path: `/logstores/${logstore}/track` });

describe('startLogService', () => {
  it('serves project local with logstore logs by default, or the given names', async () => {
    const emulator = await setUp();
    expect(emulator.target).toEqual({ endpoint: emulator.url, project: 'local', logstore: 'logs' });
    const other = await setUp({ project: 'shop', logstores: ['web', 'audit'] });
    expect(other.target).toEqual({ endpoint: other.url, project: 'shop', logstore: 'web' });
    expect(await put(other, [log()], {}, to('audit'))).toMatchObject({ status: 200 });
  });

  it('has a region, and environment variables with its credentials', async () => {
    const emulator = await setUp();
    expect(emulator.region).toBe('us-east-1');
    expect(emulator.env).toEqual({
      ALIBABA_CLOUD_ACCESS_KEY_ID: expect.any(String),
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: expect.any(String),
    });
    const other = await setUp({ region: 'cn-hangzhou', credentials: { accessKeyId: 'id', accessKeySecret: 'secret' } });
    expect(other.region).toBe('cn-hangzhou');
    expect(other.env).toEqual({ ALIBABA_CLOUD_ACCESS_KEY_ID: 'id', ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'secret' });
  });

  it('has options for a client that signs, with the region and the first of the keys that it accepts then', async () => {
    const key = { accessKeyId: 'id', accessKeySecret: 'secret' };
    const next = { accessKeyId: 'temporary', accessKeySecret: 'other', securityToken: 'token' };
    const emulator = await setUp({ region: 'cn-hangzhou', credentials: key });
    const options = { ...emulator.target, region: 'cn-hangzhou' };
    expect(emulator.signedTarget).toEqual({ ...options, credentials: key });
    emulator.credentials([{ ...next, expiration: new Date(0) }, key]);
    expect(emulator.signedTarget).toEqual({ ...options, credentials: next });
  });

  it('listens on the given port, and rejects if that port is taken', async () => {
    const emulator = await setUp();
    const port = Number(new URL(emulator.url).port);
    await expect(startLogService({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it.each([
    [{ project: 'Shop' }, 'project: expected a string as ^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$, got "Shop"'],
    [{ logstores: ['web', 'a b'] }, 'logstores[1]: expected a string as ^[a-z0-9][a-z0-9_-]{0,61}[a-z0-9]$, got "a b"'],
    [{ webTrackingOff: ['-'] }, 'webTrackingOff[0]: expected a string as ^[a-z0-9][a-z0-9_-]{0,61}[a-z0-9]$, got "-"'],
    [{ logstores: [] }, 'logstores: expected at least one logstore, got none'],
  ] as [LogServiceEmulatorOptions, string][])('refuses %o', async (options, message) => {
    await expect(startLogService(options)).rejects.toThrow(new TypeError(`startLogService: ${message}`));
  });

  it('can be closed twice; then it refuses connections, and events() still works', async () => {
    const emulator = await setUp();
    await put(emulator, [log('hello')]);
    await emulator.close();
    await emulator.close();
    await expect(put(emulator, [log()])).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(messagesIn(emulator)).toEqual(['hello']);
  });
});

describe('a logstore', () => {
  it('that does not exist gives HTTP 404, which is not a violation', async () => {
    const emulator = await setUp();
    expect(await put(emulator, [log()], {}, to('none'))).toMatchObject({
      status: 404,
      errorCode: 'LogStoreNotExist',
      errorMessage: 'logstore none does not exist',
    });
    expect(emulator.stats()).toMatchObject({ requests: 1, accepted: 0, violationCount: 0 });
  });

  it('with web tracking off gives HTTP 401, which is not a violation', async () => {
    const emulator = await setUp({ webTrackingOff: ['audit'] });
    expect(await put(emulator, [log()], {}, to('audit'))).toMatchObject({ status: 401, errorCode: 'Unauthorized' });
    expect(await put(emulator, [log()])).toMatchObject({ status: 200 });
    expect(emulator.stats().violationCount).toBe(0);
  });

  it('is created by webTracking(), which also switches its web tracking', async () => {
    const emulator = await setUp();
    const statuses: number[] = [];
    for (const on of [true, false, true]) {
      emulator.webTracking('audit', on);
      statuses.push((await put(emulator, [log()], {}, to('audit'))).status);
    }
    expect(statuses).toEqual([200, 401, 200]);
    expect(() => emulator.webTracking('Audit', true)).toThrow('webTracking: logstore: expected a string as');
  });

  it('is looked up after the headers are checked and before the body is read', async () => {
    const emulator = await setUp();
    expect(await send(emulator, '{', { ...to('none'), headers: { 'x-log-apiversion': '1' } })).toMatchObject({
      errorCode: 'InvalidAPIVersion',
    });
    expect(await send(emulator, '{', to('none'))).toMatchObject({ errorCode: 'LogStoreNotExist' });
  });
});

describe('events()', () => {
  it('returns all details of each log, in order of arrival', async () => {
    const emulator = await setUp();
    const { headers } = await put(emulator, [log('first'), { level: 'info', message: 'second' }], {
      __topic__: 'web',
      __tags__: { env: 'test' },
    });
    await put(emulator, [log('third')]);
    const requestId = headers['x-log-requestid'];
    const time = { time: NOW, timeNs: (NOW % 1000) * 1_000_000, receiveTime: NOW };
    const common = { project: 'local', logstore: 'logs', source: 'host-1', ...time };
    expect(emulator.events()).toEqual([
      { ...common, topic: 'web', tags: { env: 'test' }, fields: { message: 'first' }, requestId },
      { ...common, topic: 'web', tags: { env: 'test' }, fields: { level: 'info', message: 'second' }, requestId },
      { ...common, topic: '', tags: {}, fields: { message: 'third' }, requestId: expect.any(String) },
    ]);
  });

  it('filters by logstore and topic', async () => {
    const emulator = await setUp({ logstores: ['logs', 'audit'] });
    await put(emulator, [log('one')]);
    await put(emulator, [log('two')], { __topic__: 'web' });
    await put(emulator, [log('three')], { __topic__: 'web' }, to('audit'));
    const messages = (filter: object) => emulator.events(filter).map(({ fields }) => fields.message);
    expect(messages({})).toEqual(['one', 'two', 'three']);
    expect(messages({ logstore: 'logs' })).toEqual(['one', 'two']);
    expect(messages({ topic: 'web' })).toEqual(['two', 'three']);
    expect(messages({ topic: '' })).toEqual(['one']);
    expect(messages({ logstore: 'audit', topic: 'web' })).toEqual(['three']);
    expect(messages({ logstore: 'other' })).toEqual([]);
  });

  it('returns a list that later requests do not change', async () => {
    const emulator = await setUp();
    const before = emulator.events();
    await put(emulator, [log()]);
    expect(before).toEqual([]);
    expect(emulator.events()).toHaveLength(1);
  });

  it('is also available as one JSON object per line by GET /, which stats() does not count', async () => {
    const emulator = await setUp();
    await put(emulator, [log('first\n'), log('second')]);
    const { status, body } = await send(emulator, '', { method: 'GET', path: '/' });
    expect(status).toBe(200);
    const lines = body.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(emulator.events());
    expect(emulator.stats().requests).toBe(1);
  });
});

describe('stats()', () => {
  it('counts requests, logs, bytes and the largest batch', async () => {
    const emulator = await setUp();
    await put(emulator, logs(3, 'abc'));
    await put(emulator, [log('x'.repeat(1000))]);
    await put(emulator, [log()]);
    const largest = Buffer.byteLength(`{"__source__":"host-1","__logs__":[{"message":"${'x'.repeat(1000)}"}]}`);
    expect(emulator.stats()).toEqual({
      requests: 3,
      operations: { PutWebTracking: 3 },
      accepted: 3,
      storedLogs: 5,
      rawBytes: expect.any(Number),
      wireBytes: emulator.stats().rawBytes,
      compression: { none: 3 },
      faults: {},
      violations: [],
      violationCount: 0,
      tolerated: [],
      toleratedCount: 0,
      unsupported: {},
      largestBatch: { events: 3, bytes: largest },
      concurrent: { perTopic: 1, overall: 1 },
    });
    await send(emulator, '{}', { headers: { 'x-log-compresstype': 'gzip' } });
    await send(emulator, '{}', { path: '/' });
    expect(emulator.stats()).toMatchObject({
      requests: 5,
      operations: { PutWebTracking: 4, Unknown: 1 },
      accepted: 3,
      compression: { none: 4, Unknown: 1 },
    });
  });

  it('keeps the first 100 violations and counts all', async () => {
    const emulator = await setUp();
    for (let n = 0; n < 101; n++) await put(emulator, []);
    await send(emulator, '{}', { path: '/' });
    const { violations, violationCount } = emulator.stats();
    expect(violations).toHaveLength(100);
    expect(violationCount).toBe(102);
  });

  it('omits the logstore of a violation if the path names none', async () => {
    const emulator = await setUp();
    await send(emulator, '{}', { path: '/' });
    expect(emulator.stats().violations).toEqual([
      {
        error: 'ParameterInvalid',
        message: 'The service has no operation POST /',
      },
    ]);
  });

  it('returns the most requests in flight at once, per topic and overall', async () => {
    const emulator = await setUp();
    await put(emulator, [log()]);
    await put(emulator, [log()]);
    expect(emulator.stats().concurrent).toEqual({ perTopic: 1, overall: 1 });
    emulator.faults({ hang: 1 });
    const hanging = [put(emulator, [log()]), put(emulator, [log()]), put(emulator, [log()], { __topic__: 'web' })].map(
      (request) => request.catch((error) => error.code),
    );
    await expect.poll(() => emulator.stats().faults.hang).toBe(3);
    expect(emulator.stats().concurrent).toEqual({ perTopic: 2, overall: 3 });
    await emulator.close();
    expect(await Promise.all(hanging)).toEqual(['ECONNRESET', 'ECONNRESET', 'ECONNRESET']);
  });

  it('stops counting a request as in flight when its client disconnects', async () => {
    const emulator = await setUp();
    emulator.faults({ next: ['hang', 'hang'] });
    const body = '{"__source__":"s","__logs__":[{"a":"1"}]}';
    const headers = {
      'content-type': 'application/json',
      'x-log-apiversion': '0.6.0',
      'x-log-bodyrawsize': String(body.length),
    };
    for (let n = 1; n <= 2; n++) {
      const abort = new AbortController();
      const hanging = fetch(`${emulator.url}${PATH}`, { method: 'POST', body, headers, signal: abort.signal });
      const aborted = expect(hanging).rejects.toMatchObject({ name: 'AbortError' });
      await expect.poll(() => emulator.stats().faults.hang).toBe(n);
      abort.abort();
      await aborted;
      // This round trip gives the server time to see that the connection closed.
      await put(emulator, []);
    }
    expect(emulator.stats().concurrent).toEqual({ perTopic: 1, overall: 1 });
  });
});
