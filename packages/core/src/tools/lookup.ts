import { AsyncResource } from 'node:async_hooks';
import { isIP } from 'node:net';
import { guarded } from './guarded.js';
import { outsideContext, systemClock } from './system-clock.js';
import { untraced } from './untraced.js';

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

/** A look-up that takes longer is passed over: the application's own `dns.lookup` may never call back. That of the system takes less. */
const MAX_ASKING_MS = 120_000;

/** Hosts to remember. A destination has one. */
const MAX_HOSTS = 100;

/**
 * Looks hosts up for connections, one at a time. Node.js runs few look-ups of a process at once, and one takes many seconds
 * while the name server is silent: with one for each connection those of the application would wait. An answer is shared. When
 * it is no longer fresh it is used while the next one is fetched, until a connection fails.
 */
export class Lookups {
  readonly #lookUp: LookupAll;
  readonly #known = new Map<string, Known>();
  /** By key, in the order in which they are asked. */
  readonly #questions = new Map<string, Question>();
  #isAsking = false;

  constructor(lookUp: LookupAll) {
    this.#lookUp = lookUp;
  }

  /** The option `lookup` of a connection. It is not asked for a connection whose signal was aborted before its turn. */
  readonly lookup = (
    hostname: string,
    { all, ...options }: LookupOptions,
    callback: (error: Error | null, address: string | Address[], family?: number) => void,
    signal: AbortSignal,
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
    if (!isFresh) this.#enqueue(key, { hostname, options }, { reply: isUsable ? () => {} : reply, signal });
  };

  /** A connection to the host failed: its address may have changed. */
  connectionFailed(hostname: string): void {
    for (const known of this.#known.values()) if (known.hostname === hostname) known.hasFailed = true;
  }

  #enqueue(key: string, question: Omit<Question, 'waiting'>, waiting: Waiting): void {
    const asked = this.#questions.get(key) ?? { ...question, waiting: [] };
    asked.waiting = [...asked.waiting.filter(isWanted), waiting];
    this.#questions.set(key, asked);
    this.#askNext();
  }

  #askNext(): void {
    if (this.#isAsking) return;
    for (const [key, question] of this.#questions) {
      if (question.waiting.some(isWanted)) {
        this.#ask(key, question);
        return;
      }
      this.#questions.delete(key);
    }
  }

  #ask(key: string, question: Question): void {
    const { hostname, options } = question;
    let isOver = false;
    const end = (error: Error | null, addresses: Address[]): void => {
      if (isOver) return;
      isOver = true;
      limit.cancel();
      this.#isAsking = false;
      this.#questions.delete(key);
      this.#askNext();
      for (const { reply } of question.waiting) reply(error, addresses);
    };
    const answer = guarded((error: unknown, found?: unknown): void => {
      const addresses = error ? [] : addressesOf(found);
      if (addresses.length > 0)
        this.#remember(key, { hostname, addresses, atMs: systemClock.monotonic(), hasFailed: false });
      end(addresses.length > 0 ? null : errorOf(error, hostname), addresses);
    });
    this.#isAsking = true;
    const limit = systemClock.setTimer(() => end(errorOf(undefined, hostname), []), MAX_ASKING_MS);
    limit.unref();
    outsideContext(() => {
      try {
        untraced(() => this.#lookUp(hostname, { ...options, all: true }, answer));
      } catch (error) {
        answer(error);
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
  waiting: readonly Waiting[];
}

/** A connection. */
interface Waiting {
  readonly reply: LookupAllCallback;
  readonly signal: AbortSignal;
}

function isWanted({ signal }: Waiting): boolean {
  return !signal.aborted;
}

/** What an application puts in the place of `dns.lookup` may answer otherwise, and Node.js throws for that where nobody can catch it. */
function addressesOf(found: unknown): Address[] {
  const texts = (Array.isArray(found) ? found : [found]).map((each) => String(Object(each).address ?? each));
  return texts.map((address) => ({ address, family: isIP(address) })).filter(({ family }) => family !== 0);
}

function errorOf(error: unknown, hostname: string): Error {
  if (typeof error === 'object' && error !== null) return error as Error;
  const reason = error ? String(error) : 'no address';
  return Object.assign(new Error(`cannot look up ${hostname}: ${reason}`), { code: 'EAI_AGAIN' });
}

interface Known {
  readonly hostname: string;
  readonly addresses: Address[];
  /** Time of the answer, on the monotonic clock. */
  readonly atMs: number;
  /** Whether a connection failed since. */
  hasFailed: boolean;
}
