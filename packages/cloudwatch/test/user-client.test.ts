import { gunzipSync } from 'node:zlib';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { createShipper } from '@logferry/core';
import { expect, it } from 'vitest';
import type { CloudWatchClient } from '../src/index.js';
import { batchOf, create, deliver, record, send } from './support/events.js';
import { accepted, type ReceivedRequest, serviceError, startEmulator, startServer } from './support/servers.js';
import { collectWarnings } from './support/warnings.js';

const CARD = '4111 1111 1111 1111';
const scrub = (text: string): string => text.replaceAll(CARD, '****');

interface Input {
  logEvents: { timestamp: number; message: string }[];
}

/** The events of a request, whatever its encoding. */
function eventsOf({ headers, body }: ReceivedRequest): Input['logEvents'] {
  const raw = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
  return JSON.parse(raw.toString()).logEvents;
}

it.each(['none', 'gzip'] as const)(
  'stores what middleware made of the input (compression: %s)',
  async (compression) => {
    const { access, requests } = await startServer(() => accepted);
    const client = new CloudWatchLogsClient(access);
    client.middlewareStack.add(
      (next) => (args) => {
        const input = args.input as Input;
        const logEvents = input.logEvents.map((event) => ({ ...event, message: scrub(event.message) }));
        return next({ ...args, input: { ...input, logEvents } as typeof args.input });
      },
      { step: 'initialize' },
    );
    const destination = create({ client, compression });
    const { wireBytes } = await send(destination, batchOf(destination, `paid by ${CARD}`.repeat(20), 'größe'));
    const [request] = requests as [ReceivedRequest];
    expect(eventsOf(request).map(({ message }) => message)).toEqual(['paid by ****'.repeat(20), 'größe']);
    expect(request.headers['content-encoding']).toBe(compression === 'gzip' ? 'gzip' : undefined);
    expect(wireBytes).toBe(request.body.length);
    expect(request.headers['content-length']).toBe(String(request.body.length));
  },
);

it.each([
  ['none', 'high'],
  ['none', 'low'],
  ['gzip', 'high'],
  ['gzip', 'low'],
] as const)(
  'stores what middleware made of the body (compression: %s, priority: %s)',
  async (compression, priority) => {
    const { emulator, access } = await startEmulator();
    const client = new CloudWatchLogsClient(access);
    client.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { body: string | Uint8Array; headers: Record<string, string> };
        request.body = scrub(Buffer.from(request.body as string).toString());
        request.headers['content-length'] = String(Buffer.byteLength(request.body));
        return next(args);
      },
      { step: 'build', priority },
    );
    const destination = create({ client, compression });
    const texts = [`paid by ${CARD}`.repeat(20), 'größe'];
    await deliver(destination, batchOf(destination, ...texts));
    expect(emulator.events().map(({ message }) => message)).toEqual(texts.map(scrub));
    expect(emulator.stats().violations).toEqual([]);
  },
);

it('gives a client around a client the events, as time and message', async () => {
  const { emulator, access } = await startEmulator();
  const real = new CloudWatchLogsClient(access);
  const seen: string[] = [];
  const client: CloudWatchClient = {
    send(command, options) {
      const { logEvents = [] } = (command as { readonly input: Partial<Input> }).input;
      seen.push(...logEvents.map(({ timestamp, message }) => `${timestamp} ${message}`));
      return real.send(command, options);
    },
  };
  const time = Date.now();
  const shipper = createShipper(create({ client }));
  for (const text of ['x', 'größe "y"']) shipper.accept(record(text, { time }));
  expect(await shipper.close()).toMatchObject({ delivered: 2 });
  // The first request finds no stream.
  const each = [`${time} x`, `${time} größe "y"`];
  expect(seen).toEqual([...each, ...each]);
  expect(emulator.events().map(({ message }) => message)).toEqual(['x', 'größe "y"']);
});

it('sends entity and sequence token as members of the command', async () => {
  const inputs: unknown[] = [];
  const { access } = await startServer(() =>
    inputs.length === 1
      ? serviceError(400, 'InvalidSequenceTokenException', { expectedSequenceToken: '49' })
      : accepted,
  );
  const real = new CloudWatchLogsClient(access);
  const client: CloudWatchClient = {
    send(command, options) {
      const { logEvents, ...input } = (command as { readonly input: Input }).input;
      inputs.push(input);
      return real.send(command, options);
    },
  };
  const entity = { keyAttributes: { Type: 'Service', Name: 'shop' } };
  const destination = create({ client, entity });
  await deliver(destination, batchOf(destination, 'x'));
  const names = { logGroupName: 'shop', logStreamName: 'web', entity };
  expect(inputs).toEqual([names, { ...names, sequenceToken: '49' }]);
});

it('repeats without gzip when the endpoint cannot read what a client of the user sends', async () => {
  const warnings = collectWarnings();
  const { access, requests } = await startServer(({ headers }) =>
    headers['content-encoding'] === 'gzip' ? serviceError(400, 'SerializationException') : accepted,
  );
  const destination = create({ client: new CloudWatchLogsClient(access), compression: 'gzip' });
  await deliver(destination, batchOf(destination, 'x'.repeat(1000)));
  expect(requests.map(({ headers }) => headers['content-encoding'])).toEqual(['gzip', undefined]);
  expect(warnings).toHaveLength(1);
});

it.each([undefined, null, {}, 'OK', { $metadata: null }, { statusCode: 200 }])(
  'takes the result %o of a client of the user for no success',
  async (result) => {
    const destination = create({ client: { send: async () => result } });
    await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({
      code: 'MISCONFIGURED',
      ambiguous: true,
      message: expect.stringMatching(
        /^PutLogEvents to "shop", stream "web": the client resolved with no output of the SDK/,
      ),
    });
  },
);

it('takes an output of a client of the user that makes no request for a success', async () => {
  const destination = create({ client: { send: async () => ({ $metadata: {} }) } });
  expect(await send(destination, batchOf(destination, 'x'))).toMatchObject({ rejected: [] });
});

it('takes a success of some other server for none with a client of the user', async () => {
  for (const body of ['', '{}', '{"status":"healthy"}', '{"errorCode":"Unauthorized"}', 'OK']) {
    const { access } = await startServer(() => ({ status: 200, body }));
    const destination = create({ client: new CloudWatchLogsClient(access) });
    const failure = await send(destination, batchOf(destination, 'x')).catch((error) => error);
    expect(failure.message).not.toContain('undefined');
    expect(failure).toMatchObject({
      code: 'MISCONFIGURED',
      ambiguous: true,
      message: expect.stringMatching(
        new RegExp(`, at ${new URL(access.endpoint).host}: HTTP 200 .*\\(some other server answers: `),
      ),
    });
  }
});

it.each(['CreateLogStream', 'CreateLogGroup', 'PutRetentionPolicy'])(
  'a %s that never ends, by a client that does not heed the signal, holds up one attempt only',
  async (operation) => {
    const { emulator, access } = await startEmulator();
    const real = new CloudWatchLogsClient(access);
    let hangs = 1;
    const client = {
      config: real.config,
      send: (command: { readonly constructor: { readonly name: string } }): Promise<unknown> =>
        command.constructor.name === `${operation}Command` && hangs-- > 0
          ? new Promise(() => {})
          : real.send(command as never),
    };
    const destination = create({ client: client as never, retentionInDays: 7 });
    const batch = batchOf(destination, 'x');
    for (let attempts = 0; emulator.events().length === 0 && attempts < 4; attempts++)
      await destination.send(batch, AbortSignal.timeout(200)).catch((error) => error);
    expect(emulator.events()).toHaveLength(1);
  },
);
