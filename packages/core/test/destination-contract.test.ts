import assert from 'node:assert/strict';
import { expect, it, test } from 'vitest';
import {
  type Batch,
  DeliveryError,
  type Destination,
  type Encoding,
  type FullDestination,
  type LogRecord,
  type SendOutcome,
  type TextRecord,
} from '../src/index.js';
import { type DestinationHarness, destinationContract, never } from '../src/testing/index.js';
import { createMemory, startMemoryService } from './support/memory-service.js';

type Plant = (destination: FullDestination) => Destination;

function harnessOf(plant: Plant = (destination) => destination): DestinationHarness {
  return { name: 'memory', start: () => startMemoryService(plant), loadModule: (url) => import(url) };
}

/** Replaces members of a destination. */
const withMembers = (destination: FullDestination, members: object): FullDestination =>
  Object.assign(destination, members);

destinationContract({ test, assert }, harnessOf());
destinationContract(
  { test, assert },
  {
    ...harnessOf((destination) =>
      withMembers(destination, { limits: { ...destination.limits, maxEvents: 3 }, recipe: undefined }),
    ),
    name: 'memory for three events',
    failures: ['often'],
  },
);

/** The error of one test, by the beginning of its name after the destination's. */
async function errorOf(plant: Plant, test: string): Promise<Error | undefined> {
  const tests: { readonly name: string; readonly run: () => Promise<void> }[] = [];
  destinationContract({ test: (name, run) => tests.push({ name, run }), assert }, harnessOf(plant));
  const found = tests.find(({ name }) => name.startsWith(`memory ${test}`));
  return found?.run().then(
    () => undefined,
    (error: Error) => error,
  );
}

/** Changes what `encode` returns. */
const encoding =
  (change: (encoded: Encoding, record: LogRecord) => Encoding): Plant =>
  (destination) => {
    const { encode } = destination;
    return withMembers(destination, {
      encode: (record: LogRecord) => change(encode.call(destination, record), record),
    });
  };

/** Makes payloads bytes. */
const inBytes = (toBytes: (text: string) => Uint8Array): Plant =>
  encoding((encoded) => ('payload' in encoded ? { ...encoded, payload: toBytes(String(encoded.payload)) } : encoded));

destinationContract(
  { test, assert },
  {
    ...harnessOf((destination) => inBytes(Buffer.from)(withMembers(destination, { separator: '', recipe: undefined }))),
    name: 'memory of bytes',
    failures: ['often'],
  },
);

/** Changes what `send` does; `attempt` makes a request. */
const sending =
  (change: (attempt: () => Promise<SendOutcome>, batch: Batch) => Promise<SendOutcome>): Plant =>
  (destination) => {
    const { send } = destination;
    return withMembers(destination, {
      send: (batch: Batch, signal: AbortSignal) => change(() => send.call(destination, batch, signal), batch),
    });
  };

/** Changes the failure that `send` reports. */
const failing = (change: (error: DeliveryError) => unknown): Plant =>
  sending(async (attempt) => {
    try {
      return await attempt();
    } catch (error) {
      throw change(error as DeliveryError);
    }
  });

/** Changes the recipe. */
const recipe =
  (members: object): Plant =>
  (destination) => {
    const original = destination.recipe?.();
    return withMembers(destination, { recipe: () => ({ ...original, ...members }) });
  };

const encodeText = ({ text, time }: TextRecord): Encoding => ({
  route: 'memory',
  time,
  payload: text.toWellFormed(),
  bytes: Buffer.byteLength(text),
});

