import { createRequire } from 'node:module';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { encoded, record, shop, stored, storedFields } from './support/records.js';

const TIME = 1_700_000_000_123;
const ISO = '2023-11-14T22:13:20.123Z';

describe('a record of a framework', () => {
  it.each([
    [
      'winston',
      { level: 'info', message: 'order placed', orderId: 17, timestamp: ISO, [Symbol.for('level')]: 'info' },
      { message: 'order placed', orderId: '17', timestamp: ISO },
    ],
    [
      'pino',
      { level: 30, time: TIME, pid: 7, hostname: 'web-1', orderId: 17, msg: 'order placed' },
      { pid: '7', hostname: 'web-1', orderId: '17', msg: 'order placed' },
    ],
    [
      'bunyan',
      {
        name: 'shop',
        hostname: 'web-1',
        pid: 7,
        level: 30,
        orderId: 17,
        msg: 'order placed',
        time: new Date(TIME),
        v: 0,
      },
      { name: 'shop', hostname: 'web-1', pid: '7', orderId: '17', msg: 'order placed', v: '0' },
    ],
  ])('is stored as text, with time, sequence and level: %s', (_framework, fields, own) => {
    expect(stored(fields)).toEqual({ time: ISO, seq: expect.stringMatching(/^\d{12}$/), level: 'info', ...own });
  });

  it.each([TIME, TIME / 1000, ISO, String(TIME), new Date(TIME), '2023-11-14 22:13:20,123Z'])(
    "has the framework's own time %s recognised",
    (time) => {
      expect(Object.keys(stored({ time }))).toEqual(['time', 'seq', 'level']);
    },
  );

  it('keeps a different time that the user logged, under another name', () => {
    expect(stored({ time: '12:30', time_: 'mine' })).toMatchObject({ time: ISO, time_: 'mine', time__: '12:30' });
    expect(stored({ time: TIME + 1 })).toMatchObject({ time: ISO, time_: String(TIME + 1) });
  });

  it('keeps a field of the user with the name of the sequence', () => {
    expect(stored({ seq: 5 })).toMatchObject({ seq: expect.stringMatching(/^\d{12}$/), seq_: '5' });
  });

  it.each([30, 'info', 'INFO', '\u001b[32minfo\u001b[39m', 'info '])(
    "has the framework's own level %o recognised",
    (level) => {
      expect(stored({ level })).toEqual({ time: ISO, seq: expect.anything(), level: 'info' });
    },
  );

  it.each(['gold', 'information desk', ''])('keeps the level %o that the user logged, under another name', (level) => {
    expect(stored({ level })).toMatchObject({ level: 'info', level_: level });
  });

  it('has time and sequence number in the fields of the options', () => {
    const fields = stored({ time: TIME, seq: 1 }, { timeField: 'at', sequenceField: '__proto__' });
    expect(fields).toMatchObject({ at: ISO, time: String(TIME), seq: '1', level: 'info' });
    expect(Object.keys(fields)).toContain('__proto__');
  });
});

describe('the time of an event', () => {
  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY, 8.65e15])(
    'is the current time in place of the invalid time %d',
    (time) => {
      vi.useFakeTimers({ now: TIME });
      const [event] = encoded(shop(), record({}, { time }));
      vi.useRealTimers();
      expect(event?.time).toBe(TIME);
      expect(event?.payload).toContain(`"time":"${ISO}"`);
    },
  );

  it('has no fractions of a millisecond', () => {
    expect(encoded(shop(), record({}, { time: TIME + 0.9 }))[0]?.time).toBe(TIME);
  });

  it('is never the cached time of the previous record', () => {
    const destination = shop();
    const times = [TIME, TIME, TIME + 1, TIME].map((time) => {
      const [event] = encoded(destination, record({}, { time }));
      return JSON.parse(String(event?.payload)).time;
    });
    expect(times).toEqual([ISO, ISO, '2023-11-14T22:13:20.124Z', ISO]);
  });
});

describe('the sequence', () => {
  it('grows by one with each record of any destination', () => {
    const numbers = [shop(), shop({ topic: 'other' }), shop()].map((destination) =>
      Number(JSON.parse(String(encoded(destination, record({}))[0]?.payload)).seq),
    );
    expect(numbers[1]).toBe((numbers[0] ?? 0) + 1);
    expect(numbers[2]).toBe((numbers[0] ?? 0) + 2);
  });

  it('is shared with other copies of the package', () => {
    const require = createRequire(import.meta.url);
    const { createLogService } = require('@logferry/log-service') as typeof import('../src/index.js');
    const copy = createLogService({ endpoint: 'http://127.0.0.1:1', project: 'shop', logstore: 'web' });
    const here = Number(stored({}).seq);
    const there = Number(JSON.parse(String(encoded(copy, record({}))[0]?.payload)).seq);
    expect([there, Number(stored({}).seq)]).toEqual([here + 1, here + 2]);
  });
});

