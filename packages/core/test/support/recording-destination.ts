import {
  type Batch,
  type BatchLimits,
  type Destination,
  type EncodedEvent,
  type Encoding,
  enclosePayloads,
  type LogRecord,
  type SendOutcome,
  type TextDestination,
  type TextRecord,
} from '../../src/index.js';
import { type Form, payloadOf, textOf } from './payloads.js';

type Respond = (batch: Batch, signal: AbortSignal, progress?: () => void) => Promise<SendOutcome> | SendOutcome;

export const accepted: SendOutcome = { rejected: [], wireBytes: 0 };

/**
 * A third party's destination: keeps the batches that it gets, and notes each one that breaks a rule. The record's level
 * is the route. An event has the size of its text in bytes, and 10 more.
 */
export class RecordingDestination implements TextDestination {
  readonly name = 'recording';
  readonly reads = 'text';
  readonly limits: BatchLimits;
  separator: Destination['separator'];
  form: Form = 'text';
  /** Whether it makes and checks bodies, too. */
  makesBodies = false;
  /** Every batch of a call of `send`, repetitions too. */
  readonly attempts: Batch[] = [];
  /** The events of all batches that it accepted. */
  readonly stored: EncodedEvent[] = [];
  readonly violations: string[] = [];
  readonly signals: AbortSignal[] = [];
  inFlight = 0;
  mostInFlight = 0;
  closed = 0;
  respond: Respond = () => accepted;

  constructor(limits: Partial<BatchLimits> = {}) {
    this.limits = { maxEvents: 10_000, maxBytes: 1_048_576, maxSpanMs: 86_399_999, baseBytes: () => 0, ...limits };
  }

  encode(record: TextRecord): Encoding {
    return encodeText(record, record.text, this.form);
  }

  async send(batch: Batch, signal: AbortSignal, progress?: () => void): Promise<SendOutcome> {
    this.attempts.push(batch);
    this.signals.push(signal);
    this.violations.push(...violationsOf(batch, this.limits));
    if (this.makesBodies && !isBody(enclosePayloads(batch, '<', END), batch, this.separator))
      this.violations.push('a body that is not its payloads');
    this.inFlight++;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    try {
      const outcome = await this.respond(batch, signal, progress);
      const rejected = new Set(outcome.rejected.map(({ index }) => index));
      this.stored.push(...batch.events.filter((_, index) => !rejected.has(index)));
      return outcome;
    } finally {
      this.inFlight--;
    }
  }

  async close(): Promise<void> {
    this.closed++;
  }

  /** The stored texts. */
  get texts(): string[] {
    return this.stored.map((event) => textOf(event.payload));
  }
}

/** A destination that can encode the records of a turn together, and remembers these. */
export class TogetherDestination extends RecordingDestination {
  readonly together: string[][] = [];

  encodeAll(records: readonly TextRecord[]): readonly Encoding[] {
    this.together.push(records.map(({ text }) => text));
    return records.map((each) => this.encode(each));
  }
}

export function encodeText(record: TextRecord, text: string, form: Form = 'text'): EncodedEvent {
  const { level: route, time } = record;
  return { route, time, payload: payloadOf(text, form), bytes: Buffer.byteLength(text) + 10 };
}

let lastTime = Date.UTC(2026, 0, 1);

/** A record with a text. By default it is a millisecond later than the last, so that no batches share a millisecond. */
export function record(text: string, { time = ++lastTime, level = 'info', urgent = false } = {}): LogRecord {
  return { time, level, urgent, text, fields: {} };
}

/** The end of a body. */
const END = Uint8Array.of(0xfe);

function isBody(body: Uint8Array, { events }: Batch, separator = ','): boolean {
  const parts = events.flatMap(({ payload }, index) => [index === 0 ? '' : separator, payload]);
  return Buffer.concat(['<', ...parts, END].map((part) => Buffer.from(part))).equals(body);
}

function violationsOf(batch: Batch, limits: BatchLimits): string[] {
  const { route, events, bytes } = batch;
  const sum = events.reduce((total, event) => total + event.bytes, limits.baseBytes?.(route) ?? 0);
  const times = events.map((event) => event.time);
  const span = times.reduce((a, b) => Math.max(a, b), 0) - times.reduce((a, b) => Math.min(a, b), Number.MAX_VALUE);
  const found: string[] = [];
  if (events.length < 1 || events.length > limits.maxEvents) found.push(`${events.length} events`);
  if (sum !== bytes) found.push(`${bytes} bytes stated, ${sum} bytes counted`);
  if (sum > limits.maxBytes) found.push(`${sum} bytes`);
  if (limits.maxSpanMs !== undefined && span > limits.maxSpanMs) found.push(`spans ${span} ms`);
  if (times.some((time, index) => index > 0 && time < (times[index - 1] ?? 0))) found.push('not in order of time');
  if (events.some((event) => event.route !== route)) found.push('events of another route');
  return found;
}
