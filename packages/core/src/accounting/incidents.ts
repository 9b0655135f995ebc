import type { Clock, Timer } from '../contract/clock.js';
import { type DeliveryCode, DeliveryError, isOperatorFault } from '../contract/errors.js';
import { durationText } from '../tools/time.js';
import type { Reporter } from './reporter.js';

/** A route without a success for this time since its first failure is told of. A retry that succeeds sooner is no incident. */
const LASTING_MS = 10_000;

/** Shortest time between two reports of what lasts, and between two of its end. What comes meanwhile is told together. */
const QUIET_MS = 30_000;

/** Most routes that are remembered: the oldest is forgotten. */
const MAX_ROUTES = 1000;

interface Dependencies {
  readonly reporter: Pick<Reporter, 'failed'>;
  readonly clock: Clock;
  /** The routes that have records which are not settled. */
  readonly waitingRoutes: () => ReadonlySet<string>;
  /** Names a route for people. */
  readonly targetOf: (route: string) => string;
}

/**
 * The failures of each route since its last success. An incident begins with the first failure and ends with a success. It is
 * reported once: after 10 s, at once if only an operator can mend the fault, or when records are given up for it. Its end is
 * reported if it was. While the destination takes nothing at all, further routes with the same code are the same incident.
 */
export class Incidents {
  readonly #dependencies: Dependencies;
  /** By route, the oldest first. */
  readonly #open = new Map<string, Incident>();
  /** Reported since the last success of the destination. */
  readonly #toldCodes = new Set<DeliveryCode>();
  /** Those that were reported, and have ended since the last report of an end. */
  #ended: Ended | undefined;
  #quietUntilMs = Number.NEGATIVE_INFINITY;
  #endsQuietUntilMs = Number.NEGATIVE_INFINITY;
  #timer: { readonly timer: Timer; readonly atMs: number } | undefined;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /** An attempt failed. */
  failed(route: string, error: DeliveryError): void {
    const incident = this.#open.get(route) ?? this.#begin(route, error);
    incident.attempts++;
    incident.error = error;
    if (isOperatorFault(error)) {
      incident.isTold = true;
      this.#dependencies.reporter.failed(error);
    } else if (this.#isUntold(incident)) this.#wakeAt(incident.dueAtMs);
  }

  /** An attempt succeeded. */
  succeeded(route: string): void {
    if (this.#open.size === 0) return;
    const nowMs = this.#dependencies.clock.monotonic();
    const incident = this.#open.get(route);
    this.#open.delete(route);
    if (this.#toldCodes.size > 0) this.#destinationWorks(nowMs);
    if (!incident?.isTold) return;
    const { routes = 0, attempts = 0, durationMs = 0 } = this.#ended ?? {};
    this.#ended = {
      routes: routes + 1,
      attempts: attempts + incident.attempts,
      durationMs: Math.max(durationMs, nowMs - incident.beganAtMs),
      route,
      error: incident.error,
    };
    this.#wakeAt(Math.max(nowMs, this.#endsQuietUntilMs));
  }

  /** Records of a route are given up, or left on disk at an end: the failures are the reason, however short they lasted. */
  gaveUp(route: string): void {
    const incident = this.#open.get(route);
    if (incident && this.#isUntold(incident)) this.#tell([incident]);
  }

  /** The shipper ends: an end that waits for its time is reported now. */
  end(): void {
    this.#tellEnd();
    this.#timer?.timer.cancel();
    this.#timer = undefined;
  }

  #begin(route: string, error: DeliveryError): Incident {
    const nowMs = this.#dependencies.clock.monotonic();
    const incident: Incident = { beganAtMs: nowMs, dueAtMs: nowMs + LASTING_MS, attempts: 0, error, isTold: false };
    const [oldest] = this.#open.keys();
    if (oldest !== undefined && this.#open.size >= MAX_ROUTES) this.#open.delete(oldest);
    this.#open.set(route, incident);
    return incident;
  }

  /** The outage is over. The routes that it had stopped, and nobody was told of, get their time to succeed. */
  #destinationWorks(nowMs: number): void {
    this.#toldCodes.clear();
    const dueAtMs = nowMs + LASTING_MS;
    let isAnyUntold = false;
    for (const incident of this.#open.values()) {
      if (incident.isTold) continue;
      incident.dueAtMs = dueAtMs;
      isAnyUntold = true;
    }
    if (isAnyUntold) this.#wakeAt(dueAtMs);
  }

  #wakeAt(atMs: number): void {
    if (this.#timer && this.#timer.atMs <= atMs) return;
    const { clock } = this.#dependencies;
    this.#timer?.timer.cancel();
    const nowMs = clock.monotonic();
    if (atMs <= nowMs) {
      this.#timer = undefined;
      this.#look(nowMs);
      return;
    }
    const timer = clock.setTimer(() => {
      this.#timer = undefined;
      this.#look(clock.monotonic());
    }, atMs - nowMs);
    timer.unref();
    this.#timer = { timer, atMs };
  }

  /** Reports what is due, and derives the time of the next look from what is left. */
  #look(nowMs: number): void {
    if (nowMs >= this.#endsQuietUntilMs) this.#tellEnd();
    if (nowMs >= this.#quietUntilMs) this.#tellDue(nowMs);
    let nextMs = this.#ended ? this.#endsQuietUntilMs : Number.POSITIVE_INFINITY;
    for (const incident of this.#open.values())
      if (this.#isUntold(incident)) nextMs = Math.min(nextMs, Math.max(incident.dueAtMs, this.#quietUntilMs));
    if (nextMs < Number.POSITIVE_INFINITY) this.#wakeAt(nextMs);
  }

  /** False also for a route of an outage that was reported: a success of the destination gives it a time of its own. */
  #isUntold({ isTold, error }: Incident): boolean {
    return !isTold && !this.#toldCodes.has(error.code);
  }

  /** Reports the incidents that are due, one report for each code. */
  #tellDue(nowMs: number): void {
    const due = [...this.#open].filter(([, incident]) => this.#isUntold(incident) && incident.dueAtMs <= nowMs);
    if (due.length === 0) return;
    const waiting = this.#dependencies.waitingRoutes();
    const byCode = new Map<DeliveryCode, [Incident, ...Incident[]]>();
    for (const [route, incident] of due) {
      const { code } = incident.error;
      const others = byCode.get(code);
      if (!waiting.has(route)) this.#open.delete(route);
      else if (others) others.push(incident);
      else byCode.set(code, [incident]);
    }
    for (const incidents of byCode.values()) this.#tell(incidents);
  }

  /** Reports incidents with the same code. */
  #tell(incidents: readonly [Incident, ...Incident[]]): void {
    const { reporter, clock } = this.#dependencies;
    const nowMs = clock.monotonic();
    for (const incident of incidents) incident.isTold = true;
    this.#toldCodes.add(incidents[0].error.code);
    this.#quietUntilMs = nowMs + QUIET_MS;
    reporter.failed(lasting(incidents, nowMs));
  }

  #tellEnd(): void {
    if (!this.#ended) return;
    const { reporter, clock, targetOf } = this.#dependencies;
    const { routes, route, attempts, durationMs, error } = this.#ended;
    this.#ended = undefined;
    this.#endsQuietUntilMs = clock.monotonic() + QUIET_MS;
    const target = routes === 1 ? targetOf(route) : `${routes} targets`;
    const duration = `${routes === 1 ? '' : 'at most '}${durationText(durationMs)}`;
    const message = `delivery to ${target} goes on again after ${duration}, ${failed(attempts)}`;
    reporter.failed(new DeliveryError('RECOVERED', message, { cause: error }));
  }
}

interface Incident {
  /** Time of the first failure, on the monotonic clock. */
  readonly beganAtMs: number;
  /** When it is reported, on the monotonic clock. */
  dueAtMs: number;
  /** Failures so far. */
  attempts: number;
  /** The last failure. */
  error: DeliveryError;
  isTold: boolean;
}

/** Incidents that have ended, added up. */
interface Ended {
  readonly routes: number;
  /** The route of the last, and its last failure. */
  readonly route: string;
  readonly error: DeliveryError;
  readonly attempts: number;
  /** Of the longest. */
  readonly durationMs: number;
}

/** The error for incidents with the same code. */
function lasting(incidents: readonly [Incident, ...Incident[]], nowMs: number): DeliveryError {
  const { error: last } = incidents.at(-1) ?? incidents[0];
  const beganAtMs = Math.min(...incidents.map((incident) => incident.beganAtMs));
  const attempts = incidents.reduce((sum, incident) => sum + incident.attempts, 0);
  const where = incidents.length === 1 ? '' : ` to ${incidents.length} targets`;
  const message = `nothing delivered${where} for ${durationText(nowMs - beganAtMs)}, ${failed(attempts)}${attempts === 1 ? '' : ', the last'}: ${last.message}`;
  const { code, retryAfterMs, ambiguous, requestId } = last;
  return new DeliveryError(code, message, { cause: last, retryAfterMs, ambiguous, requestId });
}

function failed(attempts: number): string {
  return attempts === 1 ? '1 attempt failed' : `${attempts} attempts failed`;
}
