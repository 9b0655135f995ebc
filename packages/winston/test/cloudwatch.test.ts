import { once } from 'node:events';
import { assertBalanced, ConfigError } from '@logferry/core';
import { MemoryDestination } from '@logferry/core/testing';
import { startCloudWatch } from '@logferry/emulators';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import winston from 'winston';
import { CloudWatchTransport, type CloudWatchTransportOptions } from '../src/cloudwatch.js';
import { DestinationTransport } from '../src/index.js';

let service: Awaited<ReturnType<typeof startCloudWatch>>;

beforeAll(async () => {
  service = await startCloudWatch({ strict: true });
});
afterAll(() => service.close());

/** Options that reach the emulator. */
function reaching(logGroupName: string): CloudWatchTransportOptions {
  const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = service.env;
  return { logGroupName, region, endpoint: service.url, credentials: { accessKeyId, secretAccessKey } };
}

function messages(logGroupName: string): string[] {
  return service.events({ logGroupName }).map(({ message }) => message);
}

test('names the stream by a field that the line does not have, also beside redact', async () => {
  for (const redact of [[], ['password']]) {
    const group = `lean-${redact.length}`;
    const transport = new CloudWatchTransport({ ...reaching(group), logStreamName: '{field:tenant}', redact });
    const format = winston.format.printf(({ message }) => JSON.stringify({ message, password: 'S3CRET' }));
    winston.createLogger({ format, transports: [transport] }).info('x', { tenant: 'acme' });
    await transport.flush();
    expect(service.events({ logGroupName: group }).map(({ logStreamName }) => logStreamName)).toEqual(['acme']);
    expect(messages(group)[0]?.includes('S3CRET')).toBe(redact.length === 0);
  }
});

test('ships the line of the format as message, with the time of the timestamp format', async () => {
  const transport = new CloudWatchTransport({ ...reaching('formats'), level: 'debug', logStreamName: 'one' });
  const { combine, timestamp, printf } = winston.format;
  const logger = winston.createLogger({
    format: combine(
      timestamp(),
      printf((info) => `${info.timestamp} ${info.level}: ${info.message}`),
    ),
    transports: [transport],
  });
  logger.debug('hello, wörld');
  logger.silly('hidden');
  const report = await transport.flush();
  const [event, ...others] = service.events({ logGroupName: 'formats' });
  expect(others).toEqual([]);
  expect(event?.logStreamName).toBe('one');
  expect(event?.message).toBe(`${new Date(event?.timestamp ?? 0).toISOString()} debug: hello, wörld`);
  expect(report).toMatchObject({ received: 1, delivered: 1 });
  assertBalanced(transport.stats());
});

test('logger.end() delivers 10,000 records, each once and in order', async () => {
  const transport = new CloudWatchTransport({ ...reaching('many'), ordered: true });
  const logger = winston.createLogger({
    format: winston.format.printf((info) => `${info.message}`),
    transports: transport,
  });
  for (let index = 0; index < 10_000; index++) logger.info(`line ${index}`);
  logger.end();
  await once(logger, 'finish');
  expect(messages('many')).toEqual(Array.from({ length: 10_000 }, (_, index) => `line ${index}`));
  assertBalanced(transport.stats());
});

test('a transport to a service that is down delays no other, and delivers its records once the service is up again', async () => {
  const other = new MemoryDestination();
  const sibling = new DestinationTransport({ destination: other });
  const transport = new CloudWatchTransport({ ...reaching('outage'), maxDelayMs: 0 });
  const logger = winston.createLogger({ transports: [transport, sibling] });
  service.faults({ down: true });
  for (let index = 0; index < 2000; index++) logger.info(`line ${index}`);
  await sibling.flush();
  expect(other.texts).toHaveLength(2000);
  await expect.poll(() => transport.stats().retries.NETWORK ?? 0).toBeGreaterThan(0);
  expect(transport.stats()).toMatchObject({ received: 2000, delivered: 0, pending: 2000 });
  service.faults();
  await transport.flush();
  expect(messages('outage')).toHaveLength(2000);
  assertBalanced(transport.stats());
});

test.each([false, true])(
  "with thread: %s, a failure that is reported is a 'warn' event of transport and logger",
  async (thread) => {
    const retry = { baseMs: 1, capMs: 10 };
    const transport = new CloudWatchTransport({ ...reaching(`warnings-${thread}`), maxDelayMs: 0, retry, thread });
    const logger = winston.createLogger({ transports: [transport] });
    service.faults({ next: ['accessDenied'] });
    const warnings = Promise.all([once(transport, 'warn'), once(logger, 'warn')]);
    logger.info('hello');
    const [[error], [sameError, source]] = await warnings;
    expect(error).toMatchObject({ name: 'DeliveryError', code: 'AUTH' });
    expect(sameError).toBe(error);
    expect(source).toBe(transport);
    logger.end();
    await once(logger, 'finish');
    expect(transport.stats()).toMatchObject({ delivered: 1, retries: { AUTH: 1 } });
    assertBalanced(transport.stats());
  },
);

describe('CloudWatchTransport refuses', () => {
  test.each([
    [{}, 'logGroupName'],
    [{ logGroupName: 'shop', logGroupNam: 'shop' }, 'did you mean "logGroupName"?'],
    [{ logGroupName: 'shop', leval: 'info' }, 'did you mean "level"?'],
    [{ logGroupName: 'shop', maxDelayMs: -1 }, 'maxDelayMs: expected an integer of at least 0, got -1'],
    [{ logGroupName: 'shop', destination: {} }, 'unknown option "destination"'],
    [undefined, 'logGroupName'],
  ])('%o', (options, message) => {
    let refusal: unknown;
    try {
      new CloudWatchTransport(options as never);
    } catch (error) {
      refusal = error;
    }
    expect(ConfigError.is(refusal)).toBe(true);
    expect(String(refusal)).toContain(message);
  });
});
