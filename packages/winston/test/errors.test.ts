import { type DeliveryError, DeliveryError as Failure } from '@logferry/core';
import { describe, expect, test } from 'vitest';
import winston from 'winston';
import { DestinationTransport, type TransportOptions } from '../src/index.js';
import { MemoryDestination } from './support/memory-destination.js';

function startFailing(options: TransportOptions) {
  const destination = new MemoryDestination();
  destination.answer = () => {
    throw new Failure('INVALID', 'no such thing');
  };
  const transport = new DestinationTransport({ destination, onDrop: () => {}, ...options });
  const logger = winston.createLogger({ transports: transport });
  return { destination, transport, logger };
}

describe('a failed attempt', () => {
  test("is a 'warn' event of transport and logger, and told to onError", async () => {
    const told: unknown[] = [];
    const { logger, transport } = startFailing({ onError: (error) => void told.push('onError', error) });
    logger.on('warn', (error, source) => told.push('logger', error, source));
    transport.on('warn', (error) => told.push('transport', error));
    logger.info('hello');
    await transport.flush();
    const error = told[1] as DeliveryError;
    expect(error).toMatchObject({ name: 'DeliveryError', code: 'INVALID', message: 'no such thing' });
    expect(told).toEqual(['onError', error, 'logger', error, transport, 'transport', error]);
  });

  test('is a warning although onError throws', async () => {
    const { logger, transport } = startFailing({
      onError: () => {
        throw new Error('from onError');
      },
    });
    const warnings: unknown[] = [];
    transport.on('warn', (error) => warnings.push(error));
    logger.info('hello');
    await transport.flush();
    expect(warnings).toHaveLength(1);
  });

  test('harms nothing when nobody listens, or a listener throws', async () => {
    const { logger, transport, destination } = startFailing({ onError: () => {} });
    logger.info('first');
    await transport.flush();
    transport.on('warn', () => {
      throw new Error('from a listener');
    });
    logger.info('second');
    await transport.flush();
    destination.answer = () => {};
    logger.info('third');
    await transport.flush();
    expect(destination.texts).toEqual(['{"level":"info","message":"third"}']);
  });

  test("is never an 'error' event", async () => {
    const { logger, transport } = startFailing({ onError: () => {} });
    const errors: unknown[] = [];
    logger.on('error', (error) => errors.push(error));
    transport.on('error', (error) => errors.push(error));
    logger.info('hello');
    await transport.flush();
    expect(errors).toEqual([]);
  });
});

test('a loss is told to onDrop', async () => {
  const drops: unknown[] = [];
  const { logger, transport } = startFailing({ onError: () => {}, onDrop: (drop) => drops.push(drop) });
  logger.info('hello');
  await transport.flush();
  expect(drops).toMatchObject([{ reason: 'invalid', records: 1 }]);
});
