import type { Stats } from './stats.js';
import type { Store } from './store.js';

/** The input of an operation besides its request. */
export interface Context {
  readonly store: Store;
  readonly stats: Stats;
  readonly region: string;
  readonly sequenceTokens: 'ignored' | 'required';
  readonly maxPutsPerSecondPerStream: number;
  /** The service's time, in epoch milliseconds. */
  readonly now: number;
  readonly requestId: string;
  /** FilterLogEvents returns no event this time, but a token. @default false */
  readonly isEmptyPage?: boolean;
}
