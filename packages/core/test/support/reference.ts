import { type Batch, type DeliveryCode, DeliveryError, type DeliveryStats, type SendOutcome } from '../../src/index.js';
import { textOf } from './payloads.js';
import { sortByTime } from './reference-batcher.js';
import { ReferenceLedger, sum } from './reference-ledger.js';
import { ReferencePace } from './reference-pace.js';
import { ReferenceRefusals } from './reference-refusals.js';
import {
  type Group,
  joinGroups,
  newGroup,
  type Outcome,
  type Part,
  precedes,
  type Request,
  type Settings,
  type Sights,
  type Whole,
} from './reference-types.js';

const HALVING = ['INVALID', 'TOO_LARGE'];
const SLOW = ['AUTH', 'NOT_FOUND', 'MISCONFIGURED'];

/** A shipper as seen from outside: every record and its fate. Notes each broken promise. */
export class Reference extends ReferenceLedger {
  readonly flights = new Set<Request>();
  /** When `close()` has to be over, on the monotonic clock. */
  closesAtMs: number | undefined;
  isOver = false;
  readonly #failing = new Set<string>();
  /** Routes that worked: only a new one is tried with one batch first. */
  readonly #working = new Set<string>();
  /** Routes that worked last, also while they have no batch. */
  readonly #remembered = new Set<string>();
  /** End of the wait that the service asked of a route. */
  readonly #asked = new Map<string, number>();
  #isAskedInClose = false;
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
  readonly #refusals = new ReferenceRefusals();
  readonly #pace: ReferencePace;

  constructor(settings: Settings, seen: Sights, maxBytes: number) {
    super(settings, seen, maxBytes);
    this.#pace = new ReferencePace(settings, seen, () => this.#liveRoutes.size);
  }

