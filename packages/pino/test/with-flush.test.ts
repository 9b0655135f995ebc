import { MemoryDestination } from '@logferry/core/testing';
import pino from 'pino';
import { expect, it } from 'vitest';
import { destinationStream, stats, withFlush } from '../src/index.js';
import { fixture, linesOf, newFile } from './support/fixtures.js';
import { end, startTransport } from './support/transport.js';

const patient = { maxDelayMs: 600_000 };

/** A transport in a worker, whose target writes to a file. */
function startWorker() {
  const file = newFile();
  const transport = startTransport({ target: fixture('file-target.mjs'), options: { file, ...patient } });
  return { file, transport, logger: pino(transport) };
}

it('a wrapped handler ends after the logs of all its transports are delivered: workers and streams in process', async () => {
  const destination = new MemoryDestination();
  const stream = destinationStream({ destination, ...patient });
  const worker = startWorker();
  const handler = withFlush(
    async (event: { readonly id: number }) => {
      for (const logger of [pino(stream), worker.logger]) logger.info(event, 'hello');
      return event.id;
    },
    stream,
    worker.transport,
  );
  for (let id = 1; id <= 3; id++) {
    expect(await handler({ id })).toBe(id);
    expect(destination.texts).toHaveLength(id);
    // The first call has waited for the start of the worker.
    expect(linesOf(worker.file)).toHaveLength(id);
  }
  expect(await stats(worker.transport)).toMatchObject({ delivered: 3, pending: 0 });
});

it('a worker that has ended holds no handler up', async () => {
  const { transport } = startWorker();
  await end(transport);
  expect(await withFlush(async () => 'fine', transport)()).toBe('fine');
});

it.each([
  ['a logger', () => startWorker().logger],
  ['a stream of another package', () => process.stdout],
  ['nothing', () => undefined],
])('%s is no transport', (_, make) => {
  const wrong = make();
  const wrap = () => withFlush(async () => {}, startWorker().transport, wrong as never);
  const got = wrong ? 'an object' : 'undefined';
  expect(wrap).toThrow(`transports[1]: expected a transport or stream with flush() and stats(), got ${got}`);
});
