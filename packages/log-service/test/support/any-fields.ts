import fc from 'fast-check';

/** Keys that the service does not take. */
export const RESERVED = [
  '__time__',
  '__source__',
  '__topic__',
  '__partition_time__',
  '_extract_others_',
  '__extract_others__',
];

const hostile = fc.constantFrom<() => unknown>(
  () =>
    Object.defineProperty({}, 'x', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    }),
  () => ({
    toJSON: () => {
      throw new Error('no');
    },
  }),
  () =>
    new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no');
        },
      },
    ),
  () => {
    const list: unknown[] = [];
    list.push(list);
    return list;
  },
  () => new Error('x', { cause: { deep: new Map([['a', new Set([1n])]]) } }),
  () => Symbol('x'),
  () => Buffer.from('x'),
  () => Object.create(null),
  () => new Date(Number.NaN),
);
export const anyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 20, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 5, arbitrary: fc.constantFrom('中文 😀', '\ud800', '\udc00\ud800', '\u0000\u001b"\\', '\u2028', '') },
  {
    weight: 1,
    arbitrary: fc
      .record({ unit: fc.constantFrom('x', '"', '\u0001', 'é', '中', '😀', '\ud800'), bytes: fc.nat(200_000) })
      .map(({ unit, bytes }) => unit.repeat(bytes / Buffer.byteLength(unit))),
  },
);
const value = fc.oneof(
  { weight: 6, arbitrary: anyText },
  {
    weight: 3,
    arbitrary: fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withNullPrototype: true,
      withSparseArray: true,
    }),
  },
  { weight: 1, arbitrary: hostile.map((make) => make()) },
);
export const anyKey: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 10 }),
  fc.constantFrom(
    ...RESERVED,
    '',
    '_',
    '__',
    'time',
    'time_',
    'seq',
    'seq_',
    'level',
    'level_',
    'message',
    '__proto__',
  ),
  fc.constantFrom(
    '__tag__:',
    '__tag__:a',
    '__tag___a_',
    'a\ud800',
    'a\ufffd',
    'a\ufffd_',
    'x'.repeat(129),
    `${'x'.repeat(127)}_`,
    '中'.repeat(50),
  ),
);

/** Fields of a record, hostile ones among them. */
export const anyFields: fc.Arbitrary<Readonly<Record<string, unknown>>> = fc
  .array(fc.tuple(anyKey, value), { maxLength: 8 })
  .map((entries) => Object.fromEntries(entries));
