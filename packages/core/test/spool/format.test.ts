import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { expect, it } from 'vitest';
import { DeliveryError } from '../../src/index.js';
import { filesIn, leaveOnDisk, OnDisk, startSpooled, temporaryDirectory, textRecord } from '../support/spool.js';

interface FoundRecord {
  readonly number: number;
  readonly acceptedAt: number;
  readonly urgent: boolean;
  readonly events: readonly { readonly route: string; readonly time: number; readonly payload: string | Buffer }[];
}

/** A reader that was written from SPOOL.md alone. */
function readSpool(path: string): { key: string | undefined; mark: number; records: FoundRecord[] } {
  const bytes = readFileSync(path);
  const [, digits = '', hexadecimal = ''] = /^(\d{8,})-([0-9a-f]{8})\.v1$/.exec(basename(path)) ?? [];
  const mark = Number.parseInt(hexadecimal, 16);
  const pattern = Buffer.alloc(4);
  pattern.writeUInt32LE(mark);
  let at = 0;
  let key: string | undefined;
  const length = bytes.length >= 36 ? bytes.readUInt16LE(10) : 0;
  if (bytes.toString('latin1', 0, 8) === 'LOGFERRY' && length <= bytes.length) {
    if (bytes.readUInt32LE(length - 4) === crc32(bytes.subarray(0, length - 4))) {
      expect(bytes.readUInt16LE(8)).toBe(1);
      expect(bytes.readUInt32LE(12)).toBe(mark);
      expect(bytes.readUInt32LE(16)).toBe(Number(digits));
      key = bytes.toString('utf8', 32, length - 4);
      expect(createHash('sha256').update(key).digest('hex').slice(0, 12)).toBe(
        basename(dirname(dirname(path)))
          .split('-')
          .at(-1),
      );
      at = length;
    }
  }
  const records: FoundRecord[] = [];
  while (at >= 0 && at + 28 <= bytes.length) {
    const end = at + bytes.readUInt32LE(at + 8);
    const isFrame = bytes.readUInt32LE(at) === mark && end >= at + 28 && end <= bytes.length;
    if (!isFrame || bytes.readUInt32LE(at + 4) !== crc32(bytes.subarray(at + 8, end), mark)) {
      at = bytes.indexOf(pattern, at + 1);
      continue;
    }
    const events: { route: string; time: number; payload: string | Buffer }[] = [];
    let event = at + 28;
    for (let left = bytes.readUInt16LE(at + 26); left > 0; left--) {
      const routeEnd = event + 24 + bytes.readUInt32LE(event);
      const length = bytes.readUInt32LE(event + 4);
      const isText = length < 2 ** 31;
      const payloadEnd = routeEnd + (isText ? length : length - 2 ** 31);
      const time = bytes.readDoubleLE(event + 16);
      const route = bytes.toString('utf8', event + 24, routeEnd);
      const payload = bytes.subarray(routeEnd, payloadEnd);
      events.push({ route, time, payload: isText ? payload.toString() : payload });
      event = payloadEnd;
    }
    records.push({
      number: bytes.readUInt32LE(at + 12),
      acceptedAt: bytes.readDoubleLE(at + 16),
      urgent: bytes.readUInt16LE(at + 24) === 1,
      events,
    });
    at = end;
  }
  return { key, mark, records };
}

function readMarks(path: string, mark: number): { sent: number[]; settled: number[] } {
  const bytes = readFileSync(path);
  const marks = { sent: [] as number[], settled: [] as number[] };
  for (let at = 0; at < bytes.length; ) {
    const end = at + bytes.readUInt32LE(at + 8);
    expect(bytes.readUInt32LE(at)).toBe(mark);
    expect(bytes.readUInt32LE(at + 4)).toBe(crc32(bytes.subarray(at + 8, end), mark));
    const numbers: number[] = [];
    for (let byte = at + 13; byte < end; ) {
      let value = 0;
      for (let shift = 0; ; shift += 7) {
        const next = bytes[byte++] as number;
        value += (next & 0x7f) * 2 ** shift;
        if (next < 0x80) break;
      }
      numbers.push(value);
    }
    let next = 0;
    for (let pair = 0; pair < numbers.length; pair += 2) {
      const from = next + (numbers[pair] as number);
      next = from + (numbers[pair + 1] as number);
      for (let number = from; number < next; number++) marks[bytes[at + 12] === 0 ? 'sent' : 'settled'].push(number);
    }
    at = end;
  }
  return marks;
}

