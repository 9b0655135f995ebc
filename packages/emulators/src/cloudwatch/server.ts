import { randomUUID } from 'node:crypto';
import {
  callable,
  checkOptions,
  choice,
  flag,
  number,
  oneOrList,
  optional,
  portNumber,
  seedNumber,
  string,
  text,
} from '../checks.js';
import { createFaultInjector } from '../faults.js';
import { type HttpRequest, linesResponse, listen } from '../http.js';
import { observeRequest } from '../observer.js';
import { Hub } from '../page/hub.js';
import { checkLoopback, createPageRoutes, pageUrlOf } from '../page/routes.js';
import { createSwitchBoard } from '../page/switches.js';
import { type Exchange, type Operation, serveRequest } from '../serve-request.js';
import type { Context } from './context.js';
import { asServiceError, type ServiceError, UnsupportedOperation } from './errors.js';
import {
  CLOUDWATCH_FAULTS,
  type CloudWatchFault,
  type CloudWatchFaultPlan,
  inScope,
  isPoisoned,
  OTHER_MEMBERS,
  reactionTo,
} from './faults.js';
import type { Input } from './fields.js';
import { type CloudWatchOperation, isOperation, runOperation } from './operations.js';
import { checkEnvelope, decodeBody, errorResponse, headersOf, operationOf, successResponse } from './protocol.js';
import { DAY_MS, MAX_AGE_MS } from './rules.js';
import { AWS_ACCESS_KEY, type Credentials, createVerifier, type Verifier } from './sigv4.js';
import { type CloudWatchStats, createStats, type Stats } from './stats.js';
import { type CloudWatchEvent, createStore, type Store } from './store.js';

/** Options of {@link startCloudWatch}. */
export interface CloudWatchEmulatorOptions {
  /** Port to listen on; 0 takes a free one. @default 0 */
  readonly port?: number;
  /** Address to listen on. @default '127.0.0.1' */
  readonly host?: string;
  /** The server's region. Requests signed for another region are refused. @default 'us-east-1' */
  readonly region?: string;
  /** The server's credentials. Requests signed with others are refused. @default test credentials, see `env` */
  readonly credentials?: Credentials;
  /**
   * The server's time in epoch milliseconds, for the age of events, signatures and the `Date` header. A signature whose
   * time differs by more than 5 minutes is refused. @default Date.now
   */
  readonly clock?: () => number;
  /** Seed of random faults and delays. @default 1 */
  readonly seed?: number;
  /** `'required'`: each batch must carry the previous one's token, as before 2023. @default 'ignored' */
  readonly sequenceTokens?: 'ignored' | 'required';
  /** More PutLogEvents in one second are throttled: 5, as before 2023. @default no limit */
  readonly maxPutsPerSecondPerStream?: number;
  /** Refuses what the documentation forbids, and the service accepts; without it, `stats().tolerated` lists it. @default false */
  readonly strict?: boolean;
  /** Serves a live page of the events, the requests and the faults below `/_logferry/`. Needs a loopback `host`. @default false */
  readonly page?: boolean;
}

/** A local CloudWatch Logs. */
export interface CloudWatchEmulator {
  /** Base address: `"http://127.0.0.1:41234"`. `GET /` returns the stored events, one JSON object per line. */
  readonly url: string;
  /** Address of the live page; undefined without the option `page`. */
  readonly pageUrl: string | undefined;
  /**
   * Client options that direct logs to this server, without an environment variable: for several servers in one process, and for test
   * runners whose workers do not share `process.env`.
   */
  readonly target: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: {
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly sessionToken?: string;
    };
  };
  /** Environment variables that direct the AWS SDKs and the AWS CLI to this server. */
  readonly env: Readonly<
    Record<'AWS_ENDPOINT_URL_CLOUDWATCH_LOGS' | 'AWS_REGION' | 'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY', string>
  >;
  /** Stored events in order of arrival, including those of deleted streams; by group and stream if given. */
  events(filter?: EventFilter): readonly CloudWatchEvent[];
  /** A snapshot of the counters. */
  stats(): CloudWatchStats;
  /**
   * Replaces the accepted credentials, as when temporary ones are renewed; `[]` accepts none. Throws a TypeError if one has no ID or
   * secret; the old ones stay then.
   */
  credentials(next: Credentials | readonly Credentials[]): void;
  /**
   * Replaces the fault plan; without a plan, injection ends. Requests that hang continue to hang. Unknown members and
   * invalid numbers throw a TypeError, and the old plan stays.
   */
  faults(plan?: CloudWatchFaultPlan): void;
  /** Closes the connections without a request, as services do after some seconds. */
  closeIdleConnections(): void;
  /** Stops listening and destroys all connections, also of hanging requests. `events` and `stats` still work. */
  close(): Promise<void>;
}

