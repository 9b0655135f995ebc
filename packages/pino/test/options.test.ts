import { deliveryOptionNames } from '@logferry/core';
import { MemoryDestination } from '@logferry/core/testing';
import { expect, it } from 'vitest';
import { type DestinationStreamOptions, destinationStream, streamOptionNames } from '../src/index.js';

function refusal(options: object): string {
  const given = { destination: new MemoryDestination(), ...options } as DestinationStreamOptions;
  const listeners = process.listenerCount('beforeExit');
  try {
    destinationStream(given);
  } catch (error) {
    expect(error).toMatchObject({ name: 'ConfigError', code: 'CONFIG' });
    expect(process.listenerCount('beforeExit')).toBe(listeners);
    return (error as Error).message;
  }
  throw new Error('was not refused');
}

it.each([
  [{ levle: 'info' }, '[logferry] unknown option "levle": did you mean "level"?'],
  [{ maxDelay: 1 }, '[logferry] unknown option "maxDelay": did you mean "maxDelayMs"?'],
  [{ destination: undefined }, '[logferry] destination: expected a Destination, got undefined'],
  [{ destination: {} }, '[logferry] destination: expected a Destination, got an object'],
  [{ closeTimeoutMs: '9999' }, '[logferry] closeTimeoutMs: expected an integer of at least 0, got "9999"'],
  [{ concurrency: 0 }, '[logferry] concurrency: expected an integer from 1 to 50, got 0'],
  [
    { level: 'warning' },
    '[logferry] level: expected one of trace, debug, info, warn, error, fatal, or a number of at least 0, got "warning"',
  ],
  [
    { level: -1 },
    '[logferry] level: expected one of trace, debug, info, warn, error, fatal, or a number of at least 0, got -1',
  ],
])('refuses %j', (options, message) => {
  expect(refusal(options)).toBe(message);
});

it('names its options', () => {
  expect(streamOptionNames).toEqual([...deliveryOptionNames, 'level']);
});
