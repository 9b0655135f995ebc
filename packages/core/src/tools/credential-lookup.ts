import { AsyncLocalStorage } from 'node:async_hooks';
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { errorMonitor } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../contract/clock.js';
import { type DeliveryCode, DeliveryError } from '../contract/errors.js';
import { classifyAnswer } from './answer.js';
import { guarded } from './guarded.js';
import { assertFilesLoad } from './load-package.js';
import { nextTick, systemClock } from './system-clock.js';

/** Why a source of credentials gave none, if it may give them soon. */
export interface PassingFailure {
  readonly code: DeliveryCode;
  /** `"10.0.0.1:80 answered HTTP 429"` */
  readonly reason: string;
}

/** Whose credentials a {@link CredentialLookup} watches, and how. */
export interface CredentialLookupOptions {
  /** For messages: `"AWS"`. */
  readonly cloud: string;
  /** True: the look-up keeps no process alive, and each of its steps has a limit of time. Else it is the application's. */
  readonly isOurs: boolean;
  /** Hosts that are asked on any machine, and not there on most: the instance metadata. */
  readonly optionalHosts: readonly string[];
  /** @default the system's */
  readonly clock?: Clock | undefined;
}

/**
 * Watches what a look-up of credentials does outside of this process: Node.js tells of each HTTP request and each child process, and
 * the asynchronous context tells whose they are. The errors of the clouds' libraries hide what happened: a chain of sources ends with
 * "could not load credentials from any providers", whether there are none or one of them answered 503.
 */
export class CredentialLookup {
  readonly #options: CredentialLookupOptions;
  #steps = new Steps(false);

  constructor(options: CredentialLookupOptions) {
    this.#options = options;
  }

