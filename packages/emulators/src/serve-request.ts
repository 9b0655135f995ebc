import { setTimeout as delay } from 'node:timers/promises';
import type { RequestCounters } from './counters.js';
import type { CommonFaultPlan, FaultInjector } from './faults.js';
import type { HttpRequest, HttpResponse, Reaction } from './http.js';

/** One request, as its service sees it. */
export interface Exchange<Fault extends string, Plan> {
  /** Checks the request. Throws the service's error if it breaks a rule; a refused request meets no fault. */
  check(): Promise<Operation<Fault, Plan>>;
  /** Turns an error into the service's response, and counts a violation. */
  refuse(thrown: unknown): HttpResponse;
}

/** A request that passed the checks and is ready to run. */
export interface Operation<Fault extends string, Plan> {
  /** Key under which the request in flight is counted; undefined if it is not counted. */
  readonly inFlightKey: string | undefined;
  /** Whether the plan's faults, delay and `poison` apply to the request. */
  isInScope(plan: Plan): boolean;
  /** Whether the plan's `poison` matches the request. */
  isPoisoned(plan: Plan): boolean;
  /** Whether the fault leaves this request alone. @default every fault applies */
  ignores?(fault: Fault | 'lostAck' | 'poison'): boolean;
  /** Runs the request. Throws the service's error. */
  perform(): HttpResponse;
  /** Applies a fault. Throws the service's error. */
  inject(fault: Fault | 'poison', plan: Plan): Reaction;
}

/** The fault injector and the counters of an emulator. */
export interface Instruments<Fault extends string, Plan> {
  readonly faults: FaultInjector<Fault | 'lostAck', Plan>;
  readonly stats: RequestCounters;
}

/** Serves a request as every emulator does: first the service's checks, then the fault plan, then the operation. */
export async function serveRequest<Fault extends string, Plan extends CommonFaultPlan<Fault | 'lostAck'>>(
  request: HttpRequest,
  { faults, stats }: Instruments<Fault, Plan>,
  open: () => Exchange<Fault, Plan>,
): Promise<Reaction> {
  if (faults.plan.down) {
    stats.injected('down');
    return 'reset';
  }
  const exchange = open();
  try {
    return await run(await exchange.check());
  } catch (thrown) {
    return exchange.refuse(thrown);
  }

  async function run(operation: Operation<Fault, Plan>): Promise<Reaction> {
    const leave = operation.inFlightKey === undefined ? () => {} : stats.enter(operation.inFlightKey);
    request.closed.addEventListener('abort', leave, { once: true });
    const isInScope = operation.isInScope(faults.plan);
    const reaction = isInScope ? react(operation) : attempt(() => operation.perform());
    if (reaction === 'hang') return reaction;
    const delayMs = isInScope ? faults.drawDelayMs() : 0;
    // The delay rejects only when the connection closes; no client waits for the response then.
    if (delayMs > 0) await delay(delayMs, undefined, { signal: request.closed }).catch(() => {});
    // Before the response: a client may send its next request before this one's connection reports its end.
    leave();
    return reaction;
  }

  function react(operation: Operation<Fault, Plan>): Reaction {
    const fault = operation.isPoisoned(faults.plan) ? 'poison' : faults.draw();
    if (fault === undefined || operation.ignores?.(fault)) return attempt(() => operation.perform());
    stats.injected(fault);
    if (fault !== 'lostAck') return attempt(() => operation.inject(fault, faults.plan));
    attempt(() => operation.perform());
    return 'reset';
  }

  function attempt(work: () => Reaction): Reaction {
    try {
      return work();
    } catch (thrown) {
      return exchange.refuse(thrown);
    }
  }
}
