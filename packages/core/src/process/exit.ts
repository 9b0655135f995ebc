import { guarded } from '../tools/guarded.js';
import { sharedState } from '../tools/shared-state.js';

type Callback = () => void;

/** `beforeExit`: the process has nothing left to do, but may go on. `exit`: only synchronous code still runs. */
type Ending = 'beforeExit' | 'exit';

interface Registry {
  readonly callbacks: Readonly<Record<Ending, Set<Callback>>>;
  readonly onBeforeExit: Callback;
  isExiting: boolean;
}

/**
 * Calls back when the process ends. Never throws, and takes an error of the callback. One listener of the process serves all callers. That for `beforeExit` is removed with the
 * last. That for `exit` stays, before the application's listeners that were there: one of them may call `process.exit()`,
 * which ends everything at once.
 *
 * @returns a function that cancels the call
 */
export function onProcessEnd(ending: Ending, callback: Callback): () => void {
  const own = registry.callbacks[ending];
  const guard = guarded(callback);
  if (ending === 'beforeExit' && own.size === 0) listen('on');
  own.add(guard);
  return () => {
    if (own.delete(guard) && ending === 'beforeExit' && own.size === 0) listen('off');
  };
}

/**
 * Watches for the event `exit`.
 *
 * @returns a function that tells whether the event has come: no timer and no I/O calls back any more
 */
export function watchExit(): () => boolean {
  return () => registry.isExiting;
}

const registry = sharedState('processEnd', createRegistry);

/** An application may have made `process` inextensible. */
const listen = guarded((how: 'on' | 'off') => void process[how]('beforeExit', registry.onBeforeExit));

function createRegistry(): Registry {
  const callbacks = { beforeExit: new Set<Callback>(), exit: new Set<Callback>() };
  const made: Registry = {
    callbacks,
    onBeforeExit: guarded(() => callAll(callbacks.beforeExit)),
    isExiting: false,
  };
  process.prependListener(
    'exit',
    guarded(() => {
      made.isExiting = true;
      callAll(callbacks.exit);
    }),
  );
  return made;
}

function callAll(callbacks: ReadonlySet<Callback>): void {
  for (const callback of callbacks) callback();
}
