import { MemoryDestination } from '@logferry/core/testing';
import { describe, expect, test } from 'vitest';
import winston from 'winston';
import { DestinationTransport, type TransportOptions } from '../src/index.js';

/** Logs once on each level and tells what arrived: the levels, and those of them that are urgent. */
async function logOnEach(levels: Record<string, number>, level: string, options: TransportOptions = {}) {
  const destination = new MemoryDestination();
  const transport = new DestinationTransport({ destination, ...options });
  const logger = winston.createLogger({ levels, level, transports: transport });
  for (const name of Object.keys(levels)) logger.log(name, 'hello');
  await transport.flush();
  const { records } = destination;
  return {
    levels: records.map((record) => record.level),
    urgent: records.filter((record) => record.urgent).map((record) => record.level),
  };
}

describe('what is shipped', () => {
  test("is what the logger's level lets through", async () => {
    const { levels } = await logOnEach(winston.config.npm.levels, 'info');
    expect(levels).toEqual(['error', 'warn', 'info']);
  });

  test("is what the transport's own level lets through, above and below the logger's", async () => {
    expect((await logOnEach(winston.config.npm.levels, 'info', { level: 'error' })).levels).toEqual(['error']);
    expect((await logOnEach(winston.config.npm.levels, 'info', { level: 'http' })).levels).toEqual([
      'error',
      'warn',
      'info',
      'http',
    ]);
  });

  test('is nothing from a silent transport', async () => {
    expect((await logOnEach(winston.config.npm.levels, 'silly', { silent: true })).levels).toEqual([]);
  });

  test("follows the logger's level when it changes", async () => {
    const destination = new MemoryDestination();
    const transport = new DestinationTransport({ destination });
    const logger = winston.createLogger({ level: 'info', transports: transport });
    logger.debug('early');
    await transport.flush();
    logger.level = 'debug';
    logger.debug('late');
    await transport.flush();
    expect(destination.texts).toEqual(['{"level":"debug","message":"late"}']);
  });
});

describe('urgent are the levels up to', () => {
  test('warn of npm', async () => {
    expect((await logOnEach(winston.config.npm.levels, 'silly')).urgent).toEqual(['error', 'warn']);
  });

  test('warning of syslog', async () => {
    expect((await logOnEach(winston.config.syslog.levels, 'debug')).urgent).toEqual([
      'emerg',
      'alert',
      'crit',
      'error',
      'warning',
    ]);
  });

  test("the warn of one's own levels", async () => {
    const levels = { fatal: 0, warn: 5, note: 9 };
    expect(await logOnEach(levels, 'note')).toEqual({ levels: ['fatal', 'warn', 'note'], urgent: ['fatal', 'warn'] });
  });

  test("nothing, when one's own levels have neither warn nor warning", async () => {
    expect((await logOnEach({ red: 0, green: 1 }, 'green')).urgent).toEqual([]);
  });
});

test('nothing is urgent before the transport is added to a logger', () => {
  const destination = new MemoryDestination();
  new DestinationTransport({ destination }).log({ level: 'error', message: 'hello' });
  expect(destination.record.urgent).toBe(false);
});

test('refuses, when it is added, a level that the logger does not have: winston would ship nothing', () => {
  const transport = new DestinationTransport({ destination: new MemoryDestination(), level: 'wran' });
  const expected = /level: expected one of the logger's levels \(error, warn, .*\), got "wran"/;
  expect(() => winston.createLogger({ transports: transport })).toThrow(expected);
});
