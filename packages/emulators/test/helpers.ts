import { Buffer } from 'node:buffer';
import {
  CloudWatchLogsClient,
  type CloudWatchLogsClientConfig,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  type InputLogEvent,
  PutLogEventsCommand,
  type PutLogEventsCommandInput,
  type PutLogEventsCommandOutput,
} from '@aws-sdk/client-cloudwatch-logs';
import { onTestFinished } from 'vitest';
import { type CloudWatchEmulator, type CloudWatchEmulatorOptions, startCloudWatch } from '../src/index.js';

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

export const GROUP = 'shop';
export const STREAM = 'web-1';
export const TARGET = { logGroupName: GROUP, logStreamName: STREAM };
export const DAY_MS = 86_400_000;

/** The emulator's fixed time, so that tests can hit age limits exactly. */
export const NOW: number = Date.now();

export interface Setup {
  readonly emulator: CloudWatchEmulator;
  readonly client: CloudWatchLogsClient;
}

/** An emulator with a fixed clock, one group and one stream, and an SDK client for it. Both close after the test. */
export async function setUp(options: CloudWatchEmulatorOptions = {}): Promise<Setup> {
  const { emulator, client } = await setUpEmpty(options);
  await client.send(new CreateLogGroupCommand({ logGroupName: GROUP }));
  await client.send(new CreateLogStreamCommand(TARGET));
  return { emulator, client };
}

/** The same as {@link setUp}, without the group and the stream. */
export async function setUpEmpty(options: CloudWatchEmulatorOptions = {}): Promise<Setup> {
  const emulator = await startCloudWatch({ clock: () => NOW, strict: true, ...options });
  onTestFinished(() => emulator.close());
  return { emulator, client: connect(emulator) };
}

/** An SDK client that does not retry. */
export function connect({ target }: CloudWatchEmulator, config: CloudWatchLogsClientConfig = {}): CloudWatchLogsClient {
  const client = new CloudWatchLogsClient({ ...target, maxAttempts: 1, ...config });
  onTestFinished(() => client.destroy());
  return client;
}

export function put(
  client: CloudWatchLogsClient,
  logEvents: InputLogEvent[],
  input: Partial<PutLogEventsCommandInput> = {},
): Promise<PutLogEventsCommandOutput> {
  return client.send(new PutLogEventsCommand({ ...TARGET, logEvents, ...input }));
}

export function event(message = 'hello', timestamp: number = NOW): InputLogEvent {
  return { message, timestamp };
}

/** Events of `message.length + 26` bytes each, if the message is ASCII. */
export function events(count: number, message = 'x'): InputLogEvent[] {
  return Array.from({ length: count }, () => event(message));
}

export interface RawRequest {
  readonly headers: Record<string, string>;
  body: string | Uint8Array;
}

/** The body as text. The SDK's bodies are byte arrays that print a warning when they are converted to strings. */
export function textOf(body: string | Uint8Array): string {
  return typeof body === 'string' ? body : new TextDecoder().decode(body);
}

/** A client that changes each request before it signs it, for requests that the SDK does not make. */
export function connectChanging(
  emulator: CloudWatchEmulator,
  change: (request: RawRequest) => void,
): CloudWatchLogsClient {
  const client = connect(emulator);
  client.middlewareStack.add(
    (next) => async (args) => {
      const request = args.request as RawRequest;
      change(request);
      request.headers['content-length'] = String(Buffer.byteLength(request.body));
      return next(args);
    },
    { step: 'build', priority: 'low' },
  );
  return client;
}

/** A client that changes each request after it has signed it. */
export function connectTampering(
  emulator: CloudWatchEmulator,
  change: (request: RawRequest) => void,
): CloudWatchLogsClient {
  const client = connect(emulator);
  client.middlewareStack.add(
    (next) => async (args) => {
      change(args.request as RawRequest);
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  return client;
}

/** Sends a signed PutLogEvents with exactly this body. */
export function putBody(emulator: CloudWatchEmulator, body: string | Uint8Array): Promise<PutLogEventsCommandOutput> {
  const client = connectChanging(emulator, (request) => {
    request.body = body;
  });
  return put(client, [event()]);
}

export function messagesIn(emulator: CloudWatchEmulator): string[] {
  return emulator.events().map(({ message }) => message);
}
