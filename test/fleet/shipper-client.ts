import {
  assertBalanced,
  type Batch,
  createShipper,
  DeliveryError,
  type DeliveryOptions,
  type Encoding,
  enclosePayloads,
  type SendOutcome,
  type Shipper,
  type TextDestination,
  type TextRecord,
} from '@logferry/core';
import type { Account, Answer } from './account.js';
import type { Client, Storage } from './client.js';
import type { FleetTime } from './time.js';

/** CloudWatch Logs: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html */
const LIMITS = { maxEvents: 10_000, maxBytes: 1_048_576, maxSpanMs: 24 * 60 * 60 * 1000 };
const EVENT_OVERHEAD_BYTES = 26;

const DIGITS = 7;
const PREFIX = '{"record":"';
const SUFFIX = '","level":"info","message":"order placed and paid, the parcel is on its way"}';
const PAYLOAD_BYTES = PREFIX.length + DIGITS + SUFFIX.length;

const CODES = {
  throttled: 'THROTTLED',
  overloaded: 'UNAVAILABLE',
  unavailable: 'UNAVAILABLE',
  refused: 'NETWORK',
} as const;

/** The destination of one process: it writes to the account, and the account stores what it finds in the request's body. */
class AccountDestination implements TextDestination {
  readonly name = 'account';
  readonly reads = 'text';
  readonly limits = LIMITS;
  readonly #account: Account;
  readonly #storage: Storage;

  constructor(account: Account, storage: Storage) {
    this.#account = account;
    this.#storage = storage;
  }

  encode({ time, text }: TextRecord): Encoding {
    return { route: 'stream', time, payload: PREFIX + text + SUFFIX, bytes: PAYLOAD_BYTES + EVENT_OVERHEAD_BYTES };
  }

  async send(batch: Batch): Promise<SendOutcome> {
    const body = enclosePayloads(batch, '', '');
    const answer = await new Promise<Answer>((resolve) => this.#account.request(() => this.#store(body), resolve));
    if (answer === 'stored') return { rejected: [], wireBytes: body.length, requestId: 'simulated' };
    throw new DeliveryError(CODES[answer], `the account answers: ${answer}`);
  }

  #store(body: Uint8Array): number {
    let records = 0;
    for (let start = PREFIX.length; start < body.length; start += PAYLOAD_BYTES + 1, records++)
      this.#storage.store(numberAt(body, start));
    return records;
  }
}

/** A process that ships by a real shipper of the core. */
export class ShipperClient implements Client {
  lost = 0;
  readonly #shipper: Shipper;
  readonly #clock: ReturnType<FleetTime['clock']>;

  constructor(time: FleetTime, account: Account, storage: Storage, random: () => number, skewMs: number) {
    this.#clock = time.clock(skewMs);
    const options: DeliveryOptions = {
      onError: () => {},
      onDrop: ({ records }) => {
        this.lost += records;
      },
    };
    this.#shipper = createShipper(new AccountDestination(account, storage), options, { clock: this.#clock, random });
  }

  /** Checks the ledger, too. */
  get pending(): number {
    const stats = this.#shipper.stats();
    assertBalanced(stats);
    return stats.pending;
  }

  log(number: number): void {
    const text = String(number).padStart(DIGITS, '0');
    this.#shipper.accept({ time: this.#clock.now(), level: 'info', urgent: false, text, fields: {} });
  }

  async close(): Promise<void> {
    await this.#shipper.close();
  }
}

function numberAt(body: Uint8Array, start: number): number {
  let number = 0;
  for (let index = start; index < start + DIGITS; index++) number = 10 * number + (body[index] ?? 0) - 0x30;
  return number;
}
