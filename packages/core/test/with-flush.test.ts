import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, expectTypeOf, it, onTestFinished } from 'vitest';
import {
  assertBalanced,
  createShipper,
  type DeliveryOptions,
  type Flushable,
  nextTurn,
  type Shipper,
  withFlush,
} from '../src/index.js';
import { MemoryDestination, never } from '../src/testing/index.js';
import { record } from './support/recording-destination.js';

interface Context {
  getRemainingTimeInMillis(): number;
}

/** The context of an invocation that may take so long in all. */
function contextOf(timeoutMs: number): Context {
  const endsAtMs = performance.now() + timeoutMs;
  return { getRemainingTimeInMillis: () => endsAtMs - performance.now() };
}

interface Started {
  readonly shipper: Shipper;
  readonly destination: MemoryDestination;
  log(text: string): void;
}

/** A shipper that sends nothing by itself, for one test. */
function start(options: DeliveryOptions = {}): Started {
  const destination = new MemoryDestination();
  const shipper = createShipper(destination, {
    maxDelayMs: 600_000,
    onError() {},
    onDrop() {},
    ...options,
  });
  onTestFinished(async () => {
    await shipper.close({ timeoutMs: 0 });
    assertBalanced(shipper.stats());
  });
  return { shipper, destination, log: (text) => void shipper.accept(record(text)) };
}

/** Fails each request after a turn. */
function down(): Promise<never> {
  return nextTurn().then(() => Promise.reject(new Error('down')));
}

it('an async handler: its records are delivered when its promise resolves, with its result', async () => {
  const { shipper, destination, log } = start();
  const result = { status: 200 };
  const handler = withFlush(async (event: { readonly id: number }, _context: Context) => {
    await nextTurn();
    log(`event ${event.id}`);
    return result;
  }, shipper);
  expect(await handler({ id: 7 }, contextOf(3000))).toBe(result);
  expect(destination.texts).toEqual(['event 7']);
});

it.each([
  ['rejects', async () => Promise.reject(new TypeError('broken'))],
  [
    'throws',
    () => {
      throw new TypeError('broken');
    },
  ],
])('a handler that %s: its records are delivered when its promise rejects, with its error', async (_, fail) => {
  const { shipper, destination, log } = start();
  const handler = withFlush((): Promise<unknown> => {
    log('before the error');
    return fail();
  }, shipper);
  const error = await handler().catch((reason: unknown) => reason);
  expect(error).toEqual(new TypeError('broken'));
  expect(destination.texts).toEqual(['before the error']);
});

it('a handler that returns a value: the promise of the value resolves after the flush', async () => {
  const { shipper, destination, log } = start();
  const handler = withFlush((): unknown => {
    log('x');
    return 42;
  }, shipper);
  expect(await handler()).toBe(42);
  expect(destination.texts).toEqual(['x']);
});

it('a handler that calls back is called with a callback that is passed on after the flush, once for each call', async () => {
  const { shipper, destination, log } = start();
  const calls: unknown[] = [];
  const store = new AsyncLocalStorage<string>();
  const handler = withFlush(
    (event: string, _context: Context, callback: (error: Error | null, result?: string) => void) => {
      setTimeout(() => {
        log(event);
        callback(null, `${event} done`);
      }, 10);
    },
    shipper,
  );
  await new Promise<void>((resolve) => {
    const callback = (...args: unknown[]): void => {
      calls.push([...args, [...destination.texts], store.getStore()]);
      resolve();
    };
    // A promise would end the invocation: the runtime would not wait for the callback.
    expect(store.run('invocation', () => handler('x', contextOf(3000), callback))).toBeUndefined();
    expect(calls).toEqual([]);
  });
  await nextTurn();
  expect(calls).toEqual([[null, 'x done', ['x'], 'invocation']]);
});

