import { ConfigError } from '@logferry/core';
import { MemoryDestination } from '@logferry/core/testing';
import { describe, expect, test } from 'vitest';
import winston from 'winston';
import { DestinationTransport, transportOptionNames } from '../src/index.js';

function refusal(options: unknown): Error {
  try {
    new DestinationTransport(options as never);
  } catch (error) {
    if (ConfigError.is(error)) return error;
    throw error;
  }
  throw new Error('expected a ConfigError');
}

describe('DestinationTransport refuses', () => {
  const destination = new MemoryDestination();

  test.each([
    [{ leval: 'info' }, 'unknown option "leval": did you mean "level"?'],
    [{ maxDelay: 5 }, 'unknown option "maxDelay": did you mean "maxDelayMs"?'],
    [{ destinaton: destination }, 'unknown option "destinaton": did you mean "destination"?'],
    [{ maxDelayMs: -1 }, 'maxDelayMs: expected an integer of at least 0, got -1'],
    [{ retry: { baseMS: 5 } }, 'unknown option "retry.baseMS": did you mean "retry.baseMs"?'],
    [{ onError: 'console' }, 'onError: expected a function, got "console"'],
    [{ onDrop: 'console' }, 'onDrop: expected a function, got "console"'],
    [{ level: 3 }, 'level: expected a string that is not empty, got 3'],
    [{ silent: 'yes' }, 'silent: expected true or false, got "yes"'],
    [{ thread: 'yes' }, 'thread: expected true or false, got "yes"'],
    [{ handleExceptions: 1 }, 'handleExceptions: expected true or false, got 1'],
    [{ handleRejections: null }, 'handleRejections: expected true or false, got null'],
    [{ format: winston.format.json }, 'format: expected a winston format, such as format.json(), got a function'],
    [{ format: null }, 'format: expected a winston format, such as format.json(), got null'],
    [{ destination: undefined }, 'destination: expected a Destination, got undefined'],
    [{ destination: {} }, 'destination: expected a Destination, got an object'],
  ])('%o', (options, message) => {
    expect(refusal({ destination, ...options }).message).toBe(`[logferry] ${message}`);
  });

  test.each(['log', 'logv', 'close'])('%s, which it would ignore', (option) => {
    expect(refusal({ destination, [option]: () => {} }).message).toContain(`unknown option "${option}"`);
  });

  test('options that are not an object', () => {
    expect(refusal('cloudwatch').message).toBe('[logferry] options: expected an object, got "cloudwatch"');
  });
});

test('accepts every option in transportOptionNames, and treats undefined as absent', () => {
  const undefinedOptions = Object.fromEntries(transportOptionNames.map((name) => [name, undefined]));
  expect(() => new DestinationTransport({ destination: new MemoryDestination(), ...undefinedOptions })).not.toThrow();
});
