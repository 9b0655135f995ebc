import { systemClock } from '@logferry/core';

/** The part of a client that knows the service's time. A client of the user's may lack it. */
export interface ClockOwner {
  readonly config?: { readonly systemClockOffset: number };
}

/** One minute below the skew that AWS tolerates. */
const CLOCK_SKEW_MS = 240_000;

/**
 * Marks an error as `clockSkewCorrected` if the next signature has another time: the SDK learned the service's time from the
 * response, or the clock was just set right, when the error looks like wrong credentials. The SDK's own mark is on every
 * error while the clock is wrong. It learns nothing from a response during which the clock jumped: the next response
 * corrects that.
 */
export async function learningTime<Output>({ config }: ClockOwner, send: () => Promise<Output>): Promise<Output> {
  const offsetMs = config?.systemClockOffset ?? 0;
  const startMs = wallClockStartMs();
  try {
    return await send();
  } catch (error) {
    const { $metadata } = (error ?? {}) as { readonly $metadata?: { clockSkewCorrected?: boolean } };
    const changes = [(config?.systemClockOffset ?? 0) - offsetMs, wallClockStartMs() - startMs];
    if ($metadata) $metadata.clockSkewCorrected = changes.some((ms) => Math.abs(ms) >= CLOCK_SKEW_MS);
    throw error;
  }
}

/** The start of the process by the wall clock, in epoch milliseconds. Changes only if that clock jumps. */
function wallClockStartMs(): number {
  return systemClock.now() - systemClock.monotonic();
}
