import { gunzipSync } from 'node:zlib';
import { createShipper } from '@logferry/core';
import { expect, it } from 'vitest';
import { batchOf, create, deliver, record } from './support/events.js';
import { accepted, serviceError, startServer } from './support/servers.js';
import { start } from './support/shipper.js';
import { collectWarnings } from './support/warnings.js';

/** A line of a request log. */
const line = (index: number): string =>
  JSON.stringify({
    level: 30,
    reqId: `req-${index}`,
    req: { method: 'GET', url: `/orders/${index}` },
    msg: 'request completed',
  });

it('compresses bodies, signs the compressed bytes, and counts them as wireBytes', async () => {
  const { emulator, shipper, stored } = await start({ compression: 'gzip' });
  const texts = Array.from({ length: 2000 }, (_, index) => line(index));
  for (const text of texts) shipper.accept(record(text));
  await shipper.flush();
  expect(stored()).toEqual(texts);
  const { bytes, wireBytes } = shipper.stats();
  expect(wireBytes).toBeLessThan(bytes / 6);
  expect(emulator.stats().wireBytes).toBeGreaterThanOrEqual(wireBytes);
});

it('sends a body uncompressed if gzip makes it larger, and by default', async () => {
  const { requests, access } = await startServer(() => accepted);
  const compressing = create({ ...access, compression: 'gzip' });
  await deliver(compressing, batchOf(compressing, 'x'));
  await deliver(compressing, batchOf(compressing, 'x'.repeat(1000)));
  const plain = create(access);
  await deliver(plain, batchOf(plain, 'x'.repeat(1000)));
  expect(requests.map(({ headers }) => headers['content-encoding'])).toEqual([undefined, 'gzip', undefined]);
  expect(requests[1]?.headers.authorization).toContain('content-encoding');
  expect(JSON.parse(gunzipSync(requests[1]?.body ?? '').toString())).toMatchObject({
    logEvents: [{ message: 'x'.repeat(1000) }],
  });
});

it('gives gzip up with a warning when the endpoint cannot read it, and loses no record', async () => {
  const warnings = collectWarnings();
  const { requests, access } = await startServer(({ headers }) =>
    headers['content-encoding'] === 'gzip' ? serviceError(400, 'SerializationException') : accepted,
  );
  const shipper = createShipper(create({ ...access, compression: 'gzip' }), { maxDelayMs: 60_000 });
  for (let round = 0; round < 2; round++) {
    shipper.accept(record('x'.repeat(1000)));
    await shipper.flush();
  }
  await shipper.close();
  expect(shipper.stats()).toMatchObject({ delivered: 2, requests: 3, retries: { AGAIN: 1 } });
  expect(requests.map(({ headers }) => headers['content-encoding'])).toEqual(['gzip', undefined, undefined]);
  expect(warnings).toHaveLength(1);
});
