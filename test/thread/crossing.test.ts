import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logServiceStream } from '@logferry/bunyan/log-service';
import { assertBalanced, createShipper, DeliveryError, type LogRecord } from '@logferry/core';
import { startCloudWatch, startLogService } from '@logferry/emulators';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { expect, it, onTestFinished } from 'vitest';
import winston from 'winston';
import { keys, objects, primitives, texts } from '../support/hostile-values.js';
// @ts-expect-error a third party's module in JavaScript
import { createBytesDestination, createFileDestination, createRecordDestination } from './file-destination.mjs';

it.each([{}, { redact: ['absent'] }])(
  'stores the same fields in Log Service with a thread as without, with %j',
  async (options) => {
    const service = await startLogService({ strict: true });
    const failure = Object.assign(new Error('outer', { cause: new Error('inner') }), {
      code: 'E_OUTER',
      stack: 'at a',
    });
    const values: readonly unknown[] = [
      ...texts.filter((text) => text.length < 1000),
      ...primitives,
      ...objects.map((make) => make()),
      failure,
      { deep: { failure, big: 2n ** 64n, bytes: Buffer.from('x'), map: new Map([['a', new Set([1])]]) } },
    ];
    // A record without a time gets the time of its arrival, which differs.
    const names = keys.filter((key) => key !== 'time');
    const records = values.map((value, i) => {
      const fields: Record<string, unknown> = {
        name: 'x',
        level: 30,
        time: new Date(1.7e12),
        msg: `record ${i}`,
        v: 0,
      };
      Object.defineProperty(fields, names[i % names.length] ?? 'k', { value, enumerable: true });
      fields.value = value;
      return fields;
    });
    for (const thread of [false, true]) {
      const { stream } = logServiceStream({ ...service.target, ...options, thread, sequenceField: 'number' });
      for (const record of records) stream.write(record);
      assertBalanced(await stream.close());
      expect(stream.stats()).toMatchObject({ received: values.length, pending: 0 });
    }
    const stored = service.events().map(({ fields: { number, ...fields } }) => fields);
    expect(stored.length).toBeGreaterThan(values.length);
    const half = stored.length / 2;
    for (let i = 0; i < half; i++) expect(stored[half + i]).toEqual(stored[i]);
    expect(service.stats().violations).toEqual([]);
    await service.close();
  },
);

it('refuses records that are logged from inside a request, also with a thread', async () => {
  const service = await startCloudWatch({ strict: true });
  const {
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId = '',
    AWS_SECRET_ACCESS_KEY: secretAccessKey = '',
  } = service.env;
  const connection = { endpoint: service.url, region, credentials: { accessKeyId, secretAccessKey } };
  const transport = new CloudWatchTransport({ logGroupName: 'shop', ...connection, thread: true });
  const logger = winston.createLogger({ transports: [transport] });
  const chatty = createShipper({
    name: 'chatty',
    reads: 'text',
    limits: { maxEvents: 1, maxBytes: 1000, baseBytes: () => 0 },
    encode: ({ time, text }) => ({ route: 'all', time, payload: text, bytes: text.length }),
    async send() {
      logger.info('sent');
      return { rejected: [], wireBytes: 0 };
    },
  });
  chatty.accept({ time: Date.now(), level: 'info', urgent: false, text: 'x', fields: {} });
  await chatty.flush();
  expect(transport.stats()).toMatchObject({ received: 1, dropped: { feedback: 1 }, pending: 0 });
  await new Promise((resolve) => logger.on('finish', resolve).end());
  await service.close();
});

it('gives records of a time that the service is sure to refuse the time now, also with a thread', async () => {
  const service = await startCloudWatch();
  const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secret = '' } = service.env;
  const connection = { endpoint: service.url, region, credentials: { accessKeyId, secretAccessKey: secret } };
  const day = 86_400_000;
  const before = Date.now();
  for (const thread of [false, true]) {
    const transport = new CloudWatchTransport({ logGroupName: 'shop', ...connection, thread });
    const logger = winston.createLogger({ transports: [transport] });
    for (const timestamp of [before - 90 * day, before + 30 * day, before - day]) logger.info('x', { timestamp });
    await transport.flush();
    expect(transport.stats()).toMatchObject({ received: 3, delivered: 3, redated: 2 });
    await new Promise((resolve) => logger.on('finish', resolve).end());
  }
  const stored = service.events().map(({ timestamp, message }) => [timestamp >= before, JSON.parse(message).timestamp]);
  expect(
    stored
      .filter(([isNow]) => isNow)
      .map(([, field]) => field)
      .sort(),
  ).toEqual([before - 90 * day, before - 90 * day, before + 30 * day, before + 30 * day]);
  expect(service.stats().violations).toEqual([]);
  await service.close();
});

const record: LogRecord = { time: 1, level: 'info', urgent: false, text: 'fine', fields: {} };

it('a record that cannot become a line is the only record lost', async () => {
  const shipper = createShipper(createFileDestination({ file: '/dev/null' }), { thread: true });
  for (const broken of [{ level: 1n }, { text: { length: 1 } }, { text: 5n }])
    expect(shipper.accept({ ...record, ...(broken as object) })).toBe(false);
  expect(shipper.accept(record)).toBe(true);
  expect(await shipper.close()).toMatchObject({ received: 4, delivered: 1, dropped: { unencodable: 3 } });
});

