/** A stored record. */
export interface TailEvent {
  /** Epoch milliseconds, as exactly as the service knows them. */
  readonly timeMs: number;
  /** The record as it came: a message, or the fields of a log as JSON. */
  readonly raw: string;
  /** The line that a logger wrote, as far as it can be told. */
  readonly line: string;
  /** The stream or topic that it is in; `undefined` if only one is followed. */
  readonly origin: string | undefined;
}

/** Some of the records that have come since the last ones, in order of time. */
interface TailPage {
  readonly events: readonly TailEvent[];
  /** Whether these are all for now. */
  readonly isLast: boolean;
  /** The wait before the next page, if there is one, as the service asks for. @default none */
  readonly pauseMs?: number;
}

/** The stored records of one place, each of them once. */
export interface TailSource {
  /**
   * Reads the next page by one request. After the last page the next call looks for records that have come since. A call after a
   * failure reads the same page. Rejects with a `DeliveryError`.
   */
  nextPage(signal: AbortSignal): Promise<TailPage>;
  /** What to do if the place does not exist. */
  readonly remedyOfMissing: string;
  /** Closes the connections. */
  close(): Promise<void>;
}

/**
 * Each look begins so long before the newest record that was read: a record is stored some seconds after its time, when its batch is
 * sent, and may be found some seconds later.
 */
export const OVERLAP_MS = 30_000;
