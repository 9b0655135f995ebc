import { once } from 'node:events';
import type { DeliveryError } from '@logferry/core';
import { type CloudWatchEmulator, startCloudWatch } from '@logferry/emulators';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { full } from '../../../forms.js';
import cloudwatch, { type CloudWatchStreamOptions, type CloudWatchTargetOptions } from '../src/cloudwatch.js';
import { stats } from '../src/index.js';
import { fixture, runApp } from './support/fixtures.js';
import { end, flush, startTransport, transportOf } from './support/transport.js';

const target = '@logferry/pino/cloudwatch';
let emulator: CloudWatchEmulator;

beforeAll(async () => {
  emulator = await startCloudWatch({ strict: true });
  Object.assign(process.env, emulator.env);
});

afterEach(() => {
  expect(emulator.stats().violations).toEqual([]);
  emulator.faults();
});

afterAll(() => emulator.close());

let groups = 0;

function newGroup(): string {
  groups++;
  return `group-${groups}`;
}

function messagesOf(logGroupName: string): { readonly i: number; readonly msg: string }[] {
  return emulator.events({ logGroupName }).map((event) => JSON.parse(event.message));
}

const allNumbers = Array.from({ length: 1000 }, (_, i) => i);

const endings = ['natural end', 'process.exit()', 'an uncaught exception', 'stream.end()'];

describe.each(full ? endings : endings.slice(0, 2))('at %s', (ending) => {
  it('a pipeline delivers 1,000 of 1,000 lines as its first stage changed them', async () => {
    const logGroupName = newGroup();
    const pipeline = [{ target: fixture('upper-case-stage.mjs') }, { target, options: { logGroupName } }];
    await runApp({ transport: { pipeline }, ending });
    expect(messagesOf(logGroupName).map(({ i }) => i)).toEqual(allNumbers);
    expect(messagesOf(logGroupName).every(({ msg }) => msg === 'A LINE')).toBe(true);
  });

  it('several targets deliver 1,000 of 1,000 each', async () => {
    const [one, other] = [newGroup(), newGroup()];
    const targets = [one, other].map((logGroupName) => ({ target, options: { logGroupName } }));
    await runApp({ transport: { targets }, ending });
    expect(messagesOf(one)).toHaveLength(1000);
    expect(messagesOf(other)).toHaveLength(1000);
  });
});

describe('in process', () => {
  it('takes functions, and stays usable while the service fails', async () => {
    const logGroupName = newGroup();
    const errors: DeliveryError[] = [];
    emulator.faults({ next: ['serverError', 'throttle'] });
    const stream = await cloudwatch({
      logGroupName,
      retry: { baseMs: 1, throttledBaseMs: 1 },
      credentials: async () => ({
        accessKeyId: emulator.env.AWS_ACCESS_KEY_ID,
        secretAccessKey: emulator.env.AWS_SECRET_ACCESS_KEY,
      }),
      onError: (error) => errors.push(error),
    });
    const logger = pino(stream);
    logger.info({ i: 1 }, 'through the fault');
    const report = await stream.flush();
    expect(report).toMatchObject({ received: 1, delivered: 1, pending: 0 });
    expect(errors).toEqual([]);
    expect(stream.stats().retries).toMatchObject({ UNAVAILABLE: 1, THROTTLED: 1 });
    logger.info({ i: 2 }, 'and on');
    await stream.close();
    expect(messagesOf(logGroupName).map(({ i }) => i)).toEqual([1, 2]);
  });
});

describe('in a worker', () => {
  it('SIGTERM with a handler that calls process.exit() delivers 1,000 of 1,000', async () => {
    const logGroupName = newGroup();
    const ending = 'SIGTERM, with a handler that calls process.exit()';
    await runApp({ transport: { target, options: { logGroupName } }, ending });
    expect(messagesOf(logGroupName)).toHaveLength(1000);
  });

  it('delivers plain text, and JSON lines with their own time', async () => {
    const logGroupName = newGroup();
    const transport = startTransport({ target, options: { logGroupName } });
    const time = Date.now() - 60_000;
    transport.write(`Server listening\n\n{"level":30,"time":"${new Date(time).toISOString()}","msg":"x"}\n{"cut\n`);
    await flush(transport);
    const events = emulator.events({ logGroupName });
    expect(events.map(({ message }) => message).sort()).toHaveLength(3);
    expect(events.find(({ message }) => message.includes('"x"'))?.timestamp).toBe(time);
    expect(events.map(({ message }) => message)).toEqual(expect.arrayContaining(['Server listening', '{"cut']));
  });

  it('leaves out lines below level', async () => {
    const logGroupName = newGroup();
    const transport = startTransport({ target, options: { logGroupName, level: 'warn' } });
    const logger = pino(transport);
    logger.info('left out');
    logger.warn('shipped');
    await flush(logger);
    expect(messagesOf(logGroupName).map(({ msg }) => msg)).toEqual(['shipped']);
    expect((await stats(transport)).received).toBe(1);
  });

  it('works as the transport option of a logger, as frameworks set it', async () => {
    const logGroupName = newGroup();
    const logger = pino({ level: 'info', transport: { target, options: { logGroupName } } });
    const transport = transportOf(logger);
    logger.info('incoming request');
    await flush(transport);
    expect(messagesOf(logGroupName).map(({ msg }) => msg)).toEqual(['incoming request']);
  });

  it('never makes the transport emit "error" while the service refuses everything', async () => {
    const logGroupName = newGroup();
    emulator.faults({ accessDenied: 1 });
    const transport = startTransport({ target, options: { logGroupName, closeTimeoutMs: 200 } });
    const errors: unknown[] = [];
    transport.on('error', (error) => errors.push(error));
    const logger = pino(transport);
    logger.info('x');
    await expect.poll(() => stats(transport), PATIENCE).toMatchObject({ pending: 1, retries: { AUTH: 1 } });
    await flush(logger);
    await end(transport);
    expect(errors).toEqual([]);
  });
});

