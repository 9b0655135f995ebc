import { badGateway, bodyTooLarge, type CommonFaultPlan, withRetryAfter } from '../faults.js';
import type { Reaction } from '../http.js';
import { ServiceError, uncompressFailed, webTrackingDenied } from './errors.js';
import type { LogGroup } from './log-group.js';
import { errorResponse } from './protocol.js';

/** A fault that the emulator can inject. {@link LogServiceFaultPlan} describes each. */
export type LogServiceFault =
  | 'quota'
  | 'shardQuota'
  | 'throttle'
  | 'serverError'
  | 'busy'
  | 'html'
  | 'tooLarge'
  | 'unauthorized'
  | 'uncompressError'
  | 'reset'
  | 'hang'
  | 'lostAck'
  | 'invalidTimestamp'
  | 'timeOutOfRange';

/** All faults, in the order in which the probabilities are tried. */
export const LOG_SERVICE_FAULTS: readonly LogServiceFault[] = [
  'quota',
  'shardQuota',
  'throttle',
  'serverError',
  'busy',
  'html',
  'tooLarge',
  'unauthorized',
  'uncompressError',
  'reset',
  'hang',
  'lostAck',
  'invalidTimestamp',
  'timeOutOfRange',
];

/** Faults to inject. Each fault's number is its probability from 0 to 1, by default 0; their sum is at most 1. */
export interface LogServiceFaultPlan extends CommonFaultPlan<LogServiceFault> {
  /** HTTP 403 `WriteQuotaExceed` of the project. */
  readonly quota?: number;
  /** HTTP 403 `ShardWriteQuotaExceed`. */
  readonly shardQuota?: number;
  /** HTTP 429 `TooManyRequests`. The service does not document it; a gateway in front of it may send it. */
  readonly throttle?: number;
  /** HTTP 500 `InternalServerError`. */
  readonly serverError?: number;
  /** HTTP 503 `ServerBusy`. */
  readonly busy?: number;
  /** HTTP 502 with an HTML body, as from a proxy. */
  readonly html?: number;
  /** HTTP 413 with an HTML body, as from a proxy that limits the size of bodies. */
  readonly tooLarge?: number;
  /** HTTP 401 `Unauthorized`, as if web tracking were off. */
  readonly unauthorized?: number;
  /** HTTP 400 `PostBodyUncompressError`. Requests without compression ignore it. */
  readonly uncompressError?: number;
  /** Resets the connection; nothing is stored. */
  readonly reset?: number;
  /** Never responds; nothing is stored. */
  readonly hang?: number;
  /** Stores the logs, then resets the connection instead of responding. */
  readonly lostAck?: number;
  /** HTTP 400 `InvalidTimestamp`. */
  readonly invalidTimestamp?: number;
  /** HTTP 499 `PostBodyInvalid`. The documentation gives this status in some versions, and 400 in others. */
  readonly timeOutOfRange?: number;
  /** Limits faults, `delayMs` and `poison` to requests that match all given members. @default all requests */
  readonly where?: {
    readonly logstore?: string;
    readonly topic?: string;
    /** Text that at least one value of a log includes. */
    readonly includes?: string;
  };
  /** Every request with a log for which this returns true gets `PostBodyInvalid`; nothing is stored. */
  readonly poison?: (fields: Readonly<Record<string, string>>) => boolean;
}

/** Members of the plan besides the faults and the common members. */
export const OTHER_MEMBERS: readonly string[] = ['where', 'poison'];

/** Whether the plan's faults, `delayMs` and `poison` apply to the request. */
export function inScope({ where = {} }: LogServiceFaultPlan, logstore: string, { topic, logs }: LogGroup): boolean {
  const { includes } = where;
  return (
    (where.logstore === undefined || where.logstore === logstore) &&
    (where.topic === undefined || where.topic === topic) &&
    (includes === undefined || logs.some((fields) => Object.values(fields).some((value) => value.includes(includes))))
  );
}

/** Whether the plan's `poison` matches a log of the request. */
export function isPoisoned({ poison }: LogServiceFaultPlan, { logs }: LogGroup): boolean {
  return poison !== undefined && logs.some((fields) => poison(fields));
}

/** The server's reaction to a request that meets a fault. */
export function reactionTo(
  fault: Exclude<LogServiceFault, 'lostAck'> | 'poison',
  request: { readonly requestId: string; readonly now: number },
  plan: LogServiceFaultPlan,
): Reaction {
  const fail = (error: ServiceError) => errorResponse(error, request.requestId, request.now);
  const failForNow = (code: string, message: string, status: number) =>
    withRetryAfter(fail(new ServiceError(code, message, status)), plan);
  switch (fault) {
    case 'reset':
    case 'hang':
      return fault;
    case 'quota':
      return failForNow('WriteQuotaExceed', 'Project write quota exceed: qps', 403);
    case 'shardQuota':
      return failForNow('ShardWriteQuotaExceed', 'Shard write quota exceed', 403);
    case 'throttle':
      return failForNow('TooManyRequests', 'Too many requests, please try again later.', 429);
    case 'serverError':
      return failForNow('InternalServerError', 'Internal server error message.', 500);
    case 'busy':
      return failForNow('ServerBusy', 'The server is busy, please try again later.', 503);
    case 'html':
      return withRetryAfter(badGateway(request.now), plan);
    case 'tooLarge':
      return bodyTooLarge(request.now);
    case 'unauthorized':
      return fail(webTrackingDenied());
    case 'uncompressError':
      return fail(uncompressFailed());
    case 'invalidTimestamp':
      return fail(new ServiceError('InvalidTimestamp', 'Invalid timestamps are in logs.'));
    case 'timeOutOfRange':
      return fail(new ServiceError('PostBodyInvalid', 'The post data time is out of range', 499));
    case 'poison':
      return fail(new ServiceError('PostBodyInvalid', 'The logs are not valid.'));
  }
}
