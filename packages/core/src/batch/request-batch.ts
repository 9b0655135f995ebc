import type { Batch, EncodedEvent } from '../contract/destination.js';

/** Our own batches have their payloads as bytes already; recognised across copies of this package. */
const ENCLOSE = Symbol.for('logferry.enclosePayloads');

/**
 * The body of a request: `prefix`, the payloads of the batch with commas in between, `suffix`. Much cheaper than joining
 * `batch.events`, whose texts are made only when somebody reads them. Bytes and events are valid until `send` settles.
 */
export function enclosePayloads(batch: Batch, prefix: string, suffix: string): Uint8Array {
  const { [ENCLOSE]: enclose } = batch as Batch & { readonly [ENCLOSE]?: Enclose };
  return enclose ? enclose(prefix, suffix) : join(batch.events, prefix, suffix);
}

/** A batch that makes its parts when they are asked for. */
export class RequestBatch implements Batch {
  readonly route: string;
  readonly bytes: number;
  readonly #makeEvents: () => readonly EncodedEvent[];
  readonly #makeBody: (prefix: string, suffix: string) => Uint8Array;
  #events: readonly EncodedEvent[] | undefined;
  #isReleased = false;
  #body: { readonly prefix: string; readonly suffix: string; readonly bytes: Uint8Array } | undefined;

  constructor(
    route: string,
    bytes: number,
    makeEvents: () => readonly EncodedEvent[],
    makeBody: (prefix: string, suffix: string) => Uint8Array,
  ) {
    this.route = route;
    this.bytes = bytes;
    this.#makeEvents = makeEvents;
    this.#makeBody = makeBody;
    const enclose: Enclose = (prefix, suffix) => this.#enclose(prefix, suffix);
    Object.defineProperty(this, ENCLOSE, { value: enclose });
  }

  get events(): readonly EncodedEvent[] {
    if (this.#isReleased && !this.#events) throw new Error('the events of a batch are gone when it was delivered');
    this.#events ??= this.#makeEvents();
    return this.#events;
  }

  /** Gives the memory back. False if the destination has not said, by {@link enclosePayloads}, that it keeps nothing. */
  release(): boolean {
    this.#isReleased = this.#body !== undefined;
    return this.#isReleased;
  }

  #enclose(prefix: string, suffix: string): Uint8Array {
    if (this.#body?.prefix === prefix && this.#body.suffix === suffix) return this.#body.bytes;
    // The bytes of an earlier attempt may still be on their way: they stay as they are.
    const bytes = this.#body ? join(this.events, prefix, suffix) : this.#makeBody(prefix, suffix);
    this.#body = { prefix, suffix, bytes };
    return bytes;
  }
}

type Enclose = (prefix: string, suffix: string) => Uint8Array;

function join(events: readonly EncodedEvent[], prefix: string, suffix: string): Uint8Array {
  return Buffer.from(`${prefix}${events.map(({ payload }) => payload).join(',')}${suffix}`);
}
