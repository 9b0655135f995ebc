import type { HttpResponse } from './http.js';

/** What every emulator's fault plan has besides a probability for each of its faults. */
export interface CommonFaultPlan<Name extends string> {
  /** Faults of the next requests in scope, in order; `'ok'` is none. Once used up, the probabilities decide. */
  readonly next?: readonly (Name | 'ok')[];
  /** Holds back each answer by so many milliseconds, or by a random time between two. What is stored is stored at once. */
  readonly delayMs?: number | readonly [min: number, max: number];
  /** Resets the connection of every request, whatever it asks. */
  readonly down?: boolean;
  /** `Retry-After` of throttling and 5xx answers, in seconds. */
  readonly retryAfterSeconds?: number;
}

export interface FaultInjector<Name extends string, Plan> {
  readonly plan: Plan;
  /** Replaces the plan and restarts the random sequence. Throws on unknown names and impossible numbers. */
  replace(plan: Plan): void;
  /** The fault of the next request in scope. */
  draw(): Name | undefined;
  /** How long to hold back the next answer, in milliseconds. */
  drawDelayMs(): number;
}

const COMMON_MEMBERS = ['next', 'delayMs', 'down', 'retryAfterSeconds'];

/**
 * Decides which fault a request meets. Knows no service: `names` are the faults a plan may give a probability,
 * `otherMembers` what else the plan may have.
 */
export function createFaultInjector<
  Name extends string,
  Plan extends CommonFaultPlan<Name> & { readonly [name in Name]?: number },
>(names: readonly Name[], otherMembers: readonly string[], seed: number): FaultInjector<Name, Plan> {
  let plan = {} as Plan;
  let script: (Name | 'ok')[] = [];
  let random = mulberry32(seed);
  return {
    get plan() {
      return plan;
    },
    replace(replacement) {
      validate(replacement, names, otherMembers);
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

/** The answer of a proxy that does not reach the service: HTML. */
export function badGateway(now: number): HttpResponse {
  return {
    status: 502,
    headers: { 'content-type': 'text/html', date: new Date(now).toUTCString() },
    body: '<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>',
  };
}

/** The answer with the plan's `Retry-After`, if it has one. */
export function retryLater(answer: HttpResponse, { retryAfterSeconds }: CommonFaultPlan<string>): HttpResponse {
  return retryAfterSeconds === undefined
    ? answer
    : { ...answer, headers: { ...answer.headers, 'retry-after': String(retryAfterSeconds) } };
}

function validate(plan: CommonFaultPlan<string>, names: readonly string[], otherMembers: readonly string[]): void {
  const members = [...names, ...COMMON_MEMBERS, ...otherMembers];
  let sum = 0;
  for (const [member, value] of Object.entries(plan)) {
    if (!members.includes(member)) {
      throw new TypeError(`faults: unknown member "${member}"; known are ${members.join(', ')}`);
    }
    if (!names.includes(member)) continue;
    if (typeof value !== 'number' || !(value >= 0 && value <= 1)) {
      throw new TypeError(`faults: ${member} must be a probability between 0 and 1, got ${String(value)}`);
    }
    sum += value;
  }
  // A sum of decimals such as 0.1 * 10 may exceed 1 by rounding.
  if (sum > 1 + 1e-9) throw new TypeError(`faults: the probabilities must not sum up to more than 1, got ${sum}`);
  for (const name of plan.next ?? []) {
    if (name !== 'ok' && !names.includes(name)) {
      throw new TypeError(`faults: unknown fault "${name}" in next; known are ok, ${names.join(', ')}`);
    }
  }
  const delays = typeof plan.delayMs === 'number' ? [plan.delayMs, plan.delayMs] : (plan.delayMs ?? [0, 0]);
  if (delays.length !== 2 || !(delays[0] >= 0 && delays[0] <= delays[1])) {
    throw new TypeError(`faults: delayMs must be milliseconds or [min, max], got ${JSON.stringify(plan.delayMs)}`);
  }
  if (plan.retryAfterSeconds !== undefined && !(plan.retryAfterSeconds >= 0)) {
    throw new TypeError(`faults: retryAfterSeconds must be 0 or more, got ${plan.retryAfterSeconds}`);
  }
}

/** A small seeded generator: the same seed gives the same numbers, in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
