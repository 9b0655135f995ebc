import { inspect, isDeepStrictEqual, types } from 'node:util';
import { assertBalanced } from '../accounting/ledger.js';
import {
  type Batch,
  type Destination,
  type DestinationRecipe,
  type EncodedEvent,
  type Encoding,
  isDropReason,
  type SendOutcome,
} from '../contract/destination.js';
import { type DeliveryCode, DeliveryError } from '../contract/errors.js';
import type { LogRecord } from '../contract/record.js';
import { createShipper } from '../create-shipper.js';
import { encode } from '../intake/encode.js';
import { type Exports, loadModule as loadModuleAsWorker } from '../thread/load-module.js';
import { lineOf, parseLine, toWireRecord } from '../thread/protocol.js';
import { makeDestination, recipeOf, refuseUncloneable } from '../thread/recipe.js';
import { type ContractAssert, type ContractRunner, until, within } from './contract-runner.js';
import {
  FOREIGN_ANSWERS,
  type ForeignAnswer,
  type ForeignServer,
  type Refusal,
  startForeignServer,
  startRefusingServer,
} from './foreign-answers.js';
import { baseBytesOf, batchOf, eventOf, fullBatch, sizeOf, toBatch } from './sample-batches.js';
import { anyRecords, excerptOf, hugeRecords, incompressibleTexts, LEVELS, recordOf } from './sample-records.js';

/** A way in which a service fails. In all of them it stores nothing of the failed request. */
export type FailureKind =
  /** It refuses every request because of a rate or a quota: HTTP 429. */
  | 'throttle'
  /** It fails on every request: HTTP 500. */
  | 'serverError'
  /** It breaks the connection of every request, without a response. */
  | 'reset'
  /** It never responds. */
  | 'hang'
  /** It refuses the content of every request, for a setting that is wrong: HTTP 400. */
  | 'refuse'
  /** It refuses every request as too large, as a proxy can: HTTP 413. */
  | 'tooLarge'
  /** A part of the requests, about half, meets one of the first three; the others succeed. */
  | 'often';

/** A service for one test. Each function may return a promise. */
export interface TestService {
  /** Makes a new destination that ships to the service. */
  create(): Destination;
  /** The texts of the records that the service stored, in the order of their arrival. */
  texts(): readonly string[] | Promise<readonly string[]>;
  /** Number of requests so far, of every kind. A request counts once the service has received it. */
  requests(): number | Promise<number>;
  /** Requests that broke a rule of the service, in any form: each test ends with the assertion that there are none. */
  violations(): readonly unknown[] | Promise<readonly unknown[]>;
  /** Makes the service fail from now on; `'never'` ends that. */
  fail(how: FailureKind | 'never'): void | Promise<void>;
  /** Ends the service. Requests may still hang. */
  close(): unknown;
}

/** What an author provides for {@link destinationContract}. */
export interface DestinationHarness {
  /** The destination's name: each test's name begins with it. */
  readonly name: string;
  /** Starts a service that is empty and does not fail. Called once for each test. */
  start(): TestService | Promise<TestService>;
  /** The ways in which the service can fail. Tests that need another way are left out. @default all */
  readonly failures?: readonly FailureKind[] | undefined;
  /**
   * Makes a destination that ships to another URL, `http://127.0.0.1:41234`. There some other server answers with a success,
   * which `send` has to refuse as `MISCONFIGURED`, ambiguous, with host and port in the text. Or it refuses by HTTP 413 or 429
   * with `Retry-After`, and its page breaks off: `TOO_LARGE` or `THROTTLED`. @default these tests are left out
   */
  readonly createAt?: ((url: string) => Destination) | undefined;
  /** True: `send` calls `progress` while it sends a large request, as is tested at the URL of `createAt`. @default false */
  readonly tellsProgress?: boolean | undefined;
  /** The answers of other servers. A service leaves out those that it gives itself. @default all */
  readonly foreignAnswers?: readonly ForeignAnswer[] | undefined;
  /**
   * Loads the module that `recipe()` names, by its URL: `(url) => import(url)` in a runner that compiles TypeScript.
   * @default `import()` of Node.js, as the worker thread does
   */
  readonly loadModule?: ((url: string) => unknown) | undefined;
}

