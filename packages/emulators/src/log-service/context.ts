import type { HttpRequest, HttpResponse } from '../http.js';
import type { Tolerate } from './errors.js';
import type { LogGroup } from './log-group.js';
import type { Stats } from './stats.js';
import type { Store } from './store.js';

/** The input of an operation besides its request. */
export interface Context {
  readonly store: Store;
  readonly stats: Stats;
  readonly tolerate: Tolerate;
  /** The service's time, in epoch milliseconds. */
  readonly now: number;
  readonly requestId: string;
}

/** A request for an operation that the emulator has. */
export interface Call {
  readonly request: HttpRequest;
  /** Empty for operations on the project. */
  readonly logstore: string;
  /** Path without the query, as sent. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** A request that passed all checks of its operation. */
export interface Action {
  /** The logs that it writes; undefined for operations that write none. */
  readonly group?: LogGroup;
  /** Whether the logs are compressed. */
  readonly isCompressed?: boolean;
  /** Runs the operation; GetLogs finds only a part with `isIncomplete`. Throws a ServiceError. */
  perform(options?: { readonly isIncomplete: boolean }): HttpResponse;
}

/** Checks a request by the rules of its operation. Throws a ServiceError. */
export type Operation = (call: Call, context: Context) => Action;
