import type { Batch } from '@logferry/core';
import { JsonForm } from '../../src/encode/json-form.js';

const ROUTE = '{"__source__":"host"}';

/** A request body of about `bytes`, with a shape that depends on the seed. The same seed makes the same body. */
export function makeBody(seed: number, bytes: number): Buffer {
  const random = mulberry32(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const digits = (count: number): string => Array.from({ length: count }, () => Math.floor(random() * 10)).join('');
  const hex = (count: number): string => Array.from({ length: count }, () => HEX[Math.floor(random() * 16)]).join('');
  const words = (count: number): string => Array.from({ length: count }, () => pick(WORDS)).join(' ');
  const noise = (count: number): string =>
    Buffer.from(Array.from({ length: count }, () => random() * 256)).toString('base64');
  const shape = pick(SHAPES);
  const time = (index: number): string => new Date(1_700_000_000_000 + index * 37 + seed).toISOString();
  const make = (index: number): Record<string, string> => {
    switch (shape) {
      case 'request':
        return {
          time: time(index),
          level: 'info',
          msg: `GET /${pick(WORDS)}/${digits(3)} ${digits(2)}ms`,
          id: hex(16),
        };
      case 'same':
        return { level: 'info', msg: 'heartbeat' };
      case 'time-last':
        return { msg: words(6), level: pick(['info', 'warn']), time: time(index) };
      case 'stack':
        return {
          msg: words(3),
          stack: `Error: ${words(4)}\n    at ${pick(WORDS)} (/srv/app/${pick(WORDS)}.js:${digits(2)})`,
        };
      case 'nested':
        return {
          time: time(index),
          req: JSON.stringify({ id: hex(8), headers: { host: pick(WORDS), accept: '*/*' } }),
        };
      case 'chinese':
        return { time: time(index), msg: `订单 ${digits(8)} 已发货 🚚 ${pick(['北京', '上海', '杭州'])}` };
      case 'low-entropy':
        return { data: Array.from({ length: 60 }, () => pick(['a', 'b'])).join('') };
      case 'noise':
        return { data: noise(200) };
    }
  };
  const payloads: string[] = [];
  for (let size = 0; size < bytes || payloads.length === 0; ) {
    const payload = JSON.stringify(make(payloads.length));
    payloads.push(payload);
    size += payload.length;
  }
  const events = payloads.map((payload) => ({ route: ROUTE, time: 0, payload, bytes: 0 }));
  return Buffer.from(bodyOf({ route: ROUTE, events, bytes: 0 }));
}

/** Bytes that do not repeat. */
export function makeNoise(seed: number, bytes: number): Buffer {
  const random = mulberry32(seed);
  return Buffer.from(Uint8Array.from({ length: bytes }, () => random() * 256));
}

/** A size from 200 B to 3 MB, log-uniform with a `skew` of 1. A larger `skew` makes large sizes rarer. */
export function sizeOf(seed: number, skew: number): number {
  return 200 * 15_000 ** (mulberry32(seed)() ** skew);
}

const SHAPES = ['request', 'same', 'time-last', 'stack', 'nested', 'chinese', 'low-entropy', 'noise'] as const;
const HEX = '0123456789abcdef';
const WORDS = 'order user cart payment shipped failed started connection timeout retry cache index worker queue'.split(
  ' ',
);

/** A small seeded generator of numbers in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The body of a request of web tracking. */
export function bodyOf(batch: Batch): Uint8Array {
  return new JsonForm().bodyOf(batch);
}
