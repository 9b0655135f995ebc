import type { Cloud } from './clouds/cloud.js';
import type { Network } from './network.js';

/** `warning`: records arrive, but not as they should. `skipped`: nothing was proven. */
export type Status = 'ok' | 'warning' | 'failed' | 'skipped';

/** What a check found. */
export interface Finding {
  readonly status: Status;
  /** The cause in one line. */
  readonly text: string;
  /** The command to run, or the option to set. */
  readonly remedy?: string | undefined;
}

/** A finding with the check that it is of. */
export interface NamedFinding extends Finding {
  readonly check: string;
}

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

export const SET_CLOCK = 'set the clock of this machine: timedatectl set-ntp true, or chronyc makestep';

export function ok(text: string): Finding {
  return { status: 'ok', text };
}

export function skipped(text: string): Finding {
  return { status: 'skipped', text };
}

export function failed(text: string, remedy: string): Finding {
  return { status: 'failed', text, remedy };
}

export function warning(text: string, remedy: string): Finding {
  return { status: 'warning', text, remedy };
}
