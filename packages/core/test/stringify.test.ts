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
