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

/** The remedy for a wrong clock. */
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
