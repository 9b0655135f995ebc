import type { Group, Part, Settings } from './reference-types.js';

const MAX_SPAN_MS = 86_399_999;

/** The records that wait in the open batch of their route. */
export class ReferenceBatcher {
  readonly #open = new Map<string, { readonly openedAtMs: number; readonly parts: Part[]; readonly group: Group }>();
  readonly #settings: Settings;
  readonly #maxBytes: number;

  constructor(settings: Settings, maxBytes: number) {
    this.#settings = settings;
    this.#maxBytes = maxBytes;
  }

  add(part: Part): void {
    const open = this.#open.get(part.route);
    if (open && !this.#fits([...open.parts, part])) this.#seal(part.route);
    const group = { openedPosition: part.position, offset: 0 };
    const joined = this.#open.get(part.route) ?? { openedAtMs: part.acceptedAtMs, parts: [], group };
    part.group = joined.group;
    joined.parts.push(part);
    this.#open.set(part.route, joined);
    const { events, bytes } = sizeOf(joined.parts);
    if (events >= this.#settings.maxBatchEvents || bytes >= this.#maxBytes) this.#seal(part.route);
  }

  sealDue(nowMs: number): void {
    for (const [route, { openedAtMs }] of this.#open)
      if (openedAtMs + this.#settings.maxDelayMs <= nowMs) this.#seal(route);
  }

  sealAll(): void {
    for (const route of this.#open.keys()) this.#seal(route);
  }

  /** Forgets the open batch of a route that has lost all its events. */
  forgetIfEmpty(route: string): void {
    const parts = this.#open.get(route)?.parts;
    if (parts?.every((part) => part.fate !== 'pending')) this.#open.delete(route);
  }

  /** An evicted event takes no room, but its time still counts. */
  #fits(parts: readonly Part[]): boolean {
    const { events, bytes } = sizeOf(parts);
    const times = parts.map((part) => part.time);
    const spanMs = Math.max(...times) - Math.min(...times);
    return events <= this.#settings.maxBatchEvents && bytes <= this.#maxBytes && spanMs <= MAX_SPAN_MS;
  }

  #seal(route: string): void {
    const open = this.#open.get(route);
    for (const part of open?.parts ?? []) part.sealed = true;
    this.#open.delete(route);
  }
}

function sizeOf(parts: readonly Part[]): { events: number; bytes: number } {
  const left = parts.filter((part) => part.fate === 'pending');
  return { events: left.length, bytes: left.reduce((sum, part) => sum + part.bytes, 0) };
}
