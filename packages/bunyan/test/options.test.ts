import { ConfigError } from '@logferry/core';
import { MemoryDestination } from '@logferry/core/testing';
import bunyan from 'bunyan';
import { describe, expect, test } from 'vitest';
import { destinationStream, type StreamOptions, streamOptionNames } from '../src/index.js';

function refusal(options: unknown): Error {
  try {
    destinationStream(options as never);
  } catch (error) {
    if (ConfigError.is(error)) return error;
    throw error;
  }
  throw new Error('expected a ConfigError');
}

describe('destinationStream refuses', () => {
  const destination = new MemoryDestination();
  const levels = 'trace, debug, info, warn, error, fatal or an integer of at least 0';

  test.each([
    [{ leval: 'info' }, 'unknown option "leval": did you mean "level"?'],
    [{ maxDelay: 5 }, 'unknown option "maxDelay": did you mean "maxDelayMs"?'],
    [{ spool: {} }, 'spool.directory: expected the path of a directory, got undefined'],
    [{ maxDelayMs: -1 }, 'maxDelayMs: expected an integer of at least 0, got -1'],
    [{ onError: 'console' }, 'onError: expected a function, got "console"'],
    [{ level: 'verbose' }, `level: expected ${levels}, got "verbose"`],
    [{ level: -1 }, `level: expected ${levels}, got -1`],
    [{ level: 3.5 }, `level: expected ${levels}, got 3.5`],
    [{ level: null }, `level: expected ${levels}, got null`],
    [{ name: '' }, 'name: expected a string that is not empty, got ""'],
    [{ thread: 'yes' }, 'thread: expected true or false, got "yes"'],
    [{ destination: undefined }, 'destination: expected a Destination, got undefined'],
    [{ destination: {} }, 'destination: expected a Destination, got an object'],
  ])('%o', (options, message) => {
    expect(refusal({ destination, ...options }).message).toContain(`[logferry] ${message}`);
  });

  test('options that are not an object', () => {
    expect(refusal('cloudwatch').message).toBe('[logferry] options: expected an object, got "cloudwatch"');
  });
});

test('accepts every option in streamOptionNames, and treats undefined as absent', () => {
  const undefinedOptions = Object.fromEntries(streamOptionNames.map((name) => [name, undefined]));
  expect(() => destinationStream({ destination: new MemoryDestination(), ...undefinedOptions })).not.toThrow();
});

describe('the level of a stream', () => {
  const levelsOf = (level: StreamOptions['level'], logger: Partial<bunyan.LoggerOptions> = {}) => {
    const entry = destinationStream({ destination: new MemoryDestination(), level });
    return bunyan.createLogger({ name: 'shop', ...logger, streams: [entry] }).levels();
  };

  test.each([
    ['a name', 'warn', 40],
    ['a name in capitals', 'WARN' as 'warn', 40],
    ['a number', 35, 35],
    ['zero', 0, 0],
  ] as const)('is %s', (_, level, number) => {
    expect(levelsOf(level)).toEqual([number]);
  });

  test("is by default the logger's, or info", () => {
    expect(levelsOf(undefined)).toEqual([30]);
    expect(levelsOf(undefined, { level: 'debug' })).toEqual([20]);
  });

  test('ships only records that are at least as severe', async () => {
    const destination = new MemoryDestination();
    const entry = destinationStream({ destination, level: 'warn' });
    const logger = bunyan.createLogger({ name: 'shop', streams: [entry] });
    logger.info('hello');
    logger.warn('hello');
    expect(destination.record.level).toBe('warn');
  });
});

test("the name of a stream is its name for bunyan's levels()", () => {
  const entry = destinationStream({ destination: new MemoryDestination(), name: 'cloud' });
  const logger = bunyan.createLogger({ name: 'shop', streams: [entry] });
  logger.levels('cloud', 'error');
  expect(logger.levels('cloud')).toBe(50);
});
