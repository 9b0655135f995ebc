import type { DeliveryStats, Drop, EncodedEvent } from '../../src/index.js';
import { textOf } from './payloads.js';
import { MAX_SPAN_MS, ReferenceBatcher, sortByTime } from './reference-batcher.js';
import {
  type Group,
  joinGroups,
  type Part,
  precedes,
  type Settings,
  type Sights,
  type Whole,
} from './reference-types.js';

/** A simple model of the pending records of a shipper, and of the fate of the others. Notes each broken promise. */
export abstract class ReferenceLedger {
  readonly faults: string[] = [];
  isClosed = false;
  protected received = 0;
  protected delivered = 0;
  protected readonly losses = { rejected: new Map<string, number>(), dropped: new Map<string, number>() };
  protected readonly parts = new Map<string, Part>();
  readonly pending = new Set<Part>();
  protected readonly settings: Settings;
  protected readonly seen: Sights;
  /** Reasons of the losses that an accepted record causes, until they are reported. */
  protected readonly foreseen = new Map<Part, string>();
  protected readonly batcher: ReferenceBatcher;
  protected readonly maxBytes: number;
  /** By route, the latest time of an event that was sent since the route was empty. */
  protected readonly triedToMs = new Map<string, number>();

  constructor(settings: Settings, seen: Sights, maxBytes: number) {
    this.settings = settings;
    const isBusy = (route: string): boolean => [...this.pending].some((part) => part.route === route && part.sealed);
    this.batcher = new ReferenceBatcher(settings, seen, maxBytes, isBusy, (group) => this.#compact(group));
    this.maxBytes = maxBytes;
    this.seen = seen;
  }

  /** Checks the result of `accept`. */
  accept(events: readonly EncodedEvent[], urgent: boolean, nowMs: number, call: () => boolean): void {
    const costBytes = events.reduce((sum, event) => sum + costOf(event), 0);
    const { maxBufferBytes, overflow } = this.settings;
    const limitBytes = urgent ? maxBufferBytes : maxBufferBytes * 0.8;
    const isTooLarge = events.some((event) => event.bytes > this.maxBytes);
    this.received++;
    const taken = call();
    if (this.isClosed || isTooLarge) {
      this.is(!taken, 'accepts a record that is too large, or comes after close');
      this.#count('dropped', this.isClosed ? 'closed' : 'too-large');
      this.seen[this.isClosed ? 'closedRefused' : 'tooLargeOnTheSpot']++;
      return;
    }
    let hasRoom = costBytes <= limitBytes;
    while (hasRoom && this.bufferBytes + costBytes > limitBytes) {
      const oldest = overflow === 'drop-oldest' ? this.#oldestToEvict(urgent) : undefined;
      if (oldest) this.#evict(oldest);
      else hasRoom = false;
    }
    this.is(taken === hasRoom, hasRoom ? 'refuses although there is room' : 'goes beyond its budget');
    if (taken) this.#admit(events, urgent, nowMs);
    else {
      this.#count('dropped', 'buffer-full');
      this.seen.bufferFull++;
    }
  }

  /** The oldest event that waits; an urgent one only for an urgent record, and if there is no other. */
  #oldestToEvict(urgent: boolean): Part | undefined {
    const waiting = [...this.pending].filter((part) => !part.flight);
    const ordinary = waiting.filter((part) => !part.urgent);
    return (ordinary.length === 0 && urgent ? waiting : ordinary).sort(byAge)[0];
  }