it('is what SPOOL.md says', async () => {
  const directory = temporaryDirectory();
  const { shipper, destination } = startSpooled({ directory }, { maxBatchEvents: 200 });
  let requests = 0;
  destination.respond = () => {
    if (++requests === 3) throw new DeliveryError('UNAVAILABLE', 'away');
    if (requests > 3) return new Promise(() => {});
    return undefined;
  };
  const texts = Array.from({ length: 1000 }, (_, n) => `text ${n} äö€😀`);
  const before = Date.now();
  for (const text of texts) shipper.accept({ ...textRecord(text), urgent: text.includes('7') });
  await expect.poll(() => shipper.stats().requests).toBeGreaterThan(2);
  await shipper.close({ timeoutMs: 0 });
  const [path = ''] = filesIn(directory);
  const { key, mark, records } = readSpool(path);
  expect(key).toBe('memory');
  expect(records.map(({ events }) => events[0]?.payload)).toEqual(texts);
  expect(records.map(({ number }) => number)).toEqual([...texts.keys()]);
  for (const { urgent, acceptedAt, events } of records) {
    const [{ payload, route, time } = { payload: '', route: '', time: 0 }] = events;
    expect({ urgent, route, events: events.length }).toEqual({
      urgent: String(payload).includes('7'),
      route: 'memory',
      events: 1,
    });
    for (const at of [time, acceptedAt]) expect(at).toBeGreaterThanOrEqual(before);
  }
  const { sent, settled } = readMarks(`${path}.marks`, mark);
  const delivered = destination.texts.map((text) => texts.indexOf(text));
  expect(delivered.length).toBeGreaterThan(0);
  expect(settled.toSorted((a, b) => a - b)).toEqual(delivered.toSorted((a, b) => a - b));
  expect(sent.length).toBeGreaterThan(settled.length);
});

it('has the parts of a split record in one frame, and undamaged records behind damaged ones and a damaged header', async () => {
  const directory = temporaryDirectory();
  const destination = new OnDisk();
  const encode = destination.encode.bind(destination);
  const parts = (text: string): string[] => text.split('|');
  Object.assign(destination, {
    encode: (record: { readonly time: number; readonly text: string }) =>
      parts(record.text).map((payload) => ({ ...encode({ ...textRecord(payload), time: record.time }), payload })),
  });
  await leaveOnDisk({ directory }, ['damaged', 'a|b|c', 'damaged too', 'd'], destination);
  const [path = ''] = filesIn(directory);
  const bytes = readFileSync(path);
  bytes[9] = 0xff;
  for (const text of ['damaged', 'damaged too']) bytes[bytes.indexOf(text)] = 0;
  writeFileSync(path, bytes);
  const { records } = readSpool(path);
  expect(records.map(({ number, events }) => [number, events.map(({ payload }) => payload)])).toEqual([
    [1, ['a', 'b', 'c']],
    [3, ['d']],
  ]);
});

it('has payloads that are bytes as they are, beside text', async () => {
  const directory = temporaryDirectory();
  const destination = new OnDisk();
  const encode = destination.encode.bind(destination);
  const payloads = ['text äö€😀', Buffer.from([0xff, 0, 0xc3, 0x28, 0x80]), Buffer.alloc(0), '', Buffer.from('äö€😀')];
  Object.assign(destination, {
    encode: (record: { readonly time: number; readonly text: string }) =>
      payloads.map((payload) => ({ ...encode({ ...textRecord(record.text), time: record.time }), payload })),
  });
  await leaveOnDisk({ directory }, ['split'], destination);
  const [path = ''] = filesIn(directory);
  const { records } = readSpool(path);
  expect(records.map(({ events }) => events.map(({ payload }) => payload))).toEqual([payloads]);
});
