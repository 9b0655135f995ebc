import { inspect } from 'node:util';
import { assertBalanced, type DeliveryError, type DeliveryOptions, type Drop, type Shipper } from '@logferry/core';
import { type LogServiceEmulator, type LogServiceEmulatorOptions, startLogService } from '@logferry/emulators';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createLogService, type LogServiceOptions } from '../../src/index.js';
import { batchAt, record } from '../support/records.js';
import { failureOf, send, serviceError, startServer } from '../support/servers.js';
import { startShipper } from '../support/shippers.js';
import { keyOf } from '../support/signed.js';

async function start(options: LogServiceEmulatorOptions = {}): Promise<LogServiceEmulator> {
  const emulator = await startLogService({ strict: true, ...options });
  onTestFinished(() => emulator.close());
  return emulator;
}

function ship(
  emulator: LogServiceEmulator,
  options: Partial<LogServiceOptions> = {},
  delivery: DeliveryOptions = {},
): { readonly shipper: Shipper; readonly errors: readonly DeliveryError[]; readonly drops: readonly Drop[] } {
  const { target, region } = emulator;
  const errors: DeliveryError[] = [];
  const drops: Drop[] = [];
  const shipper = startShipper(createLogService({ ...target, region, credentials: keyOf(emulator), ...options }), {
    retry: { baseMs: 1, throttledBaseMs: 1, capMs: 10 },
    onError: (error) => void errors.push(error),
    onDrop: (drop) => void drops.push(drop),
    ...delivery,
  });
  return { shipper, errors, drops };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** The numbers of the stored records in the order that the service shows: by time, to the nanosecond. */
function storedNumbers(emulator: LogServiceEmulator): number[] {
  return [...emulator.events()]
    .sort((a, b) => Math.floor(a.time / 1000) - Math.floor(b.time / 1000) || a.timeNs - b.timeNs)
    .map(({ fields }) => Number(fields.number));
}

it('delivers a burst once, with the time of each event and in its order', async () => {
  const emulator = await start();
  const { shipper } = ship(emulator);
  const from = Date.now() - 1000;
  for (const number of upTo(20_000)) shipper.accept(record({ number }, { time: from + (number >> 6) }));
  const report = await shipper.close();
  assertBalanced(report);
  expect(report.delivered).toBe(20_000);
  expect(storedNumbers(emulator)).toEqual(upTo(20_000));
  for (const { time, fields } of emulator.events()) expect(time).toBe(from + (Number(fields.number) >> 6));
  expect(emulator.stats()).toMatchObject({ violations: [], operations: { PutLogs: 5 } });
});

it('loses nothing while temporary keys end again and again, and never sends a batch with an ended key twice', async () => {
  const emulator = await start();
  let issued = 0;
  /** Ends the key before, and issues another one. */
  const rotate = (): void => {
    issued++;
    emulator.credentials({ ...keyOfNumber(issued), expiration: new Date(Date.now() + 3_600_000) });
  };
  const keyOfNumber = (number: number) => ({
    accessKeyId: `STS.${number}`,
    accessKeySecret: `secret${number}`,
    securityToken: `token${number}`,
  });
  rotate();
  let asked = 0;
  let requests = 0;
  const refused: string[] = [];
  const { shipper } = ship(
    emulator,
    {
      compression: 'none',
      credentials: async () => {
        asked++;
        return { ...keyOfNumber(issued), expiration: new Date(Date.now() + 3_600_000) };
      },
      fetch: async (url, init) => {
        if (++requests % 10 === 0) rotate();
        const response = await fetch(url, init);
        if (response.status === 401)
          refused.push(`${init.headers['x-acs-security-token']} ${Buffer.from(init.body).toString('base64')}`);
        return response;
      },
    },
    { maxBatchEvents: 50, maxDelayMs: 0 },
  );
  for (const number of upTo(10_000)) shipper.accept(record({ number }, { time: Date.now() }));
  const report = await shipper.close();
  assertBalanced(report);
  expect(report.delivered).toBe(10_000);
  expect(storedNumbers(emulator).sort((a, b) => a - b)).toEqual(upTo(10_000));
  expect(refused.length).toBeGreaterThan(10);
  expect(new Set(refused).size).toBe(refused.length);
  expect(asked).toBeLessThanOrEqual(issued);
  expect(Object.keys(shipper.stats().retries)).toEqual(['AGAIN']);
});

const MINUTES = 60_000;

it.each([20, -20, 24 * 60])('delivers although the clock of this machine is %d minutes behind', async (minutes) => {
  const emulator = await start({ clock: () => Date.now() + minutes * MINUTES });
  const { shipper, errors } = ship(emulator, {}, { dropNotice: false });
  const time = Date.now() + Math.min(0, minutes) * MINUTES;
  for (const number of upTo(3)) {
    shipper.accept(record({ number }, { time }));
    await shipper.flush();
  }
  expect(emulator.events().map((event) => event.time)).toEqual([time, time, time]);
  expect(emulator.stats()).toMatchObject({ operations: { PutLogs: 4 } });
  const wrong = errors.filter(({ code }) => code === 'MISCONFIGURED');
  expect(wrong.map(({ message }) => message)).toEqual([
    expect.stringMatching(
      `^the clock of this machine is ${Math.abs(minutes)} minutes ${minutes > 0 ? 'behind' : 'ahead of'} the clock of Log Service`,
    ),
  ]);
  assertBalanced(await shipper.close());
});

it('counts events as too new or too old before they spoil their batch', async () => {
  const emulator = await start();
  const destination = createLogService({ ...emulator.target, credentials: keyOf(emulator) });
  const nowMs = Date.now();
  const times = [-8 * 24 * 60, -7 * 24 * 60 + 1, 0, 14, 16].map((minutes) => nowMs + minutes * MINUTES);
  const batches = times.map((time) => batchAt(time, destination, { time: 'of the event' }));
  const events = batches.flatMap((batch) => batch.events);
  const outcome = await send(destination, { ...(batches[0] as never as object), events } as never);
  expect(outcome.rejected).toEqual([
    { index: 0, reason: 'too-old' },
    { index: 4, reason: 'too-new' },
  ]);
  expect(emulator.events().map(({ time }) => time)).toEqual(times.slice(1, 4));
  const [tooOld] = batches;
  expect(await send(destination, tooOld as never)).toEqual({
    rejected: [{ index: 0, reason: 'too-old' }],
    wireBytes: 0,
  });
  expect(emulator.stats()).toMatchObject({ operations: { PutLogs: 1 }, violations: [] });
});

it('counts the records of a clock that is far ahead as too new, and delivers those that the service takes', async () => {
  const emulator = await start({ clock: () => Date.now() - 20 * MINUTES });
  const { shipper, drops } = ship(emulator, {}, { dropNotice: false });
  // By the clock of the service, they are 20 and 10 minutes in the future.
  for (const minutes of [0, -10]) shipper.accept(record({ minutes }, { time: Date.now() + minutes * MINUTES }));
  const report = await shipper.close();
  assertBalanced(report);
  expect(report).toMatchObject({ delivered: 1, rejected: 1 });
  expect(drops).toMatchObject([{ reason: 'too-new', records: 1 }]);
  expect(emulator.events().map(({ fields }) => fields.minutes)).toEqual(['-10']);
});

it('says that the clock is wrong also when the service takes none of the events', async () => {
  const emulator = await start({ clock: () => Date.now() - 60 * MINUTES });
  const { shipper, errors } = ship(emulator, {}, { dropNotice: false });
  for (const number of upTo(3)) {
    shipper.accept(record({ number }, { time: Date.now() }));
    await shipper.flush();
  }
  const report = await shipper.close();
  assertBalanced(report);
  expect(report).toMatchObject({ delivered: 0, rejected: 3 });
  const wrong = errors.filter(({ code }) => code === 'MISCONFIGURED');
  expect(wrong.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^the clock of this machine is 60 minutes ahead of the clock of Log Service/),
  ]);
});

