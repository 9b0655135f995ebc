type Callback = () => void;

/** `beforeExit`: the process has nothing left to do, but may go on. `exit`: only synchronous code still runs. */
type Ending = 'beforeExit' | 'exit';

interface Registry {
  readonly callbacks: Readonly<Record<Ending, Set<Callback>>>;
  readonly onBeforeExit: Callback;
  isExiting: boolean;
}

/** Shared by all copies of this package in the process, ES module or CommonJS. */
const REGISTRY = Symbol.for('logferry.processEnd');

/**
 * Calls back when the process ends. One listener of the process serves all callers. That for `beforeExit` is removed with the
 * last. That for `exit` stays, before the application's listeners that were there: one of them may call `process.exit()`,
 * which ends everything at once.
 *
 * @returns a function that cancels the call
 */
export function onProcessEnd(ending: Ending, callback: Callback): () => void {
  const { callbacks, onBeforeExit } = sharedRegistry();
  const own = callbacks[ending];
  if (ending === 'beforeExit' && own.size === 0) process.on('beforeExit', onBeforeExit);
  own.add(callback);
  return () => {
    if (own.delete(callback) && ending === 'beforeExit' && own.size === 0) process.off('beforeExit', onBeforeExit);
  };
}

/**
 * Watches for the event `exit`.
 *
 * @returns a function that tells whether the event has come: no timer and no I/O calls back any more
 */
export function watchExit(): () => boolean {
  const registry = sharedRegistry();
  return () => registry.isExiting;
}

function sharedRegistry(): Registry {
  const holder = globalThis as { [REGISTRY]?: Registry };
  holder[REGISTRY] ??= createRegistry();
  return holder[REGISTRY];
}

function createRegistry(): Registry {
  const callbacks = { beforeExit: new Set<Callback>(), exit: new Set<Callback>() };
  const registry: Registry = {
    callbacks,
    onBeforeExit: () => callAll(callbacks.beforeExit),
    isExiting: false,
  };
  process.prependListener('exit', () => {
    registry.isExiting = true;
    callAll(callbacks.exit);
  });
  return registry;
}

function callAll(callbacks: ReadonlySet<Callback>): void {
  for (const callback of callbacks) callback();
}
