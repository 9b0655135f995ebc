import { AsyncResource } from 'node:async_hooks';
import { outsideContext, systemClock } from './system-clock.js';

/** Looks all addresses of a host up, as `dns.lookup` does with `all: true`. */
export type LookupAll = (hostname: string, options: LookupAllOptions, callback: LookupAllCallback) => void;

type LookupAllCallback = (error: Error | null, addresses: Address[]) => void;

interface Address {
  address: string;
  family: number;
}

interface LookupOptions {
  readonly family?: number | 'IPv4' | 'IPv6' | undefined;
  readonly hints?: number | undefined;
  readonly all?: boolean | undefined;
}

interface LookupAllOptions extends LookupOptions {
  readonly all: true;
}

/** For this long an answer is used without asking again. */
const FRESH_MS = 10_000;

/** Hosts to remember. A destination has one. */
const MAX_HOSTS = 100;

/**
 * Looks hosts up for connections, one at a time. Node.js runs few look-ups of a process at once, and one takes many seconds
 * while the name server is silent: with one for each connection those of the application would wait. An answer is shared. When
 * it is no longer fresh it is used while the next one is fetched, until a connection fails.
 */
export class Lookups {
  readonly #ask: LookupAll;
  readonly #known = new Map<string, Known>();
  /** By key, in the order in which they are asked. */
  readonly #questions = new Map<string, Question>();
  #isAsking = false;

  constructor(ask: LookupAll) {
    this.#ask = ask;
  }

  /** The option `lookup` of a connection. */
  readonly lookup = (
    hostname: string,
    { all, ...options }: LookupOptions,
    callback: (error: Error | null, address: string | Address[], family?: number) => void,
  ): void => {
    const key = JSON.stringify([hostname, options.family ?? 0, options.hints ?? 0]);
    const reply = AsyncResource.bind((error: Error | null, addresses: Address[]) => {
      const [first] = addresses;
      if (all || !first) callback(error, addresses);
      else callback(error, first.address, first.family);
    });
    const known = this.#known.get(key);
    const isFresh = known !== undefined && systemClock.monotonic() - known.atMs < FRESH_MS;
    const isUsable = isFresh || known?.hasFailed === false;
    // In another turn: the listeners of the connection are added in this one.
    if (isUsable) systemClock.defer(() => reply(null, known?.addresses ?? []));
    if (!isFresh) this.#enqueue(key, { hostname, options }, isUsable ? [] : [reply]);
  };

  /** A connection to the host failed: its address may have changed. */
  connectionFailed(hostname: string): void {
    for (const known of this.#known.values()) if (known.hostname === hostname) known.hasFailed = true;
  }

  #enqueue(key: string, question: Omit<Question, 'replies'>, replies: readonly LookupAllCallback[]): void {
    const asked = this.#questions.get(key) ?? { ...question, replies: [] };
    asked.replies.push(...replies);
    this.#questions.set(key, asked);
    this.#askNext();
  }

  #askNext(): void {
    const [next] = this.#questions;
    if (this.#isAsking || !next) return;
    const [key, { hostname, options, replies }] = next;
    this.#isAsking = true;
    const answer: LookupAllCallback = (error, addresses = []) => {
      this.#isAsking = false;
      this.#questions.delete(key);
      if (!error) this.#remember(key, { hostname, addresses, atMs: systemClock.monotonic(), hasFailed: false });
      this.#askNext();
      for (const reply of replies) reply(error, addresses);
    };
    outsideContext(() => {
      try {
        this.#ask(hostname, { ...options, all: true }, answer);
      } catch (error) {
        answer(error as Error, []);
      }
    });
  }

  #remember(key: string, known: Known): void {
    this.#known.delete(key);
    this.#known.set(key, known);
    for (const oldest of this.#known.keys()) if (this.#known.size > MAX_HOSTS) this.#known.delete(oldest);
  }
}

interface Question {
  readonly hostname: string;
  readonly options: LookupOptions;
  readonly replies: LookupAllCallback[];
}

interface Known {
  readonly hostname: string;
  readonly addresses: Address[];
  /** Time of the answer, on the monotonic clock. */
  readonly atMs: number;
  /** Whether a connection failed since. */
  hasFailed: boolean;
}