/** For slow machines. */
const PATIENCE = { timeout: 60_000 };

describe('at start', () => {
  it.each([
    [{ logGroupname: 'shop' }, '[logferry] unknown option "logGroupname": did you mean "logGroupName"?'],
    [{ logGroupName: 'shop', maxDelay: 5 }, '[logferry] unknown option "maxDelay": did you mean "maxDelayMs"?'],
    [{ logGroupName: 'shop', level: 'loud' }, /^\[logferry\] level: expected one of trace, debug/],
    [{}, /^\[logferry\] logGroupName: expected .*, got undefined$/],
    [{ logGroupName: 'shop', thread: true }, /^\[logferry\] thread: expected false, got true: pino\.transport\(/],
  ])('refuses %j: the transport emits "error", the factory rejects', async (options, message) => {
    const transport = pino.transport({ target, options });
    const [error] = await once(transport, 'error');
    expect((error as Error).message).toMatch(message);
    await expect(cloudwatch(options as CloudWatchStreamOptions)).rejects.toThrow(message);
  });

  it('refuses to start without options', async () => {
    const transport = pino.transport({ targets: [{ target }] });
    const [error] = await once(transport, 'error');
    expect((error as Error).message).toMatch(/^\[logferry\] logGroupName: expected/);
  });

  it('names the command that installs the AWS SDK if it is missing', async () => {
    const NODE_OPTIONS = `--require=${fixture('hide-sdk.cjs')}`;
    const { exitCode, stderr } = await runApp(
      { transport: { target, options: { logGroupName: 'x' } } },
      { NODE_OPTIONS },
    );
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('npm install @aws-sdk/client-cloudwatch-logs');
  });
});

describe('types', () => {
  type Functions<T> = {
    [K in keyof T]-?: Extract<T[K], (...args: never) => unknown> extends never ? never : K;
  }[keyof T];

  it('refuse functions in the options of a target', () => {
    expectTypeOf<Functions<CloudWatchTargetOptions>>().toBeNever();
    expectTypeOf<Functions<CloudWatchStreamOptions>>().toEqualTypeOf<
      'logGroupName' | 'logStreamName' | 'route' | 'credentials' | 'transform' | 'onError' | 'onDrop'
    >();
    const good: CloudWatchTargetOptions = { logGroupName: 'shop', level: 'warn', retry: { capMs: 1000 } };
    // @ts-expect-error a function cannot be cloned
    const onError = { logGroupName: 'shop', onError: () => {} } satisfies CloudWatchTargetOptions;
    // @ts-expect-error a function that fetches credentials cannot be cloned
    const credentials = { logGroupName: 'shop', credentials: async () => keys } satisfies CloudWatchTargetOptions;
    // @ts-expect-error a function that names streams cannot be cloned
    const stream = { logGroupName: 'shop', logStreamName: () => 'web' } satisfies CloudWatchTargetOptions;
    // @ts-expect-error a function that names routes cannot be cloned
    const route = { logGroupName: 'shop', route: () => ({ logStreamName: 'web' }) } satisfies CloudWatchTargetOptions;
    // @ts-expect-error a client cannot be cloned
    const client = { logGroupName: 'shop', client: { send: async () => {} } } satisfies CloudWatchTargetOptions;
    // @ts-expect-error a misspelt option
    const unknown = { logGroupName: 'shop', maxDelay: 1 } satisfies CloudWatchTargetOptions;
    // @ts-expect-error the log group is required
    const missing = { level: 'info' } satisfies CloudWatchTargetOptions;
    const inProcess: CloudWatchStreamOptions = { ...good, onError: () => {}, credentials: async () => keys };
    for (const options of [onError, credentials, stream, route, client]) {
      expect(() => pino.transport({ target, options })).toThrow(expect.objectContaining({ name: 'DataCloneError' }));
    }
    expect([unknown, missing, inProcess]).toHaveLength(3);
  });

  it('fit pino.transport()', () => {
    const options: CloudWatchTargetOptions = { logGroupName: 'shop' };
    expectTypeOf(pino.transport<CloudWatchTargetOptions>).toBeCallableWith({ target, options });
  });
});

const keys = { accessKeyId: 'id', secretAccessKey: 'secret' };