  #evict(part: Part): void {
    this.seen.evicted++;
    this.#foresee(part, 'buffer-full');
    this.batcher.forgetIfEmpty(part.route);
  }

  #foresee(part: Part, reason: string): void {
    this.foreseen.set(part, reason);
    this.settle(part, ['dropped', reason]);
  }

  /** `onDrop` reports a loss. */
  lost({ reason, events, records }: Drop, nowMs: number): void {
    let wholes = 0;
    for (const { payload } of events) {
      const part = this.parts.get(textOf(payload));
      if (!part) return;
      this.is(!part.reported, 'reports a loss twice');
      part.reported = true;
      if (part.rejection) {
        this.is(part.rejection === reason, `reports ${part.rejection} as ${reason}`);
        this.settle(part, ['rejected', reason]);
        continue;
      }
      const foreseen = this.foreseen.get(part);
      if (foreseen !== undefined || reason === 'buffer-full') {
        this.is(foreseen === reason, `loses as ${reason} a record that has to be lost as ${foreseen}`);
        this.foreseen.delete(part);
        continue;
      }
      this.is(part.fate === 'pending', `loses a record that is ${part.fate}`);
      if (part.fate !== 'pending') continue;
      if (!part.whole.loss) wholes++;
      this.mayLose(part, reason, nowMs);
      this.settle(part, ['dropped', reason]);
    }
    this.is(wholes <= records, 'reports fewer records than are lost');
  }

  /** Checks that a pending record may be lost for this reason. */
  protected abstract mayLose(part: Part, reason: string, nowMs: number): void;

  /** Compares the fates of the records with the counters of the shipper. */
  protected checkLedger(stats: DeliveryStats, nowMs: number): void {
    this.compare(stats, {
      received: this.received,
      delivered: this.delivered,
      rejected: sum(this.losses.rejected.values()),
      pending: new Set([...this.pending].map((part) => part.whole)).size,
      bufferBytes: this.bufferBytes,
    });
    for (const [reported, counts] of [
      [stats.rejectedByReason, this.losses.rejected],
      [stats.dropped, this.losses.dropped],
    ] as const)
      for (const [reason, count] of Object.entries(reported))
        this.is(count === (counts.get(reason) ?? 0), `says ${count} ${reason}, not ${counts.get(reason) ?? 0}`);
    const ages = [...this.pending].map((part) => nowMs - part.acceptedAtMs);
    const oldest = ages.length > 0 ? Math.max(...ages) : 0;
    // A part of a batch has the age of the whole.
    const most = Math.max(0, ...[...this.pending].map((part) => nowMs - (part.group?.acceptedAtMs ?? nowMs)));
    this.is(
      stats.oldestAgeMs >= Math.floor(oldest) && stats.oldestAgeMs <= Math.ceil(most),
      `says the oldest is ${stats.oldestAgeMs} ms old, not ${oldest}`,
    );
  }

  protected compare(stats: DeliveryStats, expected: Partial<DeliveryStats>): void {
    for (const [name, value] of Object.entries(expected)) {
      const actual = stats[name as keyof DeliveryStats];
      this.is(actual === value, `says ${name} is ${actual}, not ${value}`);
    }
  }

  protected settle(part: Part, loss?: Whole['loss']): void {
    const { whole } = part;
    part.fate = loss ? loss[0] : 'delivered';
    this.pending.delete(part);
    whole.loss ??= loss;
    if (--whole.unsettled === 0) {
      if (whole.loss) this.#count(...whole.loss);
      else this.delivered++;
    }
  }

  #count(kind: 'rejected' | 'dropped', reason: string): void {
    this.losses[kind].set(reason, (this.losses[kind].get(reason) ?? 0) + 1);
  }

  #admit(events: readonly EncodedEvent[], urgent: boolean, acceptedAtMs: number): void {
    const whole: Whole = { unsettled: events.length, loss: undefined };
    for (const event of events) {
      const part: Part = {
        ...event,
        position: this.parts.size,
        order: this.parts.size,
        urgent,
        acceptedAtMs,
        whole,
        fate: 'pending',
        rejection: undefined,
        sealed: false,
        reported: false,
        flight: undefined,
        first: undefined,
        failures: 0,
        throttled: 0,
        askedUntilMs: 0,
        sleepsUntilMs: 0,
        wasTriedInSpite: false,
        cannotStart: false,
        takenBefore: undefined,
        refusedAlone: undefined,
        wasSuspect: false,
        group: undefined,
      };
      this.parts.set(textOf(event.payload), part);
      this.pending.add(part);
      this.batcher.add(part);
    }
  }

  /** A batch that is sealed joins the one before it, if that waits at the same route, was not tried, and there is room. */
  #compact(group: Group): void {
    const parts = [...this.pending].filter((part) => part.group === group);
    const before = [...this.pending].reduce<Group | undefined>(
      (last, { group: each }) => (each && precedes(each, group) && (!last || precedes(last, each)) ? each : last),
      undefined,
    );
    const waiting = [...this.pending].filter((part) => part.group === before);
    const [first] = parts;
    if (!first || !before) return;
    const isReady = waiting.every((part) => part.route === first.route && part.sealed && !part.flight && !part.first);
    const isLater =
      Math.min(before.fromMs, group.fromMs) > (this.triedToMs.get(first.route) ?? Number.NEGATIVE_INFINITY);
    const isNear = group.acceptedAtMs - before.acceptedAtMs <= this.settings.maxAgeMs / 16;
    if (!isReady || !isNear || !isLater || !this.fits([...waiting, ...parts])) return;
    this.seen.compacted++;
    joinGroups(before, [group]);
    sortByTime(parts);
    for (const part of parts) part.group = before;
  }

  /** Whether a flush of these waits: for what joined them, too. */
  isPendingFor(parts: readonly Part[]): boolean {
    const last = Math.max(...parts.map(({ position }) => position));
    return [...this.pending].some(({ group }) => group && group.openedPosition <= last);
  }

  protected fits(parts: readonly Part[]): boolean {
    const groups = parts.map(({ group }) => group as Group);
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    const [fromMs, toMs] = [groups.map((group) => group.fromMs), groups.map((group) => group.toMs)];
    const isShort = Math.max(...toMs) - Math.min(...fromMs) <= MAX_SPAN_MS;
    return parts.length <= this.settings.maxBatchEvents && bytes <= this.maxBytes && isShort;
  }

  protected get bufferBytes(): number {
    const groups = new Set([...this.pending].map((part) => part.group));
    return sum([...this.pending].map(costOf)) + groups.size * BATCH_COST_BYTES;
  }

  protected is(holds: boolean, otherwise: string): void {
    if (!holds) this.faults.push(otherwise);
  }
}

const EVENT_COST_BYTES = 40;
const BATCH_COST_BYTES = 1536;

function costOf({ payload }: EncodedEvent): number {
  return Buffer.byteLength(payload) + EVENT_COST_BYTES;
}

/** Batches by their opening, then events: in order of time in a batch that was sent, else in order of acceptance. */
function byAge(a: Part, b: Part): number {
  const [groupA, groupB] = [a.group, b.group];
  const byGroup = (groupA?.openedPosition ?? 0) - (groupB?.openedPosition ?? 0);
  return byGroup || (groupA?.offset ?? 0) - (groupB?.offset ?? 0) || indexOf(a) - indexOf(b);
}

function indexOf({ first, order }: Part): number {
  return first?.index ?? order;
}

export function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