describe('a value', () => {
  const cyclic: Record<string, unknown> = { a: 1 };
  cyclic.self = cyclic;
  const bytes = new Uint8Array([1, 2, 3, 250]);

  it.each<[what: string, value: unknown, text: string]>([
    ['a string', 'größe "1"\n中文 😀', 'größe "1"\n中文 😀'],
    ['an empty string', '', ''],
    ['a lone surrogate', 'a\ud800b', 'a\ufffdb'],
    ['control characters', '\u0000\u001f\u007f\u2028', '\u0000\u001f\u007f\u2028'],
    ['a number', -0.5, '-0.5'],
    ['not a number', Number.NaN, 'NaN'],
    ['a boolean', false, 'false'],
    ['a BigInt', 2n ** 70n, '1180591620717411303424'],
    ['a date', new Date(TIME), ISO],
    ['a list', [1, 'a', null, undefined, () => 1, Symbol('x'), [2n]], '[1,"a",null,null,null,null,[2]]'],
    [
      'an object',
      { a: { b: [1] }, c: undefined, d: null, e: () => 1, f: Number.NaN },
      '{"a":{"b":[1]},"d":null,"f":null}',
    ],
    ['a date in an object', { at: new Date(TIME) }, `{"at":"${ISO}"}`],
    ['a cycle', cyclic, '{"a":1,"self":"[Circular]"}'],
    ['the same object twice', [cyclic.a, [bytes, bytes]], '[1,["AQID+g==","AQID+g=="]]'],
    [
      'a map',
      new Map<string, unknown>([
        ['a', 1],
        ['__proto__', new Map()],
      ]),
      '{"a":1,"__proto__":{}}',
    ],
    ['a map whose keys are no strings', new Map([[1, 'a']]), '[[1,"a"]]'],
    ['a set', new Set([1, new Set(['a'])]), '[1,["a"]]'],
    ['a buffer', Buffer.from(bytes), 'AQID+g=='],
    ['a view of a part', new Uint8Array(bytes.buffer, 1, 2), 'AgM='],
    ['an ArrayBuffer', bytes.buffer, 'AQID+g=='],
    ['toJSON', { toJSON: () => 'short' }, 'short'],
    ['toJSON that returns a number', { toJSON: () => 5 }, '5'],
    ['toJSON that returns an object', { toJSON: () => ({ a: new Set([1]) }) }, '{"a":[1]}'],
    [
      'toJSON that returns its object',
      new (class {
        a = 1;
        toJSON(): this {
          return this;
        }
      })(),
      '{"a":1}',
    ],
    ['a URL', new URL('http://x.example/'), 'http://x.example/'],
    ['an object without prototype', Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    ['lone surrogates in an object', { 'a\ud800': '\udfff' }, '{"a\\ud800":"\\udfff"}'],
  ])('that is %s becomes text', (_what, value, text) => {
    expect(storedFields({ value })).toEqual({ value: text });
  });

  it.each([null, undefined, () => 1, Symbol('x'), new Date(Number.NaN), { toJSON: () => undefined }])(
    'that is %s is left out',
    (value) => {
      expect(storedFields({ value, other: 1 })).toEqual({ other: '1' });
    },
  );

  it('that is an error has its stack, its cause and its own members', () => {
    const cause = Object.assign(new TypeError('inner'), { code: 'E_INNER' });
    const error = Object.assign(new Error('outer', { cause }), { status: 500 });
    for (const fields of [{ error }, { error: { nested: error } }]) {
      const parsed = JSON.parse(storedFields(fields).error ?? '');
      expect(parsed.nested ?? parsed).toEqual({
        name: 'Error',
        message: 'outer',
        stack: error.stack,
        status: 500,
        cause: { name: 'TypeError', message: 'inner', stack: cause.stack, code: 'E_INNER' },
      });
    }
  });

  it('that is an AggregateError has all of its errors', () => {
    const { error } = storedFields({ error: new AggregateError([new Error('one'), 'two'], 'many') });
    expect(JSON.parse(error ?? '')).toMatchObject({ message: 'many', errors: [{ message: 'one' }, 'two'] });
  });

  it('of another realm is read like one of this realm', () => {
    const value = runInNewContext('({ error: new Error("far"), map: new Map([["a", 1]]) })');
    expect(JSON.parse(storedFields({ value }).value ?? '')).toMatchObject({ error: { message: 'far' }, map: { a: 1 } });
  });

  it('that is an error with itself as its cause has a cycle', () => {
    const error: Error & { cause?: unknown } = new Error('x');
    error.cause = error;
    expect(JSON.parse(storedFields({ error }).error ?? '').cause).toBe('[Circular]');
  });
});

describe('a value that cannot be read', () => {
  const bad = (): never => {
    throw new Error('no');
  };
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();

  it.each<[what: string, fields: object, field: string]>([
    [
      'a getter',
      {
        get bad() {
          return bad();
        },
      },
      '[Unreadable]',
    ],
    ['toJSON', { bad: { toJSON: bad } }, '[Unreadable]'],
    ['a revoked proxy', { bad: proxy }, '[Unreadable]'],
    [
      'a getter in an object',
      {
        bad: {
          get x() {
            return bad();
          },
          y: 1,
        },
      },
      '{"x":"[Unreadable]","y":1}',
    ],
    ['toJSON in a list', { bad: [{ toJSON: bad }, 1] }, '["[Unreadable]",1]'],
    ['a revoked proxy in an object', { bad: { x: proxy } }, '{"x":"[Unreadable]"}'],
    ['a getter in a list', { bad: Object.defineProperty([0, 1], 0, { get: bad }) }, '["[Unreadable]",1]'],
    [
      'the message of an error',
      { bad: [Object.defineProperty(new RangeError(), 'message', { get: bad })].map((e) => ({ e })) },
      '[{"e":{"name":"RangeError","message":"[Unreadable]"',
    ],
  ])('does not lose the record: %s', (_what, fields, text) => {
    const input = Object.defineProperties({ other: 1 }, Object.getOwnPropertyDescriptors(fields));
    const { bad: got, other } = storedFields(input);
    expect(other).toBe('1');
    expect(got?.startsWith(text)).toBe(true);
  });

  it('does not lose the record: an object deeper than the stack', () => {
    let deep: unknown = 'bottom';
    for (let i = 0; i < 20_000; i++) deep = [deep];
    expect(storedFields({ deep, other: 1 }).other).toBe('1');
    expect(storedFields({ deep }).deep).toContain('[Unreadable]');
  });

  it('does not lose the record: a toJSON that returns new objects with toJSON endlessly', () => {
    class Endless {
      toJSON(): object {
        return { next: new Endless() };
      }
    }
    expect(storedFields({ endless: new Endless(), other: 1 }).other).toBe('1');
  });

  it('does not hang: a list of four billion holes', () => {
    expect(storedFields({ holes: new Array(2 ** 32 - 1) }).holes).toMatch(/^\[null,null,.*,"… \[\d+ more\]"\]$/);
  });

  it('does not hang: an object whose parts all refer to each other', () => {
    const parts = Array.from({ length: 12 }, () => ({}) as Record<string, unknown>);
    for (const part of parts) for (const [index, other] of parts.entries()) part[index] = other;
    expect(storedFields({ parts }).parts).toContain('[Circular]');
  });
});

describe('a key', () => {
  it.each([
    ['', '_'],
    ['__time__', '__time___'],
    ['__source__', '__source___'],
    ['__topic__', '__topic___'],
    ['__partition_time__', '__partition_time___'],
    ['_extract_others_', '_extract_others__'],
    ['__extract_others__', '__extract_others___'],
    ['__tag__:env', '__tag___env_'],
    ['__tag__:', '__tag____'],
    ['__tag__::', '__tag___:_'],
    ['x'.repeat(129), `${'x'.repeat(127)}_`],
    ['中'.repeat(43), `${'中'.repeat(42)}_`],
    ['😀'.repeat(33), `${'😀'.repeat(31)}_`],
    ['a\ud800', 'a\ufffd_'],
  ])('that Log Service does not take is renamed: %o', (key, name) => {
    expect(storedFields({ [key]: 'x' })).toEqual({ [name]: 'x' });
  });

  it.each([
    'x'.repeat(128),
    '中'.repeat(42),
    '__tag__',
    '__logs__',
    'user.id',
    '中文',
    'a b',
    '__proto__',
    'constructor',
    '0',
  ])('that Log Service takes is not renamed: %o', (key) => {
    const fields = Object.defineProperty({}, key, { value: 'x', enumerable: true });
    expect(Object.entries(storedFields(fields))).toEqual([[key, 'x']]);
  });

  it('gets a name that no other key has', () => {
    expect(storedFields({ '': 'a', _: 'b', __: 'c', _3: 'd' })).toEqual({ _: 'b', __: 'c', _3: 'd', _4: 'a' });
    expect(storedFields({ 'a\ud800': 'x', 'a\udfff': 'y', 'a\ufffd': 'z' })).toEqual({
      'a\ufffd': 'z',
      'a\ufffd_': 'x',
      'a\ufffd__': 'y',
    });
  });

  it('is not renamed to a reserved one', () => {
    expect(stored({ __time_: 'x' }, { timeField: '__time_' })).toMatchObject({ __time_: ISO, __time___: 'x' });
  });

  it('gets a name quickly, also when many keys begin alike', () => {
    const fields = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => ['x'.repeat(128) + index, index]));
    const startMs = performance.now();
    const names = Object.keys(storedFields(fields));
    expect(performance.now() - startMs).toBeLessThan(20_000);
    expect(new Set(names).size).toBe(20_000);
    expect(names.every((name) => Buffer.byteLength(name) <= 128)).toBe(true);
  });

  it('is handled the same when there are more keys than the cache holds', () => {
    const destination = shop();
    for (let index = 0; index < 5000; index++) {
      const [event] = encoded(destination, record({ [`key${index}`]: 1, __time__: 2 }));
      expect(event?.payload).toContain(`"key${index}":"1"`);
      expect(event?.payload).toContain('"__time___":"2"');
    }
  });
});
