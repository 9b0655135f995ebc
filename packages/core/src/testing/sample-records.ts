import { randomBytes } from 'node:crypto';
import type { LogRecord } from '../contract/record.js';

/** Levels as frameworks and applications name them. */
export const LEVELS: readonly string[] = ['info', 'warn', 'Error 7', '"quoted" \\ {x}: *', '世界'];

/** A record with its text as `text` and as the field `message`. */
export function recordOf(
  text: string,
  { time = Date.now(), level = 'info' }: { readonly time?: number; readonly level?: string } = {},
): LogRecord {
  return { time, level, urgent: false, text, fields: { message: text } };
}

/** Records with random texts, with texts that are often treated wrongly, and with fields of every kind. */
export function anyRecords(count: number): readonly LogRecord[] {
  const random = seededRandom(1);
  const texts = [
    '',
    ' ',
    '\ud800',
    'cut \ud83d in two',
    '\0\u001b[31m\u007f',
    '\u2028\ufeff\ufffe',
    '{"cut":',
    '__proto__',
  ];
  for (let index = 0; index < count; index++) texts.push(randomText(random));
  return texts.map((text, index) => {
    const level = LEVELS[index % LEVELS.length] as string;
    const fields = Object.assign(FIELDS[index % FIELDS.length]?.() ?? {}, { message: text });
    return { ...recordOf(text, { level }), fields };
  });
}

/** Records with texts larger than most services take. */
export function hugeRecords(): readonly LogRecord[] {
  return [recordOf('\0'.repeat(400_000)), recordOf('😀'.repeat(1_000_000))];
}

/** Half a MiB of texts, of which no compression makes much less than 400 kB. */
export function incompressibleTexts(): readonly string[] {
  return Array.from({ length: 512 }, () => randomBytes(768).toString('base64'));
}

/** Fields as applications log them. Made anew for each record, which adds its message. */
const FIELDS: readonly (() => object)[] = [
  () => ({}),
  () => ({ order: 7, ratio: 0.1, paid: true, nothing: null, missing: undefined, nested: { deep: ['x', 1] } }),
  () => ({ when: new Date(0), count: 12n, amount: Number.NaN, error: new TypeError('odd') }),
  () => ({ '': 1, 'a.b "c"': '\udfff', 世界: '😀', ['k'.repeat(300)]: [undefined, () => 1, Symbol('s')] }),
  () => {
    const cyclic: Record<string, unknown> = { name: 'cycle' };
    return Object.assign(cyclic, { cyclic });
  },
  () => ({
    get bad() {
      throw new Error('a getter that throws');
    },
  }),
];

/** Up to 40 code units: of ASCII, control characters, lone surrogates, other planes. */
function randomText(random: () => number): string {
  const below = (limit: number): number => Math.floor(random() * limit);
  const units = Array.from({ length: below(40) }, () => {
    const [from, size] = PLANES[below(PLANES.length)] as readonly [number, number];
    return String.fromCodePoint(from + below(size));
  });
  return units.join('');
}

/** First code point and number of code points. */
const PLANES: readonly (readonly [from: number, size: number])[] = [
  [0x20, 0x60],
  [0, 0x20],
  [0x80, 0xd780],
  [0xd800, 0x800],
  [0xe000, 0x2000],
  [0x1_0000, 0x10_0000],
];

/** Identifies a record in the message of an assertion. */
export function excerptOf({ text, level, fields }: LogRecord): string {
  return JSON.stringify({ level, text: text.slice(0, 100), fields: Object.keys(fields) });
}

/** mulberry32 */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
