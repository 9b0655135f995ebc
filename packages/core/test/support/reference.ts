import { type Batch, type DeliveryCode, DeliveryError, type DeliveryStats, type SendOutcome } from '../../src/index.js';
import { ReferenceLedger, sum } from './reference-ledger.js';
import { ReferencePace } from './reference-pace.js';
import type { Outcome, Part, Request, Settings, Sights, Whole } from './reference-types.js';

const HALVING = ['INVALID', 'TOO_LARGE'];
const SLOW = ['AUTH', 'NOT_FOUND', 'MISCONFIGURED'];

/** A shipper as seen from outside: every record and its fate. Notes each broken promise. */
export class Reference extends ReferenceLedger {
  readonly flights = new Set<Request>();
  /** When `close()` has to be over, on the monotonic clock. */
  closesAtMs: number | undefined;
  isOver = false;
  readonly #failing = new Set<string>();
  /** Routes with a stored batch and others that wait; a new route is tried with one batch first. */
  readonly #working = new Set<string>();
  /** Routes that had any failure since their last success. */
  readonly #unwell = new Set<string>();
  readonly #successes: { readonly batch: Batch; readonly first: Part }[] = [];
  #requests = 0;
  #ambiguous = 0;
  #bytes = 0;
  #lastCode: DeliveryCode | undefined;
  /** Number of requests when a flush began, until the check that it sends at once. */
  #requestsAtFlush: number | undefined;
  /** Parts that a newer batch overtook, until the check that they are lost: losses are reported at the end of the turn. */
  readonly #overtaken = new Set<Part>();
  /** The number of refusals as invalid, of a batch and of its parts. */
  readonly #refusals = new Map<Batch, number>();
  /** Batches refused as invalid of which a part was stored. */
  readonly #partlyStored = new Set<Batch>();

  readonly #pace: ReferencePace;

  constructor(settings: Settings, seen: Sights, maxBytes: number) {
    super(settings, seen, maxBytes);
    this.#pace = new ReferencePace(settings, seen, () => this.#liveRoutes.size);
  }

