type Close = () => void;

interface Registry {
  readonly closes: Set<Close>;
  readonly listener: () => void;
}

/** Shared by all copies of this package in the process, ES module or CommonJS. */
const REGISTRY = Symbol.for('logferry.beforeExit');

/**
 * Calls `close` when the process has nothing left to do. One `beforeExit` listener serves all; it leaves with the last.
 *
 * @returns takes the call back
 */
export function closeBeforeExit(close: Close): () => void {
  const { closes, listener } = sharedRegistry();
  if (closes.size === 0) process.on('beforeExit', listener);
  closes.add(close);
  return () => {
    if (closes.delete(close) && closes.size === 0) process.off('beforeExit', listener);
  };
}

function sharedRegistry(): Registry {
  const holder = globalThis as { [REGISTRY]?: Registry };
  holder[REGISTRY] ??= createRegistry();
  return holder[REGISTRY];
}

function createRegistry(): Registry {
  const closes = new Set<Close>();
  return {
    closes,
    listener: () => {
      for (const close of closes) close();
    },
  };
}
