import { describe, expect, it } from 'vitest';
import type { LogServiceOptions } from '../src/index.js';
import { encoded, type Fields, record, shop } from './support/records.js';

const MB = 1_000_000;

/** The fields of each log that a record becomes. Checks that all are within the limits. */
function logs(fields: Readonly<Record<string, unknown>>, options: Partial<LogServiceOptions> = {}): readonly Fields[] {
  const destination = shop(options);
  const { maxBytes, baseBytes } = destination.limits;
  return encoded(destination, record(fields)).map((event) => {
    expect(event.bytes).toBe(Buffer.byteLength(event.payload) + 1);
    expect((baseBytes?.(event.route) ?? 0) + event.bytes).toBeLessThanOrEqual(maxBytes);
    const log: Fields = JSON.parse(String(event.payload));
    for (const text of Object.values(log)) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MB);
    return log;
  });
}

it.each(['x', 'é', '中', '😀', '"', '\u0001'])(
  'does not change a value of exactly 1 MB of %o, and cuts a longer one with a mark',
  (unit) => {
    const width = Buffer.byteLength(unit);
    // 1 MB of control characters are 6 MB of JSON.
    const limit = unit === '\u0001' ? 400_000 : MB;
    const text = unit.repeat(limit / width).padEnd(Math.floor(limit / width) + (limit % width), 'x');
    expect(logs({ text })).toMatchObject([{ text }]);
    const [longer] = logs({ text: unit.repeat(MB / width + 1), other: 'y' });
    expect(longer?.text).toMatch(/… \[truncated from 10000\d+ bytes\]$/);
    expect(Buffer.byteLength(longer?.text ?? '')).toBeGreaterThan(unit === '\u0001' ? 490_000 : MB - 4);
    expect(longer?.other).toBe('y');
  },
);

it('shortens the longest values of a record that is larger than a request until it just fits', () => {
  const [log, ...more] = logs({ a: 'a'.repeat(MB), b: 'b'.repeat(MB), c: 'c'.repeat(900_000), d: 'd'.repeat(200_000) });
  expect(more).toEqual([]);
  expect(log?.d).toBe('d'.repeat(200_000));
  expect(log?.c).toBe('c'.repeat(900_000));
  expect(log?.a).toMatch(/^a{940000,}… \[truncated from 1000000 bytes\]$/);
  expect(log?.b).toMatch(/^b{940000,}… \[truncated from 1000000 bytes\]$/);
  expect(Buffer.byteLength(JSON.stringify(log))).toBeGreaterThan(2_999_900);
});

