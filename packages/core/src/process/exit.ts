type Callback = () => void;

/** `beforeExit`: the process has nothing left to do, but may go on. `exit`: only synchronous code still runs. */
type Ending = 'beforeExit' | 'exit';

interface Registry {
  readonly callbacks: Set<Callback>;
  readonly listener: Callback;
}

/** Shared by all copies of this package in the process, ES module or CommonJS. */
const REGISTRIES = Symbol.for('logferry.endings');

/**
 * Calls back when the process ends. One listener of the process serves all callers, and is removed with the last.
 *
 * @returns a function that cancels the call
 */
export function onProcessEnd(ending: Ending, callback: Callback): () => void {
  const { callbacks, listener } = sharedRegistry(ending);
  if (callbacks.size === 0) process.on(ending, listener);
  callbacks.add(callback);
  return () => {
    if (callbacks.delete(callback) && callbacks.size === 0) process.off(ending, listener);
  };
}

function sharedRegistry(ending: Ending): Registry {
  const holder = globalThis as { [REGISTRIES]?: Partial<Record<Ending, Registry>> };
  holder[REGISTRIES] ??= {};
  holder[REGISTRIES][ending] ??= createRegistry();
  return holder[REGISTRIES][ending];
}

function createRegistry(): Registry {
  const callbacks = new Set<Callback>();
  return {
    callbacks,
    listener: () => {
      for (const callback of callbacks) callback();
    },
  };
}