/**
 * Registers the tests that every destination has to pass: what the core relies on. Each record has its text as `text` and as
 * the field `message`. A test takes some seconds at most if the service asks for no longer waits.
 *
 * ```js
 * import assert from 'node:assert/strict';
 * import { test } from 'node:test';
 *
 * destinationContract({ test, assert }, { name: 'collector', start: startCollector });
 * ```
 */
export function destinationContract({ test, assert }: ContractRunner, harness: DestinationHarness): void {
  const { name, failures = ALL_FAILURES, loadModule = loadModuleAsWorker } = harness;
  const { createAt, foreignAnswers = FOREIGN_ANSWERS, tellsProgress = false } = harness;
  const addTest: Suite['addTest'] = (behaviour, run) =>
    test(`${name} ${behaviour}`, async () => {
      const service = await harness.start();
      let destination: Destination | undefined;
      try {
        destination = service.create();
        await run(destination, service);
        const violations = await service.violations();
        assert.ok(violations.length === 0, `a request broke a rule of the service: ${inspect(violations)}`);
      } finally {
        await destination?.close?.();
        await service.close();
      }
    });
  const suite: Suite = { addTest, assert, failures, loadModule };
  testConstruction(suite);
  testEncoding(suite);
  testContent(suite);
  testLimits(suite);
  testRequests(suite);
  testFailures(suite);
  if (createAt) {
    testProof(suite, createAt, foreignAnswers);
    testRefusals(suite, createAt);
  }
  if (createAt && tellsProgress) testProgress(suite, createAt);
  testDelivery(suite);
  testRecipe(suite);
}

interface Suite {
  readonly addTest: (
    behaviour: string,
    run: (destination: Destination, service: TestService) => void | Promise<void>,
  ) => unknown;
  readonly assert: ContractAssert;
  readonly failures: readonly FailureKind[];
  readonly loadModule: (url: string) => unknown;
}

const ALL_FAILURES: readonly FailureKind[] = [
  'throttle',
  'serverError',
  'reset',
  'hang',
  'refuse',
  'tooLarge',
  'often',
];

function testConstruction({ addTest, assert }: Suite): void {
  addTest('makes no request at construction', async (_destination, service) => {
    checkCount(assert, 'requests', await service.requests(), 0);
  });

  addTest('states limits that make sense', (destination) => {
    const { maxEvents, maxBytes, maxSpanMs = 1 } = destination.limits;
    for (const [limit, value] of Object.entries({ maxEvents, maxBytes, maxSpanMs }))
      assert.ok(value >= 1, `limits.${limit} is ${value}`);
    assert.ok(Number.isFinite(maxBytes), `limits.maxBytes is ${maxBytes}`);
    const baseBytes = baseBytesOf(destination, eventOf(destination, 'x').route);
    const message = `limits.baseBytes() is ${baseBytes}, limits.maxBytes is ${maxBytes}`;
    assert.ok(baseBytes >= 0 && baseBytes < maxBytes, message);
  });
}

function testEncoding({ addTest, assert }: Suite): void {
  addTest('encodes any record within the limits, or refuses it, without a request', async (destination, service) => {
    for (const record of [...anyRecords(300), ...hugeRecords()]) checkEncoding(assert, destination, record);
    checkCount(assert, 'requests', await service.requests(), 0);
  });

  addTest('reads of a record only what its `reads` names', (destination) => {
    const { reads } = destination;
    for (const member of ['text', 'fields'] as const) {
      if (reads === member || reads === 'both') continue;
      const get = (): never => {
        throw new Error(`encode() reads ${member}, but the destination declares reads: ${JSON.stringify(reads)}`);
      };
      destination.encode(Object.defineProperty({ ...recordOf('x') }, member, { get, enumerable: false }));
    }
  });

  addTest('encodes records together as each alone, if it has encodeAll()', (destination) => {
    if (destination.reads !== 'text' || !destination.encodeAll) return;
    const records = anyRecords(300);
    const comparable = comparableBy(destination);
    const alone = records.map((record) => comparable(encode(destination, record)));
    assert.deepStrictEqual(destination.encodeAll(records).map(comparable), alone);
  });

  addTest('does not change bytes that it has returned', (destination) => {
    const returned = anyRecords(300).flatMap((record) => {
      const encoding = encode(destination, record);
      const payloads = 'refused' in encoding ? [] : eventsIn(encoding).map(({ payload }) => payload);
      return payloads.map((payload) => ({ record, payload, before: Buffer.from(payload) }));
    });
    for (const { record, payload, before } of returned)
      assert.ok(before.equals(Buffer.from(payload)), `the payload changed later, of ${excerptOf(record)}`);
  });
}

