import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';

export const texts: readonly string[] = [
  '',
  ' ',
  'plain',
  'grüße 世界 😀',
  'x'.repeat(300),
  '\ud800',
  'cut \udfff in two \ud83d',
  '\u0000\u0001\u001b[31m\u007f\u009f',
  '\u2028\u2029\ufeff\ufffe',
  'two\nlines\r\nand\ttabs\u000b',
  '"quoted" \\ and \'more\'',
  '{"level":30,"time":1,"msg":"forged"}',
  '{"cut":',
  '__proto__',
  '[object Object]',
  '\u202egnp.exe',
];

export const splats: readonly string[] = [
  '%s',
  '%d',
  '%j',
  '%o',
  '%O',
  '%i %f %c %%',
  '%s %d %j %o',
  '%',
  '%s %s %s %s %s',
  '%x',
];

export const keys: readonly string[] = [
  ...[
    'time',
    'level',
    'msg',
    'message',
    'timestamp',
    'seq',
    'name',
    'hostname',
    'pid',
    'v',
    'src',
    'err',
    'error',
    'stack',
  ],
  ...['cause', 'splat', 'label', 'user', 'order', 'logferry', '_aws', 'req', 'res', 'method', 'headers', 'socket'],
  ...['__time__', '__topic__', '__source__', '__tag__:', '__tag__:x', '__partition_time__', '__extract_others__'],
  ...['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString', 'valueOf', 'toJSON', 'then', 'length'],
  ...['', ' ', '0', '-1', 'a.b', 'a b', '@', '\u0000', '\u2028', '\ud800', '"', '\\', '世界', '😀', 'k'.repeat(300)],
];

export const primitives: readonly unknown[] = [
  ...[undefined, null, true, false, 0, -0, 5, -1, 0.1, 1e21, 1e308, 2 ** 53, Number.NaN, Number.NEGATIVE_INFINITY],
  ...[0n, 2n ** 200n, Symbol('s'), Symbol.iterator, () => 1, async () => 1, class Odd {}, fail, '12', 'warn'],
];

