import type { CloudWatchLogsClient, CloudWatchLogsClientConfig } from '@aws-sdk/client-cloudwatch-logs';
import { loadPackage, markUnsent, orAborted } from '@logferry/core';
import { isAuthFailure, nameOf } from './classify.js';
import { learningTime } from './clock-skew.js';
import { type Config, ConnectionCheck } from './connection-check.js';
import { assertProvidersInstalled, createProvider, needsProviders, sourceSettings } from './credential-providers.js';
import { CredentialSource } from './credential-source.js';
import { type BodyWriter, type Command, Exchange } from './exchange.js';
import { moduleUrl } from './module-url.js';
import type { CloudWatchClient, CloudWatchEntity, CloudWatchOptions } from './options.js';
import { assertProven } from './proof.js';
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

/** The input of a PutLogEvents command. */
export interface PutInput {
  readonly logEvents: readonly { readonly timestamp: number; readonly message: string }[];
  readonly entity?: CloudWatchEntity | undefined;
  readonly sequenceToken?: string | undefined;
}

/** The part of the input of a FilterLogEvents command that is used. */
export interface FilterInput {
  readonly logGroupName: string;
  readonly logStreamNames?: string[] | undefined;
  readonly logStreamNamePrefix?: string | undefined;
  readonly startTime?: number | undefined;
  readonly endTime?: number | undefined;
  readonly nextToken?: string | undefined;
}

/** A page of events, as the SDK gives it. */
export interface FilterResponse {
  readonly events?: readonly {
    readonly eventId?: string | undefined;
    readonly timestamp?: number | undefined;
    readonly message?: string | undefined;
    readonly logStreamName?: string | undefined;
  }[];
  readonly nextToken?: string | undefined;
}

/**
 * Resolves if the AWS SDK is installed, with its package of providers if the options need it. Otherwise rejects with the `DeliveryError` that the first batch would meet: code
 * `MISCONFIGURED`, and a message with the command that installs it.
 */
export async function assertSdkInstalled(
  options: Pick<CloudWatchOptions, 'profile' | 'assumeRole'> = {},
): Promise<void> {
  await loadSdk();
  if (needsProviders(options)) await assertProvidersInstalled();
}

/**
 * The service's operations. The SDK is loaded, and its client made, by `prepare()` or with the first call. All methods reject with an error of
 * the SDK, with an `UnprovenError` for a success of some other server, or with a `DeliveryError` for a missing SDK, region or
 * credentials.
 */
export class LogsClient {
  readonly #settings: ConnectionSettings;
  readonly #maxResponseBytes: number | undefined;
  #connection: Promise<Connection> | undefined;
  /** Absent before the first call, and where the user gave the credentials themselves. */
  #source: CredentialSource | undefined;
  #address: string | undefined;
  #clockOffsetMs = 0;

  /** `maxResponseBytes` is for a client of ours that reads logs: other responses are small. */
  constructor(settings: ConnectionSettings, maxResponseBytes?: number) {
    this.#settings = settings;
    this.#maxResponseBytes = maxResponseBytes;
  }

  /** False if the client is the user's. */
  get isOurs(): boolean {
    return this.#settings.client === undefined;
  }