function testContent({ addTest, assert }: Suite): void {
  addTest('stores every text as it was, whatever its script', async (destination, service) => {
    const texts = [
      'plain',
      'grüße',
      '世界',
      '😀🏴‍☠️',
      '"quotes" \\ and \n breaks \t',
      '\u2028\u2029',
      '{"json":true}',
      '</script>',
      // No compression makes less than 100 bytes of it.
      Array.from({ length: 40 }, (_, index) => Math.sin(index)).join(),
    ];
    let wireBytes = 0;
    const { maxEvents } = destination.limits;
    for (let from = 0; from < texts.length; from += maxEvents) {
      const outcome = await send(destination, batchOf(destination, texts.slice(from, from + maxEvents)));
      assert.deepStrictEqual(outcome.rejected, []);
      wireBytes += outcome.wireBytes;
    }
    assert.deepStrictEqual(await service.texts(), texts);
    assert.ok(wireBytes > 100, `wireBytes is ${wireBytes}`);
  });

  addTest('stores records of any level', async (destination, service) => {
    for (const level of LEVELS) {
      const event = eventOf(destination, level, { level });
      await send(destination, toBatch(destination, [event]));
    }
    assert.deepStrictEqual(await service.texts(), LEVELS);
  });
}

function testLimits({ addTest, assert }: Suite): void {
  addTest('counts as the service counts: a batch filled to the last byte is stored', async (destination, service) => {
    const batch = fullBatch(destination);
    const { maxBytes, maxEvents } = destination.limits;
    const byteOfText = sizeOf(destination, 'xx') - sizeOf(destination, 'x');
    const isFull = maxBytes - batch.bytes < byteOfText || batch.events.length === maxEvents;
    assert.ok(batch.bytes <= maxBytes && isFull, `the batch has ${batch.bytes} bytes, limits.maxBytes is ${maxBytes}`);
    await send(destination, batch);
    checkCount(assert, 'stored texts', (await service.texts()).length, batch.events.length);
  });

  addTest('stores as many events as it states, as far apart as it states', async (destination, service) => {
    const { maxEvents, maxBytes, maxSpanMs = 0 } = destination.limits;
    const now = Date.now();
    const longest = eventOf(destination, String(Number.MAX_SAFE_INTEGER));
    const roomFor = Math.floor((maxBytes - baseBytesOf(destination, longest.route)) / longest.bytes);
    const events = Array.from({ length: Math.min(maxEvents, roomFor) }, (_, index) =>
      eventOf(destination, String(index), { time: index === 0 ? now - maxSpanMs : now }),
    );
    // Its time may give the first event another route.
    const ofOneRoute = events.filter(({ route }) => route === longest.route);
    await send(destination, toBatch(destination, ofOneRoute));
    checkCount(assert, 'stored texts', (await service.texts()).length, ofOneRoute.length);
  });
}

