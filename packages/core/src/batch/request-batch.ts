import type { Batch, EncodedEvent, PayloadSeparator } from '../contract/destination.js';
import { BufferPool, PayloadBuffer } from './payload-buffer.js';

/** Marks batches that have their payloads as bytes already, across all copies of this package. */
const ENCLOSE = Symbol.for('logferry.enclosePayloads');

type Enclose = (prefix: string | Uint8Array, suffix: string | Uint8Array) => Uint8Array;

/**
 * Makes the body of a request: `prefix`, the payloads of the batch with the destination's `separator` in between, `suffix`.
 * Text becomes UTF-8, and bytes stay as they are. It costs a fraction of joining `batch.events`, which are made only when they
 * are read. Body and events are valid until `send` settles.
 */
export function enclosePayloads(batch: Batch, prefix: string | Uint8Array, suffix: string | Uint8Array): Uint8Array {
  const { [ENCLOSE]: enclose } = batch as Batch & { readonly [ENCLOSE]?: Enclose };
  return enclose ? enclose(prefix, suffix) : join(batch, prefix, suffix);
}

/** The content of a {@link RequestBatch}. */
interface Source {
  readonly route: string;
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
  readonly separator: PayloadSeparator;
  makeEvents(): readonly EncodedEvent[];
  /** `isCopy`: the bytes are not those of the batch itself. */
  makeBody(
    prefix: string | Uint8Array,
    suffix: string | Uint8Array,
  ): { readonly bytes: Uint8Array; readonly isCopy: boolean };
}

interface Body {
  readonly prefix: string | Buffer;
  readonly suffix: string | Buffer;
  readonly bytes: Uint8Array;
  readonly isCopy: boolean;
}

/** A batch that makes its events and its body when they are asked for. */
export class RequestBatch implements Batch {
  readonly route: string;
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
  readonly separator: PayloadSeparator;
  readonly #source: Source;
  #events: readonly EncodedEvent[] | undefined;
  #isReleased = false;
  #isEnclosed = false;
  #body: Body | undefined;

  constructor(source: Source) {
    this.route = source.route;
    this.bytes = source.bytes;
    this.from = source.from;
    this.to = source.to;
    this.separator = source.separator;
    this.#source = source;
    const enclose: Enclose = (prefix, suffix) => this.#enclose(prefix, suffix);
    Object.defineProperty(this, ENCLOSE, { value: enclose });
  }

  get events(): readonly EncodedEvent[] {
    if (this.#isReleased && !this.#events) throw new Error('batch.events cannot be read after the batch was delivered');
    this.#events ??= this.#source.makeEvents();
    return this.#events;
  }

  /** Whether the destination keeps nothing of the batch: it has made its body by {@link enclosePayloads}. */
  get isEnclosed(): boolean {
    return this.#isEnclosed;
  }

  /** Ends the use of the payloads: the events cannot be read from now on. */
  release(): void {
    this.#isReleased = true;
  }

  /** Frees memory while the batch backs off: a request in flight has its own reference. */
  forgetCopies(): void {
    this.#events = undefined;
    if (this.#body?.isCopy) this.#body = undefined;
  }

  #enclose(prefix: string | Uint8Array, suffix: string | Uint8Array): Uint8Array {
    if (this.#body && isSame(this.#body.prefix, prefix) && isSame(this.#body.suffix, suffix)) return this.#body.bytes;
    this.#isEnclosed = true;
    // The body of an earlier attempt may still be on its way: it stays as it is.
    if (this.#body) return join(this, prefix, suffix);
    this.#body = { prefix: keep(prefix), suffix: keep(suffix), ...this.#source.makeBody(prefix, suffix) };
    return this.#body.bytes;
  }
}

function join(
  { events, separator = ',' }: Batch,
  prefix: string | Uint8Array,
  suffix: string | Uint8Array,
): Uint8Array {
  const payloads = new PayloadBuffer(new BufferPool(), separator, 0);
  for (const { payload } of events) payloads.append(payload);
  return payloads.enclose(prefix, suffix).bytes;
}

/** The destination may use the memory of bytes again. */
function keep(content: string | Uint8Array): string | Buffer {
  return typeof content === 'string' ? content : Buffer.from(content);
}

function isSame(kept: string | Buffer, content: string | Uint8Array): boolean {
  return typeof kept === 'string' || typeof content === 'string' ? kept === content : kept.equals(content);
}
