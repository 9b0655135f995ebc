import { MemoryDestination } from '@logferry/core/testing';
import bunyan from 'bunyan';
import { expect, test } from 'vitest';
import { destinationStream, withFlush } from '../src/index.js';

function start() {
  const destination = new MemoryDestination();
  const entry = destinationStream({ destination, maxDelayMs: 600_000 });
  return { destination, entry, logger: bunyan.createLogger({ name: 'shop', streams: [entry] }) };
}

test('a wrapped handler ends after the logs of all its streams are delivered: entries, or the streams in them', async () => {
  const [first, second] = [start(), start()];
  const handler = withFlush(
    async (event: { readonly id: number }) => {
      for (const { logger } of [first, second]) logger.info(event, 'hello');
      return event.id;
    },
    first.entry,
    second.entry.stream,
  );
  expect(await handler({ id: 7 })).toBe(7);
  for (const { destination } of [first, second]) expect(destination.record.fields).toMatchObject({ id: 7 });
  for (const { entry } of [first, second]) expect(entry.stream.stats()).toMatchObject({ delivered: 1 });
});

test.each([
  ['a logger', start().logger],
  ['an entry of another stream', { type: 'raw', stream: process.stdout }],
  ['nothing', undefined],
])('%s is no stream', (_, wrong) => {
  const wrap = () => withFlush(async () => {}, start().entry, wrong as never);
  const got = wrong ? 'an object' : 'undefined';
  expect(wrap).toThrow(`transports[1]: expected a transport or stream with flush() and stats(), got ${got}`);
});

test('a handler needs a stream', () => {
  expect(() => Reflect.apply(withFlush, undefined, [() => {}])).toThrow('transports: expected at least one transport');
});