const faults: readonly (readonly [fault: string, plant: Plant, test: string, message: RegExp])[] = [
  [
    'sends at construction',
    (destination) => {
      void destination.send({ route: 'memory', events: [], bytes: 0 }, new AbortController().signal);
      return destination;
    },
    'makes no request at construction',
    /requests: expected 0, got 1/,
  ],
  [
    'states a base that fills the batch',
    (destination) => withMembers(destination, { limits: { ...destination.limits, baseBytes: () => 1_000_000 } }),
    'states limits that make sense',
    /limits.baseBytes\(\) is 1000000/,
  ],
  [
    'makes events that exceed the limit',
    (destination) => withMembers(destination, { encode: encodeText }),
    'encodes any record',
    /4000000 bytes, limits.maxBytes is 1000000/,
  ],
  [
    'throws on an empty text',
    encoding((encoded, { text }) => {
      if (text === '') throw new Error('empty');
      return encoded;
    }),
    'encodes any record',
    /empty/,
  ],
  [
    'keeps lone surrogates',
    encoding((encoded, { text }) => ({ ...encoded, payload: text })),
    'encodes any record',
    /the payload has a lone surrogate of/,
  ],
  [
    'makes times with a fraction',
    encoding((encoded) => ({ ...encoded, time: 0.5 })),
    'encodes any record',
    /the time is 0.5, and not the record's/,
  ],
  [
    'refuses for a reason that is none',
    encoding((encoded) => ('refused' in encoded ? ({ refused: 'size' } as never) : encoded)),
    'encodes any record',
    /the reason is "size"/,
  ],
  [
    'throws on a cycle in the fields',
    encoding((encoded, { fields }) => {
      JSON.stringify(fields, (_key, value) => (typeof value === 'bigint' ? 0 : value));
      return encoded;
    }),
    'encodes any record',
    /circular structure/,
  ],
  [
    'reads fields, but declares text',
    (destination) => {
      const { encode } = destination;
      return withMembers(destination, {
        reads: 'text',
        encode: (record: LogRecord) => encode.call(destination, { ...record, text: String(record.fields.message) }),
      });
    },
    'reads of a record only',
    /encode\(\) reads fields, but the destination declares reads: "text"/,
  ],
  [
    'encodes another text together than alone',
    (destination) =>
      withMembers(destination, {
        reads: 'text',
        encode: encodeText,
        encodeAll: (records: TextRecord[]) => records.map(() => encodeText({ ...(records[0] as TextRecord) })),
      }),
    'encodes records together',
    /cut � in two/,
  ],
  [
    'uses the memory of its payloads again',
    (destination) => {
      const memory = Buffer.alloc(1_000_000);
      return inBytes((text) => memory.subarray(0, memory.write(text)))(destination);
    },
    'does not change bytes',
    /the payload changed later, of /,
  ],
  [
    'cuts texts',
    encoding((encoded) => ('payload' in encoded ? { ...encoded, payload: encoded.payload.slice(0, 5) } : encoded)),
    'stores every text',
    /grüße/,
  ],
  [
    'counts characters instead of bytes',
    encoding((encoded, { text }) => ('payload' in encoded ? { ...encoded, bytes: text.length } : encoded)),
    'counts as the service counts',
    /a request broke a rule of the service: .* bytes/,
  ],
  [
    'counts no characters that JSON escapes',
    encoding((encoded, { text }) =>
      'payload' in encoded ? { ...encoded, bytes: Buffer.byteLength(text.replaceAll(/["\\\n\t]/g, '')) } : encoded,
    ),
    'counts as the service counts',
    /a request broke a rule of the service: .* bytes/,
  ],
  [
    'states more events than the service takes',
    (destination) => withMembers(destination, { limits: { ...destination.limits, maxEvents: 1001 } }),
    'stores as many events',
    /a request broke a rule of the service: .* bytes/,
  ],
  [
    'repeats a failed request itself',
    sending((attempt) => attempt().catch(attempt)),
    'makes one data request',
    /requests of one send\(\) that meets "throttle"/,
  ],
  [
    'sends events one by one',
    sending(async (attempt) => {
      await attempt();
      return attempt();
    }),
    'makes one data request',
    /requests of one send\(\): expected 1, got 2/,
  ],
  [
    'takes a failure for a success',
    sending((attempt) => attempt().catch(() => ({ rejected: [], wireBytes: 1 }))),
    'reports "throttle"',
    /send\(\) succeeded though the service failed/,
  ],
  [
    'reports throttling as unavailability',
    failing(() => new DeliveryError('UNAVAILABLE', 'failed', { ambiguous: true })),
    'reports "throttle"',
    /THROTTLED/,
  ],
  [
    'reports a failure of the service as certain',
    failing(({ code, message }) => new DeliveryError(code, message)),
    'reports "serverError"',
    /ambiguous: true/,
  ],
  [
    'throws the error of the network itself',
    failing(({ message }) => new Error(message)),
    'reports "reset"',
    /not a DeliveryError: Error: connection reset/,
  ],
  [
    'ignores the signal',
    sending((attempt) =>
      Promise.race([attempt(), never()]).catch((error) => (error.code === 'TIMEOUT' ? never() : Promise.reject(error))),
    ),
    'ends a request that is aborted',
    /send\(\) did not end after its signal was aborted/,
  ],
  [
    'loses batches that are sent at once',
    (destination) => {
      const { send } = destination;
      let running: Promise<SendOutcome> | undefined;
      return withMembers(destination, {
        send: (batch: Batch, signal: AbortSignal) =>
          (running ??= send.call(destination, batch, signal).finally(() => (running = undefined))),
      });
    },
    'sends many batches at once',
    /stored texts: expected 100, got/,
  ],
  [
    'stores events twice',
    sending(async (attempt, { events }) => {
      if (events.length > 1) await attempt().catch(() => undefined);
      return attempt();
    }),
    'delivers everything through the core',
    /stored texts: expected 2000, got/,
  ],
  [
    'gives up what is refused',
    sending((attempt, { events }) =>
      attempt().catch((error) => {
        if (error.code !== 'INVALID') throw error;
        return { rejected: events.map((_, index) => ({ index, reason: 'invalid' as const })), wireBytes: 1 };
      }),
    ),
    'keeps all records while "refuse"',
    /pending records: expected 100, got/,
  ],
  [
    'has a recipe for another destination',
    recipe({ options: { service: 0, name: 'other' } }),
    'is made again',
    /name: 'other'/,
  ],
  [
    'has a recipe with a function in its options',
    recipe({ options: { onStart() {} } }),
    'is made again',
    /onStart: a function cannot cross into a worker thread/,
  ],
  [
    'has a recipe that names no function',
    recipe({ factory: 'create' }),
    'is made again',
    /exports no function "create"/,
  ],
  [
    'writes fields that JSON loses',
    (destination) => createMemory({ ...(destination.recipe?.().options as { service: number }), append: 'when' }),
    'is made again',
    /in a worker thread .* becomes .*1970-01-01T00:00:00.000Z.*, here .*Jan 01 1970/s,
  ],
];

it.each(faults)('fails a destination that %s', async (_fault, plant, test, message) => {
  expect((await errorOf(plant, test))?.message).toMatch(message);
});

/** The error of the test of answers by some other server, for a destination that makes a request and judges the response. */
function errorOfProof(
  judge: (response: Response) => SendOutcome,
  test = 'takes a success of some other server for none',
): Promise<Error | undefined> {
  const tests: { readonly name: string; readonly run: () => Promise<void> }[] = [];
  const createAt = (url: string): Destination =>
    Object.assign(createMemory({ service: 0 }), { send: async () => judge(await fetch(url, { method: 'POST' })) });
  destinationContract({ test: (name, run) => tests.push({ name, run }), assert }, { ...harnessOf(), createAt });
  const found = tests.find(({ name }) => name === `memory ${test}`);
  return (found as (typeof tests)[number]).run().then(
    () => undefined,
    (error: Error) => error,
  );
}

const stored: SendOutcome = { rejected: [], wireBytes: 1 };

it('fails a destination that takes the success of some other server for its own', async () => {
  expect((await errorOfProof(() => stored))?.message).toBe('send() succeeded though the answer is an empty 200');
  const refuse = ({ status, url }: Response, where = new URL(url).host): never => {
    throw new DeliveryError('MISCONFIGURED', `${where}: HTTP ${status} without a request id`, { ambiguous: true });
  };
  const isEmpty = ({ headers }: Response): boolean => headers.get('content-type') === null;
  const error = await errorOfProof((response) => (isEmpty(response) ? refuse(response) : stored));
  expect(error?.message).toBe('send() succeeded though the answer is {"status":"healthy"}');
  expect((await errorOfProof((response) => refuse(response, 'somewhere')))?.message).toMatch(
    /does not name 127.0.0.1:/,
  );
  expect(await errorOfProof((response) => refuse(response))).toBeUndefined();
});

it.each([
  ['a 413 whose page breaks off', 'TOO_LARGE'],
  ['a 429 whose page breaks off', 'THROTTLED'],
  ['a date by a clock that runs ahead', 'THROTTLED'],
] as const)('fails a destination that does not keep to Retry-After: %s', async (behaviour, code) => {
  const errorOf = async (retryAfterMsOf: (response: Response) => number): Promise<Error | undefined> =>
    errorOfProof((response) => {
      const retryAfterMs = retryAfterMsOf(response);
      throw new DeliveryError(code, new URL(response.url).host, { retryAfterMs });
    }, `keeps to Retry-After: ${behaviour}`);
  expect((await errorOf(() => 0))?.message).toContain('3000');
  const byOurClock = ({ headers }: Response, value = headers.get('retry-after') ?? ''): number =>
    Number(value) * 1000 || Date.parse(value) - Date.now();
  if (behaviour.startsWith('a date')) expect(await errorOf(byOurClock)).toBeDefined();
  expect(await errorOf(() => 3000)).toBeUndefined();
});

it('omits the tests of failures that the service does not have', () => {
  const names: string[] = [];
  const runner = { test: (name: string) => names.push(name), assert };
  destinationContract(runner, harnessOf());
  const all = names.splice(0);
  destinationContract(runner, { ...harnessOf(), failures: ['throttle'] });
  expect(all.filter((name) => !names.includes(name))).toEqual([
    'memory ends a request that is aborted, and reports it as ambiguous',
    'memory reports "serverError" as UNAVAILABLE, and can send the same batch again',
    'memory reports "reset" as NETWORK, and can send the same batch again',
    'memory keeps all records while "refuse" meets every request',
    'memory keeps all records while "tooLarge" meets every request',
    'memory delivers everything through the core while the service fails often',
  ]);
});
