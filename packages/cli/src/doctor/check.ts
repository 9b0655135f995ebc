import type { Cloud } from './clouds/cloud.js';
import type { Finding } from './finding.js';
import type { Network } from './network.js';

/** One question about a transport. */
export interface Check {
  readonly name: string;
  /** Checks without which this one says nothing: if one of them failed, it is skipped. */
  readonly needs: readonly string[];
  /** May reject: a rejection is a failure. */
  run(context: Context, signal: AbortSignal): Promise<Finding>;
}

/** What all checks of a run share. */
export interface Context {
  readonly cloud: Cloud;
  readonly network: Network;
  /** True: nothing may be written or created. */
  readonly dry: boolean;
  readonly limits: Limits;
  /** The end of the run, on the monotonic clock. */
  readonly endMs: number;
}

/** The longest times, in milliseconds. */
export interface Limits {
  readonly checkMs: number;
  readonly runMs: number;
  /** The time of the check `write`, in which it tries several times: less than `checkMs`. */
  readonly writeMs: number;
}