  sent(batch: Batch, atMs: number): Request {
    // Sums of fractions of a millisecond can differ in the last digit.
    const nowMs = atMs + 0.001;
    this.batcher.sealDue(nowMs);
    const parts = batch.events.map((event) => this.parts.get(textOf(event.payload)) as Part);
    const { route } = batch;
    const first = parts[0] as Part;
    const { concurrency, ordered } = this.settings;
    const inFlight = this.flights.size;
    const isHurried = this.closesAtMs !== undefined;
    this.is(!this.isOver, 'sends after close is over');
    this.is(
      parts.every((part) => part.fate === 'pending'),
      'sends settled records',
    );
    this.is(!parts.some((part) => part.flight), 'sends records that are in flight');
    this.#joinTo(parts, nowMs);
    this.triedToMs.set(
      route,
      Math.max(this.triedToMs.get(route) ?? Number.NEGATIVE_INFINITY, (first.group as Group).toMs),
    );
    this.#cutTo(parts);
    this.is(inFlight < Math.min(concurrency, Math.floor(this.#pace.slots)), 'sends more than it may at a time');
    this.is(!this.#pace.isGeneral || inFlight === 0, 'sends more than a probe in an outage');
    const onRoute = [...this.flights].filter((flight) => flight.route === route);
    this.is(this.#working.has(route) || onRoute.length === 0, 'tries a new route with more than one batch');
    this.is(!ordered || onRoute.length === 0, 'has two requests of a route in flight when ordered');
    const isProven = this.#isProven(route);
    if (!isProven)
      this.is(this.#unprovenFlights < this.#pace.unprovenSlots, 'gives all slots to routes that do not work');
    if (this.#failing.has(route)) {
      const toFailing = [...this.flights].filter((flight) => this.#failing.has(flight.route)).length;
      this.seen.failingRoute++;
      this.is(onRoute.length === 0, 'has two requests of a failing route in flight');
      this.is(
        toFailing < Math.max(1, Math.floor(this.#pace.slots / 2)),
        'gives failing routes more than half of the slots',
      );
    }
    if (this.#pace.isOutage) this.seen[isProven && !this.#pace.isGeneral ? 'provenInOutage' : 'probe']++;
    const isProbe = this.#pace.isGeneral || !isProven;
    this.is(isHurried || !isProbe || this.#pace.pausedUntilMs <= nowMs, 'sends probes without a pause');
    this.is(isHurried || this.#pace.heldUntilMs <= nowMs, 'sends while the service asked several routes to wait');
    this.is(isHurried || (this.#asked.get(route) ?? 0) <= nowMs, 'sends on a route before Retry-After is over');
    this.is(isHurried || parts.every((part) => part.askedUntilMs <= nowMs), 'retries before Retry-After is over');
    this.is(isHurried || parts.every((part) => part.sleepsUntilMs <= nowMs), 'retries before the backoff is over');
    const origin = first.first?.batch;
    this.is(
      parts.every((part) => part.first?.batch === origin && part.group === first.group),
      'mixes batches',
    );
    for (const [index, part] of parts.entries()) part.first ??= { batch, index };
    this.#checkMilliseconds(parts, onRoute);
    if (ordered)
      for (const part of this.pending)
        if (part.route === route && part.sealed && precedes(part.group, first.group)) this.#overtaken.add(part);
    const request = {
      number: ++this.#requests,
      route,
      batch,
      parts,
      atMs,
      successes: this.#pace.successes,
      isProven,
      over: false,
    };
    for (const part of parts) part.flight = request;
    this.flights.add(request);
    return request;
  }

  /** Batches that wait join the one before them, if none of them was tried: as many as the limits allow. */
  #joinTo(parts: readonly Part[], nowMs: number): void {
    const { route, first } = parts[0] as Part;
    const groups = new Set(parts.map((part) => part.group as Group));
    const sent = [...groups].reduce((a, b) => (precedes(b, a) ? b : a));
    const waiting = [...this.pending].filter((part) => part.route === route && part.sealed && !part.flight);
    const tried = new Set(
      waiting
        .filter(
          (part) => part.first && part.sleepsUntilMs > nowMs && !part.wasSuspect && !groups.has(part.group as Group),
        )
        .map(({ group }) => group),
    );
    const fresh = [...new Set(waiting.filter((part) => !part.first).map((part) => part.group as Group))];
    const behind = fresh.filter((group) => precedes(sent, group)).sort((a, b) => (precedes(a, b) ? -1 : 1));
    const joined = behind.filter((group) => groups.has(group));
    this.is(joined.length === 0 || !first, 'puts a batch behind one that was tried');
    this.is(groups.size === joined.length + 1, 'joins a batch that was tried');
    this.is(
      joined.every((group) => behind[joined.indexOf(group)] === group),
      'joins batches out of order',
    );
    if (joined.length > 0) this.seen.joined++;
    const all = waiting.filter((part) => groups.has(part.group as Group));
    this.is(this.fits(all) || joined.length === 0, 'joins more than a request takes');
    const next = behind[joined.length];
    const withNext = waiting.filter((part) => groups.has(part.group as Group) || part.group === next);
    const isFree = ![...this.flights].some((flight) => flight.route === route) && tried.size === 0;
    const bytes = withNext.reduce((sum, part) => sum + part.bytes, 0);
    if (next && !first && isFree && !this.#refusals.mayCut(bytes))
      this.is(!this.fits(withNext), 'sends a batch alone that another could join');
    joinGroups(sent, joined);
    for (const part of all) part.group = sent;
  }

  /** A batch can be cut before it is sent, since the destination refused this size. */
  #cutTo(parts: readonly Part[]): void {
    const [first] = parts;
    for (;;) {
      const whole = [...this.pending].filter((part) => part.group === first?.group).sort(byTime);
      if (whole.length <= parts.length) return;
      const bytes = whole.reduce((sum, part) => sum + part.bytes, 0);
      this.is(this.#refusals.mayCut(bytes), 'cuts a batch without need');
      this.seen.cutToSize++;
      this.#halve(whole);
    }
  }

  /** Batches that share a millisecond go one after another, in order of acceptance. */
  #checkMilliseconds(parts: readonly Part[], onRoute: readonly Request[]): void {
    const times = new Map(parts.map((part) => [part.time, part]));
    for (const flight of onRoute)
      this.is(!flight.parts.some(({ time }) => times.has(time)), 'has two batches of a millisecond in flight');
    for (const part of this.pending) {
      const last = part.route === parts[0]?.route && !parts.includes(part) ? times.get(part.time) : undefined;
      if (last) this.seen.sharedMillisecond++;
      if (last && part.position < last.position) this.#overtaken.add(part);
    }
  }

  #isProven(route: string): boolean {
    return this.#working.has(route) && !this.#failing.has(route);
  }

  get #unprovenFlights(): number {
    return [...this.flights].filter((flight) => !this.#isProven(flight.route)).length;
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
    if ([...this.pending].some((part) => !part.flight)) this.#requestsAtFlush ??= this.#requests;
    this.#pace.wake();
    this.#asked.clear();
    for (const part of this.pending) {
      if (part.askedUntilMs > nowMs) {
        this.seen.askedAndFlushed++;
        if (this.isClosed) part.wasTriedInSpite = true;
      }
      part.askedUntilMs = 0;
      if (part.sleepsUntilMs > nowMs) this.seen.flushDuringBackoff++;
      part.sleepsUntilMs = 0;
      part.failures = 0;
      part.throttled = 0;
    }
  }

  /** Compares with the counters of the shipper, when nothing is on its way. */
  check(stats: DeliveryStats, nowMs: number): void {
    this.batcher.sealDue(nowMs);
    this.checkLedger(stats, nowMs);
    const expected = {
      inFlight: this.flights.size,
      requests: this.#requests,
      concurrency: this.#pace.isGeneral ? 1 : Math.floor(this.#pace.slots),
      ambiguous: this.#ambiguous,
      bytes: this.#bytes,
      wireBytes: this.#bytes,
      callbackErrors: 0,
    };
    this.compare(stats, expected);
    // A refusal of all records of a batch alike is reported as a wrong setting.
    const isBlamed = HALVING.includes(this.#lastCode ?? '') && stats.lastError?.code === 'MISCONFIGURED';
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
      const isOld = ({ group }: Part): boolean => nowMs - (group as Group).youngestAtMs > mostMs;
      const isTooOld =
        isOld(part) &&
        !part.flight &&
        ![...this.pending].some((other) => precedes(other.group, part.group) && !isOld(other));
      this.is(!isTooOld || !this.#failing.has(part.route), 'keeps records that are too old');
    }
    const isOvertaken = [...this.#overtaken].some((part) => part.fate !== 'dropped' && !part.wasSuspect);
    this.is(!isOvertaken, 'sends a batch before an older one that has to come first');
    this.#overtaken.clear();
    this.is(this.foreseen.size === 0, 'does not report a loss');
    this.#checkOrder();
    this.#checkPromptness(nowMs);
    if (this.isOver) this.is(this.pending.size === 0, 'leaves records pending after close');
  }

  /** A due batch of a healthy route is sent as soon as a slot is free. Other routes do not matter. */
  #checkPromptness(nowMs: number): void {
    const { isOutage, heldUntilMs, slots, unprovenSlots } = this.#pace;
    const isLastSlot = this.#pace.successes > 0 && slots >= 4 && this.flights.size === Math.floor(slots) - 1;
    if (isOutage || heldUntilMs > nowMs || this.#isAskedInClose || this.flights.size >= Math.floor(slots)) return;
    // It is kept for routes that worked lately.
    if (isLastSlot) return;
    for (const route of this.#liveRoutes) {
      if (this.#unwell.has(route) || (this.#asked.get(route) ?? 0) > nowMs) continue;
      if (!this.#isProven(route) && this.#unprovenFlights >= unprovenSlots) continue;
      const waiting = [...this.pending].filter((part) => part.route === route && part.sealed && !part.flight);
      if (waiting.some((part) => part.first)) continue;
      const [next] = waiting.map((part) => part.group as Group).sort((a, b) => (precedes(a, b) ? -1 : 1));
      if (next && nowMs < next.acceptedAtMs + this.#pace.mostWaitMs(route)) continue;
      const onRoute = [...this.flights].filter((flight) => flight.route === route);
      const isBlocked = onRoute.some(
        ({ parts: [flying] }) => this.settings.ordered || !this.#working.has(route) || sharesTime(flying?.group, next),
      );
      this.is(next === undefined || isBlocked, 'lets a batch wait');
    }
  }

  /** When ordered, no part is stored after a later part of its batch. */
  #checkOrder(): void {
    if (this.settings.ordered)
      for (const { first } of this.#successes)
        for (const part of this.pending)
          if (
            !part.wasSuspect &&
            part.first?.batch === first.first?.batch &&
            (part.first?.index ?? 0) < (first.first?.index ?? 0)
          )
            this.is(false, 'stores parts of a batch in another order');
    this.#successes.length = 0;
  }

  #stored({ route, batch, parts }: Request, outcome: SendOutcome): void {
    const rejected = new Map(outcome.rejected.map(({ index, reason }) => [index, reason]));
    this.#pace.succeeded(this.#failing);
    for (const [index, part] of parts.entries()) {
      part.rejection = rejected.get(index);
      if (!part.rejection) this.settle(part);
    }
    this.#bytes += batch.bytes;
    if (rejected.size < parts.length) this.#refusals.taken(route, batch.bytes, parts.length);
    for (const part of this.pending) if (part.group?.waitsForProof) part.sleepsUntilMs = 0;
    this.#failing.delete(route);
    this.#unwell.delete(route);
    this.#working.add(route);
    this.#remembered.add(route);
    this.#successes.push({ batch, first: parts[0] as Part });
    this.seen.delivered++;
    this.seen.rejected += rejected.size;
  }

  #failed(request: Request, { code, retryAfterMs = 0, ambiguous }: DeliveryError, nowMs: number): void {
    const { route, parts } = request;
    const group = parts[0]?.group as Group;
    this.#unwell.add(route);
    if (code !== 'AGAIN') this.#lastCode = code;
    if (ambiguous) this.#ambiguous++;
    const isRefusal = HALVING.includes(code);
    const isBlamed = isRefusal && this.#refusals.refused(route, group, parts, code);
    this.#pace.failed(code, request, this.#requests, isBlamed);
    if (this.settings.ordered) this.seen.orderedFailure++;
    if (isBlamed) this.seen.blamed++;
    group.waitsForProof = isBlamed;
    if (isRefusal && parts.length === 1) Object.assign(parts[0] as Part, { refusedAlone: code });
    // Others pass a batch that was refused and is not halved.
    if (isBlamed || (isRefusal && parts.length === 1)) for (const part of parts) part.wasSuspect = true;
    if (isRefusal && !isBlamed) {
      group.repeated = false;
      for (const part of parts) Object.assign(part, { failures: 0, throttled: 0 });
      if (parts.length > 1) this.#halve(parts);
      return;
    }
    if (code === 'AGAIN' && !group.repeated) {
      group.repeated = true;
      this.seen.repeated++;
      return;
    }
    group.repeated = false;
    this.#failing.add(route);
    this.#remembered.delete(route);
    const { jitter, capMs, baseMs, throttledBaseMs } = this.settings;
    const firstMs = code === 'THROTTLED' ? throttledBaseMs : baseMs;
    const isSlow = isBlamed || SLOW.includes(code);
    this.#pace.backOff(code, nowMs, isBlamed);
    for (const part of parts) {
      const failures = code === 'THROTTLED' ? part.throttled++ : part.failures++;
      const backoffMs = isSlow ? 30_000 * (1 + jitter) : jitter * Math.min(capMs, firstMs * 2 ** failures);
      part.sleepsUntilMs = nowMs + backoffMs;
    }
    const ageLeftMs = group.youngestAtMs + this.settings.maxAgeMs - nowMs;
    this.#ask(request, Math.min(retryAfterMs, 0.9 * ageLeftMs), isSlow, nowMs);
  }

  /** The service asked for a wait. It ends with the age of the batch. */
  #ask({ route, parts }: Request, waitMs: number, isSlow: boolean, nowMs: number): void {
    if (waitMs <= 0) return;
    const leftMs = (this.closesAtMs ?? Number.POSITIVE_INFINITY) - nowMs;
    this.#isAskedInClose ||= leftMs < Number.POSITIVE_INFINITY;
    for (const part of parts) {
      part.askedUntilMs = nowMs + waitMs;
      if (waitMs <= leftMs) continue;
      part.cannotStart = isSlow || part.wasTriedInSpite || leftMs <= 100;
      part.wasTriedInSpite = true;
      this.seen.triedInSpite++;
    }
    this.#asked.set(route, Math.max(this.#asked.get(route) ?? 0, nowMs + waitMs));
    this.#pace.asked(route, nowMs + waitMs, nowMs);
    this.seen.heldRoute++;
    if (this.#pace.heldUntilMs > nowMs) this.seen.heldAll++;
  }

  #halve(parts: readonly Part[]): void {
    this.seen.halved++;
    const middle = Math.ceil(parts.length / 2);
    sortByTime([...parts]);
    const { openedPosition, offset, acceptedAtMs, youngestAtMs } = (parts[0] as Part).group as Group;
    for (const start of [0, middle]) {
      const half = start === 0 ? parts.slice(0, middle) : parts.slice(middle);
      const group = { ...newGroup(openedPosition, offset + start, acceptedAtMs, half), youngestAtMs };
      for (const part of half) Object.assign(part, { group, failures: 0, throttled: 0 });
    }
  }

  protected override mayLose(part: Part, reason: string, nowMs: number): void {
    const { maxAgeMs, maxDelayMs } = this.settings;
    switch (reason) {
      case 'invalid':
        this.seen.convicted++;
        this.is(part.refusedAlone === 'INVALID', 'drops as invalid a record that was not refused alone');
        this.is(this.#refusals.isBad(part), 'drops as invalid although the destination took no other record since');
        return;
      case 'too-large':
        this.seen.tooLarge++;
        this.is(part.refusedAlone === 'TOO_LARGE', 'drops as too large a record that was not refused alone');
        this.is(this.#refusals.isBad(part), 'drops as too large although the destination took no smaller record since');
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

  protected override settle(part: Part, loss?: Whole['loss']): void {
    super.settle(part, loss);
    // A route without waiting batches is forgotten.
    if (this.#liveRoutes.has(part.route)) return;
    this.#failing.delete(part.route);
    this.triedToMs.delete(part.route);
    if (!this.#remembered.has(part.route)) this.#working.delete(part.route);
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

function byTime(a: Part, b: Part): number {
  return a.time - b.time || a.order - b.order;
}

function sharesTime(a: Group | undefined, b: Group | undefined): boolean {
  if (!a || !b) return false;
  return a.fromMs <= b.toMs && b.fromMs <= a.toMs;
}
