import { type Check, choice, flag, list, number, object, optional } from './checks.js';
import type { HttpResponse } from './http.js';

/** Members that all fault plans share. A plan also has a probability for each fault of its service. */
export interface CommonFaultPlan<Name extends string> {
  /** Faults of the next requests in scope, in order; `'ok'` is no fault. After the last, the probabilities decide. */
  readonly next?: readonly (Name | 'ok')[];
  /** Delay of responses in scope, in ms: fixed, or random between two bounds. Storage is immediate. @default 0 */
  readonly delayMs?: number | readonly [min: number, max: number];
  /** Resets the connection of every request, in scope or not. @default false */
  readonly down?: boolean;
  /** `Retry-After` header of throttling and 5xx responses, in seconds. @default no header */
  readonly retryAfterSeconds?: number;
}

/** Decides which request meets which fault, by the plan in force. */
export interface FaultInjector<Name extends string, Plan> {
  /** All faults, in the order in which the probabilities are tried. */
  readonly names: readonly Name[];
  /** The plan in force. */
  readonly plan: Plan;
  /** Replaces the plan and restarts the random sequence. Throws a TypeError for unknown names and invalid numbers. */
  replace(plan: Plan): void;
  /** The fault of the next request in scope; undefined for none. */
  draw(): Name | undefined;
  /** Delay of the next response, in milliseconds. */
  drawDelayMs(): number;
}

/**
 * Makes a fault injector for any service. `names` are its faults; `otherMembers` are the checks of the members of its plan that are
 * neither faults nor in {@link CommonFaultPlan}. The same seed gives the same decisions.
 */
export function createFaultInjector<
  Name extends string,
  Plan extends CommonFaultPlan<Name> & { readonly [name in Name]?: number },
>(names: readonly Name[], otherMembers: Readonly<Record<string, Check>>, seed: number): FaultInjector<Name, Plan> {
  const check = planCheck(names, otherMembers);
  let plan = {} as Plan;
  let script: (Name | 'ok')[] = [];
  let random = mulberry32(seed);
  return {
    names,
    get plan() {
      return plan;
    },
    replace(replacement) {
      check('faults:', replacement);
      plan = { ...replacement };
      script = [...(replacement.next ?? [])];
      random = mulberry32(seed);
    },
    draw() {
      const scripted = script.shift();
      if (scripted !== undefined) return scripted === 'ok' ? undefined : scripted;
      let remaining = random();
      for (const name of names) {
        remaining -= plan[name] ?? 0;
        if (remaining < 0) return name;
      }
      return undefined;
    },
    drawDelayMs() {
      const { delayMs = 0 } = plan;
      if (typeof delayMs === 'number') return delayMs;
      const [min, max] = delayMs;
      return min + random() * (max - min);
    },
  };
}

/** The HTML page of a proxy that cannot reach the service. */
export function badGateway(now: number): HttpResponse {
  return pageOf(502, '502 Bad Gateway', now);
}

/** The HTML page of a proxy that does not let a body of this size through. */
export function bodyTooLarge(now: number): HttpResponse {
  return pageOf(413, '413 Request Entity Too Large', now);
}

function pageOf(status: number, text: string, now: number): HttpResponse {
  return {
    status,
    headers: { 'content-type': 'text/html', date: new Date(now).toUTCString() },
    body: `<html><head><title>${text}</title></head><body>${text}</body></html>`,
  };
}

/** Adds the `Retry-After` header if the plan has one. */
export function withRetryAfter(response: HttpResponse, { retryAfterSeconds }: CommonFaultPlan<string>): HttpResponse {
  return retryAfterSeconds === undefined
    ? response
    : { ...response, headers: { ...response.headers, 'retry-after': String(retryAfterSeconds) } };
}

function planCheck(names: readonly string[], otherMembers: Readonly<Record<string, Check>>): Check {
  const members = object({
    ...Object.fromEntries(names.map((name) => [name, optional(probability)])),
    next: optional(list(choice(['ok', ...names]))),
    delayMs: optional(delays),
    down: optional(flag),
    retryAfterSeconds: optional(number(0)),
    ...otherMembers,
  });
  return (path, plan) => {
    members(path, plan);
    const sum = names.reduce((before, name) => before + ((plan as Readonly<Record<string, number>>)[name] ?? 0), 0);
    // Rounding can lift a sum of decimals above 1.
    if (sum > 1 + 1e-9)
      throw new TypeError(`${path} expected probabilities with a sum of at most 1, got a sum of ${sum}`);
  };
}

const probability = number(0, 1);

/** A delay in milliseconds, or the bounds of a random one. */
const delays: Check = (path, value) => {
  if (!Array.isArray(value)) {
    number(0)(path, value);
    return;
  }
  const [min, max, ...others] = value;
  if (others.length > 0)
    throw new TypeError(`${path}: expected milliseconds or [min, max], got ${value.length} numbers`);
  number(0)(`${path}[0]`, min);
  number(min)(`${path}[1]`, max);
};

/** A seeded random generator of numbers in [0, 1). The same seed gives the same sequence. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
