import { badGateway, type CommonFaultPlan, retryLater } from '../faults.js';
import type { Reaction } from '../http.js';
import { ServiceError, uncompressFailed, webTrackingDenied } from './errors.js';
import type { LogGroup } from './log-group.js';
import { errorResponse } from './protocol.js';

/** A fault that a request can meet. {@link LogServiceFaultPlan} says what each does. */
export type LogServiceFault =
  | 'quota'
  | 'shardQuota'
  | 'throttle'
  | 'serverError'
  | 'busy'
  | 'html'
  | 'unauthorized'
  | 'uncompressError'
  | 'reset'
  | 'hang'
  | 'lostAck';

export const LOG_SERVICE_FAULTS: readonly LogServiceFault[] = [
  'quota',
  'shardQuota',
  'throttle',
  'serverError',
  'busy',
  'html',
  'unauthorized',
  'uncompressError',
  'reset',
  'hang',
  'lostAck',
];

/** What to inject. Each fault's number is its probability, from 0 to 1; together they must not exceed 1. */
export interface LogServiceFaultPlan extends CommonFaultPlan<LogServiceFault> {
  /** HTTP 403 `WriteQuotaExceed`, of the project. */
  readonly quota?: number;
  /** HTTP 403 `ShardWriteQuotaExceed`. */
  readonly shardQuota?: number;
  /** HTTP 429. The service's documentation does not name it; what stands before the service may answer so. */
  readonly throttle?: number;
  /** HTTP 500 `InternalServerError`. */
  readonly serverError?: number;
  /** HTTP 503 `ServerBusy`. */
  readonly busy?: number;
  /** HTTP 502 with an HTML body, as a proxy answers. */
  readonly html?: number;
  /** HTTP 401 `Unauthorized`, as with web tracking switched off. */
  readonly unauthorized?: number;
  /** HTTP 400 `PostBodyUncompressError`; a request without compression that draws it meets no fault. */
  readonly uncompressError?: number;
  /** Resets the connection; nothing is stored. */
  readonly reset?: number;
  /** Never answers; nothing is stored. */
  readonly hang?: number;
  /** Stores the logs, then resets the connection instead of answering. */
  readonly lostAck?: number;
  /** Narrows faults, `delayMs` and `poison` to requests that fit all that is given. */
  readonly where?: {
    readonly logstore?: string;
    readonly topic?: string;
    /** Some value of some log includes this text. */
    readonly includes?: string;
  };
  /** A request with a log for which this is true is refused whole, always: `PostBodyInvalid`. */
  readonly poison?: (fields: Readonly<Record<string, string>>) => boolean;
}

/** What a plan has besides the faults and the common members. */
export const OTHER_MEMBERS: readonly string[] = ['where', 'poison'];

/** Whether the plan has to do with the request. */
export function inScope({ where = {} }: LogServiceFaultPlan, logstore: string, { topic, logs }: LogGroup): boolean {
  const { includes } = where;
  return (
    (where.logstore === undefined || where.logstore === logstore) &&
    (where.topic === undefined || where.topic === topic) &&
    (includes === undefined || logs.some((fields) => Object.values(fields).some((value) => value.includes(includes))))
  );
}

export function isPoisoned({ poison }: LogServiceFaultPlan, { logs }: LogGroup): boolean {
  return poison !== undefined && logs.some((fields) => poison(fields));
}

/** How a request is answered that meets a fault. */
export function reactionTo(
  fault: Exclude<LogServiceFault, 'lostAck'> | 'poison',
  request: { readonly requestId: string; readonly now: number },
  plan: LogServiceFaultPlan,
): Reaction {
  const answer = (error: ServiceError) => errorResponse(error, request.requestId, request.now);
  const later = (code: string, message: string, status: number) =>
    retryLater(answer(new ServiceError(code, message, status)), plan);
  switch (fault) {
    case 'reset':
    case 'hang':
      return fault;
    case 'quota':
      return later('WriteQuotaExceed', 'Project write quota exceed: qps', 403);
    case 'shardQuota':
      return later('ShardWriteQuotaExceed', 'Shard write quota exceed', 403);
    case 'throttle':
      return later('TooManyRequests', 'Too many requests, please try again later.', 429);
    case 'serverError':
      return later('InternalServerError', 'Internal server error message.', 500);
    case 'busy':
      return later('ServerBusy', 'The server is busy, please try again later.', 503);
    case 'html':
      return retryLater(badGateway(request.now), plan);
    case 'unauthorized':
      return answer(webTrackingDenied());
    case 'uncompressError':
      return answer(uncompressFailed());
    case 'poison':
      return answer(new ServiceError('PostBodyInvalid', 'The logs are not valid.'));
  }
}
