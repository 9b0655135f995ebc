import { expect, it, onTestFinished, vi } from 'vitest';
import { batchOf, create, deliver, send } from './support/events.js';
import { accepted, serviceError, startEmulator, startServer } from './support/servers.js';

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
  await expect(send(destination, batch)).rejects.toMatchObject({ code: 'NETWORK', ambiguous: true });
  expect(await send(destination, batch)).toMatchObject({ rejected: [] });
  expect(emulator.events().map(({ message }) => message)).toEqual(['first', 'once']);
});

it('retries after a page of some other server with HTTP 200', async () => {
  const { access } = await startServer(() => ({ status: 200, body: '<html>Please log in to the Wi-Fi</html>' }));
  const destination = create(access);
  await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

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
