import { expect, it } from 'vitest';
import { stringify } from '../src/index.js';

it('gives plain JSON, with the keys in their order', () => {
  expect(stringify({ b: 1, a: [true, null, 'x'] })).toBe('{"b":1,"a":[true,null,"x"]}');
  expect(stringify(undefined)).toBe('null');
});

it('copes with cycles and BigInt, and keeps the order of keys', () => {
  const cyclic: Record<string, unknown> = { z: 12n, a: 1 };
  cyclic.self = cyclic;
  expect(stringify(cyclic)).toBe('{"z":12,"a":1,"self":"[Circular]"}');
});

it('replaces what cannot be read and keeps the rest', () => {
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

it('survives a proxy that throws at everything', () => {
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

it('writes what it can of an object that is deeper than any stack', () => {
  let object: unknown = {};
  for (let level = 0; level < 50_000; level++) object = { object };
  // Node.js 26 itself writes it, but for the BigInt.
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

it('does not hang on an object whose parts all know each other, and bounds what it makes of it', () => {
  const parts: object[] = Array.from({ length: 30 }, () => ({}));
  for (const part of parts) Object.assign(part, { parts: [...parts], text: 'x'.repeat(1_000_000) });
  const startedMs = performance.now();
  const json = stringify(parts);
  expect(json.length).toBeLessThan(10_000_000);
  expect(JSON.parse(json)).toBeInstanceOf(Array);
  expect(performance.now() - startedMs).toBeLessThan(20_000);
});

it('beside a BigInt writes all else as JSON.stringify does', () => {
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
