/** The wall clock of this thread, which can be set wrong; the monotonic clock and timers go on as ever. */
export interface JumpingClock {
  /** From now on the wall clock is off by so much. */
  jumpTo(offsetMs: number): void;
  restore(): void;
}

/** Takes the place of `Date` until it is restored. */
export function installJumpingClock(): JumpingClock {
  const RealDate = Date;
  let offsetMs = 0;
  const now = (): number => RealDate.now() + offsetMs;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) => Reflect.construct(target, args.length > 0 ? args : [now()], newTarget),
    get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
  });
  return {
    jumpTo: (ms) => {
      offsetMs = ms;
    },
    restore: () => {
      globalThis.Date = RealDate;
    },
  };
}
