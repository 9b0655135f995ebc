import { badGateway, type CommonFaultPlan, retryLater } from '../faults.js';
import type { Reaction } from '../http.js';
import { ServiceError } from './errors.js';
import type { Input } from './fields.js';
import type { CloudWatchOperation } from './operations.js';
import { errorResponse } from './protocol.js';

/** A fault that a request can meet. {@link CloudWatchFaultPlan} says what each does. */
export type CloudWatchFault =
  | 'throttle'
  | 'serverError'
  | 'internalFailure'
  | 'accessDenied'
  | 'operationAborted'
  | 'html'
  | 'reset'
  | 'hang'
  | 'lostAck'
  | 'rejectOld';

export const CLOUDWATCH_FAULTS: readonly CloudWatchFault[] = [
  'throttle',
  'serverError',
  'internalFailure',
  'accessDenied',
  'operationAborted',
  'html',
  'reset',
  'hang',
  'lostAck',
  'rejectOld',
];

/** What to inject. Each fault's number is its probability, from 0 to 1; together they must not exceed 1. */
export interface CloudWatchFaultPlan extends CommonFaultPlan<CloudWatchFault> {
  /** HTTP 400 `ThrottlingException: Rate exceeded`. */
  readonly throttle?: number;
  /** HTTP 503 `ServiceUnavailableException`. */
  readonly serverError?: number;
  /** HTTP 500 `InternalFailure`. */
  readonly internalFailure?: number;
  /** HTTP 400 `AccessDeniedException`. */
  readonly accessDenied?: number;
  /** HTTP 400 `OperationAbortedException`, as concurrent creations meet it. */
  readonly operationAborted?: number;
  /** HTTP 502 with an HTML body, as a proxy answers. */
  readonly html?: number;
  /** Resets the connection; nothing is stored. */
  readonly reset?: number;
  /** Never answers; nothing is stored. */
  readonly hang?: number;
  /** Does what is asked, then resets the connection instead of answering. */
  readonly lostAck?: number;
  /** PutLogEvents: answers HTTP 200 with every event rejected as too old; nothing is stored. */
  readonly rejectOld?: number;
  /** Operations that faults, `delayMs` and `poison` apply to. @default ['PutLogEvents'] */
  readonly only?: readonly CloudWatchOperation[];
  /** Narrows them further, to requests that fit all that is given. */
  readonly where?: {
    readonly logGroupName?: string;
    readonly logStreamName?: string;
    /** Some event's message includes this text. */
    readonly messageIncludes?: string;
  };
  /** A batch with a message for which this is true is refused whole, always: `InvalidParameterException`. */
  readonly poison?: (message: string) => boolean;
}

/** What a plan has besides the faults and the common members. */
export const OTHER_MEMBERS: readonly string[] = ['only', 'where', 'poison'];

/** Whether the plan has to do with the request. */
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

export function isPoisoned({ poison }: CloudWatchFaultPlan, input: Input): boolean {
  return poison !== undefined && hasMessage(input, poison);
}

/** How a request is answered that meets a fault. */
export function reactionTo(
  fault: Exclude<CloudWatchFault, 'lostAck' | 'rejectOld'> | 'poison',
  request: { readonly operation: string; readonly requestId: string; readonly now: number },
  plan: CloudWatchFaultPlan,
): Reaction {
  const answer = (code: string, message: string, status?: number) =>
    errorResponse(new ServiceError(code, message, status), request.requestId, request.now);
  switch (fault) {
    case 'reset':
    case 'hang':
      return fault;
    case 'throttle':
      return retryLater(answer('ThrottlingException', 'Rate exceeded'), plan);
    case 'serverError':
      return retryLater(answer('ServiceUnavailableException', 'The service cannot complete the request.', 503), plan);
    case 'internalFailure':
      return retryLater(answer('InternalFailure', 'The request processing has failed.', 500), plan);
    case 'html':
      return retryLater(badGateway(request.now), plan);
    case 'accessDenied':
      return answer(
        'AccessDeniedException',
        `User is not authorized to perform: logs:${request.operation} because no identity-based policy allows the ` +
          `logs:${request.operation} action`,
      );
    case 'operationAborted':
      return answer(
        'OperationAbortedException',
        'A conflicting operation is currently in progress against this resource. Please try again.',
      );
    case 'poison':
      return answer('InvalidParameterException', 'The batch contains a log event that is not valid.');
  }
}

function hasMessage(input: Input, test: (message: string) => boolean): boolean {
  const events: readonly unknown[] = Array.isArray(input.logEvents) ? input.logEvents : [];
  return events.some((event) => {
    const message = (event as { message?: unknown } | null)?.message;
    return typeof message === 'string' && test(message);
  });
}
