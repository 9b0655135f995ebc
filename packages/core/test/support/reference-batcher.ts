import { type Group, newGroup, type Part, type Settings, type Sights } from './reference-types.js';

export const MAX_SPAN_MS = 86_399_999;
const MAX_WINDOWS = 16;

const PATIENCE = 16;

interface Open {
  readonly openedAtMs: number;
  readonly dueAtMs: number;
  readonly parts: Part[];
  readonly group: Group;
  isFull: boolean;
}

/** The records that wait in the open batches of their route, one for each window of time. */
export class ReferenceBatcher {
  /** A record before would have joined the last batch that was sealed early. */
  #missesUntilMs = Number.NEGATIVE_INFINITY;
  #patientUntilMs = Number.NEGATIVE_INFINITY;
  /** By route and window. */
  readonly #open = new Map<string, Map<number, Open>>();
  readonly #settings: Settings;
  readonly #seen: Sights;
  readonly #maxBytes: number;

  /** Whether sealed batches of a route wait or are in flight. */
  readonly #isBusy: (route: string) => boolean;

  /** Called with the group of each batch that is sealed. */
  readonly #onSealed: (group: Group) => void;

  constructor(
    settings: Settings,
    seen: Sights,
    maxBytes: number,
    isBusy: (route: string) => boolean,
    onSealed: (group: Group) => void,
  ) {
    this.#isBusy = isBusy;
    this.#onSealed = onSealed;
    this.#settings = settings;
    this.#seen = seen;
    this.#maxBytes = maxBytes;
  }

  add(part: Part): void {
    const window = Math.floor(part.time / MAX_SPAN_MS);
    let open = this.#open.get(part.route)?.get(window);
    while (open && !this.#fits([...open.parts, part])) open = this.#sealFull(part, window, open);
    open ??= this.#openFor(part, window);
    part.group = open.group;
    open.parts.push(part);
    open.group.fromMs = Math.min(open.group.fromMs, part.time);
    open.group.toMs = Math.max(open.group.toMs, part.time);
    const { events, bytes } = sizeOf(open.parts);
    if (events >= this.#settings.maxBatchEvents || bytes >= this.#maxBytes) open.isFull = true;
  }

  /** Seals what waited long enough, or is full at the end of the turn. */
  sealDue(nowMs: number): void {
    this.#sealAll(({ isFull }) => isFull);
    this.#sealAll(({ openedAtMs, dueAtMs }) => {
      const fullAtMs = openedAtMs + this.#settings.maxDelayMs;
      if (dueAtMs <= nowMs && dueAtMs < fullAtMs) this.#missesUntilMs = fullAtMs;
      return dueAtMs <= nowMs;
    });
  }

  sealAll(): void {
    this.#sealAll(() => true);
  }

  /** Forgets the open batches of a route that have lost all their events. */
  forgetIfEmpty(route: string): void {
    for (const [window, { parts }] of this.#open.get(route) ?? [])
      if (parts.every((part) => part.fate !== 'pending')) this.#open.get(route)?.delete(window);
  }

  /** An evicted event takes no room. */
  #fits(parts: readonly Part[]): boolean {
    const { events, bytes } = sizeOf(parts);
    return events <= this.#settings.maxBatchEvents && bytes <= this.#maxBytes;
  }

  #openFor({ route, position, acceptedAtMs }: Part, window: number): Open {
    const windows = this.#open.get(route) ?? new Map<number, Open>();
    const [oldest] = windows;
    if (oldest && windows.size >= (this.#settings.ordered ? 1 : MAX_WINDOWS)) this.#seal(route, oldest[0]);
    const group = newGroup(position, 0, acceptedAtMs, []);
    const dueAtMs = this.#dueFrom(acceptedAtMs);
    const open = { openedAtMs: acceptedAtMs, dueAtMs, parts: [], group, isFull: false };
    this.#open.set(route, windows.set(window, open));
    return open;
  }

  /** Sooner by chance if no other batch is open, but not for a while after that cost a request. */
  #dueFrom(acceptedAtMs: number): number {
    const { maxDelayMs, jitter } = this.#settings;
    if (acceptedAtMs <= this.#missesUntilMs) this.#patientUntilMs = acceptedAtMs + PATIENCE * maxDelayMs;
    const isEarly = ![...this.#open.values()].some(({ size }) => size > 0) && acceptedAtMs >= this.#patientUntilMs;
    return acceptedAtMs + maxDelayMs * (isEarly ? 0.5 + jitter / 2 : 1);
  }

  /** The events that share the millisecond of the next one stay open, if they are the last, and at most half. */
  #sealFull({ route, time }: Part, window: number, open: Open): Open | undefined {
    const latest = Math.max(...open.parts.map((part) => part.time));
    const left = open.parts.filter((part) => part.fate === 'pending');
    const isShared = latest === time && this.#isBusy(route);
    if (isShared) sortByTime(left);
    const start = left.findIndex((part) => part.time === time);
    const isCut = isShared && left.at(-1)?.time === time && start >= left.length / 2;
    const cut = isCut ? this.#cut(open, left, start) : undefined;
    this.#seal(route, window);
    for (const part of cut?.parts ?? []) part.sealed = false;
    if (cut) this.#open.get(route)?.set(window, cut);
    return cut;
  }

  #cut({ group, openedAtMs }: Open, left: readonly Part[], start: number): Open {
    this.#seen.millisecondCut++;
    const parts = left.slice(start);
    const cutGroup = newGroup(group.openedPosition, group.offset + start, group.acceptedAtMs, parts);
    const dueAtMs = openedAtMs + this.#settings.maxDelayMs;
    const cut: Open = { openedAtMs, dueAtMs, parts, group: cutGroup, isFull: false };
    group.toMs = left[start - 1]?.time ?? group.toMs;
    for (const part of parts) part.group = cutGroup;
    return cut;
  }

  #sealAll(isDue: (open: Open) => boolean): void {
    for (const [route, windows] of this.#open)
      for (const [window, open] of windows) if (isDue(open)) this.#seal(route, window);
  }

  #seal(route: string, window: number): void {
    const windows = this.#open.get(route);
    const open = windows?.get(window);
    for (const part of open?.parts ?? []) part.sealed = true;
    windows?.delete(window);
    if (open) this.#onSealed(open.group);
  }
}

/** Also their order of eviction is that of time from now on. */
export function sortByTime(parts: Part[]): void {
  const orders = parts.map((part) => part.order).sort((a, b) => a - b);
  parts.sort((a, b) => a.time - b.time);
  for (const [index, part] of parts.entries()) part.order = orders[index] as number;
}

function sizeOf(parts: readonly Part[]): { events: number; bytes: number } {
  const left = parts.filter((part) => part.fate === 'pending');
  return { events: left.length, bytes: left.reduce((sum, part) => sum + part.bytes, 0) };
}
