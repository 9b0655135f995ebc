import { randomBytes } from 'node:crypto';
import { createFaultInjector } from '../faults.js';
import { type HttpRequest, linesResponse, listen } from '../http.js';
import { type Exchange, type Operation, serveRequest } from '../serve-request.js';
import { asServiceError, type ServiceError, UnsupportedOperation } from './errors.js';
import {
  inScope,
  isPoisoned,
  LOG_SERVICE_FAULTS,
  type LogServiceFault,
  type LogServiceFaultPlan,
  OTHER_MEMBERS,
  reactionTo,
} from './faults.js';
import { type LogGroup, readLogGroup } from './log-group.js';
import {
  compressionOf,
  decodeBody,
  type Envelope,
  errorResponse,
  logstoreOf,
  preflightResponse,
  readEnvelope,
  successResponse,
} from './protocol.js';
import { PROJECT_NAME } from './rules.js';
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
  /** Logstores with web tracking on. @default ['logs'] */
  readonly logstores?: readonly string[];
  /** Further logstores, with web tracking off. @default [] */
  readonly webTrackingOff?: readonly string[];
  /** The server's time in epoch milliseconds, for `receiveTime` and the `Date` header. @default Date.now */
  readonly clock?: () => number;
  /** Seed of random faults and delays. @default 1 */
  readonly seed?: number;
  /** Refuses what the documentation forbids, and the service accepts; without it, `stats().tolerated` lists it. @default false */
  readonly strict?: boolean;
}

/** A local Log Service. */
export interface LogServiceEmulator {
  /** Base address: `"http://127.0.0.1:41234"`. `GET /` returns the stored logs, one JSON object per line. */
  readonly url: string;
  /** Client options that direct logs to this server's first logstore. */
  readonly target: { readonly endpoint: string; readonly project: string; readonly logstore: string };
  /** Stored logs in order of arrival; by logstore and topic if given. */
  events(filter?: { readonly logstore?: string; readonly topic?: string }): readonly LogServiceEvent[];
  /** A snapshot of the counters. */
  stats(): LogServiceStats;
  /** Switches the web tracking of a logstore; creates a missing one. Throws a TypeError for an invalid name. */
  webTracking(logstore: string, on: boolean): void;
  /**
   * Replaces the fault plan; without a plan, injection ends. Requests that hang continue to hang. Unknown members and
   * invalid numbers throw a TypeError, and the old plan stays.
   */
  faults(plan?: LogServiceFaultPlan): void;
  /** Stops listening and destroys all connections, also of hanging requests. `events` and `stats` still work. */
  close(): Promise<void>;
}

/**
 * Starts a local Log Service with the rules of web tracking and fault injection. Rejects if the port is taken. An invalid
 * name is a TypeError.
 */
export async function startLogService(options: LogServiceEmulatorOptions = {}): Promise<LogServiceEmulator> {
  const { port = 0, host = '127.0.0.1', project = 'local', logstores = ['logs'], webTrackingOff = [] } = options;
  const { clock = Date.now, seed = 1, strict = false } = options;
  if (!PROJECT_NAME.test(project)) {
    throw new TypeError(`A project's name must match ${PROJECT_NAME.source}, got "${project}"`);
  }
  const [logstore] = [...logstores, ...webTrackingOff];
  if (logstore === undefined) throw new TypeError('logstores must name at least one logstore');
  const store = new Store(project);
  for (const name of logstores) store.set(name, true);
  for (const name of webTrackingOff) store.set(name, false);
  const stats = createStats();
  const faults = createFaultInjector<LogServiceFault, LogServiceFaultPlan>(LOG_SERVICE_FAULTS, OTHER_MEMBERS, seed);

  const server = await listen({ host, port }, async (request) => {
    if (request.method === 'GET' && request.url === '/') return linesResponse(store.events({}));
    const requestId = randomBytes(12).toString('hex').toUpperCase();
    if (request.method === 'OPTIONS') return preflightResponse(request, requestId, clock());
    stats.received(compressionOf(request), request.body.length);
    return serveRequest(request, { faults, stats }, () =>
      createExchange(request, { project, store, stats, strict, requestId, now: clock() }),
    );
  });

  return {
    url: server.url,
    target: { endpoint: server.url, project, logstore },
    events: (filter = {}) => store.events(filter),
    stats: stats.snapshot,
    webTracking: (name, on) => store.set(name, on),
    faults: (plan = {}) => faults.replace(plan),
    close: server.close,
  };
}

type InjectedFault = Exclude<LogServiceFault, 'lostAck'>;

interface Context {
  readonly project: string;
  readonly store: Store;
  readonly stats: Stats;
  readonly strict: boolean;
  readonly requestId: string;
  /** The service's time, in epoch milliseconds. */
  readonly now: number;
}

function createExchange(request: HttpRequest, context: Context): Exchange<InjectedFault, LogServiceFaultPlan> {
  const { project, store, stats, strict, requestId, now } = context;
  const logstore = logstoreOf(request);
  const toleratedCodes = new Set<string>();
  const tolerate = (departure: ServiceError): void => {
    if (strict) throw departure;
    if (!toleratedCodes.has(departure.code)) stats.tolerated(violationOf(departure, logstore));
    toleratedCodes.add(departure.code);
  };
  return {
    async check() {
      const envelope = readEnvelope(request, project, tolerate);
      store.check(envelope.logstore);
      const body = decodeBody(request.body, envelope, tolerate);
      return createOperation(envelope, readLogGroup(body, tolerate), body.length, context);
    },
    refuse(thrown) {
      const error = asServiceError(thrown);
      const isUnsupported = error instanceof UnsupportedOperation;
      if (isUnsupported) stats.unsupported(error.operation);
      if (isUnsupported ? strict : error.isViolation) stats.violated(violationOf(error, logstore));
      return errorResponse(error, requestId, now);
    },
  };
}

function createOperation(
  { logstore, compression }: Envelope,
  group: LogGroup,
  rawBytes: number,
  { store, stats, requestId, now }: Context,
): Operation<InjectedFault, LogServiceFaultPlan> {
  return {
    inFlightKey: `${logstore}:${group.topic}`,
    isInScope: (plan) => inScope(plan, logstore, group),
    isPoisoned: (plan) => isPoisoned(plan, group),
    ignores: (fault) => fault === 'uncompressError' && compression === 'none',
    perform() {
      store.add(group, { logstore, receiveTime: now, requestId });
      stats.stored({ events: group.logs.length, bytes: rawBytes });
      return successResponse(requestId, now);
    },
    inject: (fault, plan) => reactionTo(fault, { requestId, now }, plan),
  };
}

function violationOf({ code, message, detail }: ServiceError, logstore: string | undefined): LogServiceViolation {
  return {
    ...(logstore !== undefined && { logstore }),
    error: code,
    message: detail === undefined ? message : `${message}: ${detail}`,
  };
}