function testRequests({ addTest, assert, failures }: Suite): void {
  addTest('makes one data request for each send(), and does not repeat it', async (destination, service) => {
    await send(destination, batchOf(destination, ['first']));
    const checkOne = async (what: string, act: () => Promise<unknown>): Promise<void> => {
      const before = await service.requests();
      await act();
      checkCount(assert, `requests of ${what}`, (await service.requests()) - before, 1);
    };
    await checkOne('one send()', () => destination.send(batchOf(destination, ['second']), unaborted()));
    for (const kind of ['throttle', 'serverError'] as const) {
      if (!failures.includes(kind)) continue;
      await service.fail(kind);
      await checkOne(`one send() that meets "${kind}"`, () =>
        failureOf(destination.send(batchOf(destination, ['failed']), unaborted())),
      );
    }
  });

  if (!failures.includes('hang')) return;
  addTest('ends a request that is aborted, and reports it as ambiguous', async (destination, service) => {
    await send(destination, batchOf(destination, ['first']));
    await service.fail('hang');
    const controller = new AbortController();
    const requests = await service.requests();
    const failure = failureOf(send(destination, batchOf(destination, ['second']), controller.signal));
    await until('the service has the request', async () => (await service.requests()) === requests + 1);
    controller.abort();
    const { code, ambiguous } = await within(5000, 'send() did not end after its signal was aborted', failure);
    assert.deepStrictEqual({ code, ambiguous }, { code: 'TIMEOUT', ambiguous: true });
  });
}

/** Failures by the code that they must have, and whether the service may have stored the batch. */
const REPORTS: readonly (readonly [kind: FailureKind, code: DeliveryCode, ambiguous: boolean])[] = [
  ['throttle', 'THROTTLED', false],
  ['serverError', 'UNAVAILABLE', true],
  ['reset', 'NETWORK', true],
];

function testFailures({ addTest, assert, failures }: Suite): void {
  for (const [kind, code, ambiguous] of REPORTS) {
    if (!failures.includes(kind)) continue;
    addTest(`reports "${kind}" as ${code}, and can send the same batch again`, async (destination, service) => {
      await send(destination, batchOf(destination, ['first']));
      const batch = batchOf(destination, ['second']);
      await service.fail(kind);
      const error = await failureOf(send(destination, batch));
      assert.deepStrictEqual({ code: error.code, ambiguous: error.ambiguous }, { code, ambiguous });
      assert.ok(error.message !== '', 'the error has no message');
      await service.fail('never');
      await send(destination, batch);
      assert.deepStrictEqual(await service.texts(), ['first', 'second']);
    });
  }
}

function testProof(
  { addTest, assert }: Suite,
  createAt: (url: string) => Destination,
  answers: readonly ForeignAnswer[],
): void {
  addTest('takes a success of some other server for none', async () => {
    for (const answer of answers) {
      const server = await startForeignServer(answer);
      const { code, ambiguous } = await failureAt(server, { assert, createAt }, `the answer is ${answer}`);
      assert.deepStrictEqual({ answer, code, ambiguous }, { answer, code: 'MISCONFIGURED', ambiguous: true });
    }
  });
}

/** Refusals of a proxy by the code that they must have. All ask for a wait of 3 s. */
const REFUSALS: readonly (readonly [behaviour: string, code: DeliveryCode, refusal: Refusal])[] = [
  ['a 413 whose page breaks off', 'TOO_LARGE', { status: 413, retryAfter: { seconds: 3 }, breaksOff: true }],
  ['a 429 whose page breaks off', 'THROTTLED', { status: 429, retryAfter: { seconds: 3 }, breaksOff: true }],
  [
    'a date by a clock that runs ahead',
    'THROTTLED',
    { status: 429, retryAfter: { seconds: 3, byClockAheadMs: 20_000 }, breaksOff: false },
  ],
];

function testRefusals({ addTest, assert }: Suite, createAt: (url: string) => Destination): void {
  for (const [behaviour, code, refusal] of REFUSALS)
    addTest(`keeps to Retry-After: ${behaviour}`, async () => {
      const server = await startRefusingServer(refusal);
      const error = await failureAt(server, { assert, createAt }, `the status is ${refusal.status}`);
      const { retryAfterMs, ambiguous } = error;
      assert.deepStrictEqual(
        { code: error.code, retryAfterMs, ambiguous },
        { code, retryAfterMs: 3000, ambiguous: false },
      );
    });
}

