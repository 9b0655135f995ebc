/** Texts that applications log one day, though nobody expects it. */
export function hostileTexts(): readonly string[] {
  return [
    '',
    'lone \ud800 surrogates \udfff',
    'control \0\u001b[31m\u007f',
    '\u2028\u2029\ufeff\ufffe',
    'two\nlines\r\nand\ttabs',
    '"quoted" \\ and {"cut":',
    '%s %d %j %o %%',
    '__proto__',
    'x'.repeat(1_500_000),
    '\ud800"\u0001😀'.repeat(100_000),
  ];
}

/** Values of fields that throw, never end, or are unlike anything in JSON. Made anew for each call. */
export function hostileValues(): readonly unknown[] {
  return [
    ...[undefined, null, Number.NaN, -0, 2n ** 200n, Symbol('s'), fail, class Odd {}],
    ...[cyclic({}), cyclic([]), densely(6), nested(2000), new Array(50_000)],
    Object.create(null),
    Object.freeze({ frozen: true }),
    {
      get bad() {
        return fail();
      },
    },
    Object.defineProperty([1, 2], 1, { enumerable: true, get: fail }),
    new Proxy({}, throwing),
    new Proxy([], throwing),
    revoked(),
    new Proxy({}, { ownKeys: () => ['a'], getOwnPropertyDescriptor: () => undefined }),
    { toJSON: fail },
    { toJSON: () => undefined },
    { toJSON: () => 1n },
    { toString: fail, valueOf: fail, [Symbol.toPrimitive]: fail },
    JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
    causesItself(),
    Object.defineProperties(new Error('hidden'), { stack: { get: fail }, message: { get: fail } }),
    new Map<unknown, unknown>([[{}, 1n]]),
    new Set([cyclic([])]),
    new Date(Number.NaN),
    new Uint8Array(3),
    new BigInt64Array(1),
    Promise.resolve(1n),
    Object('\ud800'),
  ];
}

/** For getters, traps and other functions that nobody expects to throw. */
function fail(): never {
  throw new Error('hostile');
}

const throwing: ProxyHandler<never> = Object.fromEntries(
  Object.getOwnPropertyNames(Reflect).map((trap) => [trap, fail]),
);

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function cyclic(object: object): object {
  return Object.assign(object, { self: object });
}

/** Objects that are all linked to each other: JSON without cycles grows exponentially. */
function densely(size: number): object {
  const members = Array.from({ length: size }, () => [] as unknown[]);
  for (const member of members) member.push(...members);
  return members;
}

function nested(levels: number): object {
  let object: object = { bottom: 1n };
  for (let level = 0; level < levels; level++) object = { down: object };
  return object;
}

function causesItself(): Error {
  const error = new TypeError('outer');
  error.cause = error;
  return error;
}
