import { AsyncLocalStorage } from 'node:async_hooks';
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { errorMonitor } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { classifyAnswer, type DeliveryCode, guarded, nextTick, systemClock } from '@logferry/core';

/** Why a source of credentials gave none, if it may give them soon. */
export interface PassingFailure {
  readonly code: DeliveryCode;
  /** `"10.0.0.1:80 answered HTTP 429"` */
  readonly reason: string;
}

/**
 * Watches what a look-up of credentials does outside of this process: Node.js tells of each HTTP request and each child process, and
 * the asynchronous context tells whose they are. The SDK's errors hide what happened: its chain of sources ends with "could not load
 * credentials from any providers", whether there are none or one of them answered 503.
 */
export class Lookup {
  readonly #isOurs: boolean;
  #steps: Step[] = [];

  /** `isOurs`: the look-up keeps no process alive, and each of its steps has a limit of time. Else it is the application's. */
  constructor(isOurs: boolean) {
    this.#isOurs = isOurs;
  }

  run<T>(look: () => Promise<T>): Promise<T> {
    watch();
    this.#steps = [];
    return lookups.run(this, look);
  }

  /** Host and port, or the process, that the look-up waits for; `undefined` if there is none. */
  get waitsFor(): string | undefined {
    const last = this.#steps.at(-1);
    return last?.outcome === undefined ? last?.where : undefined;
  }

  /** The last failure of a step that may succeed soon. `isKnown`: the look-up succeeded before. */
  passingFailure(isKnown: boolean): PassingFailure | undefined {
    const failures = this.#steps.map((step) => passingFailureOf(step, isKnown));
    return failures.findLast((failure) => failure !== undefined);
  }

  noteRequest(request: ClientRequest): void {
    const step: Step = { where: String(request.getHeader('host') ?? request.host), host: request.host };
    this.#steps.push(step);
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
    this.#steps.push(step);
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

/** The SDK gives its sources 1 s, but does not hold all of them to it. */
const MAX_REQUEST_MS = 5000;

/** A process may ask a person. */
const MAX_PROCESS_MS = 60_000;

const PASSING: ReadonlySet<DeliveryCode | undefined> = new Set(['UNAVAILABLE', 'THROTTLED', 'TIMEOUT']);

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html */
const METADATA_HOSTS: ReadonlySet<string> = new Set(['169.254.169.254', 'fd00:ec2::254']);

function passingFailureOf({ where, host, outcome = 'NETWORK' }: Step, isKnown: boolean): PassingFailure | undefined {
  if (outcome === 'refused') return undefined;
  if (typeof outcome !== 'number') {
    // Elsewhere than on EC2 the instance metadata is just not there.
    if (METADATA_HOSTS.has(host) && !isKnown) return undefined;
    return { code: outcome, reason: `${where} ${outcome === 'UNAVAILABLE' ? 'cannot start' : 'did not answer'}` };
  }
  const { code } = classifyAnswer({ status: outcome, requestId: undefined, errorName: '' });
  if (!PASSING.has(code)) return undefined;
  // Also for 429: it is not the service of the logs that throttles.
  return { code: 'UNAVAILABLE', reason: `${where} answered HTTP ${outcome}` };
}

const lookups = new AsyncLocalStorage<Lookup>();
let isWatching = false;

/** For the life of the process: the SDK renews credentials in the background. */
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
