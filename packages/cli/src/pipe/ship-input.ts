import { addAbortSignal, type Readable, type Writable } from 'node:stream';
import { clearTimeout, setTimeout } from 'node:timers';
import type { RecordReader } from '../lines/record-reader.js';
import type { Session } from './session.js';
import { passOn } from './tee.js';

/** After so long without input the lines that are held, since a line could still belong to them, are a record. */
const IDLE_MS = 200;

/** Time for the last words of a program that got the same signal. */
const LAST_WORDS_MS = 2000;

/** How an input is read. */
export interface InputOptions {
  /** Where the input is passed on to, unchanged. */
  readonly tee?: Writable | undefined;
  /** Aborted when the input is to end soon: what comes within two seconds still counts. */
  readonly asked: AbortSignal;
}

/**
 * Reads an input to its end, and hands its records to the shipper. The input is held back while the shipper has no room. Rejects with the
 * error of an input that cannot be read; the records before it are handed over.
 */
export async function shipInput(
  input: Readable,
  reader: RecordReader,
  { shipper, chunkBytes }: Session,
  { tee, asked }: InputOptions,
): Promise<void> {
  const stop = new AbortController();
  const stopSoon = (): void => void setTimeout(() => stop.abort(), LAST_WORDS_MS).unref();
  if (asked.aborted) stopSoon();
  else asked.addEventListener('abort', stopSoon, { once: true });
  addAbortSignal(stop.signal, input);
  let idle: NodeJS.Timeout | undefined;
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) {
      clearTimeout(idle);
      for (let start = 0; start < chunk.length; start += chunkBytes) {
        await shipper.ready();
        shipper.together(() => reader.read(chunk.subarray(start, start + chunkBytes)));
      }
      if (tee) await passOn(tee, chunk);
      if (reader.hasHeld) idle = setTimeout(() => reader.flush(), IDLE_MS);
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    clearTimeout(idle);
    asked.removeEventListener('abort', stopSoon);
    shipper.together(() => reader.end());
  }
}
