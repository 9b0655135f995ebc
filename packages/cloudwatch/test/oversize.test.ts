import fc from 'fast-check';
import { expect, it } from 'vitest';
import { full } from '../../../forms.js';
import { createCloudWatch } from '../src/index.js';
import { fitMessage } from '../src/oversize.js';
import { messages, record } from './support/events.js';

const RUNS = { numRuns: full ? 2000 : 400 };

const limit = fc.integer({ min: 256, max: 2000 });

/** Text of one to four bytes a character, long enough to be oversized often. */
const text = fc
  .array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('x', 'é', '漢', '😀', '\\u', '"', '\u0000')), {
    maxLength: 20,
  })
  .chain((pieces) => fc.integer({ min: 1, max: 200 }).map((times) => pieces.join('').repeat(times)));

const json = fc
  .dictionary(fc.string(), fc.oneof(text, fc.jsonValue()), { minKeys: 1 })
  .chain((fields) => fc.constantFrom(undefined, 1).map((indent) => JSON.stringify(fields, undefined, indent)));

const oversized = (message: string, maxBytes: number): boolean => Buffer.byteLength(message) > maxBytes;

/** Shortens a JSON message. */
function shorten(fields: object, maxEventBytes: number): Record<string, unknown> {
  const [message = ''] = messages(JSON.stringify(fields), { maxEventBytes });
  expect(Buffer.byteLength(message)).toBeLessThanOrEqual(maxEventBytes);
  return JSON.parse(message);
}

it('truncates any text to a well-formed message within the limit, which ends in a mark', () => {
  fc.assert(
    fc.property(text, limit, (raw, maxBytes) => {
      const message = raw.toWellFormed();
      fc.pre(oversized(message, maxBytes));
      const [shortened = '', ...others] = fitMessage(message, maxBytes, 'truncate');
      expect(others).toEqual([]);
      expect(shortened.isWellFormed()).toBe(true);
      const bytes = Buffer.byteLength(shortened);
      expect(bytes).toBeLessThanOrEqual(maxBytes);
      expect(bytes).toBeGreaterThan(maxBytes - 4);
      const mark = `… [truncated from ${Buffer.byteLength(message)} bytes]`;
      expect(message.startsWith(shortened.slice(0, -mark.length))).toBe(true);
      expect(shortened.endsWith(mark)).toBe(true);
    }),
    RUNS,
  );
});

it('splits any text into numbered, well-formed parts within the limit that give the original', () => {
  fc.assert(
    fc.property(fc.oneof(text, json), limit, (raw, maxBytes) => {
      const message = raw.toWellFormed();
      fc.pre(oversized(message, maxBytes));
      const parts = fitMessage(message, maxBytes, 'split');
      const ids = new Set<string | undefined>();
      const contents = parts.map((part, index) => {
        expect(part.isWellFormed()).toBe(true);
        expect(Buffer.byteLength(part)).toBeLessThanOrEqual(maxBytes);
        const header = /^\[(\d+)\/(\d+) ([\da-f]{8})\] /.exec(part);
        expect([header?.[1], header?.[2]]).toEqual([String(index + 1), String(parts.length)]);
        ids.add(header?.[3]);
        return part.slice(header?.[0].length);
      });
      expect(contents.join('')).toBe(message);
      expect(ids.size).toBe(1);
    }),
    RUNS,
  );
});

it('truncates any JSON object to a message within the limit, JSON again if there are strings to shorten', () => {
  let stillJson = 0;
  fc.assert(
    fc.property(json, limit, (raw, maxBytes) => {
      const message = raw.toWellFormed();
      fc.pre(oversized(message, maxBytes));
      const [shortened = ''] = fitMessage(message, maxBytes, 'truncate');
      expect(shortened.isWellFormed()).toBe(true);
      expect(Buffer.byteLength(shortened)).toBeLessThanOrEqual(maxBytes);
      if (shortened.includes('… [truncated from ')) return;
      stillJson++;
      const { logferry, ...fields } = JSON.parse(shortened);
      expect(logferry).toEqual({ truncatedFromBytes: Buffer.byteLength(message) });
      expect(Object.keys(fields)).toEqual(Object.keys(JSON.parse(message)));
    }),
    RUNS,
  );
  expect(stillJson).toBeGreaterThan(full ? 500 : 100);
});

it('shortens the longest strings of a JSON message and keeps the others', () => {
  const fields = {
    level: 30,
    msg: 'x'.repeat(300),
    stack: 'y'.repeat(5000),
    user: { name: 'z'.repeat(4000) },
    ok: true,
  };
  const shortened = shorten(fields, 1000) as typeof fields;
  expect(shortened).toMatchObject({ level: 30, msg: fields.msg, ok: true });
  expect(shortened.stack).toMatch(/^y+…$/);
  expect(shortened.user.name).toMatch(/^z+…$/);
  expect(shortened.stack.length).toBe(shortened.user.name.length);
  expect(Object.keys(shortened)).toEqual(['level', 'msg', 'stack', 'user', 'ok', 'logferry']);
});

it('does not change numbers, keys and spaces of a JSON message', () => {
  const message = `{ "id": 12345678901234567890, "n":1.0, "${'k'.repeat(50)}" : "${'v'.repeat(500)}" }\n`;
  const [shortened = ''] = fitMessage(message, 256, 'truncate');
  expect(shortened.startsWith(`{ "id": 12345678901234567890, "n":1.0, "${'k'.repeat(50)}" : "v`)).toBe(true);
  expect(JSON.parse(shortened).logferry).toEqual({ truncatedFromBytes: Buffer.byteLength(message) });
});

