import type { CloudWatchLogsClient, CloudWatchLogsClientConfig } from '@aws-sdk/client-cloudwatch-logs';
import { addressOf } from '@logferry/core';
import { isAuthFailure } from './classify.js';
import { learningTime } from './clock-skew.js';
import type { WireBody } from './compress.js';
import { ConnectionCheck } from './connection-check.js';
import type { CloudWatchClient, CloudWatchEntity } from './options.js';
import { assertProven, type HttpResponse } from './proof.js';
import type { RejectedLogEventsInfo } from './rejected-events.js';
import { createRequestHandler } from './request-handler.js';
import type { ConnectionSettings, NewGroupSettings } from './resolve-options.js';
import type { Target } from './route.js';
import { loadSdk, type Sdk } from './sdk.js';

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

/** Makes the body on the wire from the body that the SDK made. `undefined` leaves it as it is. */
export type BodyWriter = (made: Uint8Array) => Promise<WireBody | undefined>;

/**
 * The service's operations. The SDK is loaded, and its client made, with the first call. All methods reject with an error of
 * the SDK, with an `UnprovenError` for a success of some other server, or with a `DeliveryError` for a missing SDK, region or
 * credentials.
 */
export class LogsClient {
  readonly #settings: ConnectionSettings;
  readonly #check: ConnectionCheck;
  #connection: Promise<Connection> | undefined;
  #address: string | undefined;
  #clockOffsetMs = 0;

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
    this.#check = new ConnectionCheck(settings);
  }

  /** False if the client is the user's. */
  get isOurs(): boolean {
    return this.#settings.client === undefined;
  }

  /** Host and port of the last request; `undefined` before the first. */
  get address(): string | undefined {
    return this.#address;
  }

  /** The time of the service minus the time of this machine, in milliseconds, by the last success; 0 if not known. */
  get clockOffsetMs(): number {
    return this.#clockOffsetMs;
  }

  /**
   * Sends a batch. With our own client the writer gets the body of the input before any other middleware; with a client of
   * the user's it gets the body that the user's middleware has made.
   */
  async putLogEvents(
    { group, stream }: Target,
    input: PutInput,
    write: BodyWriter,
    signal: AbortSignal,
  ): Promise<{ readonly response: PutResponse; readonly wireBytes: number }> {
    const exchange: Exchange = { wireBytes: 0, response: undefined };
    const response = await this.#send(
      (sdk) => {
        type Input = ConstructorParameters<Sdk['PutLogEventsCommand']>[0];
        const names = { logGroupName: group, logStreamName: stream };
        const command = new sdk.PutLogEventsCommand({ ...names, ...input } as Input);
        // Before the SDK measures the body, and long before it signs the request.
        const priority = this.isOurs ? 'high' : 'low';
        command.middlewareStack.add(
          (next) => async (args) => {
            await writeBody(args.request as SdkRequest, write);
            return next(args);
          },
          { step: 'build', priority, name: 'logferryBody' },
        );
        return command;
      },
      signal,
      PUT_MEMBERS,
      exchange,
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

  /** Closes the connections of our own client. */
  async close(): Promise<void> {
    if (!this.isOurs || !this.#connection) return;
    const { client } = await this.#connection;
    client.destroy();
  }

  /** `members` are those of the operation's output. */
  async #send(
    makeCommand: (sdk: Sdk) => SdkCommand,
    abortSignal: AbortSignal,
    members: readonly string[] = [],
    exchange: Exchange = { wireBytes: 0, response: undefined },
  ): Promise<unknown> {
    const { sdk, client } = await this.#connect();
    await this.#check.pass(client);
    const command = makeCommand(sdk);
    this.#observe(command, exchange);
    try {
      const output = await learningTime(client, () =>
        (client as CloudWatchClient).send(command as never, { abortSignal }),
      );
      assertProven(output, members, exchange.response);
      this.#clockOffsetMs = client.config?.systemClockOffset ?? 0;
      return output;
    } catch (error) {
      if (isAuthFailure(error)) this.#check.forget();
      throw error;
    }
  }

  /** Notes request and response of a command, after all of the SDK's and the user's changes to the request. */
  #observe({ middlewareStack }: SdkCommand, exchange: Exchange): void {
    middlewareStack.add(
      (next: Handler) => async (args: { readonly request: unknown }) => {
        const request = args.request as SdkRequest;
        this.#address = addressOf(request);
        exchange.wireBytes = bytesOf(request.body)?.length ?? 0;
        const result = await next(args);
        exchange.response = result.response as HttpResponse;
        return result;
      },
      { step: 'deserialize', priority: 'high', name: 'logferryExchange' },
    );
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
    const { client, region, credentials, endpoint } = this.#settings;
    if (client) return { sdk, client: client as unknown as CloudWatchLogsClient };
    return {
      sdk,
      client: new sdk.CloudWatchLogsClient({
        ...(region !== undefined && { region }),
        ...(credentials !== undefined && { credentials: credentials as AwsCredentials }),
        ...(endpoint !== undefined && { endpoint }),
        ...FRESH_FILES,
        // Only the core repeats.
        maxAttempts: 1,
        // The SDK would warn on the console, and an application may redirect that into its logger.
        logger: SILENT,
        requestHandler: createRequestHandler(),
      }),
    };
  }
}

/** Members of the output of PutLogEvents. */
const PUT_MEMBERS = ['nextSequenceToken', 'rejectedLogEventsInfo', 'rejectedEntityInfo'];

/** The SDK reads the shared files once for the whole process, unless it is told otherwise: keys in them may be rotated. */
const FRESH_FILES = { ignoreCache: true };

const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

type AwsCredentials = NonNullable<CloudWatchLogsClientConfig['credentials']>;

interface Connection {
  readonly sdk: Sdk;
  readonly client: CloudWatchLogsClient;
}

/** Request and response of a command, as they were on the wire. */
interface Exchange {
  wireBytes: number;
  response: HttpResponse | undefined;
}

/** The members that all commands have. */
interface SdkCommand {
  readonly middlewareStack: { add(middleware: unknown, options: object): void };
}

type Handler = (args: { readonly request: unknown }) => Promise<{ readonly response: unknown }>;

interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly headers: Record<string, string>;
  body?: unknown;
}

/** Leaves a body alone that a middleware of the user's has compressed. */
async function writeBody(request: SdkRequest, write: BodyWriter): Promise<void> {
  const { headers } = request;
  const made = bytesOf(request.body);
  const body = made && headers['content-encoding'] === undefined ? await write(made) : undefined;
  if (!body) return;
  request.body = body.bytes;
  if (body.encoding) headers['content-encoding'] = body.encoding;
  if (headers['content-length'] !== undefined) headers['content-length'] = String(body.bytes.length);
}

/** `undefined` for a stream. */
function bytesOf(body: unknown): Uint8Array | undefined {
  if (typeof body === 'string') return Buffer.from(body);
  return body instanceof Uint8Array ? body : undefined;
}
