import { once } from 'node:events';
import { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { assertBalanced } from '@logferry/core';
import { MemoryDestination, never } from '@logferry/core/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Logger, LoggerOptions } from 'winston';
import { DestinationTransport, type TransportOptions } from '../src/index.js';
import { crash, forgetCrashes } from './support/crash.js';
import { versions } from './support/versions.js';

const handling: TransportOptions = { handleExceptions: true, handleRejections: true };

const loggers: Logger[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const logger of loggers.splice(0)) forgetCrashes(logger);
});

describe.each(versions)('%s', (_, winston) => {
  const message = winston.format.printf((info) => `${info.message}`.split('\n', 1)[0] ?? '');

  function start(options: TransportOptions, makeOwn: (transport: DestinationTransport) => LoggerOptions = () => ({})) {
    const destination = new MemoryDestination();
    const transport = new DestinationTransport({ destination, maxDelayMs: 600_000, onDrop: () => {}, ...options });
    const own = { format: message, exitOnError: false, transports: [transport], ...makeOwn(transport) };
    const logger = winston.createLogger(own);
    loggers.push(logger);
    let finished = 0;
    transport.on('finish', () => finished++);
    return { destination, transport, logger, finished: () => finished };
  }

  describe('a record of the application with a field exception or rejection', () => {
    const fields = [
      ['exception', (logger: Logger) => logger.info('loan decided', { exception: true })],
      ['rejection', (logger: Logger) => logger.info('loan decided', { rejection: true })],
      [
        'all fields of a crash',
        (logger: Logger) => logger.info('loan decided', logger.exceptions.getAllInfo(new Error('caught'))),
      ],
    ] as const;

    test.each(fields)(
      'is no crash: the transport goes on when the service is away for 3 s (%s)',
      async (_name, log) => {
        vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
        const { destination, transport, logger, finished } = start(handling, () => ({ exitOnError: true }));
        destination.respond = never;
        log(logger);
        await nextTurn();
        await vi.advanceTimersByTimeAsync(3000);
        expect(finished()).toBe(0);
        logger.info('later');
        vi.useRealTimers();
        expect(transport.stats()).toMatchObject({ received: 2, pending: 2 });
        expect(logger.transports).toEqual([transport]);
        await transport.close({ timeoutMs: 0 });
        assertBalanced(transport.stats());
      },
    );

    test.each(fields.slice(0, 2))('is shipped also by a transport that handles no crashes (%s)', async (_name, log) => {
      const { destination, transport, logger } = start({});
      log(logger);
      await transport.flush();
      expect(destination.texts).toEqual(['loan decided']);
    });

    test('is shipped once by a transport in transports and in exceptionHandlers, however often it is logged', async () => {
      const { destination, transport, logger } = start({}, (own) => ({ exceptionHandlers: [own] }));
      const info = { level: 'info', message: 'loan decided', exception: true };
      for (let index = 0; index < 3; index++) logger.log(info);
      await transport.flush();
      expect(destination.texts).toEqual(Array(3).fill('loan decided'));
      expect(transport.stats()).toMatchObject({ received: 3, delivered: 3 });
    });
  });

  describe('a crash', () => {
    test.each([
      ['transports, with handleExceptions', handling, () => ({})],
      ['exceptionHandlers', {}, (own: DestinationTransport) => ({ transports: [], exceptionHandlers: [own] })],
      ['transports and exceptionHandlers', {}, (own: DestinationTransport) => ({ exceptionHandlers: [own] })],
      ['transports and exceptionHandlers, with handleExceptions', handling, (own) => ({ exceptionHandlers: [own] })],
    ] satisfies [string, TransportOptions, (own: DestinationTransport) => LoggerOptions][])(
      'is shipped once and delivered before winston may exit: %s',
      async (_name, options, makeOwn) => {
        const { destination, transport } = start(options, makeOwn);
        for (const round of [1, 2]) {
          const delivered = once(transport, 'finish');
          crash(new Error(`broken ${round}`));
          await delivered;
          expect(destination.texts).toHaveLength(round);
        }
        expect(destination.texts).toEqual(['uncaughtException: broken 1', 'uncaughtException: broken 2']);
        expect(transport.stats()).toMatchObject({ received: 2, delivered: 2 });
      },
    );

    test('is delivered also when a format removes its fields', async () => {
      const format = winston.format((info) => ({ level: info.level, message: info.message, [symbols.level]: 'error' }));
      const { destination, transport } = start(handling, () => ({ format: winston.format.combine(format(), message) }));
      const delivered = once(transport, 'finish');
      crash(new Error('broken'));
      await delivered;
      expect(destination.texts).toEqual(['uncaughtException: broken']);
    });

    test('is shipped whatever the level, also by a logger without the level error', async () => {
      const { destination, transport } = start(handling, () => ({ levels: { fatal: 0, warn: 1 }, level: 'fatal' }));
      const complaint = vi.spyOn(console, 'error').mockImplementation(() => {});
      const delivered = once(transport, 'finish');
      crash(new Error('broken'));
      await delivered;
      complaint.mockRestore();
      expect(destination.texts).toEqual(['uncaughtException: broken']);
    });

    test('is left to the transports that handle crashes', async () => {
      const { transport } = start({}, () => ({
        exceptionHandlers: [new winston.transports.Stream({ stream: new Writable({ write() {} }) })],
      }));
      crash(new Error('broken'));
      await transport.flush();
      expect(transport.stats().received).toBe(0);
    });

    test('is waited for while another transport of the logger is slow', async () => {
      const release: (() => void)[] = [];
      const slow = new winston.transports.Stream({ stream: new Writable({ write() {} }) });
      slow.log = (_info: unknown, next: () => void) => release.push(next);
      const { destination, transport, logger } = start(handling, (own) => ({ transports: [slow, own] }));
      for (let index = 0; index < 40; index++) logger.info(`line ${index}`);
      expect(transport.stats().received).toBeLessThan(40);
      const delivered = once(transport, 'finish');
      crash(new Error('broken'));
      while (transport.stats().received < 41) {
        for (const next of release.splice(0)) next();
        await nextTurn();
      }
      await delivered;
      expect(destination.texts).toHaveLength(41);
      expect(destination.texts.at(-1)).toBe('uncaughtException: broken');
    });

    test('that comes while another is delivered is delivered before winston may exit', async () => {
      const { destination, transport } = start(handling);
      const responses: (() => void)[] = [];
      destination.respond = () => new Promise((resolve) => responses.push(resolve));
      const delivered = once(transport, 'finish');
      crash(new Error('broken 1'));
      while (responses.length < 1) await nextTurn();
      crash(new Error('broken 2'));
      responses[0]?.();
      while (responses.length < 2) await nextTurn();
      responses[1]?.();
      await delivered;
      expect(destination.texts).toHaveLength(2);
    });

    test("shortly before logger.end() does not make 'finish' come before delivery", async () => {
      const { destination, transport, logger } = start(handling);
      const responses: (() => void)[] = [];
      destination.respond = () => new Promise((resolve) => responses.push(resolve));
      crash(new Error('broken'));
      await nextTurn();
      logger.info('last');
      let hasFinished = false;
      logger.on('finish', () => {
        hasFinished = true;
      });
      logger.end();
      while (transport.writable || responses.length < 1) await nextTurn();
      responses[0]?.();
      while (responses.length < 2) await nextTurn();
      await nextTurn();
      expect(hasFinished).toBe(false);
      responses[1]?.();
      await once(logger, 'finish');
      expect(destination.texts).toEqual(['uncaughtException: broken', 'last']);
    });
  });
});

const symbols = { level: Symbol.for('level') } as const;