it('marks a value that is cut for both reasons with its original size', () => {
  const fields = Object.fromEntries(['a', 'b', 'c', 'd'].map((key) => [key, '"'.repeat(2 * MB)]));
  for (const text of Object.values(logs(fields)[0] ?? {}).filter((value) => value.startsWith('"'))) {
    expect(text).toMatch(/^"+… \[truncated from 2000000 bytes\]$/);
  }
});

it('never cuts a character in two', () => {
  for (const padding of ['', 'x', 'xx', 'xxx']) {
    const [log] = logs({ text: padding + '😀'.repeat(MB / 2) });
    expect(log?.text?.isWellFormed()).toBe(true);
    expect(log?.text).not.toContain('\ufffd');
  }
});

it('distributes the longest value in numbered parts over several logs with all other fields', () => {
  const text = Array.from({ length: 500_000 }, (_, index) => `${index} 中`).join('"');
  const parts = logs({ text, order: 17 }, { oversize: 'split' });
  expect(parts.length).toBeGreaterThan(4);
  const matches = parts.map((part) => /^\[(\d+)\/(\d+) ([0-9a-f]{8})\] (.*)$/s.exec(part.text ?? ''));
  expect(matches.map((match) => Number(match?.[1]))).toEqual(parts.map((_, index) => index + 1));
  expect(new Set(matches.map((match) => match?.[2]))).toEqual(new Set([String(parts.length)]));
  expect(new Set(matches.map((match) => match?.[3])).size).toBe(1);
  expect(matches.map((match) => match?.[4]).join('')).toBe(text);
  for (const part of parts) {
    expect(part).toMatchObject({ order: '17', level: 'info', time: parts[0]?.time, seq: parts[0]?.seq });
  }
});

it('shortens the other values if they leave no room for the parts', () => {
  const parts = logs({ a: 'a'.repeat(MB), b: 'b'.repeat(MB), c: 'c'.repeat(MB) }, { oversize: 'split' });
  const longest = parts.map(({ a }) => a?.replace(/^\[.*?\] /, '')).join('');
  expect(longest).toBe('a'.repeat(MB));
  for (const { b, c } of parts) {
    expect(b).toContain('[truncated from 1000000 bytes]');
    expect(c).toContain('[truncated from 1000000 bytes]');
  }
});

it.each([
  ['a value of more than 1 MB', { text: 'x'.repeat(MB + 1) }],
  ['a record larger than a request', { a: '"'.repeat(MB), b: '"'.repeat(MB) }],
])('drops %s with oversize: drop', (_what, fields) => {
  expect(shop({ oversize: 'drop' }).encode(record(fields))).toEqual({ refused: 'too-large' });
  expect(logs(fields)).toHaveLength(1);
});

it.each(['truncate', 'split', 'drop'] as const)('does not change a record within the limits (%s)', (oversize) => {
  const fields = { a: 'a'.repeat(MB), b: 'b'.repeat(MB), c: 'c'.repeat(MB - 200) };
  expect(logs(fields, { oversize })).toMatchObject([fields]);
});

describe('a record with more fields than fit', () => {
  const many = (count: number): [string, string][] =>
    Array.from({ length: count }, (_, index) => [`field${index}`, 'a value of an ordinary field '.repeat(2)]);

  it('keeps its message, and says how many fields it leaves out', () => {
    const [log = {}] = logs({ ...Object.fromEntries(many(60_000)), msg: 'order placed' });
    expect(log).toMatchObject({ time: expect.anything(), seq: expect.anything(), level: 'info', msg: 'order placed' });
    const { leftOutFields } = JSON.parse(log.logferry ?? '');
    expect(Object.keys(log).length - 5 + leftOutFields).toBe(60_000);
    expect(Buffer.byteLength(JSON.stringify(log))).toBeGreaterThan(2_999_800);
  });

  it.each(['truncate', 'split'] as const)('keeps its message, and the other fields in their order (%s)', (oversize) => {
    for (const name of ['message', 'msg', 'other']) {
      const fields: Record<string, string> = Object.fromEntries(many(2000));
      fields[name] = 'order placed '.repeat(100);
      const [log = {}, ...others] = logs(fields, { oversize, maxBatchBytes: 100_000 });
      expect(others).toEqual([]);
      expect(log[name]).toBe(name === 'other' ? undefined : fields[name]);
      const kept = Object.keys(log).filter((key) => key.startsWith('field'));
      expect(kept).toEqual(many(kept.length).map(([key]) => key));
    }
  });

  it('is stored also if its keys alone are too large', () => {
    const keys = Array.from({ length: 5000 }, (_, index) => String(index).padStart(20, 'x'));
    const fields = Object.fromEntries(keys.map((key) => [key, 1]));
    const [log] = logs({ logferry: 'mine', msg: 'x'.repeat(200_000), ...fields }, { maxBatchBytes: 100_000 });
    expect(log?.logferry).toBe('mine');
    expect(log?.msg).toMatch(/^x{20000,}… \[truncated from 200000 bytes\]$/);
    expect(JSON.parse(log?.logferry_ ?? '').leftOutFields).toBeGreaterThan(1000);
  });

  it('is dropped with oversize: drop', () => {
    const dropping = shop({ oversize: 'drop', maxBatchBytes: 100_000 });
    expect(dropping.encode(record(Object.fromEntries(many(2000))))).toEqual({ refused: 'too-large' });
  });
});

it.each(['truncate', 'split'] as const)('fits a record into a request with a lower limit (%s)', (oversize) => {
  for (const maxBatchBytes of [1024, 2000, 100_000]) {
    const fitting = logs({ text: '中"'.repeat(100_000) }, { oversize, maxBatchBytes, tags: { env: 'test' } });
    expect(fitting.length > 1).toBe(oversize === 'split');
  }
});

it('fills a request with a lower limit to the last byte', () => {
  const destination = shop({ maxBatchBytes: 2048 });
  const { baseBytes, maxBytes } = destination.limits;
  const [empty] = encoded(destination, record({ text: '' }));
  const room = maxBytes - (baseBytes?.(empty?.route ?? '') ?? 0) - (empty?.bytes ?? 0);
  expect(maxBytes).toBe(2048);
  expect(encoded(destination, record({ text: 'x'.repeat(room) }))[0]?.payload).toContain(`"${'x'.repeat(room)}"`);
  expect(encoded(destination, record({ text: 'x'.repeat(room + 1) }))[0]?.payload).toContain('[truncated from');
});

it.each([
  ['string', (text: string): unknown => text],
  ['string in an object', (text: string): unknown => ({ text })],
])('cuts a %s of 100 MB before it costs anything', (_, make) => {
  const value = make('x'.repeat(100_000_000));
  const [log] = logs({ value, order: 17 });
  expect(log?.order).toBe('17');
  expect(log?.value).toMatch(/^(\{"text":")?x{998000,}… \[truncated from 100000000 characters\]/);
  const destination = shop();
  const cpuMs = Array.from({ length: 3 }, () => {
    const before = process.cpuUsage();
    destination.encode(record({ value }));
    return process.cpuUsage(before).user / 1000;
  });
  expect(Math.min(...cpuMs)).toBeLessThan(200);
});