interface EventFilter {
  readonly logGroupName?: string;
  readonly logStreamName?: string;
}

const TEST_CREDENTIALS: Credentials = {
  accessKeyId: 'AKIALOGFERRYEMULATOR',
  secretAccessKey: 'logferry/emulator/secret/only/for/tests0',
};

/**
 * Starts a local CloudWatch Logs with the service's rules and fault injection. Rejects if the port is taken, and with a TypeError for
 * wrong options.
 */
export async function startCloudWatch(options: CloudWatchEmulatorOptions = {}): Promise<CloudWatchEmulator> {
  checkOptions<CloudWatchEmulatorOptions>('startCloudWatch', options, {
    port: optional(portNumber),
    host: optional(text),
    region: optional(text),
    credentials: optional(AWS_ACCESS_KEY),
    clock: optional(callable),
    seed: optional(seedNumber),
    sequenceTokens: optional(choice(['ignored', 'required'])),
    maxPutsPerSecondPerStream: optional(number(0)),
    strict: optional(flag),
    page: optional(flag),
  });
  if (options.page) checkLoopback('startCloudWatch', options.host);
  return openCloudWatch(options, options.page ? new Hub() : undefined);
}

/** The same with checked options, and with the page that shows the server. */
export async function openCloudWatch(
  options: CloudWatchEmulatorOptions,
  hub: Hub | undefined,
): Promise<CloudWatchEmulator> {
  const { port = 0, host = '127.0.0.1', region = 'us-east-1', credentials = TEST_CREDENTIALS } = options;
  const { clock: ownClock = Date.now, seed = 1, sequenceTokens = 'ignored', strict = false } = options;
  const { maxPutsPerSecondPerStream = Number.POSITIVE_INFINITY } = options;
  const store = createStore();
  const stats = createStats();
  let accepted: readonly Credentials[] = [credentials];
  const faults = createFaultInjector<CloudWatchFault, CloudWatchFaultPlan>(CLOUDWATCH_FAULTS, OTHER_MEMBERS, seed);
  const switches = createSwitchBoard(faults, 'accessDenied');
  const clock = () => ownClock() + switches.skewMs();
  const verify = createVerifier({ credentials: () => accepted, region, clock });
  const settings = { store, region, sequenceTokens, maxPutsPerSecondPerStream };
  const observer = hub?.add<CloudWatchEvent>({
    switches,
    settings: () => ({ name: 'cloudwatch', title: 'CloudWatch Logs', endpoint: server.url, region, env: env() }),
    places: () => placesOf(store),
    toRecord: ({ logGroupName, logStreamName, timestamp, ingestionTime, requestId, message }) => [
      ...([logGroupName, logStreamName, timestamp, ingestionTime, requestId] as const),
      message,
    ],
  });

  const serve = (request: HttpRequest, stats: Stats) =>
    serveRequest(request, { faults, stats }, () =>
      createExchange(request, verify, strict, { ...settings, stats, now: clock(), requestId: randomUUID() }),
    );
  const server = await listen(
    { host, port },
    async (request) => {
      if (request.method === 'GET' && request.url === '/')
        return linesResponse(store.arrivals, headersOf(randomUUID(), clock()));
      // The service answers a preflight request (CORS) so, and allows any origin, which a server on a developer's machine does not.
      if (request.method === 'OPTIONS') return successResponse(undefined, randomUUID(), clock());
      const named = operationOf(request);
      const operation = isOperation(named) ? named : 'Unknown';
      const wireBytes = request.body.length;
      stats.received(operation, wireBytes);
      if (!observer) return serve(request, stats);
      const compression = request.headers['content-encoding'] ?? 'none';
      return observeRequest(
        observer,
        { operation, wireBytes, compression },
        stats,
        (count) => store.arrivals.slice(-count),
        (watched) => serve(request, watched),
      );
    },
    hub && createPageRoutes(hub),
  );

  const env = () => ({
    AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: server.url,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  });
  return {
    url: server.url,
    pageUrl: hub && pageUrlOf(server),
    target: { endpoint: server.url, region, credentials: keyOf(credentials) },
    env: env(),
    events(filter = {}) {
      checkOptions<EventFilter>('events', filter, { logGroupName: optional(string), logStreamName: optional(string) });
      const { logGroupName, logStreamName } = filter;
      return store.arrivals.filter(
        (event) =>
          (logGroupName === undefined || event.logGroupName === logGroupName) &&
          (logStreamName === undefined || event.logStreamName === logStreamName),
      );
    },
    stats: stats.snapshot,
    credentials(next) {
      oneOrList(AWS_ACCESS_KEY)('credentials', next);
      accepted = [next].flat();
    },
    faults(plan = {}) {
      faults.replace(plan);
      hub?.switchesChanged();
    },
    closeIdleConnections: server.closeIdleConnections,
    close: server.close,
  };
}