it('never breaks an escape of a JSON message', () => {
  for (const character of ['\\n', '\\"', '\\\\', '\\u0007', '\\ud83d\\ude00', '😀', 'é']) {
    for (let offset = 0; offset < 12; offset++) {
      const message = `{"a":"${'x'.repeat(offset)}${character.repeat(200)}"}`;
      const [shortened = ''] = fitMessage(message, 256, 'truncate');
      const { a } = JSON.parse(shortened);
      expect(a.replace(/^x*|…$/g, '')).toBe(JSON.parse(`"${character}"`).repeat([...a].length - offset - 1));
    }
  }
});

it.each([
  ['a JSON object without long strings', JSON.stringify({ list: Array.from({ length: 500 }, (_, index) => index) })],
  ['a JSON object of long keys', JSON.stringify({ ['k'.repeat(2000)]: 'short' })],
  ['a JSON array', JSON.stringify(['x'.repeat(2000)])],
  ['a text that only begins like JSON', `{"a":"${'x'.repeat(2000)}`],
  ['almost JSON', `{"a":"${'x'.repeat(2000)}",}`],
])('truncates %s as plain text', (_what, message) => {
  const [shortened = ''] = fitMessage(message, 512, 'truncate');
  expect(shortened).toMatch(/… \[truncated from \d+ bytes\]$/);
  expect(Buffer.byteLength(shortened)).toBeLessThanOrEqual(512);
});

it('refuses a message that is too large with oversize: drop', () => {
  const destination = createCloudWatch({ logGroupName: 'shop', oversize: 'drop', maxEventBytes: 256 });
  expect(destination.encode(record('x'.repeat(257)))).toEqual({ refused: 'too-large' });
  expect(messages('x'.repeat(256), { oversize: 'drop', maxEventBytes: 256 })).toHaveLength(1);
});

it('never alters a metric: it is sent byte for byte or dropped', () => {
  const metric = (bytes: number): string => {
    const start = '{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"shop"}]},"note":"';
    return `${start}${'x'.repeat(bytes - start.length - 2)}"}`;
  };
  for (const oversize of ['truncate', 'split'] as const) {
    const destination = createCloudWatch({ logGroupName: 'shop', oversize, maxEventBytes: 256 });
    expect(destination.encode(record(metric(257)))).toEqual({ refused: 'too-large' });
    expect(messages(metric(256), { oversize, maxEventBytes: 256 })).toEqual([metric(256)]);
  }
});

it('shortens a message that only mentions metrics', () => {
  const fields = { _aws: 1, CloudWatchMetrics: 'x'.repeat(500) };
  expect(shorten(fields, 256)).toHaveProperty('logferry');
});

it('handles a message of 50 MB in linear time', () => {
  const huge = [
    'é'.repeat(25_000_000),
    JSON.stringify({ a: 'é"'.repeat(10_000_000), b: 'x'.repeat(20_000_000) }),
    JSON.stringify({ list: Array.from({ length: 4_000_000 }, (_, index) => `s${index}`) }),
    `${'{"a":'.repeat(8_000_000)}1${'}'.repeat(8_000_000)}`,
  ];
  for (const message of huge) {
    for (const policy of ['truncate', 'split'] as const) {
      const start = performance.now();
      expect(fitMessage(message, 1_048_550, policy).length).toBeGreaterThan(0);
      // Measured: 0.03 to 0.7 s. Quadratic time would be hours.
      expect(performance.now() - start).toBeLessThan(30_000);
    }
  }
}, 300_000);

it.each([
  ['text', (text: string) => text, /^x{1048000,}… \[truncated from 100000000 characters\]$/],
  [
    'value in JSON',
    (text: string) => JSON.stringify({ msg: text, order: 17 }),
    /^\{"msg":"x{1048000,}…","order":17,"logferry":\{"truncatedFromCharacters":100000021\}\}$/,
  ],
])('cuts a %s of 100 MB before it costs anything', (_, make, expected) => {
  const message = make('x'.repeat(100_000_000));
  expect(messages(message)[0]).toMatch(expected);
  const destination = createCloudWatch({ logGroupName: 'shop' });
  const cpuMs = Array.from({ length: 3 }, () => {
    const before = process.cpuUsage();
    destination.encode(record(message));
    return process.cpuUsage(before).user / 1000;
  });
  expect(Math.min(...cpuMs)).toBeLessThan(200);
});

it('truncates text with lone surrogates to a well-formed message within the limit', () => {
  for (const text of ['\ud800'.repeat(5000), JSON.stringify({ a: 1 }).replace('1', `"${'\ud800'.repeat(5000)}"`)]) {
    const [message = ''] = fitMessage(text, 1000, 'truncate');
    expect(message.isWellFormed()).toBe(true);
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1000);
    expect(message).toContain('\ufffd');
  }
});

it('shortens JSON whose long strings hold escaped quotes and backslashes', () => {
  for (const unit of ['"', '\\', '\\"', 'x"']) {
    expect(shorten({ a: unit.repeat(5000), b: 1 }, 1000)).toMatchObject({ b: 1, logferry: expect.anything() });
  }
});
