import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { DeliveryError } from '@logferry/core';
import { expect, it, onTestFinished, vi } from 'vitest';
import { batchOf, create, deliver, send } from './support/events.js';
import { accepted, type CannedResponse, serviceError, startEmulator, startServer } from './support/servers.js';

it('returns the bytes on the wire and the id of the request', async () => {
  const { access, requests } = await startServer(() => accepted);
  const destination = create(access);
  const outcome = await send(destination, batchOf(destination, 'größe'));
  expect(outcome).toEqual({ rejected: [], wireBytes: requests[0]?.body.length, requestId: 'request-1' });
});

it('writes a body of exactly the payloads of its events', async () => {
  const { access, requests } = await startServer(() => accepted);
  const destination = create({ ...access, logStreamName: 'a "b"' });
  const batch = batchOf(destination, 'x', 'größe\n');
  await send(destination, batch);
  const [x, y] = batch.events;
  expect(requests[0]?.body.toString()).toBe(
    `{"logGroupName":"shop","logStreamName":"a \\"b\\"","logEvents":[${x?.payload},${y?.payload}]}`,
  );
  expect(requests[0]?.headers).toMatchObject({
    'x-amz-target': 'Logs_20140328.PutLogEvents',
    'content-type': 'application/x-amz-json-1.1',
    'content-length': String(requests[0]?.body.length),
  });
});

it('reads the index 0 in a response as an index', async () => {
  const { access } = await startServer(() => ({
    status: 200,
    body: JSON.stringify({ rejectedLogEventsInfo: { tooNewLogEventStartIndex: 0 } }),
  }));
  const destination = create(access);
  const { rejected } = await send(destination, batchOf(destination, 'x', 'y'));
  expect(rejected).toEqual([
    { index: 0, reason: 'too-new' },
    { index: 1, reason: 'too-new' },
  ]);
});

it('sends the entity with every batch', async () => {
  const { access, requests } = await startServer(() => accepted);
  const entity = { keyAttributes: { Type: 'Service', Name: 'shop' }, attributes: { tier: 'web' } };
  const destination = create({ ...access, entity });
  await send(destination, batchOf(destination, 'x'));
  await send(destination, batchOf(destination, 'y'));
  for (const { body } of requests) expect(JSON.parse(String(body)).entity).toEqual(entity);
});

it('delivers although the service rejects the entity, and reports the fault once', async () => {
  const { emulator, access } = await startEmulator();
  const destination = create({ ...access, entity: { keyAttributes: { Name: 'shop', Environment: 'test' } } });
  const message = 'PutLogEvents to "shop" stored the events, but rejected their entity: MissingRequiredFields';
  const first = await deliver(destination, batchOf(destination, 'x'));
  expect(first.faults).toMatchObject([{ code: 'MISCONFIGURED', message }]);
  const second = await deliver(destination, batchOf(destination, 'y'));
  expect(second.faults).toBeUndefined();
  expect(emulator.events()).toHaveLength(2);
});

it('sends no sequence token unless the service asks for one', async () => {
  const { access, requests } = await startServer(() => ({ status: 200, body: '{"nextSequenceToken":"49"}' }));
  const destination = create(access);
  await send(destination, batchOf(destination, 'x'));
  await send(destination, batchOf(destination, 'y'));
  for (const { body } of requests) expect(JSON.parse(String(body))).not.toHaveProperty('sequenceToken');
});

it('repeats a batch with the sequence token that an old service expects', async () => {
  const { emulator, access } = await startEmulator({ sequenceTokens: 'required' });
  const destination = create(access);
  await deliver(destination, batchOf(destination, 'first'));
  for (const text of ['second', 'third']) {
    const batch = batchOf(destination, text);
    await expect(send(destination, batch)).rejects.toMatchObject({ code: 'AGAIN', ambiguous: false });
    await send(destination, batch);
  }
  expect(emulator.events().map(({ message }) => message)).toEqual(['first', 'second', 'third']);
});

