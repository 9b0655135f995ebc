import { type Checks, callable, choice, list, object, optional, string } from '../checks.js';
import { badGateway, bodyTooLarge, type CommonFaultPlan, withRetryAfter } from '../faults.js';
import type { Reaction } from '../http.js';
import { ServiceError } from './errors.js';
import type { Input } from './fields.js';
import { type CloudWatchOperation, OPERATIONS } from './operations.js';
import { errorResponse } from './protocol.js';

/** A fault that the emulator can inject. {@link CloudWatchFaultPlan} describes each. */
export type CloudWatchFault =
  | 'throttle'
  | 'serverError'
  | 'internalFailure'
  | 'accessDenied'
  | 'operationAborted'
  | 'html'
  | 'tooLarge'
  | 'reset'
  | 'hang'
  | 'lostAck'
  | 'rejectOld'
  | 'emptyPage';

/** All faults, in the order in which the probabilities are tried. */
export const CLOUDWATCH_FAULTS: readonly CloudWatchFault[] = [
  'throttle',
  'serverError',
  'internalFailure',
  'accessDenied',
  'operationAborted',
  'html',
  'tooLarge',
  'reset',
  'hang',
  'lostAck',
  'rejectOld',
  'emptyPage',
];

/** Faults to inject. Each fault's number is its probability from 0 to 1, by default 0; their sum is at most 1. */
export interface CloudWatchFaultPlan extends CommonFaultPlan<CloudWatchFault> {
  /** HTTP 400 `ThrottlingException: Rate exceeded`. */
  readonly throttle?: number;
  /** HTTP 503 `ServiceUnavailableException`. */
  readonly serverError?: number;
  /** HTTP 500 `InternalFailure`. */
  readonly internalFailure?: number;
  /** HTTP 400 `AccessDeniedException`. */
  readonly accessDenied?: number;
  /** HTTP 400 `OperationAbortedException`; the service uses it for concurrent creations. */
  readonly operationAborted?: number;
  /** HTTP 502 with an HTML body, as from a proxy. */
  readonly html?: number;
  /** HTTP 413 with an HTML body, as from a proxy that limits the size of bodies. */
  readonly tooLarge?: number;
  /** Resets the connection; nothing is stored. */
  readonly reset?: number;
  /** Never responds; nothing is stored. */
  readonly hang?: number;
  /** Performs the operation, then resets the connection instead of responding. */
  readonly lostAck?: number;
  /** PutLogEvents: HTTP 200 that rejects every event as too old; nothing is stored. */
  readonly rejectOld?: number;
  /** FilterLogEvents: HTTP 200 without an event, and with a `nextToken` to the page that it would have been. Others ignore it. */
  readonly emptyPage?: number;
  /** Operations to which faults, `delayMs` and `poison` apply. @default ['PutLogEvents'] */
  readonly only?: readonly CloudWatchOperation[];
  /** Limits them further, to requests that match all given members. @default all requests */
  readonly where?: {
    readonly logGroupName?: string;
    readonly logStreamName?: string;
    /** Text that the message of at least one event includes. */
    readonly messageIncludes?: string;
  };
  /** Every batch with a message for which this returns true gets `InvalidParameterException`; nothing is stored. */
  readonly poison?: (message: string) => boolean;
}

/** Checks of the members of the plan besides the faults and the common members. */
export const OTHER_MEMBERS: Checks<Pick<CloudWatchFaultPlan, 'only' | 'where' | 'poison'>> = {
  only: optional(list(choice(Object.keys(OPERATIONS)))),
  where: optional(
    object({ logGroupName: optional(string), logStreamName: optional(string), messageIncludes: optional(string) }),
  ),
  poison: optional(callable),
};

/** Whether the plan's faults, `delayMs` and `poison` apply to the request. */
export function inScope(plan: CloudWatchFaultPlan, operation: CloudWatchOperation, input: Input): boolean {
  const { only = ['PutLogEvents'], where = {} } = plan;
  const { logGroupName, logStreamName, messageIncludes } = where;
  return (
    only.includes(operation) &&
    (logGroupName === undefined || input.logGroupName === logGroupName) &&
    (logStreamName === undefined || input.logStreamName === logStreamName) &&
    (messageIncludes === undefined || hasMessage(input, (message) => message.includes(messageIncludes)))
  );
}

/** Whether the plan's `poison` matches a message of the request. */
export function isPoisoned({ poison }: CloudWatchFaultPlan, input: Input): boolean {
  return poison !== undefined && hasMessage(input, poison);
}

/** The server's reaction to a request that meets a fault. */
export function reactionTo(
  fault: Exclude<CloudWatchFault, 'lostAck' | 'rejectOld' | 'emptyPage'> | 'poison',
  request: { readonly operation: string; readonly requestId: string; readonly now: number },
  plan: CloudWatchFaultPlan,
): Reaction {
  const fail = (code: string, message: string, status?: number) =>
    errorResponse(new ServiceError(code, message, status), request.requestId, request.now);
  switch (fault) {
    case 'reset':
    case 'hang':
      return fault;
    case 'throttle':
      return withRetryAfter(fail('ThrottlingException', 'Rate exceeded'), plan);
    case 'serverError':
      return withRetryAfter(fail('ServiceUnavailableException', 'The service cannot complete the request.', 503), plan);
    case 'internalFailure':
      return withRetryAfter(fail('InternalFailure', 'The request processing has failed.', 500), plan);
    case 'html':
      return withRetryAfter(badGateway(request.now), plan);
    case 'tooLarge':
      return bodyTooLarge(request.now);
    case 'accessDenied':
      return fail(
        'AccessDeniedException',
        `User is not authorized to perform: logs:${request.operation} because no identity-based policy allows the ` +
          `logs:${request.operation} action`,
      );
    case 'operationAborted':
      return fail(
        'OperationAbortedException',
        'A conflicting operation is currently in progress against this resource. Please try again.',
      );
    case 'poison':
      return fail('InvalidParameterException', 'The batch contains a log event that is not valid.');
  }
}

function hasMessage(input: Input, test: (message: string) => boolean): boolean {
  const events: readonly unknown[] = Array.isArray(input.logEvents) ? input.logEvents : [];
  return events.some((event) => {
    const message = (event as { message?: unknown } | null)?.message;
    return typeof message === 'string' && test(message);
  });
}
