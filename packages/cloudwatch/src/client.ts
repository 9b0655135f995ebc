import type { CloudWatchLogsClient, CloudWatchLogsClientConfig } from '@aws-sdk/client-cloudwatch-logs';
import { DeliveryError } from '@logferry/core';
import type { WireBody } from './compress.js';
import type { RejectedLogEventsInfo } from './rejected-events.js';
import { createRequestHandler } from './request-handler.js';
import type { ConnectionSettings, NewGroupSettings } from './resolve-options.js';
import type { Target } from './route.js';

/** What we need of a `CloudWatchLogsClient`. The types of the AWS SDK stay out of ours: it is not always installed. */
export interface CloudWatchClient {
  send(command: never, options: { readonly abortSignal: AbortSignal }): Promise<unknown>;
}

/** What the service answers to a batch that it accepts. */
export interface PutResponse {
  readonly $metadata: { readonly requestId?: string | undefined };
  readonly rejectedLogEventsInfo?: RejectedLogEventsInfo | undefined;
  readonly rejectedEntityInfo?: { readonly errorType?: string | undefined } | undefined;
}

/** Throws a `DeliveryError` with the code `MISCONFIGURED` if the AWS SDK cannot be loaded. */
export async function assertSdkInstalled(): Promise<void> {
  await loadSdk();
}

/** The service's operations, on a client that is made, or taken from the user, at first use. */
export class LogsClient {
  readonly #settings: ConnectionSettings;
  #connection: Promise<Connection> | undefined;

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
  }

  /** Sends a body that is ready. The SDK would take several times as long to make one. */
  async putLogEvents({ group, stream }: Target, body: WireBody, abortSignal: AbortSignal): Promise<PutResponse> {
    const { sdk, client } = await this.#connect();
    const command = new sdk.PutLogEventsCommand({ logGroupName: group, logStreamName: stream, logEvents: [] });
    command.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { body: unknown; readonly headers: Record<string, string> };
        request.body = body.bytes;
        if (body.encoding) request.headers['content-encoding'] = body.encoding;
        return next(args);
      },
      // After the SDK made a body of the empty list, and before anything measures or signs it.
      { step: 'build', priority: 'high', name: 'logferryBody' },
    );
    return learningTime(client, () => client.send(command, { abortSignal }));
  }

  async createLogStream({ group, stream }: Target, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#connect();
    const command = new sdk.CreateLogStreamCommand({ logGroupName: group, logStreamName: stream });
    await learningTime(client, () => client.send(command, { abortSignal }));
  }

  async createLogGroup(group: string, settings: NewGroupSettings, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#connect();
    const { tags, kmsKeyId, logGroupClass } = settings;
    const command = new sdk.CreateLogGroupCommand({
      logGroupName: group,
      tags,
      kmsKeyId,
      logGroupClass,
    });
    await learningTime(client, () => client.send(command, { abortSignal }));
  }

  async putRetentionPolicy(group: string, retentionInDays: number, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#connect();
    const command = new sdk.PutRetentionPolicyCommand({ logGroupName: group, retentionInDays });
    await learningTime(client, () => client.send(command, { abortSignal }));
  }

  /** Closes the connections, unless they are the user's. */
  async close(): Promise<void> {
    if (this.#settings.client || !this.#connection) return;
    const { client } = await this.#connection;
    client.destroy();
  }

  async #connect(): Promise<Connection> {
    this.#connection ??= this.#open().catch((error) => {
      // The next attempt looks again: the SDK may be installed by then.
      this.#connection = undefined;
      throw error;
    });
    const connection = await this.#connection;
    await checkSettings(connection.client, this.#settings.client === undefined);
    return connection;
  }

  async #open(): Promise<Connection> {
    const sdk = await loadSdk();
    const { client, region, credentials, endpoint } = this.#settings;
    if (client) return { sdk, client: client as unknown as CloudWatchLogsClient };
    return {
      sdk,
      client: new sdk.CloudWatchLogsClient({
        ...(region !== undefined && { region }),
        ...(credentials !== undefined && { credentials: credentials as AwsCredentials }),
        ...(endpoint !== undefined && { endpoint }),
        // The core repeats, and nothing else.
        maxAttempts: 1,
        // The SDK would warn on the console, which an application may have redirected into its logger.
        logger: SILENT,
        requestHandler: createRequestHandler(),
      }),
    };
  }
}

/** By so much the service lets a clock be wrong, and a minute less. */
const CLOCK_SKEW_MS = 240_000;

/**
 * The SDK learns the service's time from every answer, but says so of an error only while the clock is wrong: one that was
 * just set right makes signatures that are refused, too, and would look like wrong credentials. From an answer during which
 * the clock jumped it learns nothing: then the next one will tell.
 */
async function learningTime<Output>({ config }: CloudWatchLogsClient, send: () => Promise<Output>): Promise<Output> {
  const offsetMs = config?.systemClockOffset;
  const startMs = wallClockStartMs();
  try {
    return await send();
  } catch (error) {
    const { $metadata } = error as { readonly $metadata?: { clockSkewCorrected?: boolean } };
    const changes = [config?.systemClockOffset - offsetMs, wallClockStartMs() - startMs];
    if ($metadata && changes.some((ms) => Math.abs(ms) >= CLOCK_SKEW_MS)) $metadata.clockSkewCorrected = true;
    throw error;
  }
}

/** When the process started, by the wall clock: the same at any time, unless that jumps. */
function wallClockStartMs(): number {
  return Date.now() - performance.now();
}

type Sdk = typeof import('@aws-sdk/client-cloudwatch-logs');
type AwsCredentials = NonNullable<CloudWatchLogsClientConfig['credentials']>;

interface Connection {
  readonly sdk: Sdk;
  readonly client: CloudWatchLogsClient;
}

const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

async function loadSdk(): Promise<Sdk> {
  try {
    return await import('@aws-sdk/client-cloudwatch-logs');
  } catch (cause) {
    const message = isNotInstalled(cause)
      ? 'the AWS SDK is not installed; install it: npm install @aws-sdk/client-cloudwatch-logs'
      : `the AWS SDK cannot be loaded: ${cause}`;
    throw new DeliveryError('MISCONFIGURED', message, { cause });
  }
}

/** Whether it is the SDK itself that Node.js does not find, and not something that the SDK needs. */
function isNotInstalled(error: unknown): boolean {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return (
    /^(ERR_)?MODULE_NOT_FOUND$/.test(String(code)) && String(message).includes("'@aws-sdk/client-cloudwatch-logs'")
  );
}

/**
 * Region and credentials are looked up before the request, so that their errors are not taken for the service's. The SDK
 * remembers both. A client of the user's may have its own way, without credentials or even without `config`.
 */
async function checkSettings({ config }: CloudWatchLogsClient, isOurs: boolean): Promise<void> {
  try {
    await config?.region?.();
  } catch (cause) {
    const message =
      'no AWS region: set the option "region", the environment variable AWS_REGION or the shared config file';
    throw new DeliveryError('MISCONFIGURED', message, { cause });
  }
  if (!isOurs) return;
  try {
    await config.credentials();
  } catch (cause) {
    throw new DeliveryError('AUTH', `no AWS credentials: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
