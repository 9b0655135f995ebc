import { MemoryDestination } from '@logferry/core/testing';
import { expect, test } from 'vitest';
import winston from 'winston';
import { DestinationTransport, withFlush } from '../src/index.js';

function start() {
  const destination = new MemoryDestination();
  const transport = new DestinationTransport({ destination, maxDelayMs: 600_000 });
  return { destination, transport, logger: winston.createLogger({ transports: [transport] }) };
}

test('a wrapped handler ends after the logs of all its transports are delivered', async () => {
  const [first, second] = [start(), start()];
  const handler = withFlush(
    async (event: { readonly id: number }) => {
      for (const { logger } of [first, second]) logger.info('hello', event);
      return event.id;
    },
    first.transport,
    second.transport,
  );
  expect(await handler({ id: 7 })).toBe(7);
  for (const { destination } of [first, second]) expect(destination.record.fields).toMatchObject({ id: 7 });
  for (const { transport } of [first, second]) expect(transport.stats()).toMatchObject({ delivered: 1 });
});

test('a logger is no transport', () => {
  const { transport, logger } = start();
  const wrap = () => withFlush(async () => {}, transport, logger as never);
  expect(wrap).toThrow('transports[1]: expected a transport or stream with flush() and stats(), got an object');
});
