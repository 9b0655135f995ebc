import { describe, expect, it } from 'vitest';
import type { LogServiceFaultPlan } from '../src/index.js';
import { bodyOf, log, logs, messagesIn, put, type RawResponse, send, setUp } from './log-service-helpers.js';
import { call, groupOf, sendSigned, signedLog } from './log-service-signed-helpers.js';
import { encodeLz4Block } from './lz4-encoder.js';

const ALL_FAULTS = [
  'quota',
  'shardQuota',
  'throttle',
  'serverError',
  'busy',
  'html',
  'tooLarge',
  'unauthorized',
  'uncompressError',
  'reset',
  'hang',
  'lostAck',
  'invalidTimestamp',
  'timeOutOfRange',
  'tokenExpired',
  'tokenInvalid',
  'unknownAccessKey',
  'signatureNotMatch',
  'requestTimeExpired',
  'shardNotExist',
  'logstoreWithoutShard',
  'noShard',
  'projectForbidden',
  'metaQuota',
  'readQuota',
  'incomplete',
] as const satisfies (keyof LogServiceFaultPlan)[];

describe('a fault', () => {
  it.each([
    ['quota', 403, 'WriteQuotaExceed', 'Project write quota exceed: qps'],
    ['shardQuota', 403, 'ShardWriteQuotaExceed', expect.any(String)],
    ['throttle', 429, 'TooManyRequests', expect.any(String)],
    ['serverError', 500, 'InternalServerError', expect.any(String)],
    ['busy', 503, 'ServerBusy', 'The server is busy, please try again later.'],
    ['unauthorized', 401, 'Unauthorized', expect.any(String)],
    ['invalidTimestamp', 400, 'InvalidTimestamp', 'Invalid timestamps are in logs.'],
    ['timeOutOfRange', 499, 'PostBodyInvalid', 'The post data time is out of range'],
  ] as const)('%s gives HTTP %i %s', async (fault, status, errorCode, errorMessage) => {
    const emulator = await setUp();
    emulator.faults({ [fault]: 1 });
    const response = await put(emulator, [log()]);
    expect(response).toMatchObject({ status, errorCode, errorMessage });
    expect(response.headers['x-log-requestid']).toMatch(/^[0-9A-F]{24}$/);
    expect(emulator.stats()).toMatchObject({ faults: { [fault]: 1 }, accepted: 0, violationCount: 0 });
    expect(emulator.events()).toEqual([]);
  });

  it.each([
    ['html', 502, '502 Bad Gateway'],
    ['tooLarge', 413, '413 Request Entity Too Large'],
  ] as const)('%s gives HTTP %i with a body that is not JSON', async (fault, status, title) => {
    const emulator = await setUp();
    emulator.faults({ [fault]: 1 });
    const { headers, body, ...response } = await put(emulator, [log()]);
    expect({ status: response.status, type: headers['content-type'] }).toEqual({ status, type: 'text/html' });
    expect(body).toContain(`<title>${title}</title>`);
    expect(emulator.events()).toEqual([]);
  });

  it('uncompressError refuses a compressed body and accepts the same body without compression', async () => {
    const emulator = await setUp();
    emulator.faults({ uncompressError: 1 });
    const body = bodyOf(logs(20, 'hello'));
    const request = { rawSize: body.length, headers: { 'x-log-compresstype': 'lz4' } };
    expect(await send(emulator, encodeLz4Block(Buffer.from(body)), request)).toMatchObject({
      status: 400,
      errorCode: 'PostBodyUncompressError',
    });
    expect(await send(emulator, body)).toMatchObject({ status: 200 });
    expect(emulator.stats()).toMatchObject({ storedLogs: 20, faults: { uncompressError: 1 }, violationCount: 0 });
  });

  it('reset resets the connection and stores nothing', async () => {
    const emulator = await setUp();
    emulator.faults({ reset: 1 });
    await expect(put(emulator, [log()])).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(emulator.events()).toEqual([]);
  });

  it('lostAck stores the logs and resets the connection', async () => {
    const emulator = await setUp();
    emulator.faults({ lostAck: 1 });
    await expect(put(emulator, [log('hello')])).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(messagesIn(emulator)).toEqual(['hello']);
    expect(emulator.stats()).toMatchObject({ accepted: 1, faults: { lostAck: 1 } });
  });

  it('hang gives no response until close() resets the connection', async () => {
    const emulator = await setUp();
    emulator.faults({ hang: 1 });
    const failed = expect(put(emulator, [log()])).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect.poll(() => emulator.stats().faults).toEqual({ hang: 1 });
    emulator.faults();
    await put(emulator, [log('responded')]);
    await emulator.close();
    await failed;
    expect(messagesIn(emulator)).toEqual(['responded']);
  });

  it('down resets the connection of every request, valid or not', async () => {
    const emulator = await setUp();
    emulator.faults({ down: true });
    await expect(put(emulator, [log()])).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect(send(emulator, '{')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(emulator.stats()).toMatchObject({ requests: 2, faults: { down: 2 }, violationCount: 0 });
  });

  it('delayMs delays the response, but not the storage', async () => {
    const emulator = await setUp();
    for (const delayMs of [30, [30, 40]] as const) {
      emulator.faults({ delayMs });
      const begin = performance.now();
      await put(emulator, [log()]);
      expect(performance.now() - begin).toBeGreaterThan(28);
    }
    emulator.faults({ delayMs: 600_000 });
    const failed = expect(put(emulator, [log('stored')])).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect.poll(() => messagesIn(emulator)).toContain('stored');
    await emulator.close();
    await failed;
  });

  it('retryAfterSeconds is sent only with quota, throttling and 5xx responses', async () => {
    const emulator = await setUp();
    const later = ['quota', 'shardQuota', 'throttle', 'serverError', 'busy', 'html'] as const;
    emulator.faults({ next: [...later, 'unauthorized', 'ok'], retryAfterSeconds: 7 });
    for (const fault of later) {
      expect((await put(emulator, [log()])).headers['retry-after'], fault).toBe('7');
    }
    for (let n = 0; n < 2; n++) expect((await put(emulator, [log()])).headers['retry-after']).toBeUndefined();
  });

  it('poison refuses every request that contains the bad log', async () => {
    const emulator = await setUp();
    emulator.faults({ poison: ({ message }) => message === 'bad', next: ['ok', 'ok', 'quota'] });
    for (let n = 0; n < 2; n++) {
      expect(await put(emulator, [log('good'), log('bad')])).toMatchObject({
        status: 400,
        errorCode: 'PostBodyInvalid',
      });
    }
    expect(emulator.stats()).toMatchObject({ faults: { poison: 2 }, violationCount: 0 });
    const statuses = [];
    for (let n = 0; n < 3; n++) statuses.push((await put(emulator, [log('good')])).status);
    expect(statuses, 'poison does not consume next').toEqual([200, 200, 403]);
    expect(messagesIn(emulator)).toEqual(['good', 'good']);
  });
});

describe('a fault of signed requests', () => {
  const DENIED =
    'denied by sts or ram, action: log:PostLogStoreLogs, resource: acs:log:us-east-1:1234567890123456:project/local/logstore/logs';

  it.each([
    ['tokenExpired', 401, 'Unauthorized', 'The security token you provided has expired'],
    ['tokenInvalid', 401, 'Unauthorized', 'The security token you provided is invalid'],
    ['unknownAccessKey', 401, 'InvalidAccessKeyId', expect.any(String)],
    ['signatureNotMatch', 401, 'SignatureNotMatch', expect.stringMatching(/^Signature .* not matched\.$/)],
    ['requestTimeExpired', 400, 'RequestTimeExpired', expect.stringContaining('has been expired while server time is')],
  ] as const)('%s gives HTTP %i %s, and web tracking ignores it', async (fault, status, errorCode, errorMessage) => {
    const emulator = await setUp();
    emulator.faults({ [fault]: 1 });
    expect(await sendSigned(emulator, groupOf([signedLog()]))).toMatchObject({ status, errorCode, errorMessage });
    expect(emulator.stats()).toMatchObject({ faults: { [fault]: 1 }, accepted: 0, violationCount: 0 });
    expect(await put(emulator, [log()])).toMatchObject({ status: 200 });
  });

  it.each([
    ['shardNotExist', 400, 'ShardNotExist', 'Shard 0 does not exist.'],
    ['logstoreWithoutShard', 400, 'LogStoreWithoutShard', 'logstore has no shard'],
    ['noShard', 500, 'InternalServerError', 'internal server error,no avaliable shard'],
    ['projectForbidden', 403, 'ProjectForbidden', 'Project local has been forbidden.'],
    ['metaQuota', 403, 'MetaOperationQpsLimitExceeded', 'Qps limit for the meta operation is exceeded.'],
    ['unauthorized', 401, 'Unauthorized', DENIED],
    ['shardQuota', 403, 'ShardWriteQuotaExceed', expect.any(String)],
    ['timeOutOfRange', 499, 'PostBodyInvalid', 'The post data time is out of range'],
  ] as const)('%s gives HTTP %i %s', async (fault, status, errorCode, errorMessage) => {
    const emulator = await setUp();
    emulator.faults({ next: [fault] });
    expect(await sendSigned(emulator, groupOf([signedLog()]))).toMatchObject({ status, errorCode, errorMessage });
    expect(await sendSigned(emulator, groupOf([signedLog()]))).toMatchObject({ status: 200 });
  });

  it('is limited by topic and text, and poison sees the fields of the logs', async () => {
    const emulator = await setUp();
    const body = groupOf([signedLog('one')], { Topic: 'web' });
    emulator.faults({ busy: 1, where: { topic: 'web', includes: 'one' } });
    expect(await sendSigned(emulator, body)).toMatchObject({ status: 503 });
    expect(await sendSigned(emulator, groupOf([signedLog('one')]))).toMatchObject({ status: 200 });
    emulator.faults({ poison: ({ message }) => message === 'one' });
    expect(await sendSigned(emulator, body)).toMatchObject({ status: 400, errorCode: 'PostBodyInvalid' });
    emulator.faults({ uncompressError: 1 });
    expect(await sendSigned(emulator, body), 'without compression').toMatchObject({ status: 200 });
    const request = { rawSize: body.length, headers: { 'x-log-compresstype': 'lz4' } };
    expect(await sendSigned(emulator, encodeLz4Block(body), request)).toMatchObject({
      errorCode: 'PostBodyUncompressError',
    });
  });

  it('lostAck stores the logs and resets the connection', async () => {
    const emulator = await setUp();
    emulator.faults({ lostAck: 1 });
    await expect(sendSigned(emulator, groupOf([signedLog()]))).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(messagesIn(emulator)).toEqual(['hello']);
  });

  it('applies to other operations only if the plan names them', async () => {
    const emulator = await setUp();
    const create = () => call(emulator, 'POST /logstores', { logstoreName: 'shop', ttl: 1, shardCount: 1 });
    emulator.faults({ metaQuota: 1, only: ['CreateLogStore'] });
    expect(await create()).toMatchObject({ status: 403, errorCode: 'MetaOperationQpsLimitExceeded' });
    expect(await sendSigned(emulator, groupOf([signedLog()]))).toMatchObject({ status: 200 });
    emulator.faults({ incomplete: 1 });
    expect(await sendSigned(emulator, groupOf([signedLog()]))).toMatchObject({ status: 200 });
    emulator.faults({ busy: 1 });
    expect(await create()).toMatchObject({ status: 200 });
  });
});

describe('the choice of requests that meet faults', () => {
  const outcomes = async (plan: LogServiceFaultPlan, seed: number, count = 40) => {
    const emulator = await setUp({ seed });
    emulator.faults(plan);
    const statuses: number[] = [];
    for (let n = 0; n < count; n++) statuses.push((await put(emulator, [log()])).status);
    return statuses;
  };

  it('follows next, and then the probabilities', async () => {
    expect(await outcomes({ next: ['quota', 'ok', 'busy'], unauthorized: 1 }, 1, 4)).toEqual([403, 200, 503, 401]);
  });

  it('is random, and the same for the same seed', async () => {
    const plan = { quota: 0.3, busy: 0.3 };
    const first = await outcomes(plan, 7);
    expect(await outcomes(plan, 7)).toEqual(first);
    expect(await outcomes(plan, 8)).not.toEqual(first);
    expect(new Set(first)).toEqual(new Set([200, 403, 503]));
  });

  it('can be limited to a logstore, a topic, or requests with a certain text in a value', async () => {
    const emulator = await setUp({ logstores: ['logs', 'audit'] });
    for (const where of [
      { logstore: 'logs' },
      { topic: 'web' },
      { includes: 'on' },
      { logstore: 'logs', topic: 'web', includes: 'one' },
    ]) {
      emulator.faults({ quota: 1, delayMs: 1, where });
      expect(await put(emulator, [log('zero'), log('one')], { __topic__: 'web' })).toMatchObject({ status: 403 });
      expect(await put(emulator, [log('two')], {}, { path: '/logstores/audit/track' })).toMatchObject({ status: 200 });
    }
    emulator.faults({ quota: 1, poison: () => true, where: { logstore: 'other' } });
    expect(await put(emulator, [log('three')])).toMatchObject({ status: 200 });
    expect(messagesIn(emulator)).toEqual(['two', 'two', 'two', 'two', 'three']);
  });

  it('does not consume next for requests out of scope', async () => {
    const emulator = await setUp();
    emulator.faults({ next: ['quota'], where: { includes: 'one' } });
    const statuses: number[] = [];
    for (const message of ['two', 'one', 'one']) statuses.push((await put(emulator, [log(message)])).status);
    expect(statuses).toEqual([200, 403, 200]);
  });

  it('excludes requests that break a rule, or whose logstore is missing or has web tracking off', async () => {
    const emulator = await setUp({ webTrackingOff: ['off'] });
    emulator.faults({ busy: 1 });
    const to = (logstore: string): Promise<RawResponse> =>
      put(emulator, [log()], {}, { path: `/logstores/${logstore}/track` });
    expect([(await to('none')).status, (await to('off')).status]).toEqual([404, 401]);
    expect(await put(emulator, [])).toMatchObject({ status: 400, errorCode: 'PostBodyInvalid' });
    expect(emulator.stats()).toMatchObject({ faults: {}, violationCount: 1 });
  });
});

describe('faults()', () => {
  it.each([
    [{ rejectOld: 1 }, `faults: rejectOld: unknown name; known are ${ALL_FAULTS.join(', ')}, next,`],
    [{ quota: 1.1 }, 'faults: quota: expected a number from 0 to 1, got 1.1'],
    [{ next: ['quotas'] }, 'faults: next[0]: expected "ok" or "quota" or '],
  ])('refuses %o and keeps the old plan', async (plan, message) => {
    const emulator = await setUp();
    emulator.faults({ quota: 1 });
    expect(() => emulator.faults(plan as LogServiceFaultPlan)).toThrow(message);
    expect(await put(emulator, [log()]), 'the old plan stays').toMatchObject({ status: 403 });
  });
});