it.each([
  ['20 minutes ahead', 20],
  ['8 days behind', -8 * 24 * 60],
])('delivers again at once when a clock that was %s is set right', async (_, minutes) => {
  const { now } = Date;
  let aheadMs = minutes * MINUTES;
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => now() + aheadMs);
  onTestFinished(() => clock.mockRestore());
  const emulator = await start({ clock: now });
  const { shipper } = ship(emulator, {}, { dropNotice: false });
  shipper.accept(record({ number: 0 }, { time: Date.now() }));
  expect(await shipper.flush()).toMatchObject({ delivered: 0, rejected: 1 });
  aheadMs = 0;
  for (const number of upTo(3)) shipper.accept(record({ number }, { time: Date.now() }));
  const report = await shipper.close();
  assertBalanced(report);
  expect(report).toMatchObject({ delivered: 3, rejected: 1 });
  expect(emulator.stats().operations).toEqual({ PutLogs: 2 });
});

it('does not take the time from a proxy', async () => {
  const emulator = await start();
  let requests = 0;
  const proxy: LogServiceOptions['fetch'] = async (url, init) =>
    ++requests === 1
      ? new Response('', { status: 502, headers: { date: 'Thu, 01 Jan 1970 00:00:00 GMT' } })
      : fetch(url, init);
  const { shipper, drops } = ship(emulator, { fetch: proxy });
  shipper.accept(record({ number: 1 }, { time: Date.now() }));
  assertBalanced(await shipper.close());
  expect(drops).toEqual([]);
  expect(storedNumbers(emulator)).toEqual([1]);
});

