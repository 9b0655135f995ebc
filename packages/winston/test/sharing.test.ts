import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { assertBalanced, DeliveryError } from '@logferry/core';
import { MemoryDestination } from '@logferry/core/testing';
import { afterEach, describe, expect, test } from 'vitest';
import type { Logger, LoggerOptions } from 'winston';
import { DestinationTransport, type TransportOptions } from '../src/index.js';
import { crash, forgetCrashes } from './support/crash.js';
import { versions } from './support/versions.js';

const warnings: Error[] = [];
const onWarning = (warning: Error): unknown => warnings.push(warning);
process.on('warning', onWarning);

const loggers: Logger[] = [];
afterEach(() => {
  for (const logger of loggers.splice(0)) forgetCrashes(logger);
  expect(warnings.splice(0)).toEqual([]);
});

describe.each(versions)('one transport of several loggers of %s', (_, winston) => {
  const { npm, syslog } = winston.config;
  const format = winston.format.printf(({ message }) => `${message}`);

  function start(options: TransportOptions = {}) {
    const destination = new MemoryDestination();
    const transport = new DestinationTransport({ destination, maxDelayMs: 600_000, onDrop: () => {}, ...options });
    return { destination, transport, add: (own: LoggerOptions = {}) => addLogger({ transports: [transport], ...own }) };
  }

  function addLogger(options: LoggerOptions): Logger {
    const logger = winston.createLogger({ format, ...options });
    loggers.push(logger);
    return logger;
  }

  test('ships the records of each by the level and the levels of the logger', async () => {
    const { transport, destination, add } = start();
    const a = add({ level: 'warn', levels: npm.levels });
    const b = add({ level: 'debug', levels: syslog.levels });
    a.warn('a warn');
    a.info('a info');
    b.debug('b debug');
    b.warning('b warning');
    await transport.flush();
    expect(destination.records.map(({ text, urgent }) => [text, urgent])).toEqual([
      ['a warn', true],
      ['b debug', false],
      ['b warning', true],
    ]);
  });

  test('knows the logger of a record that another transport logs in the middle of a log call', async () => {
    const { transport, destination, add } = start();
    const b = add({ level: 'error' });
    const echo = new winston.transports.Stream({ stream: process.stdout });
    echo.log = (_info: unknown, next: () => void) => {
      b.info('not shipped');
      next();
    };
    const a = addLogger({ level: 'debug', transports: [echo, transport] });
    a.debug('a debug');
    await transport.flush();
    expect(destination.texts).toEqual(['a debug']);
  });

  test("goes on for the others when one ends, and delivers its records before its 'finish'", async () => {
    const { transport, destination, add } = start();
    const [a, b] = [add(), add({ level: 'debug' })];
    const responses: (() => void)[] = [];
    destination.respond = () => new Promise((resolve) => responses.push(resolve));
    let hasFinished = false;
    a.on('finish', () => {
      hasFinished = true;
    });
    a.info('a');
    a.end();
    while (responses.length < 1) await nextTurn();
    b.debug('b while a ends');
    expect(hasFinished).toBe(false);
    destination.respond = () => {};
    responses[0]?.();
    await once(a, 'finish');
    expect(destination.texts).toContain('a');
    b.debug('b after a');
    b.silly('hidden');
    b.end();
    await once(b, 'finish');
    expect(destination.texts).toEqual(['a', 'b while a ends', 'b after a']);
    expect(destination.closed).toBe(true);
    assertBalanced(transport.stats());
  });

  test('keeps level and levels of the others when one removes it', async () => {
    const { transport, destination, add } = start();
    const a = add({ level: 'silly', levels: npm.levels });
    const b = add({ level: 'warning', levels: syslog.levels });
    a.remove(transport);
    b.debug('hidden');
    b.warning('shipped');
    await transport.flush();
    expect(destination.records).toMatchObject([{ text: 'shipped', urgent: true }]);
  });

  test('ends with its last loggers, also if they end in one turn', async () => {
    const { transport, destination, add } = start();
    const [a, b, c] = [add(), add(), add()];
    for (const logger of [a, b, c]) logger.info('last');
    for (const logger of [a, b]) logger.end();
    await Promise.all([once(a, 'finish'), once(b, 'finish')]);
    expect(destination.closed).toBe(false);
    c.end();
    await once(c, 'finish');
    expect(destination.texts).toHaveLength(3);
    expect(destination.closed).toBe(true);
    expect(transport.stats().pending).toBe(0);
  });

  test('lets a logger end although the transport has finished, and counts the records in between as closed', async () => {
    const { transport, add } = start();
    const [a, b] = [add(), add()];
    await new Promise<void>((resolve) => transport.end(resolve));
    a.info('late');
    b.info('late');
    expect(transport.stats().dropped.closed).toBe(2);
    for (const logger of [a, b]) {
      logger.end();
      await once(logger, 'finish');
    }
    assertBalanced(transport.stats());
  });

  test("emits the 'warn' event on each logger that has it", async () => {
    const { transport, destination, add } = start({ onError: () => {} });
    const [a, b, c] = [add(), add(), add()];
    c.remove(transport);
    const heard: unknown[] = [];
    for (const [name, logger] of Object.entries({ a, b, c }))
      logger.on('warn', (error, source) => heard.push([name, error.code, source === transport]));
    destination.respond = () => {
      destination.respond = () => {};
      throw new DeliveryError('AUTH', 'no such thing');
    };
    b.info('hello');
    void transport.flush({ timeoutMs: 0 });
    await expect.poll(() => heard.length).toBeGreaterThan(0);
    await transport.flush();
    expect(heard).toEqual([
      ['a', 'AUTH', true],
      ['b', 'AUTH', true],
      ['a', 'RECOVERED', true],
      ['b', 'RECOVERED', true],
    ]);
  });

  test('stays with all of them after each crash, and ships the crash once for each that handles it', async () => {
    const { transport, destination, add } = start({ handleExceptions: true });
    const all = [add({ exitOnError: false }), add({ exitOnError: false, level: 'debug' })];
    for (const round of [1, 2]) {
      const delivered = once(transport, 'finish');
      crash(new Error(`broken ${round}`));
      await delivered;
      for (const logger of all) logger.debug(`after ${round}`);
      expect(all.map((logger) => logger.transports)).toEqual([[transport], [transport]]);
    }
    await transport.flush();
    expect(destination.texts).toEqual([
      ...Array(2).fill(expect.stringContaining('broken 1')),
      'after 1',
      ...Array(2).fill(expect.stringContaining('broken 2')),
      'after 2',
    ]);
  });

  test('needs no more listeners than Node.js allows: 25 loggers, a crash of each, and their ends', async () => {
    const { transport, destination, add } = start({ handleExceptions: true });
    const limit = process.getMaxListeners();
    // Each logger of winston listens to the process.
    process.setMaxListeners(50);
    const all = Array.from({ length: 25 }, () => add({ exitOnError: false }));
    for (const logger of all) logger.info('hello');
    crash(new Error('broken'));
    await once(transport, 'finish');
    for (const logger of all) logger.end();
    await Promise.all(all.map((logger) => once(logger, 'finish')));
    expect(destination.texts).toHaveLength(50);
    await nextTurn();
    process.setMaxListeners(limit);
  });

  test('ships a record once if it is added twice, until it is removed twice', async () => {
    const { transport, destination, add } = start();
    const logger = add({ transports: [transport, transport] });
    logger.info('one');
    logger.remove(transport);
    logger.info('two');
    await transport.flush();
    expect(destination.texts).toEqual(['one', 'two']);
  });

  test('can be configured again on one of them', async () => {
    const { transport, destination, add } = start();
    const [a, b] = [add(), add()];
    a.configure({ level: 'debug', format, transports: [transport] });
    a.debug('a');
    b.debug('hidden');
    b.info('b');
    await transport.flush();
    expect(destination.texts).toEqual(['a', 'b']);
  });

  test('does not end when the format of one logger ends the pipe of that logger', async () => {
    const { transport, destination, add } = start();
    const [a, b] = [add({ format: winston.format(() => null as never)() }), add()];
    // A format that returns null ends the readable side of its logger.
    a.info('ends the pipe');
    await nextTurn();
    b.info('shipped');
    await transport.flush();
    expect(destination.texts).toEqual(['shipped']);
  });
});
