import { MemoryDestination } from '@logferry/core/testing';
import { describe, expect, test } from 'vitest';
import winston from 'winston';
import { DestinationTransport, type TransportOptions } from '../src/index.js';

/** Logs once on each level, and returns the levels that arrived, and the urgent ones among them. */
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

describe('a transport', () => {
  test("ships the records of the logger's level and above", async () => {
    const { levels } = await logOnEach(winston.config.npm.levels, 'info');
    expect(levels).toEqual(['error', 'warn', 'info']);
  });

  test("ships the records of its own level and above, whether the logger's level is higher or lower", async () => {
    expect((await logOnEach(winston.config.npm.levels, 'info', { level: 'error' })).levels).toEqual(['error']);
    expect((await logOnEach(winston.config.npm.levels, 'info', { level: 'http' })).levels).toEqual([
      'error',
      'warn',
      'info',
      'http',
    ]);
  });

  test('ships nothing when it is silent', async () => {
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

describe('urgent are', () => {
  test('error and warn of the npm levels', async () => {
    expect((await logOnEach(winston.config.npm.levels, 'silly')).urgent).toEqual(['error', 'warn']);
  });

  test('emerg to warning of the syslog levels', async () => {
    expect((await logOnEach(winston.config.syslog.levels, 'debug')).urgent).toEqual([
      'emerg',
      'alert',
      'crit',
      'error',
      'warning',
    ]);
  });

  test('custom levels up to warn', async () => {
    const levels = { fatal: 0, warn: 5, note: 9 };
    expect(await logOnEach(levels, 'note')).toEqual({ levels: ['fatal', 'warn', 'note'], urgent: ['fatal', 'warn'] });
  });

  test('no custom levels without warn and warning', async () => {
    expect((await logOnEach({ red: 0, green: 1 }, 'green')).urgent).toEqual([]);
  });
});

test('no record is urgent before the transport is added to a logger', () => {
  const destination = new MemoryDestination();
  new DestinationTransport({ destination }).log({ level: 'error', message: 'hello' });
  expect(destination.record.urgent).toBe(false);
});

test('a level that the logger does not have is refused when the transport is added: winston would ship nothing', () => {
  const transport = new DestinationTransport({ destination: new MemoryDestination(), level: 'wran' });
  const expected = /level: expected one of the logger's levels \(error, warn, .*\), got "wran"/;
  expect(() => winston.createLogger({ transports: transport })).toThrow(expected);
});
