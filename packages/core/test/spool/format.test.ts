import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { expect, it } from 'vitest';
import { DeliveryError } from '../../src/index.js';
import { filesIn, startSpooled, temporaryDirectory, textRecord } from '../support/spool.js';

/** A reader that was written from SPOOL.md alone. */
function readSpool(path: string) {
  const bytes = readFileSync(path);
  const mark = Number.parseInt(/-([0-9a-f]{8})\.v1$/.exec(path)?.[1] ?? '', 16);
  expect(bytes.toString('latin1', 0, 8)).toBe('LOGFERRY');
  expect(bytes.readUInt16LE(8)).toBe(1);
  const headerLength = bytes.readUInt16LE(10);
  expect(bytes.readUInt32LE(12)).toBe(mark);
  expect(bytes.readUInt32LE(headerLength - 4)).toBe(crc32(bytes.subarray(0, headerLength - 4)));
  const key = bytes.toString('utf8', 32, headerLength - 4);
  const records: {
    number: number;
    acceptedAt: number;
    urgent: boolean;
    route: string;
    payload: string;
    time: number;
  }[] = [];
  for (let at = headerLength; at < bytes.length; at += bytes.readUInt32LE(at + 8)) {
    const length = bytes.readUInt32LE(at + 8);
    expect(bytes.readUInt32LE(at)).toBe(mark);
    expect(bytes.readUInt32LE(at + 4)).toBe(crc32(bytes.subarray(at + 8, at + length), mark));
    expect(bytes.readUInt16LE(at + 26)).toBe(1);
    const event = at + 28;
    const routeEnd = event + 24 + bytes.readUInt32LE(event);
    records.push({
      number: bytes.readUInt32LE(at + 12),
      acceptedAt: bytes.readDoubleLE(at + 16),
      urgent: bytes.readUInt16LE(at + 24) === 1,
      route: bytes.toString('utf8', event + 24, routeEnd),
      payload: bytes.toString('utf8', routeEnd, routeEnd + bytes.readUInt32LE(event + 4)),
      time: bytes.readDoubleLE(event + 16),
    });
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
  expect(records.map(({ payload }) => payload)).toEqual(texts);
  expect(records.map(({ number }) => number)).toEqual([...texts.keys()]);
  for (const { payload, urgent, route, time, acceptedAt } of records) {
    expect({ urgent, route }).toEqual({ urgent: payload.includes('7'), route: 'memory' });
    for (const at of [time, acceptedAt]) expect(at).toBeGreaterThanOrEqual(before);
  }
  const { sent, settled } = readMarks(`${path}.marks`, mark);
  const delivered = destination.texts.map((text) => texts.indexOf(text));
  expect(delivered.length).toBeGreaterThan(0);
  expect(settled.toSorted((a, b) => a - b)).toEqual(delivered.toSorted((a, b) => a - b));
  expect(sent.length).toBeGreaterThan(settled.length);
});
