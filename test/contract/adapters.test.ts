import assert from 'node:assert/strict';
import { once } from 'node:events';
import { destinationStream as bunyanStream } from '@logferry/bunyan';
import { type TransportHarness, transportContract } from '@logferry/core/testing';
import { destinationStream as pinoStream } from '@logferry/pino';
import { DestinationTransport } from '@logferry/winston';
import bunyan from 'bunyan';
import pino from 'pino';
import { test } from 'vitest';
import winston from 'winston';

const winstonHarness: TransportHarness = {
  name: 'winston',
  // winston itself emits an error for a record after the end.
  logsAfterEnd: false,
  start(destination, options) {
    const transport = new DestinationTransport({ destination, ...options });
    // winston's JSON would throw on hostile values before the transport gets them.
    const format = winston.format.printf(({ message }) => String(message));
    const logger = winston.createLogger({ format, transports: [transport] });
    return {
      log: (level, text, fields) => void logger.log(level, text, fields),
      flush: () => transport.flush(),
      async end() {
        logger.end();
        await once(logger, 'finish');
      },
      stats: () => transport.stats(),
    };
  },
};

const bunyanHarness: TransportHarness = {
  name: 'bunyan',
  start(destination, options) {
    const entry = bunyanStream({ destination, ...options });
    const logger = bunyan.createLogger({ name: 'contract', streams: [entry] });
    return {
      log: (level, text, fields) => logger[level](fields, '%s', text),
      flush: () => entry.stream.flush(),
      end: () => entry.stream.close(),
      stats: () => entry.stream.stats(),
    };
  },
};

const pinoHarness: TransportHarness = {
  name: 'pino in process',
  start(destination, options) {
    const stream = pinoStream({ destination, ...options });
    const logger = pino(stream);
    return {
      log: (level, text, fields) => logger[level](fields, text),
      flush: () => stream.flush(),
      async end() {
        stream.end();
        await once(stream, 'close');
      },
      stats: () => stream.stats(),
    };
  },
};

for (const harness of [winstonHarness, bunyanHarness, pinoHarness]) transportContract({ test, assert }, harness);