/** Each call makes a new object, since most frameworks write into their arguments. */
export const objects: readonly (() => unknown)[] = [
  () => ({}),
  () => [],
  () => cyclic({ name: 'cycle' }),
  () => cyclic([1]),
  () => clique(5),
  // Getters
  () => ({
    good: 1,
    get bad() {
      return fail();
    },
  }),
  () => ({
    get bad() {
      throw null;
    },
  }),
  () => ({
    get bad() {
      throw unreadable();
    },
  }),
  () => Object.defineProperty([1, 2], 1, { enumerable: true, get: fail }),
  // Proxies
  () => new Proxy({}, throwing),
  () => new Proxy([], throwing),
  () => new Proxy(() => 1, throwing),
  () => revoked({}),
  () => revoked([]),
  () => new Proxy({}, { ownKeys: () => ['a', 'b'], getOwnPropertyDescriptor: () => undefined }),
  () => new Proxy({ a: 1 }, { get: (_, key) => (key === 'toJSON' ? fail : key) }),
  // Has every member. It is inside another object, since as a record it blocks a winston logger with any transport.
  () => ({ all: new Proxy(() => 1, { get: (_target, _key, self) => self, apply: (_target, self) => self }) }),
  // toJSON and other conversions
  () => ({ toJSON: fail }),
  () => ({
    get toJSON() {
      return fail();
    },
  }),
  () => ({
    toJSON() {
      return this;
    },
  }),
  () => ({ toJSON: () => undefined }),
  () => ({ toJSON: () => 1n }),
  () => ({ toJSON: () => cyclic({}) }),
  () => ({ toJSON: () => ({ toJSON: fail }) }),
  () => ({ toJSON: 'no function' }),
  () => ({ toString: fail, valueOf: fail, [Symbol.toPrimitive]: fail }),
  () => ({ [Symbol.toStringTag]: 'Date', inspect: fail, [Symbol.for('nodejs.util.inspect.custom')]: fail }),
  // Prototypes
  () => Object.create(null),
  () =>
    Object.create({
      inherited: 1,
      get bad() {
        return fail();
      },
    }),
  () => Object.create(Array.prototype),
  () => Object.create(Error.prototype),
  () => Object.create(new Proxy({}, throwing)),
  () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
  () => ({ hasOwnProperty: null, toString: 1, constructor: undefined }),
  () =>
    new (class Secret {
      #hidden = 1;
      get open() {
        return this.#hidden;
      }
    })(),
  // Errors
  () => new Error('plain'),
  () => causesItself(),
  () => new AggregateError([new Error('a'), cyclic({}), undefined], 'all'),
  () => unreadable(),
  () =>
    Object.assign(new Error('odd'), {
      message: { toString: fail },
      stack: Symbol('stack'),
      name: 1n,
      code: cyclic({}),
    }),
  () => new DOMException('aborted', 'AbortError'),
  // Built-ins
  () =>
    new Map<unknown, unknown>([
      [{}, 1n],
      ['self', cyclic({})],
    ]),
  () => new Set([1, cyclic([]), Symbol('s')]),
  () => new WeakMap(),
  () => new WeakRef({}),
  () => Promise.resolve(1n),
  () => new Date(),
  () => new Date(Number.NaN),
  () => /re/gy,
  () => new URL('https://user:secret@example.com/?q=%00'),
  () => new Uint8Array([1, 255]),
  () => new BigInt64Array([1n]),
  () => new Float64Array([Number.NaN]),
  () => new DataView(new ArrayBuffer(2)),
  () => new SharedArrayBuffer(8),
  () => Buffer.from('\ud800'),
  () => new Array(50),
  () => Object.assign([1], { extra: 1n, '-1': 2 }),
  () => Object('\ud800'),
  () => Object(1n),
  () => Object(Symbol('s')),
  () => new Number(Number.NaN),
  () =>
    (function* () {
      yield fail();
    })(),
  () => new EventEmitter(),
  () => createHash('md5'),
  () => ({ [Symbol('key')]: 1, [Symbol.iterator]: fail }),
];

export const huge: readonly (() => unknown)[] = [
  () => 'x'.repeat(5_000_000),
  () => '\ud800"\u0001😀'.repeat(400_000),
  () => nested(10_000),
  () => endless(),
  () => Array.from({ length: 100_000 }, (_, index) => index),
  () => Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`key ${index}`, index])),
  () => clique(7),
  () => new Array(1_000_000),
];

/** For getters, traps and other functions that are not expected to throw. */
export function fail(): never {
  throw new Error('hostile');
}

const throwing: ProxyHandler<never> = Object.fromEntries(
  Object.getOwnPropertyNames(Reflect).map((trap) => [trap, fail]),
);

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function cyclic<T extends object>(object: T): T {
  return Object.assign(object, { self: object });
}

/** Objects that all refer to each other. Each order of the objects is a path through them. */
function clique(size: number): unknown {
  const members = Array.from({ length: size }, () => [] as unknown[]);
  for (const member of members) member.push(...members);
  return members[0];
}

function nested(levels: number): unknown {
  let object: unknown = { bottom: 1n };
  for (let level = 0; level < levels; level++) object = { down: object };
  return object;
}

/** Deeper than any stack. */
function endless(): object {
  return {
    get next() {
      return endless();
    },
  };
}

function unreadable(): Error {
  const hidden = { get: fail };
  return Object.defineProperties(new Error('hidden'), { stack: hidden, message: hidden, name: hidden });
}

function causesItself(): Error {
  const error: Error & { cause?: unknown } = new TypeError('outer', { cause: new Error('inner') });
  (error.cause as { cause?: unknown }).cause = error;
  return error;
}