it.each([
  ['unknownAccessKey', 401, 'InvalidAccessKeyId', 'the access key ID does not exist, or is disabled'],
  ['signatureNotMatch', 401, 'SignatureNotMatch', 'the access key secret or the region is wrong'],
  [
    'unauthorized',
    401,
    'Unauthorized',
    'the RAM policy does not allow log:PostLogStoreLogs on acs:log:*:*:project/local/logstore/logs: ',
  ],
  ['tokenExpired', 401, 'Unauthorized', 'the security token is not valid'],
  ['projectForbidden', 403, 'ProjectForbidden', 'the project is locked'],
] as const)('says of %s what to do, and keeps the records', async (fault, status, name, advice) => {
  const emulator = await start();
  emulator.faults({ [fault]: 1 });
  const { shipper, errors } = ship(emulator);
  shipper.accept(record({ number: 1 }, { time: Date.now() }));
  await expect.poll(() => errors.length).toBeGreaterThan(0);
  expect(errors[0]).toMatchObject({ code: 'AUTH', ambiguous: false, requestId: expect.stringMatching(/./) });
  expect(errors[0]?.message).toMatch(/^PutLogs to logstore "logs" of project "local" at 127\.0\.0\.1:\d+: /);
  expect(errors[0]?.message).toContain(advice);
  expect(errors[0]?.message).toContain(`HTTP ${status} ${name}`);
  emulator.faults();
  await shipper.flush();
  expect(storedNumbers(emulator)).toEqual([1]);
  // A key that does not change is refused once, and not tried again at once.
  expect(emulator.stats().faults[fault]).toBe(1);
});

it.each([
  ['requestTimeExpired', 'MISCONFIGURED'],
  ['shardQuota', 'THROTTLED'],
  ['shardNotExist', 'UNAVAILABLE'],
  ['noShard', 'UNAVAILABLE'],
] as const)('takes %s for %s', async (fault, code) => {
  const emulator = await start();
  emulator.faults({ [fault]: 1 });
  const { target } = emulator;
  const destination = createLogService({ ...target, credentials: keyOf(emulator) });
  const failure = await failureOf(send(destination, batchAt(Date.now(), destination, { number: 1 })));
  expect(failure.code).toBe(code);
});

it.each([undefined, 'signed'])('keeps a record and the one that is logged while it is read: %s', async (signed) => {
  const emulator = await start();
  emulator.webTracking('logs', true);
  const { shipper } = ship(emulator, signed ? {} : { credentials: undefined, region: undefined });
  const time = Date.now();
  const order = {
    toJSON() {
      shipper.accept(record({ number: 2, text: 'inner '.repeat(20_000) }, { time }));
      return 'order';
    },
  };
  shipper.accept(record({ number: 1, order, end: '.' }, { time }));
  const report = await shipper.close();
  assertBalanced(report);
  expect(report.delivered).toBe(2);
  const stored = emulator.events().map(({ fields }) => fields);
  expect(stored.find(({ number }) => number === '1')).toMatchObject({ order: 'order', end: '.' });
  expect(stored.find(({ number }) => number === '2')).toMatchObject({ text: 'inner '.repeat(20_000) });
});

it('says that the policy denies it also when each question to the provider gives another key', async () => {
  const { target, requests } = await startServer(() => serviceError(401, 'Unauthorized'));
  let asked = 0;
  const errors: DeliveryError[] = [];
  const destination = createLogService({
    ...target,
    credentials: () => ({ accessKeyId: `id${++asked}`, accessKeySecret: 'secret' }),
  });
  const onError = (error: DeliveryError): void => void errors.push(error);
  const delivery = { maxDelayMs: 0, retry: { baseMs: 1 }, closeTimeoutMs: 100, onError };
  const shipper = startShipper(destination, delivery);
  shipper.accept(record({ number: 1 }, { time: Date.now() }));
  await expect.poll(() => errors.at(-1)?.code).toBe('AUTH');
  expect(errors.at(-1)?.ambiguous).toBe(false);
  expect([asked, requests.length]).toEqual([4, 4]);
  await shipper.close();
});

it('shows no token that a server quotes', async () => {
  const { target } = await startServer(({ headers }) => ({ status: 502, body: JSON.stringify(headers) }));
  const credentials = { accessKeyId: 'id', accessKeySecret: 'secret', securityToken: 'CAIS/token+=' };
  const destination = createLogService({ ...target, credentials });
  const failure = await failureOf(send(destination, batchAt(Date.now(), destination, { number: 1 })));
  expect(failure.message).toContain('x-log-apiversion');
  expect(inspect(failure)).not.toContain('CAIS');
});
