import type { CloudWatchLogsClient, CloudWatchLogsClientConfig } from '@aws-sdk/client-cloudwatch-logs';
import { DeliveryError } from '@logferry/core';
import type { WireBody } from './compress.js';
import type { CloudWatchClient } from './options.js';
import type { RejectedLogEventsInfo } from './rejected-events.js';
import { createRequestHandler } from './request-handler.js';
import type { ConnectionSettings, NewGroupSettings } from './resolve-options.js';
import type { Target } from './route.js';

/** The service's response to a batch that it took. */
export interface PutResponse {
  readonly $metadata: { readonly requestId?: string | undefined };
  readonly rejectedLogEventsInfo?: RejectedLogEventsInfo | undefined;
  readonly rejectedEntityInfo?: { readonly errorType?: string | undefined } | undefined;
}

/**
 * Resolves if the AWS SDK is installed. Otherwise rejects with the `DeliveryError` that the first batch would meet: code
 * `MISCONFIGURED`, and a message with the command that installs it.
 */
export async function assertSdkInstalled(): Promise<void> {
  await loadSdk();
}

/**
 * The service's operations. The SDK is loaded, and its client made, with the first call. All methods reject with an error of
 * the SDK, or with a `DeliveryError` for a missing SDK, region or credentials.
 */
export class LogsClient {
  readonly #settings: ConnectionSettings;
  #connection: Promise<Connection> | undefined;

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
  }

  /** Sends a body that is ready: the SDK takes several times as long to make one. */
  async putLogEvents({ group, stream }: Target, body: WireBody, signal: AbortSignal): Promise<PutResponse> {
    const response = await this.#send((sdk) => {
      const command = new sdk.PutLogEventsCommand({ logGroupName: group, logStreamName: stream, logEvents: [] });
      command.middlewareStack.add(
        (next) => (args) => {
          const request = args.request as { body: unknown; readonly headers: Record<string, string> };
          request.body = body.bytes;
          if (body.encoding) request.headers['content-encoding'] = body.encoding;
          return next(args);
        },
        // After the SDK made a body of the empty list, and before it measures and signs the request.
        { step: 'build', priority: 'high', name: 'logferryBody' },
      );
      return command;
    }, signal);
    return response as PutResponse;
  }

  async createLogStream({ group, stream }: Target, signal: AbortSignal): Promise<void> {
    const input = { logGroupName: group, logStreamName: stream };
    await this.#send((sdk) => new sdk.CreateLogStreamCommand(input), signal);
  }

  async createLogGroup(group: string, settings: NewGroupSettings, signal: AbortSignal): Promise<void> {
    type Input = ConstructorParameters<Sdk['CreateLogGroupCommand']>[0];
    const input = { logGroupName: group, ...settings } as Input;
    await this.#send((sdk) => new sdk.CreateLogGroupCommand(input), signal);
  }

  async putRetentionPolicy(group: string, retentionInDays: number, signal: AbortSignal): Promise<void> {
    const input = { logGroupName: group, retentionInDays };
    await this.#send((sdk) => new sdk.PutRetentionPolicyCommand(input), signal);
  }

  /** Closes the connections of our own client. */
  async close(): Promise<void> {
    if (this.#settings.client || !this.#connection) return;
    const { client } = await this.#connection;
    client.destroy();
  }

  async #send(makeCommand: (sdk: Sdk) => object, abortSignal: AbortSignal): Promise<unknown> {
    const { sdk, client } = await this.#connect();
    const command = makeCommand(sdk) as never;
    return learningTime(client, () => (client as CloudWatchClient).send(command, { abortSignal }));
  }

  async #connect(): Promise<Connection> {
    this.#connection ??= this.#open().catch((error) => {
      // The SDK may be installed by the time of the next attempt.
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
        // Only the core repeats.
        maxAttempts: 1,
        // The SDK would warn on the console, and an application may redirect that into its logger.
        logger: SILENT,
        requestHandler: createRequestHandler(),
      }),
    };
  }
}

/** One minute below the skew that AWS tolerates. */
const CLOCK_SKEW_MS = 240_000;

/**
 * Marks an error as `clockSkewCorrected` also when the clock was just set right: then the signature was refused, too, and the
 * error looks like wrong credentials. The SDK learns the service's time from every response, but marks errors only while the
 * clock is wrong. It learns nothing from a response during which the clock jumped: the next response corrects that.
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

/** The start of the process by the wall clock, in epoch milliseconds. Changes only if that clock jumps. */
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

/** Whether Node.js does not find the SDK itself, rather than a package that the SDK needs. */
function isNotInstalled(error: unknown): boolean {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return (
    /^(ERR_)?MODULE_NOT_FOUND$/.test(String(code)) && String(message).includes("'@aws-sdk/client-cloudwatch-logs'")
  );
}

/**
 * Looks region and credentials up before the request, so that their errors are not taken for errors of the service. The SDK
 * caches both. A client of the user's may work without credentials, or even without `config`.
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