/** The error of a batch that goes to this server, which it has to name. Closes the server. */
async function failureAt(
  server: ForeignServer,
  { assert, createAt }: { readonly assert: ContractAssert; readonly createAt: (url: string) => Destination },
  circumstance: string,
): Promise<DeliveryError> {
  const destination = createAt(server.url);
  try {
    const error = await failureOf(send(destination, batchOf(destination, ['refused'])), circumstance);
    assert.ok(error.message.includes(server.host), `the text does not name ${server.host}: ${error.message}`);
    return error;
  } finally {
    await destination.close?.();
    server.close();
  }
}

function testProgress({ addTest, assert }: Suite, createAt: (url: string) => Destination): void {
  addTest('tells progress while it sends a large request', async () => {
    const server = await startForeignServer('a page');
    const destination = createAt(server.url);
    let calls = 0;
    const batch = batchOf(destination, incompressibleTexts());
    const sending = destination.send(batch, unaborted(), () => void calls++);
    try {
      await failureOf(sending, 'some other server answers');
      // Of 400 kB or more.
      assert.ok(calls >= 2, `progress() was called ${calls} times`);
    } finally {
      await destination.close?.();
      server.close();
    }
  });
}

function testDelivery({ addTest, assert, failures }: Suite): void {
  addTest('sends many batches at once', async (destination, service) => {
    const shipper = createShipper(destination, { maxBatchEvents: 1, concurrency: 20 });
    // Batches of the same millisecond go one after another.
    for (let index = 0; index < 100; index++) shipper.accept(recordOf(String(index), { time: Date.now() - index }));
    checkCount(assert, 'delivered records', (await shipper.flush()).delivered, 100);
    checkCount(assert, 'stored texts', new Set(await service.texts()).size, 100);
  });

  for (const kind of ['refuse', 'tooLarge'] as const) {
    if (!failures.includes(kind)) continue;
    addTest(`keeps all records while "${kind}" meets every request`, async (destination, service) => {
      await service.fail(kind);
      const errors: DeliveryError[] = [];
      const onError = (error: DeliveryError): number => errors.push(error);
      const shipper = createShipper(destination, { maxBatchEvents: 1, maxDelayMs: 0, onError });
      for (let index = 0; index < 100; index++) shipper.accept(recordOf(String(index)));
      const isBlamed = (): boolean => errors.some(({ code }) => code === 'MISCONFIGURED');
      await until('a setting is blamed', () => isBlamed() || shipper.stats().pending < 100);
      checkCount(assert, 'pending records', shipper.stats().pending, 100);
      await service.fail('never');
      checkCount(assert, 'delivered records', (await shipper.flush()).delivered, 100);
      checkCount(assert, 'stored texts', new Set(await service.texts()).size, 100);
    });
  }

  if (!failures.includes('often')) return;
  addTest('delivers everything through the core while the service fails often', async (destination, service) => {
    await service.fail('often');
    const retry = { baseMs: 5, throttledBaseMs: 5, capMs: 50 };
    const maxBatchEvents = Math.min(50, destination.limits.maxEvents);
    const shipper = createShipper(destination, { maxBatchEvents, retry, onError: () => {} });
    const texts = Array.from({ length: 2000 }, (_, index) => String(index).padStart(4, '0'));
    for (const text of texts) shipper.accept(recordOf(text));
    const report = await shipper.flush();
    checkCount(assert, 'received records', report.received, 2000);
    checkCount(assert, 'delivered records', report.delivered, 2000);
    assertBalanced(report);
    const stored = await service.texts();
    checkCount(assert, 'stored texts', stored.length, 2000);
    assert.deepStrictEqual([...stored].sort(), texts);
  });
}

function testRecipe({ addTest, assert, loadModule }: Suite): void {
  addTest('is made again, equal, from a clone of the options, if it has recipe()', async (destination, service) => {
    if (!destination.recipe) return;
    const recipe = recipeOf(destination);
    refuseUncloneable(recipe.options, 'cannot cross into a worker thread');
    const copy = makeDestination(
      { ...recipe, options: structuredClone(recipe.options) },
      (await loadModule(recipe.module)) as Exports,
    );
    try {
      assert.deepStrictEqual(constantsOf(copy), constantsOf(destination));
      for (const record of anyRecords(100)) checkCrossing(assert, destination, copy, recipe, record);
      await send(copy, batchOf(copy, ['from the copy']));
      assert.deepStrictEqual(await service.texts(), ['from the copy']);
    } finally {
      await copy.close?.();
    }
  });
}