it.each(['done', 'succeed', 'fail'] as const)(
  'context.%s is passed on after the flush, and the other members of the context work',
  async (name) => {
    const { shipper, destination, log } = start();
    let waitsForEmptyEventLoop = true;
    let end = (..._: unknown[]): void => {};
    const ended = new Promise<readonly unknown[]>((resolve) => {
      end = (...args) => resolve([...args, [...destination.texts]]);
    });
    const context = {
      ...contextOf(3000),
      awsRequestId: 'id',
      get callbackWaitsForEmptyEventLoop() {
        return waitsForEmptyEventLoop;
      },
      set callbackWaitsForEmptyEventLoop(value) {
        waitsForEmptyEventLoop = value;
      },
      done: end,
      succeed: end,
      fail: end,
    };
    const handler = withFlush((_: object, given: typeof context, _callback: () => void) => {
      given.callbackWaitsForEmptyEventLoop = false;
      log({ ...given }.awsRequestId);
      given[name]('a result');
    }, shipper);
    handler({}, Object.freeze(context), () => {});
    expect(await ended).toEqual(['a result', ['id']]);
    expect(waitsForEmptyEventLoop).toBe(false);
  },
);

it.each<[what: string, members: object, isFlushed: boolean]>([
  ['whose done is an accessor', Object.defineProperty({}, 'done', { get: () => () => {}, enumerable: true }), true],
  [
    'that cannot be copied',
    new Proxy(
      { done: () => {} },
      {
        ownKeys: () => {
          throw new Error('no keys');
        },
      },
    ),
    false,
  ],
])('a handler runs with a context %s', async (_what, context, isFlushed) => {
  const { shipper, destination, log } = start();
  const handler = withFlush((_: object, given: { done?(): void }, callback: () => void) => {
    log('x');
    if (isFlushed) given.done?.();
    else callback();
  }, shipper);
  await new Promise<void>((resolve) => {
    if (isFlushed) resolve();
    handler({}, context, resolve);
  });
  await expect.poll(() => destination.texts).toEqual(['x']);
});

it('a handler that calls nothing back has its records delivered all the same', async () => {
  const { shipper, destination, log } = start();
  withFlush((_event: object, _context: object, _callback: () => void) => log('x'), shipper)({}, {}, () => {});
  await expect.poll(() => destination.texts).toEqual(['x']);
});

it('a streaming handler: its promise resolves after the flush; the time comes from the third parameter', async () => {
  const { shipper, destination, log } = start();
  destination.respond = never;
  const handler = withFlush(async (_event: object, stream: string[], _context: Context) => {
    stream.push('response');
    log('x');
  }, shipper);
  const stream: string[] = [];
  const startedMs = performance.now();
  await handler({}, stream, contextOf(350));
  expect(stream).toEqual(['response']);
  expect(performance.now() - startedMs).toBeLessThan(2000);
});

it('the runtime finds on the wrapped handler what it looks for: number of parameters, class, symbols, also those set later', () => {
  const { shipper } = start();
  const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
  const streaming = Object.assign(async (_event: object, _stream: object, _context: object) => {}, {
    [STREAMING]: 'response',
  });
  const wrapped = withFlush(streaming, shipper);
  expect(wrapped).toHaveLength(3);
  expect(wrapped[STREAMING]).toBe('response');
  // So the runtime recognises a handler that has to resolve.
  expect(wrapped.constructor.name).toBe('AsyncFunction');
  const plain = withFlush((_event: object) => {}, shipper);
  expect(plain).toHaveLength(1);
  Object.assign(plain, { [STREAMING]: 'response' });
  expect(Reflect.get(plain, STREAMING)).toBe('response');
});

it('keeps `this`, and has the type of the handler', async () => {
  const { shipper } = start();
  const handlers = {
    name: 'shop',
    handle: withFlush(function (this: { readonly name: string }, id: number): Promise<string> {
      return Promise.resolve(`${this.name} ${id}`);
    }, shipper),
  };
  expect(await handlers.handle(3)).toBe('shop 3');
  const typed = withFlush(async (event: { readonly id: number }) => event.id, shipper);
  expectTypeOf(typed).toEqualTypeOf<(event: { readonly id: number }) => Promise<number>>();
});

