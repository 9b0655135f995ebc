import { deliveryOptionNames } from '@logferry/core';
import { MemoryDestination } from '@logferry/core/testing';
import { expect, it } from 'vitest';
import { type DestinationStreamOptions, destinationStream, streamOptionNames } from '../src/index.js';

/** The message of the `ConfigError`; a refused stream leaves nothing behind. */
function refusal(options: object): string {
  const rawOptions = { destination: new MemoryDestination(), ...options } as DestinationStreamOptions;
  const listeners = process.listenerCount('beforeExit');
  try {
    destinationStream(rawOptions);
  } catch (error) {
    expect(error).toMatchObject({ name: 'ConfigError', code: 'CONFIG' });
    expect(process.listenerCount('beforeExit')).toBe(listeners);
    return (error as Error).message;
  }
  throw new Error('expected a ConfigError');
}

it.each([
  [{ levle: 'info' }, '[logferry] unknown option "levle": did you mean "level"?'],
  [{ maxDelay: 1 }, '[logferry] unknown option "maxDelay": did you mean "maxDelayMs"?'],
  [{ destination: undefined }, '[logferry] destination: expected a Destination, got undefined'],
  [{ destination: {} }, '[logferry] destination: expected a Destination, got an object'],
  [{ closeTimeoutMs: '9999' }, '[logferry] closeTimeoutMs: expected an integer of at least 0, got "9999"'],
  [{ concurrency: 0 }, '[logferry] concurrency: expected an integer from 1 to 50, got 0'],
  [{ thread: 'yes' }, '[logferry] thread: expected true or false, got "yes"'],
  [
    { thread: true },
    "[logferry] thread: expected false, got true: pino.transport({ target: '@logferry/pino/…' }) starts a worker thread",
  ],
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

it('accepts every option in streamOptionNames, and treats undefined as absent', () => {
  const undefinedOptions = Object.fromEntries(streamOptionNames.map((name) => [name, undefined]));
  expect(() => destinationStream({ destination: new MemoryDestination(), ...undefinedOptions })).not.toThrow();
  expect(streamOptionNames).toEqual([...deliveryOptionNames, 'level']);
});

it('accepts thread: false', () => {
  expect(() => destinationStream({ destination: new MemoryDestination(), thread: false })).not.toThrow();
});