/** Without members that are undefined, which the types of the AWS SDK refuse under `exactOptionalPropertyTypes`. */
function keyOf({
  accessKeyId,
  secretAccessKey,
  sessionToken,
}: Credentials): CloudWatchEmulator['target']['credentials'] {
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}

function* placesOf({ groups }: Store): Generator<[group: string, stream: string]> {
  for (const group of groups.values()) {
    yield [group.name, ''];
    for (const stream of group.streams.keys()) yield [group.name, stream];
  }
}

type InjectedFault = Exclude<CloudWatchFault, 'lostAck'>;

function createExchange(
  request: HttpRequest,
  verify: Verifier,
  strict: boolean,
  context: Context,
): Exchange<InjectedFault, CloudWatchFaultPlan> {
  const { stats } = context;
  const name = operationOf(request) ?? 'Unknown';
  const entryOf = ({ code, message }: ServiceError) => ({ operation: name, error: code, message });
  return {
    async check() {
      checkEnvelope(request);
      await verify(request, (departure) => {
        if (strict) throw departure;
        stats.tolerated(entryOf(departure));
      });
      const input = decodeBody(request);
      if (!isOperation(name)) throw new UnsupportedOperation(name);
      return createOperation(name, input, context);
    },
    refuse(thrown) {
      const error = asServiceError(thrown);
      const isUnsupported = error instanceof UnsupportedOperation;
      if (isUnsupported) stats.unsupported(name);
      if (isUnsupported ? strict : error.isViolation) stats.violated(entryOf(error));
      return errorResponse(error, context.requestId, context.now);
    },
  };
}

function createOperation(
  name: CloudWatchOperation,
  input: Input,
  context: Context,
): Operation<InjectedFault, CloudWatchFaultPlan> {
  const performAt = (now: number, isEmptyPage = false) => {
    const output = runOperation(name, input, { ...context, now, isEmptyPage });
    return successResponse(output, context.requestId, context.now);
  };
  return {
    inFlightKey: name === 'PutLogEvents' ? `${input.logGroupName}:${input.logStreamName}` : undefined,
    isInScope: (plan) => inScope(plan, name, input),
    isPoisoned: (plan) => isPoisoned(plan, input),
    perform: () => performAt(context.now),
    ignores: (fault) => fault === 'emptyPage' && name !== 'FilterLogEvents',
    inject(fault, plan) {
      // At this later time, every event that is valid now is too old.
      if (fault === 'rejectOld') return performAt(context.now + MAX_AGE_MS + DAY_MS);
      if (fault === 'emptyPage') return performAt(context.now, true);
      return reactionTo(fault, { operation: name, ...context }, plan);
    },
  };
}
