import { randomBytes } from 'node:crypto';
import {
  callable,
  checkOptions,
  flag,
  list,
  matching,
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
import { asServiceError, type ServiceError, type Tolerate, UnsupportedOperation } from './errors.js';
import {
  inScope,
  isPoisoned,
  LOG_SERVICE_FAULTS,
  type LogServiceFault,
  type LogServiceFaultPlan,
  OTHER_MEMBERS,
  reactionTo,
  SIGNED_FAULTS,
} from './faults.js';
import { logstoreOf, OPERATIONS, operationOf, readCall } from './operations.js';
import { checkProject, checkSize, checkVersion, compressionOf, errorResponse, preflightResponse } from './protocol.js';
import { LOGSTORE_NAME, PROJECT_NAME } from './rules.js';
import { ALIBABA_ACCESS_KEY, checkSignature, type LogServiceCredentials, type Signatory } from './signature.js';
import { createStats, type LogServiceStats, type LogServiceViolation, type Stats } from './stats.js';
import { type LogServiceEvent, Store } from './store.js';

/** Options of {@link startLogService}. */
export interface LogServiceEmulatorOptions {
  /** Port to listen on; 0 takes a free one. @default 0 */
  readonly port?: number;
  /** Address to listen on. @default '127.0.0.1' */
  readonly host?: string;
  /** Name of the server's only project. @default 'local' */
  readonly project?: string;
  /** Logstores with web tracking on; signed requests can write to them, too. @default ['logs'] */
  readonly logstores?: readonly string[];
  /** Further logstores, with web tracking off: only signed requests can write to them. @default [] */
  readonly webTrackingOff?: readonly string[];
  /** The server's region. Requests with a signature of version 4 for another region are refused. @default 'us-east-1' */
  readonly region?: string;
  /** The access keys that the server accepts. Requests signed with others are refused. @default test credentials, see `env` */
  readonly credentials?: LogServiceCredentials | readonly LogServiceCredentials[];
  /**
   * The server's time in epoch milliseconds, for `receiveTime`, the times of signed logs, the expiration of credentials, and the
   * `Date` header. A signature whose time differs by more than 15 minutes is refused. @default Date.now
   */
  readonly clock?: () => number;
  /** Seed of random faults and delays. @default 1 */
  readonly seed?: number;
  /** Refuses what the documentation forbids, and the service accepts; without it, `stats().tolerated` lists it. @default false */
  readonly strict?: boolean;
  /** Serves a live page of the logs, the requests and the faults below `/_logferry/`. Needs a loopback `host`. @default false */
  readonly page?: boolean;
}

/** A local Log Service. */
export interface LogServiceEmulator {
  /** Base address: `"http://127.0.0.1:41234"`. `GET /` returns the stored logs, one JSON object per line. */
  readonly url: string;
  /** Address of the live page; undefined without the option `page`. */
  readonly pageUrl: string | undefined;
  /** Client options that direct logs to this server's first logstore. */
  readonly target: { readonly endpoint: string; readonly project: string; readonly logstore: string };
  /** The same for a client that signs its requests: with the server's region and the first of the accepted credentials. */
  readonly signedTarget: LogServiceEmulator['target'] & {
    readonly region: string;
    readonly credentials: Pick<LogServiceCredentials, 'accessKeyId' | 'accessKeySecret' | 'securityToken'>;
  };
  /** The server's region. */
  readonly region: string;
  /** Environment variables with the first of the accepted credentials. */
  readonly env: LogServiceEnv;
  /** Stored logs in order of arrival; by logstore and topic if given. */
  events(filter?: EventFilter): readonly LogServiceEvent[];
  /** A snapshot of the counters. */
  stats(): LogServiceStats;
  /**
   * Replaces the accepted credentials, as when temporary ones are renewed. Throws a TypeError if there are none, or if one has no
   * ID or secret; the old ones stay then.
   */
  credentials(next: LogServiceCredentials | readonly LogServiceCredentials[]): void;
  /** Switches the web tracking of a logstore; creates a missing one. Throws a TypeError for an invalid name. */
  webTracking(logstore: string, on: boolean): void;
  /**
   * Replaces the fault plan; without a plan, injection ends. Requests that hang continue to hang. Unknown members and
   * invalid numbers throw a TypeError, and the old plan stays.
   */
  faults(plan?: LogServiceFaultPlan): void;
  /** Closes the connections without a request, as services do after some seconds. */
  closeIdleConnections(): void;
  /** Stops listening and destroys all connections, also of hanging requests. `events` and `stats` still work. */
  close(): Promise<void>;
}

/** Environment variables with an access key. The token is missing for a static pair. */
export type LogServiceEnv = Readonly<
  Record<'ALIBABA_CLOUD_ACCESS_KEY_ID' | 'ALIBABA_CLOUD_ACCESS_KEY_SECRET', string> &
    Partial<Record<'ALIBABA_CLOUD_SECURITY_TOKEN', string>>
>;

interface EventFilter {
  readonly logstore?: string;
  readonly topic?: string;
}

const logstoreName = matching(LOGSTORE_NAME);
const accessKeys = oneOrList(ALIBABA_ACCESS_KEY, 1);

const TEST_CREDENTIALS: LogServiceCredentials = {
  accessKeyId: 'LTAILogferryEmulator',
  accessKeySecret: 'LogferryEmulatorSecretForTests',
};

/**
 * Starts a local Log Service with the rules of web tracking and of signed requests, and fault injection. Rejects if the port is
 * taken, and with a TypeError for wrong options.
 */
export async function startLogService(options: LogServiceEmulatorOptions = {}): Promise<LogServiceEmulator> {
  checkOptions<LogServiceEmulatorOptions>('startLogService', options, {
    port: optional(portNumber),
    host: optional(text),
    project: optional(matching(PROJECT_NAME)),
    logstores: optional(list(logstoreName)),
    webTrackingOff: optional(list(logstoreName)),
    region: optional(text),
    credentials: optional(accessKeys),
    clock: optional(callable),
    seed: optional(seedNumber),
    strict: optional(flag),
    page: optional(flag),
  });
  if (options.page) checkLoopback('startLogService', options.host);
  return openLogService(options, options.page ? new Hub() : undefined);
}

/** The same with checked options, and with the page that shows the server. */
export async function openLogService(
  options: LogServiceEmulatorOptions,
  hub: Hub | undefined,
): Promise<LogServiceEmulator> {
  const { port = 0, host = '127.0.0.1', project = 'local', logstores = ['logs'], webTrackingOff = [] } = options;
  const { region = 'us-east-1', clock: ownClock = Date.now, seed = 1, strict = false } = options;
  const [logstore] = [...logstores, ...webTrackingOff];
  if (logstore === undefined)
    throw new TypeError('startLogService: logstores: expected at least one logstore, got none');
  let credentials = [options.credentials ?? TEST_CREDENTIALS].flat();
  const faults = createFaultInjector<LogServiceFault, LogServiceFaultPlan>(LOG_SERVICE_FAULTS, OTHER_MEMBERS, seed);
  const switches = createSwitchBoard(faults, 'unauthorized');
  const clock = () => ownClock() + switches.skewMs();
  const store = new Store(project);
  for (const name of logstores) store.set(name, true, clock());
  for (const name of webTrackingOff) store.set(name, false, clock());
  const stats = createStats();
  const observer = hub?.add<LogServiceEvent>({
    switches,
    settings: () => ({
      name: 'log-service',
      title: 'Log Service',
      endpoint: server.url,
      region,
      env: envOf(credentials),
      target: { project, logstore },
    }),
    places: () => [...store.logstores.keys()].map((name) => [name, ''] as const),
    toRecord: ({ logstore, topic, time, receiveTime, requestId, fields, source, tags }) => [
      ...([logstore, topic, time, receiveTime, requestId] as const),
      fields,
      { source, tags },
    ],
  });

  const serve = (request: HttpRequest, requestId: string, stats: Stats) =>
    serveRequest(request, { faults, stats }, () =>
      createExchange(request, { project, region, credentials, store, stats, strict, requestId, now: clock() }),
    );
  const server = await listen(
    { host, port },
    async (request) => {
      if (request.method === 'GET' && request.url === '/') return linesResponse(store.events({}));
      const requestId = randomBytes(12).toString('hex').toUpperCase();
      if (request.method === 'OPTIONS') return preflightResponse(request, requestId, clock());
      const [operation, compression] = [operationOf(request) ?? 'Unknown', compressionOf(request)];
      const wireBytes = request.body.length;
      stats.received(operation, compression, wireBytes);
      if (!observer) return serve(request, requestId, stats);
      return observeRequest(
        observer,
        { operation, wireBytes, compression },
        stats,
        (count) => store.latest(count),
        (watched) => serve(request, requestId, watched),
      );
    },
    hub && createPageRoutes(hub),
  );

  const target = { endpoint: server.url, project, logstore };
  return {
    url: server.url,
    pageUrl: hub && pageUrlOf(server),
    target,
    get signedTarget() {
      return { ...target, region, credentials: keyOf(credentials) };
    },
    region,
    get env() {
      return envOf(credentials);
    },
    events(filter = {}) {
      checkOptions<EventFilter>('events', filter, { logstore: optional(string), topic: optional(string) });
      return store.events(filter);
    },
    stats: stats.snapshot,
    credentials(next) {
      accessKeys('credentials', next);
      credentials = [next].flat();
    },
    webTracking(name, on) {
      logstoreName('webTracking: logstore', name);
      flag('webTracking: on', on);
      store.set(name, on, clock());
    },
    faults(plan = {}) {
      faults.replace(plan);
      hub?.switchesChanged();
    },
    closeIdleConnections: server.closeIdleConnections,
    close: server.close,
  };
}

/** The first of the accepted keys. There is always one: neither the options nor `credentials()` take an empty list. */
function keyOf(credentials: readonly LogServiceCredentials[]): LogServiceEmulator['signedTarget']['credentials'] {
  const [{ expiration, ...key }] = credentials as [LogServiceCredentials];
  return key;
}

function envOf(credentials: readonly LogServiceCredentials[]): LogServiceEnv {
  const { accessKeyId, accessKeySecret, securityToken } = keyOf(credentials);
  return {
    ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret,
    ...(securityToken !== undefined && { ALIBABA_CLOUD_SECURITY_TOKEN: securityToken }),
  };
}

type InjectedFault = Exclude<LogServiceFault, 'lostAck'>;

interface ExchangeContext extends Signatory {
  readonly project: string;
  readonly store: Store;
  readonly stats: Stats;
  readonly strict: boolean;
  readonly requestId: string;
  /** The service's time, in epoch milliseconds. */
  readonly now: number;
}

function createExchange(request: HttpRequest, context: ExchangeContext): Exchange<InjectedFault, LogServiceFaultPlan> {
  const { stats, strict, requestId, now } = context;
  const logstore = logstoreOf(request);
  const toleratedCodes = new Set<string>();
  const tolerate = (departure: ServiceError): void => {
    if (strict) throw departure;
    if (!toleratedCodes.has(departure.code)) stats.tolerated(violationOf(departure, logstore));
    toleratedCodes.add(departure.code);
  };
  return {
    check: async () => createOperation(request, context, tolerate),
    refuse(thrown) {
      const error = asServiceError(thrown);
      const isUnsupported = error instanceof UnsupportedOperation;
      if (isUnsupported) stats.unsupported(error.operation);
      if (isUnsupported ? strict : error.isViolation) stats.violated(violationOf(error, logstore));
      return errorResponse(error, requestId, now);
    },
  };
}

/** Checks a request. Throws a ServiceError. */
function createOperation(
  request: HttpRequest,
  context: ExchangeContext,
  tolerate: Tolerate,
): Operation<InjectedFault, LogServiceFaultPlan> {
  const { project, region, now } = context;
  const call = readCall(request);
  const { operation, logstore } = call;
  const isSigned = operation !== 'PutWebTracking';
  checkSize(request);
  checkProject(request, project);
  if (isSigned) {
    checkVersion(request);
    checkSignature(request, context, now, tolerate);
  }
  const { group, isCompressed = false, perform } = OPERATIONS[operation](call, { ...context, tolerate });
  const target = { operation, region, project, logstore, group, requestId: context.requestId, now };
  return {
    inFlightKey: group && `${logstore}:${group.topic}`,
    isInScope: (plan) => inScope(plan, target),
    isPoisoned: (plan) => isPoisoned(plan, target),
    ignores: (fault) =>
      (fault === 'uncompressError' && !isCompressed) ||
      (fault === 'incomplete' && operation !== 'GetLogs') ||
      (SIGNED_FAULTS.has(fault) && !isSigned),
    perform,
    inject: (fault, plan) =>
      fault === 'incomplete' ? perform({ isIncomplete: true }) : reactionTo(fault, target, plan),
  };
}

function violationOf({ code, message, detail }: ServiceError, logstore: string | undefined): LogServiceViolation {
  return {
    ...(logstore !== undefined && { logstore }),
    error: code,
    message: detail === undefined ? message : `${message}: ${detail}`,
  };
}
