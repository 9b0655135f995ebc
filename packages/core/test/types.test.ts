import assert from 'node:assert/strict';
import { assert as chai, expect, it, test } from 'vitest';
import {
  type Batch,
  type BatchLimits,
  createShipper,
  type DeliveryOptions,
  type Destination,
  type DropReason,
  type EncodedEvent,
  type Encoding,
  type FieldsDestination,
  type FieldsRecord,
  type LogRecord,
  type SendOutcome,
  type Shipper,
  type TextDestination,
  type TextRecord,
} from '../src/index.js';
import { destinationContract, MemoryDestination, type TestService, transportContract } from '../src/testing/index.js';

const limits: BatchLimits = { maxEvents: 10, maxBytes: 1000 };
const event: EncodedEvent = { route: 'all', time: 0, payload: 'x', bytes: 1 };
const send = async (): Promise<SendOutcome> => ({ rejected: [], wireBytes: 1 });
const common = { name: 'logs', limits, encode: () => event, send };

class TextLogs implements TextDestination {
  readonly name = 'text logs';
  readonly reads = 'text';
  readonly limits = limits;

  encode({ time, level, text: payload }: TextRecord): Encoding {
    return { route: level, time, payload, bytes: Buffer.byteLength(payload) };
  }

  async send({ events, bytes }: Batch, signal: AbortSignal): Promise<SendOutcome> {
    return { rejected: signal.aborted ? [{ index: events.length, reason: 'too-old' }] : [], wireBytes: bytes };
  }
}

class FieldLogs implements FieldsDestination {
  readonly name = 'field logs';
  readonly reads = 'fields';
  readonly limits = limits;
  readonly separator = '\n';
  readonly send = send;

  encode({ fields: { message } }: FieldsRecord): readonly EncodedEvent[] {
    return [{ ...event, payload: String(message) }];
  }
}

/** Checked by the compiler only. */
export const destinations: readonly Destination[] = [
  new TextLogs(),
  new FieldLogs(),
  new MemoryDestination(),
  { ...common, reads: 'text' },
  { ...common, reads: 'text', encode: ({ text: payload }) => ({ ...event, payload }) },
  { ...common, reads: 'fields', encode: ({ fields: { message } }) => ({ ...event, payload: String(message) }) },
  {
    ...common,
    reads: 'both',
    encode: ({ text: payload, fields: { tenant } }) => ({ ...event, payload, route: String(tenant) }),
  },
  { ...common, reads: 'text', encode: () => [event, event] },
  { ...common, reads: 'text', encode: () => ({ refused: 'invalid' }) },
  { ...common, reads: 'text', encodeAll: (records) => records.map(({ text: payload }) => ({ ...event, payload })) },
  { ...common, reads: 'text', separator: '', encode: () => ({ ...event, payload: new Uint8Array(1) }) },
  { ...common, reads: 'text', encode: () => ({ ...event, payload: Buffer.alloc(1) }) },
  { ...common, reads: 'text', separator: '\n', close: async () => {} },
  { ...common, reads: 'text', recipe: () => ({ module: 'file:///logs.js', factory: 'createLogs', options: {} }) },
  // @ts-expect-error the fields of a destination that reads text
  { ...common, reads: 'text', encode: (record) => ({ ...event, payload: String(record.fields) }) },
  // @ts-expect-error the text of a destination that reads fields
  { ...common, reads: 'fields', encode: (record) => ({ ...event, payload: record.text }) },
  // @ts-expect-error no character that the core puts between payloads
  { ...common, reads: 'text', separator: ';' },
  // @ts-expect-error not a part of a record
  { ...common, reads: 'message' },
  // @ts-expect-error not a reason
  { ...common, reads: 'text', encode: () => ({ refused: 'too-long' }) },
  // @ts-expect-error an event has its size
  { ...common, reads: 'text', encode: () => ({ route: 'all', time: 0, payload: 'x' }) },
  // @ts-expect-error a payload is text or bytes
  { ...common, reads: 'text', encode: () => ({ ...event, payload: [1] }) },
  // @ts-expect-error encode is synchronous
  { ...common, reads: 'text', encode: async () => event },
  // @ts-expect-error only texts are encoded together
  { ...common, reads: 'fields', encodeAll: () => [event] },
  // @ts-expect-error the limits of a batch
  { ...common, reads: 'text', limits: { maxEvents: 10 } },
  // @ts-expect-error an outcome names the rejected events
  { ...common, reads: 'text', send: async () => ({ wireBytes: 1 }) },
  // @ts-expect-error a recipe names the factory
  { ...common, reads: 'text', recipe: () => ({ module: 'file:///logs.js', options: {} }) },
];

/** Checked by the compiler only. */
export class WrongLogs implements TextDestination {
  readonly name = 'wrong logs';
  readonly reads = 'text';
  readonly limits = limits;
  readonly send = send;

  // @ts-expect-error a class that declares text reads no fields either
  encode(record: LogRecord): Encoding {
    return { ...event, payload: String(record.fields) };
  }
}

/** Checked by the compiler only. */
export function shippers(reason: DropReason, destination: Destination): readonly Shipper[] {
  const options: DeliveryOptions = { thread: true, retry: { maxAgeMs: undefined }, onDrop: undefined };
  return [
    createShipper(new TextLogs(), options),
    createShipper(destination, { onDrop: (drop) => drop.reason === reason, onError: ({ code }) => code === 'AGAIN' }),
    createShipper(destination, {}, { random: () => 0, onFailure: (error) => error.retryAfterMs }),
    // @ts-expect-error a misspelt option
    createShipper(destination, { maxDelay: 5 }),
    // @ts-expect-error not a policy
    createShipper(destination, { overflow: 'block' }),
    // @ts-expect-error not a seam
    createShipper(destination, {}, { now: () => 0 }),
  ];
}

/** Checked by the compiler only. */
export function contracts(service: TestService, shipper: Shipper): void {
  const plain = { log: () => {}, flush: async () => {}, end: async () => {}, stats: () => shipper.stats() };
  destinationContract({ test, assert }, { name: 'x', start: () => service, failures: ['throttle', 'often'] });
  destinationContract(
    { test, assert: chai },
    { name: 'x', start: async () => service, loadModule: (url) => import(url) },
  );
  transportContract({ test, assert }, { name: 'x', start: () => plain, logsAfterEnd: false });
  // @ts-expect-error not a way to fail
  destinationContract({ test, assert }, { name: 'x', start: () => service, failures: ['slow'] });
  // @ts-expect-error the logger's counters are missing
  transportContract({ test, assert }, { name: 'x', start: () => ({ ...plain, stats: undefined }) });
}

it('accepts a destination that is an object of a class', async () => {
  const shipper = createShipper(new TextLogs());
  shipper.accept({ time: 0, level: 'info', urgent: false, text: 'x', fields: {} });
  expect(await shipper.close()).toMatchObject({ delivered: 1 });
});
