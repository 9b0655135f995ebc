import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  createShipper,
  DeliveryError,
  type DeliveryOptions,
  type Destination,
  type Encoding,
  type LogRecord,
  type Seams,
  type Shipper,
  type SpoolOptions,
} from '../../src/index.js';
import { MemoryDestination } from '../../src/testing/index.js';
import { type Form, payloadOf } from './payloads.js';

/** A destination whose records can be on disk. */
export class OnDisk extends MemoryDestination {
  override readonly identity: string;
  separator: Destination['separator'];
  form: Form = 'text';

  constructor(identity = 'memory') {
    super();
    this.identity = identity;
  }

  override encode(record: LogRecord): Encoding {
    const encoding = super.encode(record);
    return 'refused' in encoding
      ? encoding
      : { ...encoding, payload: payloadOf(record.text.toWellFormed(), this.form) };
  }
}

/** A directory for one test. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'logferry-spool-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Starts a shipper with a spool, which ends with the test. */
export function startSpooled(
  spool: SpoolOptions,
  options: DeliveryOptions = {},
  { destination = new OnDisk(), ...seams }: Seams & { readonly destination?: OnDisk } = {},
): { readonly shipper: Shipper; readonly destination: OnDisk } {
  const shipper = createShipper(destination, { maxDelayMs: 0, ...options, spool }, seams);
  onTestFinished(async () => void (await shipper.close({ timeoutMs: 0 })));
  return { shipper, destination };
}

export function textRecord(text: string): LogRecord {
  return { time: Date.now(), level: 'info', urgent: false, text, fields: {} };
}

/** A response for {@link MemoryDestination.respond}. */
export function away(): never {
  throw new DeliveryError('UNAVAILABLE', 'away');
}

/** Leaves records on disk, as a process does that ends before they can be delivered. */
export async function leaveOnDisk(
  spool: SpoolOptions,
  texts: readonly string[],
  destination = new OnDisk(),
): Promise<void> {
  const { shipper } = startSpooled(spool, {}, { destination });
  destination.respond = away;
  for (const text of texts) shipper.accept(textRecord(text));
  await shipper.close({ timeoutMs: 0 });
}

/** The files below a directory that are segments, or with another ending. */
export function filesIn(directory: string, ending = '.v1'): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(directory, name))
    .sort();
}