it('forgets a sequence token when the service expects none', async () => {
  const tokens: unknown[] = [];
  const expected = ['49', undefined, undefined];
  const { access } = await startServer(({ body }) => {
    tokens.push(JSON.parse(String(body)).sequenceToken);
    if (tokens.length === 3) return accepted;
    return serviceError(400, 'InvalidSequenceTokenException', { expectedSequenceToken: expected[tokens.length - 1] });
  });
  const destination = create(access);
  const batch = batchOf(destination, 'x');
  await expect(send(destination, batch)).rejects.toMatchObject({ code: 'AGAIN' });
  await expect(send(destination, batch)).rejects.toMatchObject({ code: 'AGAIN' });
  await send(destination, batch);
  expect(tokens).toEqual([undefined, '49', undefined]);
});

it('takes a batch that the service already has as delivered', async () => {
  const { emulator, access } = await startEmulator({ sequenceTokens: 'required' });
  const destination = create(access);
  await deliver(destination, batchOf(destination, 'first'));
  const batch = batchOf(destination, 'once');
  await expect(send(destination, batch)).rejects.toMatchObject({ code: 'AGAIN' });
  emulator.faults({ next: ['lostAck'] });
  await expect(send(destination, batch)).rejects.toMatchObject({ code: 'AGAIN', ambiguous: true });
  expect(await send(destination, batch)).toMatchObject({ rejected: [] });
  expect(emulator.events().map(({ message }) => message)).toEqual(['first', 'once']);
});

it.each<[what: string, response: CannedResponse]>([
  ['an empty 200', { status: 200, body: '' }],
  ['a 204', { status: 204, body: '' }],
  ['an empty object', { status: 200, body: '{}' }],
  ['a health check', { status: 200, body: '{"status":"healthy"}' }],
  ['a text', { status: 200, body: 'OK' }],
  ['an error with status 200', { status: 200, body: '{"errorCode":"Unauthorized"}' }],
  ['a member of the service beside another', { status: 200, body: '{"nextSequenceToken":"49","status":"healthy"}' }],
  ['a list', { status: 200, body: '[]' }],
  ['a page', { status: 200, body: '<html>Please log in to the Wi-Fi</html>' }],
])('takes a success without a proof of the service for none: %s', async (_what, response) => {
  const { access } = await startServer(() => response);
  const destination = create(access);
  const where = `PutLogEvents to "shop", stream "web", at ${new URL(access.endpoint).host}: `;
  await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({
    code: 'MISCONFIGURED',
    ambiguous: true,
    message: expect.stringMatching(new RegExp(`^${where}HTTP 20\\d .*some other server answers: check the endpoint`)),
  });
});

it.each([
  ['a request id', accepted],
  ['a member of its output', { status: 200, body: '{"nextSequenceToken":"49"}' }],
])('takes %s for a proof, with our client and with one of the user', async (_what, response) => {
  const { access } = await startServer(() => response);
  for (const options of [access, { client: new CloudWatchLogsClient(access) }]) {
    const destination = create(options);
    expect(await send(destination, batchOf(destination, 'x'))).toMatchObject({ rejected: [] });
  }
});

it.each(['CreateLogStream', 'CreateLogGroup', 'PutRetentionPolicy'])(
  'takes a success of some other server for none also for %s',
  async (operation) => {
    const missing = serviceError(400, 'ResourceNotFoundException');
    const seen = new Set<string>();
    const { access } = await startServer((request) => {
      if (request.operation === operation) return { status: 200, body: '{"status":"healthy"}' };
      const isFirst = !seen.has(request.operation);
      seen.add(request.operation);
      return isFirst && /^(PutLogEvents|CreateLogStream)$/.test(request.operation) ? missing : accepted;
    });
    const destination = create({ ...access, retentionInDays: 7 });
    const failures = await deliver(destination, batchOf(destination, 'x')).then(
      ({ faults }) => faults,
      (error) => [error],
    );
    expect(failures).toMatchObject([{ code: 'MISCONFIGURED', ambiguous: false }]);
    expect(failures?.[0]?.message).toMatch(new RegExp(`^${operation} .*, at 127.*HTTP 200 without a request id`));
  },
);

