/** The wall clock of this thread, which can be set wrong. The monotonic clock and timers do not change. */
export interface JumpingClock {
  /** Sets the error of the wall clock. */
  jumpTo(offsetMs: number): void;
  restore(): void;
}

/** Replaces `Date` until `restore()`. */
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
