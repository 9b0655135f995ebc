import { systemClock } from '@logferry/core';
import { onTestFinished, vi } from 'vitest';

/** Lets the system's monotonic clock jump, until the test ends. */
export function jumpingClock(): (ms: number) => void {
  const { monotonic } = systemClock;
  let jumpedMs = 0;
  const spy = vi.spyOn(systemClock, 'monotonic').mockImplementation(() => monotonic() + jumpedMs);
  onTestFinished(() => spy.mockRestore());
  return (ms) => {
    jumpedMs += ms;
  };
}
