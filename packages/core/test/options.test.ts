import { expect, it } from 'vitest';
import { ConfigError, createShipper, type DeliveryOptions } from '../src/index.js';
import { RecordingDestination } from './support/recording-destination.js';

function errorOf(options: object): ConfigError {
  try {
    createShipper(new RecordingDestination(), options as DeliveryOptions);
  } catch (error) {
    if (ConfigError.is(error)) return error;
  }
  throw new Error(`no ConfigError for ${JSON.stringify(options)}`);
}

it.each([
  [{ maxDelayMs: -5 }, 'maxDelayMs', 'maxDelayMs: expected an integer of at least 0, got -5'],
  [{ maxDelayMs: '1000' }, 'maxDelayMs', 'maxDelayMs: expected an integer of at least 0, got "1000"'],
  [{ maxDelayMs: Number.NaN }, 'maxDelayMs', 'maxDelayMs: expected an integer of at least 0, got NaN'],
  [
    { maxBatchBytes: 2_000_000 },
    'maxBatchBytes',
    'maxBatchBytes: expected an integer from 1024 to 1048576, got 2000000',
  ],
  [{ maxBatchEvents: 0 }, 'maxBatchEvents', 'maxBatchEvents: expected an integer from 1 to 10000, got 0'],
  [{ maxBufferBytes: 1 }, 'maxBufferBytes', 'maxBufferBytes: expected an integer of at least 1024, got 1'],
  [{ overflow: 'block' }, 'overflow', 'overflow: expected "drop-newest" or "drop-oldest", got "block"'],
  ...['', 'file://host/x.mjs', 'file:///a%2Fb.mjs', 'https://host/x.mjs'].map((hooks): [object, string, string] => [
    { hooks },
    'hooks',
    `hooks: expected the path or the file: URL of a module, got "${hooks}"`,
  ]),
  [
    { hooks: import.meta.dirname },
    'hooks',
    `hooks: expected the path or the file: URL of a module (${import.meta.dirname} is no file), got "${import.meta.dirname}"`,
  ],
  [
    { hooks: new URL(import.meta.url) },
    'hooks',
    'hooks: expected the path or the file: URL of a module, got an object',
  ],
  [{ maxRoutes: 0 }, 'maxRoutes', 'maxRoutes: expected an integer of at least 1, got 0'],
  [{ concurrency: 0 }, 'concurrency', 'concurrency: expected an integer from 1 to 50, got 0'],
  [{ ordered: 'yes' }, 'ordered', 'ordered: expected true or false, got "yes"'],
  [{ requestTimeoutMs: 0 }, 'requestTimeoutMs', 'requestTimeoutMs: expected an integer of at least 1, got 0'],
  [{ closeTimeoutMs: null }, 'closeTimeoutMs', 'closeTimeoutMs: expected an integer of at least 0, got null'],
  [{ retry: 3 }, 'retry', 'retry: expected an object, got 3'],
  [{ retry: { baseMs: -1 } }, 'retry.baseMs', 'retry.baseMs: expected an integer of at least 1, got -1'],
  [{ retry: { maxAgeMs: 500 } }, 'retry.maxAgeMs', 'retry.maxAgeMs: expected more than maxDelayMs (1000), got 500'],
  [{ onError: 'log' }, 'onError', 'onError: expected a function, got "log"'],
  [{ onDrop: {} }, 'onDrop', 'onDrop: expected a function, got an object'],
  [{ maxDelay: 5 }, 'maxDelay', 'unknown option "maxDelay": did you mean "maxDelayMs"?'],
  [{ MaxBatchEvent: 5 }, 'MaxBatchEvent', 'unknown option "MaxBatchEvent": did you mean "maxBatchEvents"?'],
  [{ concurency: 5 }, 'concurency', 'unknown option "concurency": did you mean "concurrency"?'],
  [{ retry: { maxAge: 5 } }, 'retry.maxAge', 'unknown option "retry.maxAge": did you mean "retry.maxAgeMs"?'],
  [{ spool: {} }, 'spool.directory', 'spool.directory: expected the path of a directory, got undefined'],
  [{ spool: { directory: '/x', mod: 'spill' } }, 'spool.mod', 'unknown option "spool.mod": did you mean "spool.mode"?'],
  [
    { spool: { directory: '/x' } },
    'destination.identity',
    'destination.identity: expected a string that is not empty, for the option spool, got undefined',
  ],
])('refuses %j with a message that helps', (options, option, message) => {
  const error = errorOf(options);
  expect(error.option).toBe(option);
  expect(error.message).toContain(`[logferry] ${message}`);
});

it('takes the default of an option that is undefined', () => {
  const options = { maxDelayMs: undefined, retry: { baseMs: undefined }, onError: undefined, overflow: undefined };
  expect(() => createShipper(new RecordingDestination(), options)).not.toThrow();
});

it('refuses a value that is no destination', () => {
  expect(() => createShipper(undefined as never)).toThrow(
    '[logferry] destination: expected a Destination, got undefined',
  );
});
