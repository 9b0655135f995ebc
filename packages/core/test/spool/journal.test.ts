import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import {
  assertBalanced,
  createShipper,
  DeliveryError,
  type DeliveryOptions,
  type Shipper,
  type SpoolOptions,
} from '../../src/index.js';
import { MemoryDestination } from '../../src/testing/index.js';

class OnDisk extends MemoryDestination {
  readonly identity = 'memory';
}

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'logferry-spool-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function start(spool: SpoolOptions, options: DeliveryOptions = {}): { shipper: Shipper; destination: OnDisk } {
  const destination = new OnDisk();
  const shipper = createShipper(destination, { maxDelayMs: 0, ...options, spool });
  onTestFinished(async () => void (await shipper.close({ timeoutMs: 0 })));
  return { shipper, destination };
}

const record = (text: string) => ({ time: Date.now(), level: 'info', urgent: false, text, fields: {} });

it('delivers what the shipper before could not', async () => {
  const spool = { directory: directory() };
  const first = start(spool);
  first.destination.respond = () => {
    throw new DeliveryError('UNAVAILABLE', 'away');
  };
  for (let n = 0; n < 10; n++) expect(first.shipper.accept(record(`text ${n}`))).toBe(true);
  const report = await first.shipper.close({ timeoutMs: 50 });
  expect(report).toMatchObject({ received: 10, spooled: 10, pending: 0, delivered: 0 });
  assertBalanced(report);
  const second = start(spool);
  await expect.poll(() => second.destination.texts.length).toBe(10);
  const stats = second.shipper.stats();
  expect(stats).toMatchObject({
    received: 0,
    recovered: 10,
    delivered: 10,
    spooled: 0,
    replayed: { records: 10, ambiguous: 10 },
  });
  assertBalanced(stats);
  await second.shipper.close();
  expect(readdirSync(join(spool.directory, readdirSync(spool.directory)[0] as string))).toEqual([]);
});

it('keeps on disk what does not fit into memory, and delivers it after the outage', async () => {
  const spool = { directory: directory() };
  const { shipper, destination } = start(spool, { maxBufferBytes: 64 * 1024, retry: { baseMs: 10, capMs: 50 } });
  let isAway = true;
  destination.respond = () => {
    if (isAway) throw new DeliveryError('UNAVAILABLE', 'away');
  };
  const texts = Array.from({ length: 5000 }, (_, n) => `text ${n} ${'x'.repeat(100)}`);
  for (const text of texts) expect(shipper.accept(record(text))).toBe(true);
  expect(shipper.stats().spooled).toBeGreaterThan(4000);
  assertBalanced(shipper.stats());
  isAway = false;
  const report = await shipper.flush();
  expect(report).toMatchObject({ received: 5000, delivered: 5000, spooled: 0, pending: 0 });
  expect(destination.texts.toSorted()).toEqual(texts.toSorted());
});
