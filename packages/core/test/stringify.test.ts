import { expect, it } from 'vitest';
import { stringify, toPrimitive } from '../src/index.js';

it('writes plain JSON, with the keys in their order', () => {
  expect(stringify({ b: 1, a: [true, null, 'x'] })).toBe('{"b":1,"a":[true,null,"x"]}');
  expect(stringify(undefined)).toBe('null');
});

it('copes with cycles and BigInt, and keeps the order of keys', () => {
  const cyclic: Record<string, unknown> = { z: 12n, a: 1 };
  cyclic.self = cyclic;
  expect(stringify(cyclic)).toBe('{"z":12,"a":1,"self":"[Circular]"}');
});

it('replaces members that cannot be read, and keeps the others', () => {
  const nested = {
    good: 1,
    get bad(): never {
      throw new Error('no');
    },
    list: [
      2,
      {
        toJSON: () => {
          throw new Error('no');
        },
      },
    ],
    big: 3n,
  };
  expect(stringify({ nested })).toBe('{"nested":{"good":1,"bad":"[Unreadable]","list":[2,"[Unreadable]"],"big":3}}');
});

it('replaces a proxy whose every trap throws', () => {
  const hostile = new Proxy(
    {},
    {
      get: () => {
        throw new Error('no');
      },
      ownKeys: () => {
        throw new Error('no');
      },
      has: () => {
        throw new Error('no');
      },
    },
  );
  expect(stringify({ hostile, a: 1 })).toBe('{"hostile":"[Unreadable]","a":1}');
});

it('writes the first 100 levels of an object that is deeper than any stack', () => {
  let object: unknown = {};
  for (let level = 0; level < 50_000; level++) object = { object };
  // JSON.stringify of Node.js 26 writes it, except for the BigInt.
  expect(stringify({ object, last: 1n })).toMatch(/^(\{"object":){100}"\[Unreadable\]"\}+,"last":1\}$/);
  const endless = (): object => ({
    get next() {
      return endless();
    },
    get other() {
      return endless();
    },
  });
  expect(JSON.parse(stringify([endless(), 1]))).toBeInstanceOf(Array);
});

it('does not hang on an object whose parts all refer to each other, and bounds its JSON', () => {
  const parts: object[] = Array.from({ length: 30 }, () => ({}));
  for (const part of parts) Object.assign(part, { parts: [...parts], text: 'x'.repeat(1_000_000) });
  const startedMs = performance.now();
  const json = stringify(parts);
  expect(json.length).toBeLessThan(10_000_000);
  expect(JSON.parse(json)).toBeInstanceOf(Array);
  expect(performance.now() - startedMs).toBeLessThan(20_000);
});

it('writes the values beside a BigInt as JSON.stringify does', () => {
  const plain = {
    list: [undefined, () => 1, Symbol('s'), null, Number.NaN, -0, new Array(2)],
    gone: undefined,
    boxed: [new Number(1), new String('x'), Object(true)],
    date: new Date(0),
    invalid: new Date(Number.NaN),
    'key "quoted" \ud800': '\ud800\u2028',
    map: new Map([[1, 2]]),
    json: { toJSON: (key: string) => `made for ${key}` },
    self: {
      text: 'x',
      toJSON() {
        return this;
      },
    },
  };
  const wanted = JSON.stringify({ plain, big: 1 });
  expect(stringify({ plain, big: 1n })).toBe(wanted);
});

it('toPrimitive writes what JSON cannot express, and objects as JSON', () => {
  const error = Object.assign(new TypeError('bad', { cause: 1n }), { status: 500 });
  const value = {
    error,
    map: new Map([['a', new Set([1])]]),
    pairs: new Map([[1, 2]]),
    bytes: new Uint8Array([1, 2, 3]),
  };
  const { stack } = error;
  expect(JSON.parse(String(toPrimitive(value, 10_000)))).toEqual({
    error: { name: 'TypeError', message: 'bad', stack, status: 500, cause: 1 },
    map: { a: [1] },
    pairs: [[1, 2]],
    bytes: 'AQID',
  });
});

it('toPrimitive returns the primitive that stands for an object', () => {
  expect(toPrimitive(new Date(0), 100)).toBe('1970-01-01T00:00:00.000Z');
  expect(toPrimitive(Buffer.from('abc'), 100)).toBe('YWJj');
  expect(toPrimitive({ toJSON: () => Number.NaN }, 100)).toBeNaN();
  expect(toPrimitive({ toJSON: () => undefined }, 100)).toBeUndefined();
});

it('toPrimitive never throws, and ends early after the number of characters', () => {
  const bad = (): never => {
    throw new Error('no');
  };
  expect(toPrimitive({ toJSON: bad }, 100)).toBe('[Unreadable]');
  expect(toPrimitive([{ toJSON: bad }, 1], 100)).toBe('["[Unreadable]",1]');
  expect(toPrimitive([1n, { a: 2n, b: 3n }, 4n], 9)).toBe('[1,{"a":2,"…":"[1 more]"},"… [1 more]"]');
  expect(toPrimitive(['x'.repeat(500), 1], 101)).toBe(`["${'x'.repeat(70)}… [truncated from 500 bytes]","… [1 more]"]`);
});

it.each([
  ['a string', () => 'x'.repeat(100_000_000), /^\{"big":"x{4194000,}… \[truncated from 100000000 characters\]"\}$/],
  [
    'a string in a list',
    () => ['x'.repeat(100_000_000)],
    /^\{"big":\["x{4194000,}… \[truncated from 100000000 characters\]"\]\}$/,
  ],
  ['bytes', () => Buffer.alloc(100_000_000), /^\{"big":\{"type":"Buffer","data":\[(0,){200000,}0\]\}\}$/],
])('stringify and toPrimitive cut %s of 100 MB before they cost anything', (_, make, json) => {
  const fields = { big: make() };
  expect(stringify(fields)).toMatch(json);
  expect(String(toPrimitive(fields, 1_000_000)).length).toBeLessThan(1_001_000);
  const cpuMs = Array.from({ length: 3 }, () => {
    const before = process.cpuUsage();
    stringify(fields);
    toPrimitive(fields, 1_000_000);
    return process.cpuUsage(before).user / 1000;
  });
  expect(Math.min(...cpuMs)).toBeLessThan(200);
});
