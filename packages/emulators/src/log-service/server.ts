import { randomBytes } from 'node:crypto';
import { createFaultInjector } from '../faults.js';
import { type HttpRequest, type HttpResponse, listen } from '../http.js';
import { type Exchange, type Operation, serveRequest } from '../serve-request.js';
import { asServiceError, type ServiceError } from './errors.js';
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
  readEnvelope,
  successResponse,
} from './protocol.js';
import { PROJECT_NAME } from './rules.js';
import { createStats, type LogServiceStats, type LogServiceViolation, type Stats } from './stats.js';
import { type LogServiceEvent, Store } from './store.js';

export interface LogServiceEmulatorOptions {
  /** Port to listen on; 0 takes a free one. @default 0 */
  readonly port?: number;
  /** Address to listen on. @default '127.0.0.1' */
  readonly host?: string;
  /** The project that the server stands for. @default 'local' */
  readonly project?: string;
  /** Logstores that exist, with web tracking on. @default ['logs'] */
  readonly logstores?: readonly string[];
  /** Logstores that exist, too, but with web tracking off. @default [] */
  readonly webTrackingOff?: readonly string[];
  /** The service's time in epoch milliseconds, for `receiveTime` and the `Date` header. @default Date.now */
  readonly clock?: () => number;
  /** Seed of the random faults and delays. @default 1 */
  readonly seed?: number;
}

export interface LogServiceEmulator {
  /** Base address: `"http://127.0.0.1:41234"`. `GET` of it shows what was stored, as lines of JSON. */
  readonly url: string;
  /** Options that make a client send to this server, and to its first logstore. */
  readonly target: { readonly endpoint: string; readonly project: string; readonly logstore: string };
  /** All logs ever stored, in order of arrival; or those of one logstore or topic. */
  events(filter?: { readonly logstore?: string; readonly topic?: string }): readonly LogServiceEvent[];
  stats(): LogServiceStats;
  /** Switches the web tracking of a logstore on or off, from now on. Creates the logstore when it does not exist. */
  webTracking(logstore: string, on: boolean): void;
  /** Replaces the plan of faults to inject; none given, none injected. Hanging requests stay so. */
  faults(plan?: LogServiceFaultPlan): void;
  /** Stops listening and destroys all connections, hanging requests too. What was stored can still be read. */
  close(): Promise<void>;
}

/** Starts a local Log Service that refuses what the service's web tracking refuses, and fails when told to. */
export async function startLogService(options: LogServiceEmulatorOptions = {}): Promise<LogServiceEmulator> {
  const { port = 0, host = '127.0.0.1', project = 'local', logstores = ['logs'], webTrackingOff = [] } = options;
  const { clock = Date.now, seed = 1 } = options;
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
    if (request.method === 'GET' && request.url === '/') return showEvents(store);
    stats.received(compressionOf(request), request.body.length);
    return serveRequest(request, { faults, stats }, () => {
      const requestId = randomBytes(12).toString('hex').toUpperCase();
      return createExchange(request, { project, store, stats, requestId, now: clock() });
    });
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
  readonly requestId: string;
  /** The service's time, in epoch milliseconds. */
  readonly now: number;
}

function createExchange(request: HttpRequest, context: Context): Exchange<InjectedFault, LogServiceFaultPlan> {
  const { project, store, stats, requestId, now } = context;
  return {
    async check() {
      const envelope = readEnvelope(request, project);
      store.check(envelope.logstore);
      return createOperation(envelope, readLogGroup(decodeBody(request.body, envelope)), context);
    },
    refuse(thrown) {
      const error = asServiceError(thrown);
      if (error.isViolation) stats.violated(violationOf(error, logstoreOf(request)));
      return errorResponse(error, requestId, now);
    },
  };
}

function createOperation(
  { logstore, compression, rawSize }: Envelope,
  group: LogGroup,
  { store, stats, requestId, now }: Context,
): Operation<InjectedFault, LogServiceFaultPlan> {
  return {
    inFlightKey: `${logstore}:${group.topic}`,
    isInScope: (plan) => inScope(plan, logstore, group),
    isPoisoned: (plan) => isPoisoned(plan, group),
    ignores: (fault) => fault === 'uncompressError' && compression === 'none',
    perform() {
      store.add(group, { logstore, receiveTime: now, requestId });
      stats.stored({ events: group.logs.length, bytes: rawSize });
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

/** No part of the service, which lets nobody read without a signature. */
function showEvents(store: Store): HttpResponse {
  return {
    status: 200,
    headers: { 'content-type': 'application/x-ndjson; charset=utf-8' },
    body: store
      .events({})
      .map((event) => `${JSON.stringify(event)}\n`)
      .join(''),
  };
}
