import {
  type Answer,
  classifyAnswer,
  type DeliveryCode,
  DeliveryError,
  describeAnswer,
  isSuccess,
  noAnswer,
} from '@logferry/core';

/** What was asked of the service, for messages. */
export interface Attempt {
  readonly operation: 'PutWebTracking' | 'PutLogs' | 'CreateLogStore' | 'CreateIndex' | 'GetLogs' | 'GetLogStore';
  /** `logstore "web" of project "shop" at shop.cn-hangzhou.log.aliyuncs.com:443` */
  readonly targetLabel: string;
  /** The resource in a RAM policy: `acs:log:*:*:project/shop/logstore/web` */
  readonly resource: string;
}

/**
 * Translates a response that is not a success.
 * https://www.alibabacloud.com/help/en/sls/developer-reference/error-codes
 */
export function toDeliveryError(answer: Answer, attempt: Attempt): DeliveryError {
  const { status, errorName, requestId, retryAfterMs } = answer;
  const named = CODES.get(errorName.toLowerCase()) ?? (status === 404 ? 'NOT_FOUND' : undefined);
  const { code, ambiguous } = classifyAnswer(answer, named);
  const request = requestId === undefined ? '' : ` (request ${requestId})`;
  const message = `${asked(attempt)}: ${hintOf(code, answer, attempt)}${describeAnswer(answer)}${request}`;
  return new DeliveryError(code, message, { ambiguous, requestId, retryAfterMs });
}

/** Translates the error that `fetch` threw for a request without a response. */
export function toConnectionError(error: unknown, attempt: Attempt, signal: AbortSignal): DeliveryError {
  const { code, ambiguous, reason } = noAnswer(error, signal);
  const hint = code === 'NETWORK' ? ' (check the endpoint, and that the network lets requests to it through)' : '';
  return new DeliveryError(code, `${asked(attempt)}: ${reason}${hint}`, { cause: error, ambiguous });
}

/** The same failure, after which the batch is to go again at once: the destination has learned from it. */
export function again({ message, requestId }: DeliveryError): DeliveryError {
  return new DeliveryError('AGAIN', message, { requestId });
}

/** Whether the service could not read a compressed body. */
export function isCompressionRefused({ errorName }: Answer): boolean {
  return COMPRESSION_REFUSED.has(errorName.toLowerCase());
}

/** Whether the service refused the time of a signature. */
export function isTimeRefused({ errorName }: Answer): boolean {
  return TIME_REFUSED.has(errorName.toLowerCase());
}

/** Whether the logstore does not exist, in a project that does. */
export function isLogstoreMissing({ errorName }: Answer): boolean {
  return errorName.toLowerCase() === 'logstorenotexist';
}

/** Whether what was to be created exists. */
export function existsAlready({ errorName }: Answer): boolean {
  return /alreadyexists?$/i.test(errorName);
}

/** `PutLogs to logstore "web" of project "shop" at …` */
function asked({ operation, targetLabel }: Attempt): string {
  return `${operation} ${operation === 'GetLogs' ? 'from' : 'to'} ${targetLabel}`;
}

/** Error codes, in lower case, that say more than their HTTP status. */
const CODES: ReadonlyMap<string, DeliveryCode> = new Map([
  ['exceedquota', 'THROTTLED'],
  ['writequotaexceed', 'THROTTLED'],
  ['shardwritequotaexceed', 'THROTTLED'],
  ['readquotaexceed', 'THROTTLED'],
  ['shardreadquotaexceed', 'THROTTLED'],
  ['metaoperationqpslimitexceeded', 'THROTTLED'],
  ['postbodytoolarge', 'TOO_LARGE'],
  ['projectnotexist', 'NOT_FOUND'],
  ['logstorenotexist', 'NOT_FOUND'],
  // The service picks another shard for the next request: that one was just split or merged.
  ['shardnotexist', 'UNAVAILABLE'],
  ['invalidshardid', 'UNAVAILABLE'],
  // All codes that can be about the logs themselves: for any other, halving a batch would lose all its logs.
  ['postbodyinvalid', 'INVALID'],
  ['invalidencoding', 'INVALID'],
  ['invalidkey', 'INVALID'],
  ['invalidtimestamp', 'INVALID'],
  ['invalidparameter', 'INVALID'],
  ['parameterinvalid', 'INVALID'],
]);

const COMPRESSION_REFUSED: ReadonlySet<string> = new Set(['postbodyuncompresserror', 'invalidcompresstype']);

/** The second is the name in older documentation. */
const TIME_REFUSED: ReadonlySet<string> = new Set(['requesttimeexpired', 'requesttimetooskewed']);

/** The likely cause, for the operator. */
function hintOf(code: DeliveryCode, answer: Answer, attempt: Attempt): string {
  const { status, errorName } = answer;
  const name = errorName.toLowerCase();
  if (status === 407) return 'a proxy wants credentials: ';
  if (name === 'projectforbidden') return 'the project is locked, because of a bill that is overdue for example: ';
  if (code === 'AUTH') return attempt.operation === 'PutWebTracking' ? trackingHint(answer) : signedHint(name, attempt);
  if (name === 'logstorenotexist' && attempt.operation === 'PutLogs')
    return 'the logstore does not exist, create it, or let createMissing do that: ';
  if (code === 'NOT_FOUND') return 'the project or the logstore does not exist: ';
  if (code !== 'MISCONFIGURED') return '';
  if (name === 'indexconfignotexist')
    return 'the logstore has no index, without which logs cannot be read, create one: ';
  if (isTimeRefused(answer)) return 'the clock of this machine is wrong: ';
  if (isSuccess(status)) return 'some other server answers, without a request id of Log Service, check the endpoint: ';
  if (status < 400 || errorName === '') return 'some other server answers, check the endpoint: ';
  return 'the service refuses the request, and not its logs, check endpoint, project and logstore: ';
}

function trackingHint({ status }: Answer): string {
  if (status === 401) return 'web tracking is off for this logstore, or a policy denies it (log:PutWebTracking): ';
  return 'the project is locked, or a policy denies log:PutWebTracking: ';
}

function signedHint(name: string, { operation, resource }: Attempt): string {
  if (name === 'invalidaccesskeyid') return 'the access key ID does not exist, or is disabled: ';
  if (name === 'signaturenotmatch')
    return 'the access key secret or the region is wrong, or something on the way changes the request: ';
  const action = ACTIONS[operation];
  return `the security token is not valid, or the RAM policy does not allow ${action} on ${resource}: `;
}

/** https://www.alibabacloud.com/help/en/sls/developer-reference/actions-and-resources */
const ACTIONS: Readonly<Record<Attempt['operation'], string>> = {
  PutWebTracking: 'log:PutWebTracking',
  PutLogs: 'log:PostLogStoreLogs',
  CreateLogStore: 'log:CreateLogStore',
  CreateIndex: 'log:CreateIndex',
  GetLogs: 'log:GetLogStoreLogs',
  GetLogStore: 'log:GetLogStore',
};
