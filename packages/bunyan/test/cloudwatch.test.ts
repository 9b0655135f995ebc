import { assertBalanced, ConfigError } from '@logferry/core';
import { startCloudWatch } from '@logferry/emulators';
import bunyan from 'bunyan';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CloudWatchStreamOptions, cloudWatchStream } from '../src/cloudwatch.js';

let service: Awaited<ReturnType<typeof startCloudWatch>>;

beforeAll(async () => {
  service = await startCloudWatch({ strict: true });
});
afterAll(() => service.close());

/** Options that reach the emulator. */
function reaching(logGroupName: string): CloudWatchStreamOptions {
  const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = service.env;
  return { logGroupName, region, endpoint: service.url, credentials: { accessKeyId, secretAccessKey } };
}

test("bunyan's JSON arrives as message, with bunyan's time", async () => {
  const entry = cloudWatchStream({ ...reaching('json'), level: 'debug', logStreamName: 'one' });
  const logger = bunyan.createLogger({ name: 'shop', streams: [entry] });
  logger.debug({ user: { id: 7 } }, 'hello, wörld');
  logger.trace('hidden');
  const report = await entry.stream.flush();
  const [event, ...others] = service.events({ logGroupName: 'json' });
  expect(others).toEqual([]);
  expect(event?.logStreamName).toBe('one');
  expect(JSON.parse(event?.message ?? '')).toMatchObject({
    name: 'shop',
    level: 20,
    msg: 'hello, wörld',
    user: { id: 7 },
    time: new Date(event?.timestamp ?? 0).toISOString(),
  });
  expect(report).toMatchObject({ received: 1, delivered: 1 });
  assertBalanced(entry.stream.stats());
});

test('close() delivers 10,000 records, each once and in order', async () => {
  const entry = cloudWatchStream({ ...reaching('many'), ordered: true });
  const logger = bunyan.createLogger({ name: 'shop', streams: [entry] });
  for (let index = 0; index < 10_000; index++) logger.info(`line ${index}`);
  await entry.stream.close();
  const messages = service.events({ logGroupName: 'many' }).map(({ message }) => JSON.parse(message).msg);
  expect(messages).toEqual(Array.from({ length: 10_000 }, (_, index) => `line ${index}`));
  assertBalanced(entry.stream.stats());
});

test('delivers records logged while the service was down, once it is up again', async () => {
  const entry = cloudWatchStream({ ...reaching('outage'), maxDelayMs: 0 });
  const logger = bunyan.createLogger({ name: 'shop', streams: [entry] });
  service.faults({ down: true });
  for (let index = 0; index < 100; index++) logger.info(`line ${index}`);
  await expect.poll(() => entry.stream.stats().retries.NETWORK ?? 0).toBeGreaterThan(0);
  expect(entry.stream.stats()).toMatchObject({ received: 100, delivered: 0, pending: 100 });
  service.faults();
  await entry.stream.flush();
  expect(service.events({ logGroupName: 'outage' })).toHaveLength(100);
  assertBalanced(entry.stream.stats());
});

describe('cloudWatchStream refuses', () => {
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
      cloudWatchStream(options as never);
    } catch (error) {
      refusal = error;
    }
    expect(ConfigError.is(refusal)).toBe(true);
    expect(String(refusal)).toContain(message);
  });
});