  /** Rejects with the error of `look`, and with a `DeliveryError` (`TIMEOUT`) if it does not end within 60 s, so that a later one can begin. */
  async run<T>(look: () => T | PromiseLike<T>): Promise<T> {
    watch();
    const { cloud, isOurs, clock = systemClock } = this.#options;
    this.#steps = new Steps(isOurs);
    let timer: Timer | undefined;
    const limit = new Promise<never>((_, reject) => {
      const message = `no ${cloud} credentials: their source has not answered for ${MAX_LOOKUP_MS / 1000} s`;
      timer = clock.setTimer(() => reject(new DeliveryError('TIMEOUT', message)), MAX_LOOKUP_MS);
      timer.unref();
    });
    try {
      return await Promise.race([lookups.run(this.#steps, async () => look()), limit]);
    } finally {
      timer?.cancel();
    }
  }

  /** Host and port, or the process, that the look-up waits for; `undefined` if there is none. */
  get waitsFor(): string | undefined {
    const last = this.#steps.all.at(-1);
    return last?.outcome === undefined ? last?.where : undefined;
  }

  /** The last response over HTTP: `"10.0.0.1:80 answered HTTP 404"`; `undefined` if there was none. */
  get lastAnswer(): string | undefined {
    const last = this.#steps.all.findLast(({ outcome }) => typeof outcome === 'number');
    return last && answerOf(last);
  }

  /** A lack of files, or the last failure of a step, that may pass soon. `isKnown`: the source is there, since it gave credentials before. */
  passingFailure(isKnown: boolean): PassingFailure | undefined {
    const { optionalHosts } = this.#options;
    const isPassing = (step: Step): boolean => isKnown || !isAbsent(step, optionalHosts);
    const failures = this.#steps.all.filter(isPassing).map(passingFailureOf);
    return filesFailure() ?? failures.findLast((failure) => failure !== undefined);
  }
}

/** Shortest time between two requests for new credentials: a source may start a process, or call a service. */
export const MIN_RENEWAL_MS = 5000;

/** The steps of one look-up. */
class Steps {
  readonly #isOurs: boolean;
  readonly all: Step[] = [];

  constructor(isOurs: boolean) {
    this.#isOurs = isOurs;
  }

  noteRequest(request: ClientRequest): void {
    const step: Step = { where: String(request.getHeader('host') ?? request.host), host: request.host };
    this.all.push(step);
    // The connection through a proxy is a request of its own.
    request.once(
      'connect',
      guarded(({ statusCode = 0 }: IncomingMessage) => {
        step.outcome = statusCode;
      }),
    );
    request.once(
      'response',
      guarded((response: IncomingMessage) => {
        step.outcome = response.statusCode ?? 0;
        response.once(
          'close',
          guarded(() => {
            if (!response.complete) step.outcome = 'NETWORK';
          }),
        );
      }),
    );
    if (!this.#isOurs) return;
    if (request.socket) request.socket.unref();
    else
      request.once(
        'socket',
        guarded((socket: Socket) => socket.unref()),
      );
    limit(request, MAX_REQUEST_MS, () => {
      step.outcome = 'TIMEOUT';
      request.destroy(new Error(`no answer within ${MAX_REQUEST_MS} ms`));
    });
  }

  noteProcess(child: ChildProcess): void {
    const step: Step = { where: 'the credential process', host: '' };
    this.all.push(step);
    child.once(
      errorMonitor as unknown as 'error',
      guarded(() => {
        step.outcome = 'UNAVAILABLE';
      }),
    );
    // By itself: it may lack the session that only a person can renew.
    child.once(
      'exit',
      guarded(() => {
        step.outcome ??= 'refused';
      }),
    );
    if (!this.#isOurs) return;
    // Node.js tells of the process before it has any pipes.
    nextTick(
      guarded(() => {
        child.unref();
        for (const pipe of child.stdio ?? []) (pipe as Socket | null)?.unref();
      }),
    );
    limit(child, MAX_PROCESS_MS, () => {
      step.outcome = 'TIMEOUT';
      child.kill();
    });
  }
}

/** Something that the look-up waits for. */
interface Step {
  readonly where: string;
  readonly host: string;
  /** The HTTP status, if there was a response; `undefined` while the look-up waits. */
  outcome?: number | 'NETWORK' | 'TIMEOUT' | 'UNAVAILABLE' | 'refused';
}

const MAX_LOOKUP_MS = 60_000;

/** The AWS SDK gives its sources 1 s, but does not hold all of them to it. */
const MAX_REQUEST_MS = 5000;

/** A process may ask a person. */
const MAX_PROCESS_MS = 60_000;

const PASSING: ReadonlySet<DeliveryCode | undefined> = new Set(['UNAVAILABLE', 'THROTTLED', 'TIMEOUT']);

/** Whether the step asked a host that need not be there, and is not. */
function isAbsent({ host, outcome }: Step, optionalHosts: readonly string[]): boolean {
  return typeof outcome !== 'number' && optionalHosts.includes(host);
}

function passingFailureOf(step: Step): PassingFailure | undefined {
  const { where, outcome = 'NETWORK' } = step;
  if (outcome === 'refused') return undefined;
  if (typeof outcome !== 'number')
    return { code: outcome, reason: `${where} ${outcome === 'UNAVAILABLE' ? 'cannot start' : 'did not answer'}` };
  const { code } = classifyAnswer({ status: outcome, requestId: undefined, errorName: '' });
  if (!PASSING.has(code)) return undefined;
  // Also for 429: it is not the service of the logs that throttles.
  return { code: 'UNAVAILABLE', reason: answerOf(step) };
}

function answerOf({ where, outcome }: Step): string {
  return `${where} answered HTTP ${outcome}`;
}

/** A source that reads files takes those that cannot be read for files that are not there. */
function filesFailure(): PassingFailure | undefined {
  try {
    assertFilesLoad();
    return undefined;
  } catch (error) {
    const { code, message } = error as DeliveryError;
    return { code, reason: message };
  }
}

const lookups = new AsyncLocalStorage<Steps>();
let isWatching = false;

/** For the life of the process: a library may renew credentials in the background. */
function watch(): void {
  if (isWatching) return;
  isWatching = true;
  subscribe(
    'http.client.request.start',
    guarded((message: unknown) => lookups.getStore()?.noteRequest((message as { request: ClientRequest }).request)),
  );
  subscribe(
    'child_process',
    guarded((message: unknown) => lookups.getStore()?.noteProcess((message as { process: ChildProcess }).process)),
  );
}

function limit(what: ClientRequest | ChildProcess, ms: number, end: () => void): void {
  const timer = systemClock.setTimer(end, ms);
  timer.unref();
  what.once(
    'close',
    guarded(() => timer.cancel()),
  );
}
