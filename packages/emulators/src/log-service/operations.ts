import type { HttpRequest } from '../http.js';
import type { Call, Operation } from './context.js';
import { invalidParameter, UnsupportedOperation } from './errors.js';
import { createIndex, getIndex } from './indexes.js';
import { createLogStore, getLogStore, listLogStores } from './logstores.js';
import { putLogs } from './put-logs.js';
import { putWebTracking } from './put-web-tracking.js';
import { getLogs } from './search.js';

/** An operation of the service that the emulator supports. */
export type LogServiceOperation =
  | 'CreateIndex'
  | 'CreateLogStore'
  | 'GetIndex'
  | 'GetLogs'
  | 'GetLogStore'
  | 'ListLogStores'
  | 'PutLogs'
  | 'PutWebTracking';

/** The function of each operation. All but PutWebTracking need a signature. */
export const OPERATIONS: Readonly<Record<LogServiceOperation, Operation>> = {
  CreateIndex: createIndex,
  CreateLogStore: createLogStore,
  GetIndex: getIndex,
  GetLogs: getLogs,
  GetLogStore: getLogStore,
  ListLogStores: listLogStores,
  PutLogs: putLogs,
  PutWebTracking: putWebTracking,
};

const ROUTES: readonly (readonly [LogServiceOperation, RegExp])[] = [
  ['PutWebTracking', /^POST \/logstores\/[^/]+\/track$/],
  // The path without `/shards` is that of web-sts-plugin.
  ['PutLogs', /^POST \/logstores\/[^/]+(?:\/shards\/(?:lb|route))?$/],
  ['CreateIndex', /^POST \/logstores\/[^/]+\/index$/],
  ['CreateLogStore', /^POST \/logstores$/],
  ['GetIndex', /^GET \/logstores\/[^/]+\/index$/],
  ['GetLogStore', /^GET \/logstores\/[^/]+$/],
  ['ListLogStores', /^GET \/logstores$/],
];
/** Operations of the service that the emulator does not have: `GET …/track`, and all others on logstores. */
const OTHER_OPERATION = /^(?:GET \/logstores\/[^/]+\/track|[A-Z]+ \/logstores(?:\/[^/]+(?:\/(?!track(?:\/|$)).*)?)?)$/;

/** The operation that a request names; undefined if the emulator does not have it. */
export function operationOf(request: HttpRequest): LogServiceOperation | undefined {
  const { path, query } = splitUrl(request);
  const line = `${request.method} ${path}`;
  const [name] = ROUTES.find(([, pattern]) => pattern.test(line)) ?? [];
  const type = query.get('type');
  if (name !== 'GetLogStore' || type === null) return name;
  return type === 'log' ? 'GetLogs' : undefined;
}

/** The logstore named by the path, known or not; undefined if the path names none. */
export function logstoreOf({ url }: HttpRequest): string | undefined {
  return /^\/logstores\/([^/?]+)/.exec(url)?.[1];
}

/** The request with its operation. Throws a ServiceError if the emulator does not have it. */
export function readCall(request: HttpRequest): Call & { readonly operation: LogServiceOperation } {
  const { path, query } = splitUrl(request);
  const operation = operationOf(request);
  if (operation === undefined) {
    const line = `${request.method} ${path}`;
    if (!OTHER_OPERATION.test(line)) throw invalidParameter(`The service has no operation ${line}`);
    throw new UnsupportedOperation(line.replace(/\/logstores\/[^/]+/, '/logstores/{logstore}'));
  }
  return { operation, request, path, query, logstore: logstoreOf(request) ?? '' };
}

function splitUrl({ url }: HttpRequest): { path: string; query: URLSearchParams } {
  const [path = '', query] = url.split(/\?(.*)/s);
  return { path, query: new URLSearchParams(query) };
}