it('flushes several transports together', async () => {
  const all = [start(), start(), start()];
  let inFlight = 0;
  for (const { destination } of all)
    destination.respond = async () => {
      inFlight++;
      await expect.poll(() => inFlight).toBe(3);
    };
  const [first, second, third] = all.map(({ shipper }) => shipper) as [Shipper, Shipper, Shipper];
  await withFlush(
    async () => {
      for (const { log } of all) log('x');
    },
    first,
    second,
    third,
  )();
  expect(all.map(({ destination }) => destination.texts)).toEqual([['x'], ['x'], ['x']]);
});

it('gives up 250 ms before the end of the invocation; the rest stays pending, and goes with the next one', async () => {
  const { shipper, destination, log } = start({ retry: { baseMs: 10, capMs: 10 } });
  destination.respond = down;
  const handler = withFlush(async (event: string, _context: Context) => {
    log(event);
    return event;
  }, shipper);
  const context = contextOf(600);
  expect(await handler('first', context)).toBe('first');
  expect(context.getRemainingTimeInMillis()).toBeLessThanOrEqual(255);
  expect(shipper.stats()).toMatchObject({ pending: 1, delivered: 0 });
  destination.respond = () => {};
  await handler('second', contextOf(60_000));
  expect(destination.texts.sort()).toEqual(['first', 'second']);
});

it('an invocation without any time left begins the delivery, and does not wait', async () => {
  const { shipper, destination, log } = start();
  destination.respond = never;
  const handler = withFlush(async (_event: object, _context: Context) => log('x'), shipper);
  await handler({}, contextOf(-1000));
  expect(shipper.stats()).toMatchObject({ inFlight: 1 });
});

it.each([
  ['none', undefined],
  ['one without a time', {}],
  ['one whose time is no number', { getRemainingTimeInMillis: () => Number.NaN }],
  [
    'one that throws',
    {
      getRemainingTimeInMillis() {
        throw new Error('broken');
      },
    },
  ],
])('allows a flush 5,000 ms with a context that has no time: %s', async (_, context) => {
  const given: unknown[] = [];
  const transport: Flushable = { flush: async (options) => given.push(options), stats() {} };
  await withFlush(async (_event: object, _context?: object) => {}, transport)({}, context);
  expect(given).toEqual([{ timeoutMs: 5000 }]);
});

it('a flush that throws, rejects or takes longer than it may changes nothing, and the first failure is a warning', async () => {
  const { shipper, destination, log } = start();
  const stats = (): void => {};
  const broken: Flushable[] = [
    {
      flush() {
        throw new Error('broken');
      },
      stats,
    },
    { flush: () => Promise.reject(new Error('broken')), stats },
    { flush: never, stats },
  ];
  const handler = withFlush(
    async (_event: object, _context: Context) => {
      log('x');
      return 'fine';
    },
    shipper,
    ...broken,
  );
  const warnings: string[] = [];
  const listen = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', listen);
  expect(await handler({}, contextOf(400))).toBe('fine');
  expect(destination.texts).toEqual(['x']);
  await handler({}, contextOf(400));
  process.off('warning', listen);
  expect(warnings).toEqual([expect.stringMatching(/withFlush: a flush failed, .*: broken$/)]);
});

it.each([
  ['a handler that is none', [undefined], 'handler: expected a function, got undefined'],
  ['no transport', [() => {}], 'transports: expected at least one transport, got undefined'],
  [
    'a logger',
    [() => {}, { info() {}, flush() {} }],
    'transports[0]: expected a transport or stream with flush() and stats(), got an object',
  ],
  [
    'nothing',
    [() => {}, 'a transport', undefined],
    'transports[1]: expected a transport or stream with flush() and stats(), got undefined',
  ],
])('refuses %s when it wraps', (_, args, message) => {
  const { shipper } = start();
  const given = args.map((arg) => (arg === 'a transport' ? shipper : arg));
  expect(() => Reflect.apply(withFlush, undefined, given)).toThrow(`[logferry] ${message}`);
});