it('records without a text take bytes of the budget', async () => {
  const shipper = createShipper(createFileDestination({ file: '/dev/null' }), {
    thread: true,
    maxBufferBytes: 64 * 1024,
  });
  const results = Array.from({ length: 10_000 }, () => shipper.accept({ ...record, text: '' }));
  expect(results.filter(Boolean).length).toBeLessThan(1311);
  assertBalanced(await shipper.close());
});

it.each(['text', 'fields', 'both'] as const)(
  'encode of a destination that reads %s gets the same record with a thread as without',
  async (reads) => {
    const folder = mkdtempSync(join(tmpdir(), 'logferry-reads-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const texts = ['plain', 'two\nlines', 'a\ttab and a "quote"', '', '世界 \u2028 😀'];
    const lines: string[] = [];
    for (const thread of [false, true]) {
      const file = join(folder, String(thread));
      const shipper = createShipper(createRecordDestination({ file, reads }), { thread });
      for (const text of texts)
        shipper.accept({
          time: 5,
          level: 'a "level"',
          urgent: text === '',
          text,
          fields: { text, nested: { tab: '\t' } },
        });
      expect(await shipper.close()).toMatchObject({ delivered: texts.length });
      lines.push(readFileSync(file, 'utf8'));
    }
    expect(lines[1]).toBe(lines[0]);
    const [first = ''] = lines[0]?.split('\n') ?? [];
    expect(Object.keys(JSON.parse(first)).slice(3)).toEqual(reads === 'both' ? ['text', 'fields'] : [reads]);
  },
);

it.each([false, true])('ships bytes as they are, also after a restart: thread %s', async (thread) => {
  const folder = mkdtempSync(join(tmpdir(), 'logferry-bytes-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'stored');
  const texts = ['plain', 'grüße\n', '', '世界 😀'];
  const spool = { directory: join(folder, 'spool') };
  const away = { ...createFileDestination({ file, down: true }), encode: createBytesDestination({ file }).encode };
  const first = createShipper(away, { spool, onError: () => {} });
  for (const text of texts) first.accept({ ...record, time: Date.now(), text });
  expect(await first.close({ timeoutMs: 0 })).toMatchObject({ spooled: texts.length });
  const shipper = createShipper(createBytesDestination({ file }), { thread, spool });
  const inverted = (): string => Buffer.from(readFileSync(file).map((byte) => ~byte)).toString('utf16le');
  await expect.poll(() => existsSync(file) && inverted()).toBe(texts.join(''));
  shipper.accept({ ...record, text: 'after' });
  expect(await shipper.close()).toMatchObject({ received: 1, recovered: texts.length, delivered: texts.length + 1 });
  expect(inverted()).toBe(`${texts.join('')}after`);
});

it.each(['clock', 'random', 'files'] as const)(
  'refuses %s with thread: true, since it cannot cross to the worker',
  (seam) => {
    const make = (): unknown =>
      createShipper(createFileDestination({ file: '/dev/null' }), { thread: true }, { [seam]: () => 0.5 });
    expect(make).toThrow(`[logferry] ${seam}: expected to be absent beside thread: true`);
    expect(make).toThrow(expect.objectContaining({ option: seam }));
  },
);

it.each([
  [{ thread: 'yes' }, 'thread: expected true or false, got "yes"'],
  [{ thread: true, onDrop() {} }, 'onDrop: a function cannot cross into the worker thread (thread: true)'],
  [{ thread: true, maxDelayMs: -1 }, 'maxDelayMs: expected an integer of at least 0, got -1'],
])('refuses %j at construction', (options, message) => {
  const make = (): unknown => createShipper(createFileDestination({ file: '/dev/null' }), options as object);
  expect(make).toThrow(`[logferry] ${message}`);
  expect(make).toThrow(expect.objectContaining({ code: 'CONFIG' }));
});

it('calls onFailure with failures of the worker, like those of this thread', async () => {
  for (const thread of [false, true]) {
    const failures: DeliveryError[] = [];
    const destination = createFileDestination({ file: '/dev/null', down: true });
    const options = { thread, maxDelayMs: 0, ...(thread ? {} : { onError() {}, onDrop() {} }) };
    const shipper = createShipper(destination, options, { onFailure: (error) => void failures.push(error) });
    shipper.accept(record);
    await expect.poll(() => shipper.stats().retries.UNAVAILABLE ?? 0).toBeGreaterThan(0);
    await shipper.close({ timeoutMs: 0 });
    expect(failures).toHaveLength(1);
    expect(DeliveryError.is(failures[0])).toBe(true);
    expect(failures[0]).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/: down$/),
      ambiguous: true,
    });
  }
});

it.each([
  ['module', { module: '/app/destination.js' }, 'a file: URL, such as import.meta.url, got "/app/destination.js"'],
  ['factory', { factory: undefined }, 'the name of an export, got undefined'],
  ['options', { options: undefined }, 'an object, got undefined'],
])('refuses at construction a recipe with a wrong %s', (member, wrong, expected) => {
  const destination = createFileDestination({ file: '/dev/null' });
  const recipe = (): object => ({ ...destination.recipe(), ...wrong });
  const make = (): unknown => createShipper({ ...destination, recipe }, { thread: true });
  expect(make).toThrow(`[logferry] destination.recipe.${member}: expected ${expected}`);
});

it('clones options that refer to themselves', async () => {
  const options: Record<string, unknown> = { file: '/dev/null' };
  options.self = options;
  const shipper = createShipper(createFileDestination(options), { thread: true });
  shipper.accept(record);
  expect(await shipper.close()).toMatchObject({ delivered: 1 });
});