  /** For people: the kind of the credentials, as far as it is known. */
  get credentialKind(): string {
    const { client, credentials } = this.#settings;
    if (this.#source) return this.#source.kind;
    if (client) return 'those of the client';
    if (credentials === undefined) return "the AWS SDK's default chain";
    return `the ${typeof credentials === 'function' ? 'function' : 'keys'} of the option "credentials"`;
  }

  /** Host and port of the last request; `undefined` before the first. */
  get address(): string | undefined {
    return this.#address;
  }

  /** The time of the service minus the time of this machine, in milliseconds, by the last success; 0 if not known. */
  get clockOffsetMs(): number {
    return this.#clockOffsetMs;
  }

  /** Loads the SDK and makes its client. */
  async prepare(): Promise<void> {
    await this.#connect();
  }

  /**
   * Sends a batch. With our own client the writer gets the body of the input before any other middleware; with a client of
   * the user's it gets the body that the user's middleware has made. Without a writer the body stays as it is.
   */
  async putLogEvents(
    { group, stream }: Target,
    input: PutInput,
    write: BodyWriter | undefined,
    signal: AbortSignal,
    progress: (() => void) | undefined,
  ): Promise<{ readonly response: PutResponse; readonly wireBytes: number }> {
    const exchange = new Exchange();
    const response = await this.#send(
      (sdk) => {
        type Input = ConstructorParameters<Sdk['PutLogEventsCommand']>[0];
        const names = { logGroupName: group, logStreamName: stream };
        const command = new sdk.PutLogEventsCommand({ ...names, ...input } as Input);
        if (!write) return command;
        exchange.rewrite(command, write, this.isOurs ? 'high' : 'low');
        return command;
      },
      signal,
      PUT_MEMBERS,
      exchange,
      progress,
    );
    return { response: response as PutResponse, wireBytes: exchange.wireBytes };
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

  /** The region of requests, as the SDK finds it; `undefined` if a client of the user's tells none. */
  async findRegion(signal: AbortSignal): Promise<unknown> {
    const { check } = await this.#connect();
    return check.region(signal);
  }

  /** The credentials of requests, as the SDK finds them; `undefined` if a client of the user's tells none. */
  async findCredentials(signal: AbortSignal): Promise<unknown> {
    const { check } = await this.#connect();
    return check.credentials(signal);
  }

  /** The address of the service, as the SDK makes it of endpoint, region and its own settings. Makes no request, and asks for no credentials. */
  async findAddress(): Promise<ServiceAddress> {
    const sdk = await loadSdk();
    const client = new sdk.CloudWatchLogsClient({ ...placeSettings(this.#settings), credentials: NO_CREDENTIALS });
    const command = new sdk.DescribeLogStreamsCommand({ logGroupName: 'none' });
    return new Promise((resolve, reject) => {
      const take = () => async (args: { readonly request: ServiceAddress }) => {
        resolve(args.request);
        return { output: { $metadata: {} } };
      };
      (command as Command).middlewareStack.add(take, { step: 'build', priority: 'high', name: 'logferryAddress' });
      client.send(command).catch(reject);
    });
  }

  /** Whether a stream exists. Rejects with `ResourceNotFoundException` if its group does not. */
  async hasStream({ group, stream }: Target, signal: AbortSignal): Promise<boolean> {
    const input = { logGroupName: group, logStreamNamePrefix: stream, limit: 1 };
    const output = await this.#send((sdk) => new sdk.DescribeLogStreamsCommand(input), signal, STREAM_MEMBERS);
    // They are sorted by name, so that the name itself comes before those that begin with it.
    const { logStreams = [] } = output as { readonly logStreams?: readonly { readonly logStreamName?: string }[] };
    return logStreams[0]?.logStreamName === stream;
  }

  /** Reads a page of the events of a group. */
  async filterLogEvents(input: FilterInput, signal: AbortSignal): Promise<FilterResponse> {
    const output = await this.#send((sdk) => new sdk.FilterLogEventsCommand(input), signal, FILTER_MEMBERS);
    return output as FilterResponse;
  }

  /** Closes the connections of our own client. */
  async close(): Promise<void> {
    if (!this.isOurs || !this.#connection) return;
    const { client } = await this.#connection;
    client.destroy();
  }

  /** `members` are those of the operation's output. */
  async #send(
    makeCommand: (sdk: Sdk) => Command,
    abortSignal: AbortSignal,
    members: readonly string[] = [],
    exchange = new Exchange(),
    progress?: () => void,
  ): Promise<unknown> {
    const { sdk, client, check } = await this.#connect();
    await check.pass(abortSignal);
    if (abortSignal.aborted) throw abortError();
    const command = makeCommand(sdk);
    exchange.observe(command, progress);
    try {
      const output = await learningTime(client, () => {
        const sent = (client as CloudWatchClient).send(command as never, { abortSignal });
        // That of the application may not heed the signal.
        return this.isOurs ? sent : orAborted(sent, abortSignal, abortError);
      });
      assertProven(output, members, exchange.response);
      this.#clockOffsetMs = client.config?.systemClockOffset ?? 0;
      return output;
    } catch (error) {
      if (exchange.isUnsent) markUnsent(error);
      if (isAuthFailure(error)) check.forget(nameOf(error) !== 'AccessDenied');
      throw abortSignal.aborted ? (exchange.failure ?? error) : error;
    } finally {
      this.#address = exchange.address ?? this.#address;
    }
  }

  async #connect(): Promise<Connection> {
    this.#connection ??= this.#open().catch((error) => {
      // The SDK may be installed by the time of the next attempt.
      this.#connection = undefined;
      throw error;
    });
    return this.#connection;
  }

  async #open(): Promise<Connection> {
    const sdk = await loadSdk();
    const { client: given, credentials, proxy } = this.#settings;
    if (given) {
      const client = given as unknown as CloudWatchLogsClient;
      const config: Config = client.config ?? {};
      const source = config.credentials && new CredentialSource(config.credentials, 'client');
      this.#source = source;
      return { sdk, client, check: new ConnectionCheck(config, source, false) };
    }
    let source = await sourceOf(this.#settings);
    const chosen = source?.get ?? credentials;
    const client = new sdk.CloudWatchLogsClient({
      ...placeSettings(this.#settings),
      ...(chosen !== undefined && { credentials: chosen as AwsCredentials }),
      ...sourceSettings(),
      // Only the core repeats.
      maxAttempts: 1,
      requestHandler: createRequestHandler(proxy, this.#maxResponseBytes),
    });
    const config: Config = client.config;
    if (config.credentials && chosen === undefined) {
      source = new CredentialSource(config.credentials, 'chain');
      config.credentials = source.get;
    }
    this.#source = source;
    return { sdk, client, check: new ConnectionCheck(config, source, true) };
  }
}

/** The source of the credentials that the options describe; `undefined` for given keys, and for the SDK's chain. */
async function sourceOf(settings: ConnectionSettings): Promise<CredentialSource | undefined> {
  const { credentials, profile, assumeRole } = settings;
  if (needsProviders(settings)) {
    const provider = await createProvider(settings);
    return new CredentialSource(provider, assumeRole ? 'role' : 'profile', assumeRole?.roleArn ?? profile);
  }
  return typeof credentials === 'function' ? new CredentialSource(credentials, 'function') : undefined;
}

/** Members of the output of PutLogEvents. */
const PUT_MEMBERS = ['nextSequenceToken', 'rejectedLogEventsInfo', 'rejectedEntityInfo'];
/** Members of the output of FilterLogEvents. */
const FILTER_MEMBERS = ['events', 'searchedLogStreams', 'nextToken'];

/** Members of the output of DescribeLogStreams. */
const STREAM_MEMBERS = ['logStreams', 'nextToken'];

/** The SDK asks for credentials before it makes an address, and does not need them for it. */
const NO_CREDENTIALS = { accessKeyId: 'none', secretAccessKey: 'none' };

/** Settings of a client that decide where the service is. */
function placeSettings({ region, profile, endpoint }: ConnectionSettings): CloudWatchLogsClientConfig {
  return {
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
    ...(endpoint !== undefined && { endpoint }),
    // The SDK would warn on the console, and an application may redirect that into its logger.
    logger: SILENT,
  };
}

/** Where requests go: host and port, as the SDK tells them. */
export interface ServiceAddress {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
}

const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

type Sdk = typeof import('@aws-sdk/client-cloudwatch-logs');
type AwsCredentials = NonNullable<CloudWatchLogsClientConfig['credentials']>;

interface Connection {
  readonly sdk: Sdk;
  readonly client: CloudWatchLogsClient;
  readonly check: ConnectionCheck;
}

function loadSdk(): Promise<Sdk> {
  return loadPackage({
    name: '@aws-sdk/client-cloudwatch-logs',
    title: 'the AWS SDK',
    load: () => import('@aws-sdk/client-cloudwatch-logs'),
    parentUrl: moduleUrl,
  });
}

/** What the SDK rejects with, too. */
function abortError(): Error {
  return Object.assign(new Error('Request aborted'), { name: 'AbortError' });
}
