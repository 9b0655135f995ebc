import { wrongOption } from './options/checks.js';
import type { FlushOptions } from './shipper.js';
import { inBackground } from './tools/guarded.js';
import { isThenable } from './tools/is-thenable.js';
import { nextTick, systemClock } from './tools/system-clock.js';
import { warn } from './tools/warn.js';

/** What `withFlush` flushes: a transport or a stream of an adapter, or a `Shipper`. */
export interface Flushable {
  flush(options?: FlushOptions): Promise<unknown>;
  stats(): unknown;
}

/** A function of any parameters and result. */
export type AnyFunction = (...args: never[]) => unknown;

/**
 * Wraps the handler of a serverless function, whose process is frozen between invocations: the logs of each invocation are delivered
 * before its end is told, and at once, without waiting for `maxDelayMs`. Result or error of the handler pass unchanged: a flush never
 * adds one. The first one that fails is a warning of the process.
 *
 * The transports flush together, for `context.getRemainingTimeInMillis()` minus 250 ms at most; where no parameter has that method,
 * for 5,000 ms. The rest stays pending, and goes with the next invocation.
 *
 * A handler may be async, return a value, or throw: the wrapped one returns a promise. It may call back, or call `context.done`,
 * `context.succeed` or `context.fail`: these calls are passed on after the flush. A streaming handler may be wrapped before or after
 * `awslambda.streamifyResponse`. The wrapped handler has the parameters and the properties of the handler.
 *
 * Throws `ConfigError` for a handler that is no function, for no transport, and for something that is none.
 *
 * @param transports each has `flush({ timeoutMs })` and `stats()`
 */
export function withFlush<Handler extends AnyFunction>(
  handler: Handler,
  ...transports: readonly [Flushable, ...Flushable[]]
): Handler {
  if (typeof handler !== 'function') throw wrongOption('handler', 'a function', handler);
  if (transports.length === 0) throw wrongOption('transports', 'at least one transport', undefined);
  transports.forEach((transport: unknown, index) => {
    if (!isFlushable(transport))
      throw wrongOption(`transports[${index}]`, 'a transport or stream with flush() and stats()', transport);
  });
  let isTold = false;
  const failed = (reason: unknown): void => {
    if (isTold) return;
    isTold = true;
    warn(`withFlush: a flush failed, records may be delivered later or never: ${Object(reason).message ?? reason}`);
  };
  // The runtime reads the number of the parameters, symbols and the class of the function: a proxy has them all.
  return new Proxy(handler, {
    apply: (_, self, args: readonly unknown[]) => new Invocation(transports, args, failed).run(handler, self),
  });
}

/** After the flush the response has to be sent: the service ends an invocation that takes longer, and its environment. */
const MARGIN_MS = 250;

/** The default of `closeTimeoutMs`, too. */
const DEFAULT_TIMEOUT_MS = 5000;

/** Methods by which a handler ends its invocation, in runtimes that take callbacks. */
const ENDINGS = ['done', 'succeed', 'fail'] as const;

interface Context {
  getRemainingTimeInMillis?(): number;
  done?(): void;
}

class Invocation {
  readonly #transports: readonly Flushable[];
  readonly #args: readonly unknown[];
  readonly #failed: (reason: unknown) => void;

  constructor(transports: readonly Flushable[], args: readonly unknown[], failed: (reason: unknown) => void) {
    this.#transports = transports;
    this.#args = args;
    this.#failed = failed;
  }

  run(handler: AnyFunction, self: unknown): unknown {
    const [event, second, third] = this.#args;
    const canCallBack = typeof third === 'function';
    const args = canCallBack
      ? [event, this.#endingAfterFlush(second), this.#afterFlush(third as AnyFunction), ...this.#args.slice(3)]
      : this.#args;
    let result: unknown;
    try {
      result = Reflect.apply(handler, self, args);
    } catch (error) {
      result = Promise.reject(error);
    }
    if (!isThenable(result) && canCallBack) {
      // The runtime takes no notice of the result. It may end the invocation once there is nothing left to wait for.
      inBackground(this.#flush());
      return result;
    }
    return this.#settle(result);
  }

  async #settle(result: unknown): Promise<unknown> {
    try {
      return await result;
    } finally {
      await this.#flush();
    }
  }

  /** The same function, called after a flush. An error of it is that of the application. */
  #afterFlush(act: AnyFunction, self?: unknown): AnyFunction {
    return (...args) => inBackground(this.#flush().then(() => nextTick(() => Reflect.apply(act, self, args))));
  }

  /** The same context; its methods that end the invocation do so after a flush. One that cannot be copied is passed on as it is. */
  #endingAfterFlush(context: unknown): unknown {
    try {
      if (typeof (context as Context | undefined)?.done !== 'function') return context;
      const members = Object.getOwnPropertyDescriptors(context as object) as PropertyDescriptorMap;
      for (const name of ENDINGS) {
        const end = (context as Readonly<Record<string, unknown>>)[name];
        if (typeof end !== 'function') continue;
        const value = this.#afterFlush(end as AnyFunction, context);
        members[name] = { value, enumerable: !!members[name]?.enumerable, configurable: true, writable: true };
      }
      // The members that are accessors are those of the runtime: `callbackWaitsForEmptyEventLoop`.
      return Object.create(Object.getPrototypeOf(context), members);
    } catch {
      return context;
    }
  }

  /** Never rejects. A transport that exceeds the time, or fails, holds nothing up. */
  async #flush(): Promise<void> {
    const timeoutMs = this.#timeLeftMs;
    let end = (): void => {};
    const overtime = new Promise<void>((resolve) => {
      const timer = systemClock.setTimer(resolve, timeoutMs);
      end = () => timer.cancel();
    });
    const flush = async (transport: Flushable): Promise<unknown> => transport.flush({ timeoutMs });
    const flushes = this.#transports.map((transport) => flush(transport).catch(this.#failed));
    await Promise.race([Promise.all(flushes), overtime]);
    end();
  }

  get #timeLeftMs(): number {
    try {
      for (const arg of this.#args as readonly (Context | null | undefined)[]) {
        if (typeof arg?.getRemainingTimeInMillis !== 'function') continue;
        const leftMs = arg.getRemainingTimeInMillis() - MARGIN_MS;
        if (!Number.isNaN(leftMs)) return Math.max(0, leftMs);
      }
    } catch {
      // The handler was called with something else than the runtime does.
    }
    return DEFAULT_TIMEOUT_MS;
  }
}

function isFlushable(value: unknown): value is Flushable {
  const { flush, stats } = Object(value) as Partial<Flushable>;
  return typeof flush === 'function' && typeof stats === 'function';
}