function constantsOf({ name, reads, separator = ',', limits }: Destination): object {
  const { maxEvents, maxBytes, maxSpanMs } = limits;
  return { name, reads, separator, maxEvents, maxBytes, maxSpanMs };
}

/** Checks that a record which crosses into a worker thread is encoded there as here. */
function checkCrossing(
  assert: ContractAssert,
  destination: Destination,
  copy: Destination,
  { plainFields }: DestinationRecipe,
  record: LogRecord,
): void {
  const form = { reads: destination.reads, plainFields, isExact: false };
  const line = lineOf(toWireRecord(record, form), form);
  const crossed = (parseLine(line.slice(0, -1)) as { readonly record: LogRecord }).record;
  const comparable = comparableBy(destination);
  const there = comparable(encode(copy, crossed));
  const here = comparable(encode(destination, record));
  const message = `in a worker thread ${excerptOf(record)} becomes ${inspect(there)}, here ${inspect(here)}`;
  assert.ok(isDeepStrictEqual(there, here), message);
}

function checkEncoding(assert: ContractAssert, destination: Destination, record: LogRecord): void {
  const encoding = encode(destination, record);
  const of = `of ${excerptOf(record)}`;
  if ('refused' in encoding) {
    assert.ok(isDropReason(encoding.refused), `the reason is "${encoding.refused}" ${of}`);
    return;
  }
  const events = eventsIn(encoding);
  const { maxBytes } = destination.limits;
  assert.ok(events.length > 0, `no event ${of}`);
  for (const { route, time, payload, bytes } of events) {
    const totalBytes = baseBytesOf(destination, route) + bytes;
    assert.ok(bytes >= 0 && totalBytes <= maxBytes, `${totalBytes} bytes, limits.maxBytes is ${maxBytes}, ${of}`);
    assert.ok(types.isUint8Array(payload) || payload.isWellFormed(), `the payload has a lone surrogate ${of}`);
    assert.ok(time === record.time, `the time is ${time}, and not the record's ${record.time}, ${of}`);
  }
}

/** The message states both numbers, since not every `assert` adds them. */
function checkCount(assert: ContractAssert, what: string, actual: number, expected: number): void {
  assert.strictEqual(actual, expected, `${what}: expected ${expected}, got ${actual}`);
}

/** Makes encodings comparable: without payloads if the destination writes something new into each, such as a number. */
function comparableBy(destination: Destination): (encoding: Encoding) => unknown {
  const record = recordOf('x');
  const isConstant = isDeepStrictEqual(encode(destination, record), encode(destination, record));
  return (encoding) => {
    if (isConstant || 'refused' in encoding) return encoding;
    return eventsIn(encoding).map(({ route, time, bytes }) => ({ route, time, bytes }));
  };
}

function eventsIn(encoding: EncodedEvent | readonly EncodedEvent[]): readonly EncodedEvent[] {
  return 'payload' in encoding ? [encoding] : encoding;
}

function unaborted(): AbortSignal {
  return new AbortController().signal;
}

/** Sends as the core does: `AGAIN` is repeated at once, once. */
async function send(destination: Destination, batch: Batch, signal: AbortSignal = unaborted()): Promise<SendOutcome> {
  try {
    return await destination.send(batch, signal);
  } catch (error) {
    if (!DeliveryError.is(error) || error.code !== 'AGAIN') throw error;
    return destination.send(batch, signal);
  }
}

async function failureOf(sending: Promise<unknown>, circumstance = 'the service failed'): Promise<DeliveryError> {
  try {
    await sending;
  } catch (error) {
    if (DeliveryError.is(error)) return error;
    throw new Error(`send() threw an error that is not a DeliveryError: ${error}`, { cause: error });
  }
  throw new Error(`send() succeeded though ${circumstance}`);
}