  sent(batch: Batch, nowMs: number): Request {
    this.batcher.sealDue(nowMs);
    const parts = batch.events.map((event) => this.parts.get(event.payload) as Part);
    const { route } = batch;
    const first = parts[0] as Part;
    const { concurrency, ordered } = this.settings;
    const inFlight = this.flights.size;
    this.is(!this.isOver, 'sends after close is over');
    this.is(
      parts.every((part) => part.fate === 'pending'),
      'sends settled records',
    );
    this.is(!parts.some((part) => part.flight), 'sends records that are in flight');
    this.is(inFlight < Math.min(concurrency, Math.floor(this.#pace.slots)), 'sends more than it may at a time');
    this.is(!this.#pace.isOutage || inFlight === 0, 'sends more than a probe in an outage');
    const onRoute = [...this.flights].filter((flight) => flight.route === route).length;
    this.is(this.#working.has(route) || onRoute === 0, 'tries a new route with more than one batch');
    this.is(!ordered || onRoute === 0, 'has two requests of a route in flight when ordered');
    if (this.#failing.has(route)) {
      const toFailing = [...this.flights].filter((flight) => this.#failing.has(flight.route)).length;
      this.seen.failingRoute++;
      this.is(onRoute === 0, 'has two requests of a failing route in flight');
      this.is(
        toFailing < Math.max(1, Math.floor(this.#pace.slots / 2)),
        'gives failing routes more than half of the slots',
      );
    }
    if (this.#pace.isOutage) this.seen.probe++;
    this.is(this.closesAtMs !== undefined || this.#pace.pausedUntilMs <= nowMs, 'sends probes without a pause');
    this.is(
      parts.every((part) => part.askedUntilMs <= nowMs),
      'retries before Retry-After is over',
    );
    this.is(
      this.closesAtMs !== undefined || parts.every((part) => part.sleepsUntilMs <= nowMs),
      'retries before the backoff is over',
    );
    const origin = first.first?.batch;
    this.is(
      parts.every((part) => part.first?.batch === origin),
      'mixes batches',
    );
    const lowestPosition = Math.min(...parts.map((part) => part.position));
    for (const [index, part] of parts.entries()) part.first ??= { batch, index, lowestPosition };
    if (ordered) {
      const firstPosition = first.first?.lowestPosition ?? 0;
      for (const part of this.pending)
        if (part.route === route && part.first?.batch !== first.first?.batch && part.position < firstPosition)
          this.#overtaken.add(part);
    }
    const request = { number: ++this.#requests, route, batch, parts, successes: this.#pace.successes, over: false };
    for (const part of parts) part.flight = request;
    this.flights.add(request);
    return request;
  }

  /** A request ends. */
  ended(request: Request, outcome: Outcome, nowMs: number): void {
    if (request.over) {
      this.seen.lateResponse++;
      return;
    }
    this.batcher.sealDue(nowMs);
    this.#land(request);
    if (DeliveryError.is(outcome)) this.#failed(request, outcome, nowMs);
    else this.#stored(request, outcome);
  }

  /** The signal of a request was aborted: its time is over, or `close()` gave up. */
  aborted(request: Request, nowMs: number): void {
    if (request.over) return;
    if (this.closesAtMs !== undefined && nowMs >= this.closesAtMs) {
      this.#land(request);
      this.#ambiguous++;
      this.seen.closeWithFlight++;
      return;
    }
    this.seen.timedOut++;
    this.ended(request, new DeliveryError('TIMEOUT', '', { ambiguous: true }), nowMs);
  }

  /** Ends the backoffs, as a flush does. */
  flushed(nowMs: number): void {
    this.batcher.sealAll();
    const asked = new Set([...this.pending].filter((part) => part.askedUntilMs > nowMs).map((part) => part.route));
    if ([...this.pending].some((part) => !asked.has(part.route) && !part.refusedAlone && !part.flight))
      this.#requestsAtFlush ??= this.#requests;
    this.#pace.wake();
    for (const part of this.pending) {
      if (part.askedUntilMs > nowMs) this.seen.askedAndFlushed++;
      if (part.sleepsUntilMs > nowMs) this.seen.flushDuringBackoff++;
      part.sleepsUntilMs = 0;
      part.failures = 0;
    }
  }

  /** Compares with the counters of the shipper, when nothing is on its way. */
  check(stats: DeliveryStats, nowMs: number): void {
    this.batcher.sealDue(nowMs);
    this.checkLedger(stats, nowMs);
    const expected = {
      inFlight: this.flights.size,
      requests: this.#requests,
      concurrency: this.#pace.isOutage ? 1 : Math.floor(this.#pace.slots),
      ambiguous: this.#ambiguous,
      bytes: this.#bytes,
      wireBytes: this.#bytes,
      callbackErrors: 0,
    };
    this.compare(stats, expected);
    // A refusal of all records of a batch alike is reported as a wrong setting.
    const isBlamed = this.#lastCode === 'INVALID' && stats.lastError?.code === 'MISCONFIGURED';
    // The first AGAIN of a batch is no failure, the second in a row is one.
    const isKnown = [this.#lastCode, 'AGAIN'].includes(stats.lastError?.code);
    this.is(isBlamed || isKnown, `says the last error is ${stats.lastError?.code}`);
    this.is(sum(Object.values(stats.retries)) <= stats.requests, 'counts more retries than requests');
    if (this.#requestsAtFlush !== undefined && this.pending.size > 0)
      this.is(this.#requests > this.#requestsAtFlush || this.flights.size > 0, 'does not try at once on a flush');
    this.#requestsAtFlush = undefined;
    for (const part of this.pending) {
      // An older batch in flight delays the check of its age.
      const mostMs = this.settings.maxAgeMs + this.settings.requestTimeoutMs;
      const isTooOld = nowMs - part.acceptedAtMs > mostMs && !part.flight;
      this.is(!isTooOld || !this.#failing.has(part.route), 'keeps records that are too old');
    }
    const isOvertaken = [...this.#overtaken].some((part) => part.fate !== 'dropped');
    this.is(!isOvertaken, 'sends a batch before an older one when ordered');
    this.#overtaken.clear();
    this.is(this.foreseen.size === 0, 'does not report a loss');
    this.#checkOrder();
    this.#checkPromptness();
    if (this.isOver) this.is(this.pending.size === 0, 'leaves records pending after close');
  }

  /** A due batch of a healthy route is sent as soon as a slot is free. Other routes do not matter. */
  #checkPromptness(): void {
    if (this.#pace.isOutage || this.flights.size >= Math.floor(this.#pace.slots)) return;
    const { ordered } = this.settings;
    for (const part of this.pending) {
      const isTried = [...this.pending].some((other) => other.route === part.route && other.first);
      const isBlocked = isTried && (ordered || !this.#working.has(part.route));
      if (part.sealed && !part.first && !this.#unwell.has(part.route) && !isBlocked)
        this.is(false, 'lets a batch wait');
    }
  }

  /** When ordered, no part is stored after a later part of its batch. */
  #checkOrder(): void {
    if (this.settings.ordered)
      for (const { first } of this.#successes)
        for (const part of this.pending)
          if (part.first?.batch === first.first?.batch && (part.first?.index ?? 0) < (first.first?.index ?? 0))
            this.is(false, 'stores parts of a batch in another order');
    this.#successes.length = 0;
  }

  #stored({ route, batch, parts }: Request, outcome: SendOutcome): void {
    const rejected = new Map(outcome.rejected.map(({ index, reason }) => [index, reason]));
    for (const [index, part] of parts.entries()) {
      part.rejection = rejected.get(index);
      if (!part.rejection) this.settle(part);
    }
    this.#bytes += batch.bytes;
    this.#pace.succeeded();
    for (const { search } of parts) if (search) this.#partlyStored.add(search);
    this.#failing.delete(route);
    this.#unwell.delete(route);
    if (this.#liveRoutes.has(route)) this.#working.add(route);
    this.#successes.push({ batch, first: parts[0] as Part });
    this.seen.delivered++;
    this.seen.rejected += rejected.size;
  }

  #failed(request: Request, { code, retryAfterMs, ambiguous }: DeliveryError, nowMs: number): void {
    const { route, parts } = request;
    this.#unwell.add(route);
    if (code !== 'AGAIN') this.#lastCode = code;
    if (ambiguous) this.#ambiguous++;
    this.#pace.failed(code, request, this.#requests);
    if (this.settings.ordered) this.seen.orderedFailure++;
    if (code === 'INVALID') for (const part of parts) part.search ??= request.batch;
    if (code === 'INVALID' && this.#isHopeless(parts[0] as Part)) {
      for (const part of parts) part.failures = 0;
      return;
    }
    if (HALVING.includes(code)) {
      if (parts.length > 1) this.#halve(parts);
      else (parts[0] as Part).refusedAlone = code;
      for (const part of parts) part.failures = 0;
      return;
    }
    if (code === 'AGAIN') {
      this.seen.repeated++;
      return;
    }
    this.#failing.add(route);
    const { jitter, capMs, baseMs, throttledBaseMs } = this.settings;
    const firstMs = code === 'THROTTLED' ? throttledBaseMs : baseMs;
    this.#pace.backOff(code, nowMs);
    for (const part of parts) {
      const backoffMs = SLOW.includes(code)
        ? 30_000 * (1 + jitter)
        : jitter * Math.min(capMs, firstMs * 2 ** part.failures);
      part.failures++;
      part.sleepsUntilMs = nowMs + backoffMs;
      if (retryAfterMs) part.askedUntilMs = nowMs + retryAfterMs;
    }
  }

  /** Whether the search is given up. Then its parts are sent as they are, also those that were refused alone. */
  #isHopeless({ search }: Part): boolean {
    if (!search) return false;
    const refusals = (this.#refusals.get(search) ?? 0) + 1;
    this.#refusals.set(search, refusals);
    const maxRefusals = 2 * Math.ceil(Math.log2(search.events.length)) + 4;
    if (this.#partlyStored.has(search) || refusals < maxRefusals) return false;
    for (const part of this.pending) if (part.search === search) part.refusedAlone = undefined;
    return true;
  }

  #halve(parts: readonly Part[]): void {
    this.seen.halved++;
    const middle = Math.ceil(parts.length / 2);
    const { openedPosition = 0, offset = 0 } = parts[0]?.group ?? {};
    const halves = [0, middle].map((start) => ({ openedPosition, offset: offset + start }));
    for (const [index, part] of parts.entries()) part.group = halves[index < middle ? 0 : 1];
  }

  protected override mayLose(part: Part, reason: string, nowMs: number): void {
    const { maxAgeMs, maxDelayMs } = this.settings;
    switch (reason) {
      case 'invalid':
        this.seen.convicted++;
        this.is(part.refusedAlone === 'INVALID', 'drops as invalid a record that was not refused alone');
        this.is(this.#isConvicted(part, nowMs), 'drops as invalid before the fate of its batch is known');
        return;
      case 'too-large':
        this.seen.tooLarge++;
        this.is(part.refusedAlone === 'TOO_LARGE', 'drops as too large a record that was not refused alone');
        return;
      case 'expired':
        this.seen.expired++;
        this.is(nowMs - part.acceptedAtMs >= maxAgeMs - maxDelayMs, 'drops as expired too early');
        this.is(this.#pace.isOutage || this.#unwell.has(part.route), 'drops as expired a record of a healthy route');
        return;
      case 'undeliverable':
        this.seen.undeliverable++;
        this.is(this.closesAtMs !== undefined, 'drops as undeliverable before close');
        return;
      default:
        this.is(false, `loses an accepted record as ${reason}`);
    }
  }

  /** Whether another part of its batch was stored, or all others were refused, too, or are lost for other reasons. */
  #isConvicted({ search }: Part, nowMs: number): boolean {
    const { overflow, maxAgeMs, maxDelayMs } = this.settings;
    if (!search || this.#partlyStored.has(search)) return true;
    if (overflow === 'drop-oldest' || this.closesAtMs !== undefined) return true;
    const others = [...this.pending].filter((part) => part.search === search && !part.refusedAlone);
    return others.every((part) => nowMs - part.acceptedAtMs >= maxAgeMs - maxDelayMs);
  }

  protected override settle(part: Part, loss?: Whole['loss']): void {
    super.settle(part, loss);
    // A route without waiting batches is forgotten.
    if (this.#liveRoutes.has(part.route)) return;
    this.#failing.delete(part.route);
    this.#working.delete(part.route);
  }

  get #liveRoutes(): ReadonlySet<string> {
    return new Set([...this.pending].filter((part) => part.sealed).map((part) => part.route));
  }

  #land(request: Request): void {
    request.over = true;
    this.flights.delete(request);
    for (const part of request.parts) part.flight = undefined;
  }
}
