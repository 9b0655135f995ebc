import { statSync } from 'node:fs';
import { expect, it } from 'vitest';
import { assertBalanced } from '../../src/index.js';
import { away, filesIn, startSpooled, temporaryDirectory, textRecord } from '../support/spool.js';

const MAX_BYTES = 1_048_576;

function bytesIn(directory: string): number {
  return filesIn(directory).reduce((sum, path) => sum + statSync(path).size, 0);
}

it('records that come together take no more room on disk than spool.maxBytes', async () => {
  const directory = temporaryDirectory();
  const { shipper, destination } = startSpooled({ directory, maxBytes: MAX_BYTES });
  destination.respond = away;
  shipper.acceptAll(Array.from({ length: 4000 }, (_, n) => textRecord(`${n} ${'x'.repeat(1000)}`)));
  const stats = shipper.stats();
  assertBalanced(stats);
  expect(bytesIn(directory)).toBeLessThanOrEqual(MAX_BYTES);
  expect(stats.spool.bytes).toBe(bytesIn(directory));
  expect(stats.dropped['spool-full']).toBeGreaterThan(2900);
  expect(stats.pending).toBe(4000 - stats.dropped['spool-full']);
});