it.each([
  [404, 'MISCONFIGURED'],
  [413, 'TOO_LARGE'],
  [502, 'UNAVAILABLE'],
])('classifies an HTML response by its status %d', async (status, code) => {
  const { access } = await startServer(() => ({ status, body: '<html>no</html>' }));
  const destination = create(access);
  await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({ code });
});

it('reads Retry-After of a response', async () => {
  const { access } = await startServer(() => ({
    ...serviceError(503, 'ServiceUnavailableException'),
    headers: { 'retry-after': '3' },
  }));
  const destination = create(access);
  await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({ retryAfterMs: 3000 });
});

it("repeats at once when the SDK has learned the service's time", async () => {
  const aheadMs = 3_600_000;
  const { emulator, access } = await startEmulator({ clock: () => Date.now() + aheadMs });
  const destination = create(access);
  const batch = batchOf(destination, 'x');
  await expect(send(destination, batch)).rejects.toMatchObject({
    code: 'AGAIN',
    message: expect.stringContaining('InvalidSignatureException'),
  });
  await deliver(destination, batch);
  expect(emulator.events()).toHaveLength(1);
});

it('reports once that the clock of this machine is an hour wrong, and again after it was right', async () => {
  let aheadMs = 3_600_000;
  const { access } = await startEmulator({ clock: () => Date.now() + aheadMs });
  const destination = create(access);
  const faultsOf = async (): Promise<unknown> => {
    const batch = batchOf(destination, 'x');
    // The first attempt learns the time, the second creates the stream.
    for (;;) {
      const result = await send(destination, batch).catch((error) => error);
      if (result.code !== 'AGAIN')
        return result.faults?.map(({ code, message }: DeliveryError) => `${code}: ${message}`);
    }
  };
  const text = 'MISCONFIGURED: the clock of this machine is 60 minutes behind the clock of CloudWatch Logs';
  expect(await faultsOf()).toEqual([expect.stringContaining(text)]);
  expect(await faultsOf()).toBeUndefined();
  aheadMs = 0;
  expect(await faultsOf()).toBeUndefined();
  aheadMs = -3_600_000;
  expect(await faultsOf()).toEqual([expect.stringContaining('60 minutes ahead of the clock')]);
});

it('reports wrong credentials as AUTH although the clock is wrong, once the time is learned', async () => {
  const { access } = await startEmulator({ clock: () => Date.now() + 3_600_000 });
  const destination = create({ ...access, credentials: { ...access.credentials, secretAccessKey: 'wrong' } });
  const batch = batchOf(destination, 'x');
  await expect(send(destination, batch)).rejects.toMatchObject({ code: 'AGAIN' });
  await expect(send(destination, batch)).rejects.toMatchObject({ code: 'AUTH' });
});

it('repeats at once when a wrong clock has been set right', async () => {
  let aheadMs = 0;
  const { emulator, access } = await startEmulator({ clock: () => Date.now() + aheadMs });
  const destination = create(access);
  await deliver(destination, batchOf(destination, 'before'));
  aheadMs = 3_600_000;
  await deliver(destination, batchOf(destination, 'while it is wrong'));
  aheadMs = 0;
  const batch = batchOf(destination, 'when it is right');
  await expect(send(destination, batch)).rejects.toMatchObject({
    code: 'AGAIN',
    message: expect.stringContaining('InvalidSignatureException'),
  });
  await deliver(destination, batch);
  expect(emulator.events()).toHaveLength(3);
});

it('repeats at once when the clock jumped while a signature was refused', async () => {
  const { access } = await startServer(() => {
    const { now } = Date;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + 3_600_000);
    return serviceError(400, 'InvalidSignatureException');
  });
  onTestFinished(() => void vi.restoreAllMocks());
  const destination = create(access);
  await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({ code: 'AGAIN' });
});
