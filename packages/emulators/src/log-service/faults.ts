import { type Checks, callable, choice, list, object, optional, string } from '../checks.js';
import { badGateway, bodyTooLarge, type CommonFaultPlan, withRetryAfter } from '../faults.js';
import type { Reaction } from '../http.js';
import {
  expiredToken,
  invalidTimestamp,
  invalidToken,
  ServiceError,
  timeExpired,
  timeOutOfRange,
  uncompressFailed,
  unknownAccessKey,
  webTrackingDenied,
  writeDenied,
  wrongSignature,
} from './errors.js';
import type { LogGroup } from './log-group.js';
import { type LogServiceOperation, OPERATIONS } from './operations.js';
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
  | 'timeOutOfRange'
  | 'tokenExpired'
  | 'tokenInvalid'
  | 'unknownAccessKey'
  | 'signatureNotMatch'
  | 'requestTimeExpired'
  | 'shardNotExist'
  | 'logstoreWithoutShard'
  | 'noShard'
  | 'projectForbidden'
  | 'metaQuota'
  | 'readQuota'
  | 'incomplete';

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
  'tokenExpired',
  'tokenInvalid',
  'unknownAccessKey',
  'signatureNotMatch',
  'requestTimeExpired',
  'shardNotExist',
  'logstoreWithoutShard',
  'noShard',
  'projectForbidden',
  'metaQuota',
  'readQuota',
  'incomplete',
];

/** Faults of signed requests only: web tracking ignores them. */
export const SIGNED_FAULTS: ReadonlySet<string> = new Set([
  'tokenExpired',
  'tokenInvalid',
  'unknownAccessKey',
  'signatureNotMatch',
  'requestTimeExpired',
]);

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
  /** HTTP 401 `Unauthorized`, as if web tracking were off; for a signed request, as if a policy denied it. */
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
  /** HTTP 401 `Unauthorized`, as if the security token had expired. Requests without a signature ignore it. */
  readonly tokenExpired?: number;
  /** HTTP 401 `Unauthorized`, as if the security token were another's. Requests without a signature ignore it. */
  readonly tokenInvalid?: number;
  /** HTTP 401 `InvalidAccessKeyId`. Requests without a signature ignore it. */
  readonly unknownAccessKey?: number;
  /** HTTP 401 `SignatureNotMatch`. Requests without a signature ignore it. */
  readonly signatureNotMatch?: number;
  /** HTTP 400 `RequestTimeExpired`. Requests without a signature ignore it. To skew the service's clock, set `clock`. */
  readonly requestTimeExpired?: number;
  /** HTTP 400 `ShardNotExist`. */
  readonly shardNotExist?: number;
  /** HTTP 400 `LogStoreWithoutShard`. */
  readonly logstoreWithoutShard?: number;
  /** HTTP 500 `InternalServerError`, as if no shard were available for the moment. */
  readonly noShard?: number;
  /** HTTP 403 `ProjectForbidden`, as if the account were overdue. */
  readonly projectForbidden?: number;
  /** HTTP 403 `MetaOperationQpsLimitExceeded`, the quota of operations on resources. */
  readonly metaQuota?: number;
  /** HTTP 403 `ShardReadQuotaExceed`. */
  readonly readQuota?: number;
  /** GetLogs: HTTP 200 with `x-log-progress: Incomplete` and the later half of the page. Others ignore it. */
  readonly incomplete?: number;
  /** Operations to which faults, `delayMs` and `poison` apply. @default ['PutLogs', 'PutWebTracking'] */
  readonly only?: readonly LogServiceOperation[];
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

/** Checks of the members of the plan besides the faults and the common members. */
export const OTHER_MEMBERS: Checks<Pick<LogServiceFaultPlan, 'only' | 'where' | 'poison'>> = {
  only: optional(list(choice(Object.keys(OPERATIONS)))),
  where: optional(object({ logstore: optional(string), topic: optional(string), includes: optional(string) })),
  poison: optional(callable),
};

/** A request, as fault plans see it. */
export interface FaultTarget {
  readonly operation: LogServiceOperation;
  readonly region: string;
  readonly project: string;
  readonly logstore: string;
  /** The logs of a request that writes some. */
  readonly group: LogGroup | undefined;
  readonly requestId: string;
  /** The service's time, in epoch milliseconds. */
  readonly now: number;
}

/** Whether the plan's faults, `delayMs` and `poison` apply to the request. */
export function inScope(
  { only = ['PutLogs', 'PutWebTracking'], where = {} }: LogServiceFaultPlan,
  { operation, logstore, group }: FaultTarget,
): boolean {
  const { includes } = where;
  const { topic, logs = [] } = group ?? {};
  return (
    only.includes(operation) &&
    (where.logstore === undefined || where.logstore === logstore) &&
    (where.topic === undefined || where.topic === topic) &&
    (includes === undefined ||
      logs.some(({ fields }) => Object.values(fields).some((value) => value.includes(includes))))
  );
}

/** Whether the plan's `poison` matches a log of the request. */
export function isPoisoned({ poison }: LogServiceFaultPlan, { group }: FaultTarget): boolean {
  return poison !== undefined && group?.logs.some(({ fields }) => poison(fields)) === true;
}

/** The server's reaction to a request that meets a fault. */
export function reactionTo(
  fault: Exclude<LogServiceFault, 'lostAck' | 'incomplete'> | 'poison',
  request: FaultTarget,
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
      return fail(
        request.operation === 'PutWebTracking'
          ? webTrackingDenied()
          : writeDenied(request.region, request.project, request.logstore),
      );
    case 'uncompressError':
      return fail(uncompressFailed());
    case 'invalidTimestamp':
      return fail(invalidTimestamp());
    case 'timeOutOfRange':
      return fail(timeOutOfRange(499));
    case 'tokenExpired':
      return fail(expiredToken());
    case 'tokenInvalid':
      return fail(invalidToken());
    case 'unknownAccessKey':
      return fail(unknownAccessKey('unknown'));
    case 'signatureNotMatch':
      return fail(wrongSignature('injected'));
    case 'requestTimeExpired':
      return fail(timeExpired(new Date(0).toUTCString(), new Date(request.now).toUTCString()));
    case 'shardNotExist':
      return fail(new ServiceError('ShardNotExist', 'Shard 0 does not exist.'));
    case 'logstoreWithoutShard':
      return fail(new ServiceError('LogStoreWithoutShard', 'logstore has no shard'));
    case 'noShard':
      return failForNow('InternalServerError', 'internal server error,no avaliable shard', 500);
    case 'projectForbidden':
      return fail(new ServiceError('ProjectForbidden', `Project ${request.project} has been forbidden.`, 403));
    case 'metaQuota':
      return failForNow('MetaOperationQpsLimitExceeded', 'Qps limit for the meta operation is exceeded.', 403);
    case 'readQuota':
      return failForNow('ShardReadQuotaExceed', 'Shard read quota exceed', 403);
    case 'poison':
      return fail(new ServiceError('PostBodyInvalid', 'The logs are not valid.'));
  }
}
