import { randomUUID } from 'node:crypto';
import { createFaultInjector } from '../faults.js';
import { type HttpRequest, listen } from '../http.js';
import { type Exchange, type Operation, serveRequest } from '../serve-request.js';
import type { Context } from './context.js';
import { asServiceError, ServiceError } from './errors.js';
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
import { checkEnvelope, decodeBody, errorResponse, operationOf, successResponse } from './protocol.js';
import { DAY_MS, MAX_AGE_MS } from './rules.js';
import { type Credentials, createVerifier } from './sigv4.js';
import { type CloudWatchStats, createStats } from './stats.js';
import { type CloudWatchEvent, createStore } from './store.js';

export interface CloudWatchEmulatorOptions {
  /** Port to listen on; 0 takes a free one. @default 0 */
  readonly port?: number;
  /** Address to listen on. @default '127.0.0.1' */
  readonly host?: string;
  /** The only region that requests may be signed for. @default 'us-east-1' */
  readonly region?: string;
  /** The only credentials that requests may be signed with. @default test credentials, see `env` */
  readonly credentials?: Credentials;
  /**
   * The service's time in epoch milliseconds, for the age of events, the age of signatures (at most 5 minutes) and the
   * `Date` header. @default Date.now
   */
  readonly clock?: () => number;
  /** Seed of the random faults and delays. @default 1 */
  readonly seed?: number;
  /** `'required'` is the service before 2023: every batch must name the token that the one before it returned. @default 'ignored' */
  readonly sequenceTokens?: 'ignored' | 'required';
}

export interface CloudWatchEmulator {
  /** Base address: `"http://127.0.0.1:41234"`. */
  readonly url: string;
  /** Environment variables that make the AWS SDKs and the AWS CLI talk to this server. */
  readonly env: Readonly<
    Record<'AWS_ENDPOINT_URL_CLOUDWATCH_LOGS' | 'AWS_REGION' | 'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY', string>
  >;
  /** All events ever stored, in order of arrival, also those of streams deleted since; or those of one group or stream. */
  events(filter?: { readonly logGroupName?: string; readonly logStreamName?: string }): readonly CloudWatchEvent[];
  stats(): CloudWatchStats;
  /** Replaces the plan of faults to inject; none given, none injected. Hanging requests stay so. */
  faults(plan?: CloudWatchFaultPlan): void;
  /** Stops listening and destroys all connections, hanging requests too. What was stored can still be read. */
  close(): Promise<void>;
}

const TEST_CREDENTIALS: Credentials = {
  accessKeyId: 'AKIALOGFERRYEMULATOR',
  secretAccessKey: 'logferry/emulator/secret/only/for/tests0',
};

/** Starts a local CloudWatch Logs that refuses what the service refuses, and fails when told to. */
export async function startCloudWatch(options: CloudWatchEmulatorOptions = {}): Promise<CloudWatchEmulator> {
  const { port = 0, host = '127.0.0.1', region = 'us-east-1', credentials = TEST_CREDENTIALS } = options;
  const { clock = Date.now, seed = 1, sequenceTokens = 'ignored' } = options;
  const store = createStore();
  const stats = createStats();
  const verify = createVerifier({ credentials, region, clock });
  const faults = createFaultInjector<CloudWatchFault, CloudWatchFaultPlan>(CLOUDWATCH_FAULTS, OTHER_MEMBERS, seed);

  const server = await listen({ host, port }, (request) => {
    const operation = operationOf(request);
    stats.received(isOperation(operation) ? operation : 'Unknown', request.body.length);
    return serveRequest(request, { faults, stats }, () =>
      createExchange(request, verify, { store, stats, region, sequenceTokens, now: clock(), requestId: randomUUID() }),
    );
  });

  return {
    url: server.url,
    env: {
      AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: server.url,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    events: ({ logGroupName, logStreamName } = {}) =>
      store.arrivals.filter(
        (event) =>
          (logGroupName === undefined || event.logGroupName === logGroupName) &&
          (logStreamName === undefined || event.logStreamName === logStreamName),
      ),
    stats: stats.snapshot,
    faults: (plan = {}) => faults.replace(plan),
    close: server.close,
  };
}

type InjectedFault = Exclude<CloudWatchFault, 'lostAck'>;

function createExchange(
  request: HttpRequest,
  verify: (request: HttpRequest) => Promise<void>,
  context: Context,
): Exchange<InjectedFault, CloudWatchFaultPlan> {
  const name = operationOf(request);
  return {
    async check() {
      checkEnvelope(request);
      await verify(request);
      const input = decodeBody(request);
      if (!isOperation(name)) {
        throw new ServiceError('UnknownOperationException', `The emulator has no operation ${name}`);
      }
      return createOperation(name, input, context);
    },
    refuse(thrown) {
      const error = asServiceError(thrown);
      if (error.isViolation) {
        context.stats.violated({ operation: name ?? 'Unknown', error: error.code, message: error.message });
      }
      return errorResponse(error, context.requestId, context.now);
    },
  };
}

function createOperation(
  name: CloudWatchOperation,
  input: Input,
  context: Context,
): Operation<InjectedFault, CloudWatchFaultPlan> {
  const performAt = (now: number) => {
    const output = runOperation(name, input, { ...context, now });
    return successResponse(output, context.requestId, context.now);
  };
  return {
    inFlightKey: name === 'PutLogEvents' ? `${input.logGroupName}:${input.logStreamName}` : undefined,
    isInScope: (plan) => inScope(plan, name, input),
    isPoisoned: (plan) => isPoisoned(plan, input),
    perform: () => performAt(context.now),
    inject: (fault, plan) =>
      fault === 'rejectOld'
        ? // Seen from far enough in the future, every event that is valid now is too old.
          performAt(context.now + MAX_AGE_MS + DAY_MS)
        : reactionTo(fault, { operation: name, ...context }, plan),
  };
}
