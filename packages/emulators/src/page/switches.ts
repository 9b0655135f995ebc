import { choice, flag, number, object } from '../checks.js';
import type { CommonFaultPlan, FaultInjector } from '../faults.js';

/** The switches of the page whose value is a probability. */
const PROBABILITIES = ['throttle', 'serverError', 'reset', 'hang', 'denied'] as const;
type Probability = (typeof PROBABILITIES)[number];

/** The positions of a cloud's fault switches. */
export interface Switches extends Readonly<Record<Probability, number>> {
  /** Delay of each response. */
  readonly latencyMs: number;
  /** Whether the connection of every request is reset. */
  readonly down: boolean;
  /** How far the server's clock is ahead. */
  readonly skewMs: number;
  /** Members of the plan in force that no switch shows: a program has set them. */
  readonly others: readonly string[];
}

/** A change of one switch. */
export type SwitchChange = { readonly [Name in keyof Omit<Switches, 'others'>]?: Switches[Name] };

/** The fault switches of one cloud. */
export interface SwitchBoard {
  positions(): Switches;
  /** Throws a TypeError for an unknown switch and an invalid value. */
  change(change: SwitchChange): void;
  /** Turns all switches off, and ends a program's plan as well. */
  allOff(): void;
  /** How far the server's clock is ahead, in milliseconds. */
  skewMs(): number;
}

/** A day, and one second: beyond the limits of both services for signatures and for events of the future. */
const MAX_SKEW_MS = 86_401_000;
const MAX_LATENCY_MS = 60_000;

/** Makes the switches of a cloud out of its fault plan; `denied` is the fault of a policy that forbids the request. */
export function createSwitchBoard<Name extends string, Plan extends CommonFaultPlan<Name>>(
  faults: FaultInjector<Name, Plan>,
  denied: Name,
): SwitchBoard {
  const faultOf = (name: Probability): string => (name === 'denied' ? denied : name);
  const shown = new Set<string>([...PROBABILITIES.map(faultOf), 'delayMs', 'down', 'next']);
  let skewMs = 0;
  return {
    positions() {
      const plan = faults.plan as Readonly<Record<string, unknown>> & CommonFaultPlan<Name>;
      const probabilities = PROBABILITIES.map((name) => [name, plan[faultOf(name)] ?? 0]);
      return {
        ...(Object.fromEntries(probabilities) as Record<Probability, number>),
        latencyMs: [plan.delayMs ?? 0].flat().at(-1) as number,
        down: plan.down ?? false,
        skewMs,
        others: Object.keys(plan).filter((name) => !shown.has(name)),
      };
    },
    change(change) {
      checkChange('change:', change);
      const { skewMs: skew, latencyMs, down } = change;
      if (skew !== undefined) skewMs = skew;
      const [name] = PROBABILITIES.filter((each) => change[each] !== undefined);
      const { next, ...plan } = faults.plan;
      faults.replace({
        ...(plan as Plan),
        ...(latencyMs !== undefined && { delayMs: latencyMs }),
        ...(down !== undefined && { down }),
        ...(name && fitted(plan, faultOf(name), change[name] ?? 0)),
      });
    },
    allOff() {
      skewMs = 0;
      faults.replace({} as Plan);
    },
    skewMs: () => skewMs,
  };

  /** The changed probability, and the others lowered so that their sum stays at most 1. */
  function fitted(plan: object, changed: string, probability: number): Record<string, number> {
    const others = faults.names.filter((each) => each !== changed);
    const chanceOf = (name: string): number => (plan as Readonly<Record<string, number>>)[name] ?? 0;
    const sum = others.reduce((before, name) => before + chanceOf(name), 0);
    const scale = sum > 1 - probability ? (1 - probability) / sum : 1;
    const lowered = others.filter((each) => chanceOf(each) > 0).map((each) => [each, chanceOf(each) * scale]);
    return { ...Object.fromEntries(lowered), [changed]: probability };
  }
}

const VALUES = {
  throttle: number(0, 1),
  serverError: number(0, 1),
  reset: number(0, 1),
  hang: number(0, 1),
  denied: number(0, 1),
  latencyMs: number(0, MAX_LATENCY_MS),
  down: flag,
  skewMs: number(-MAX_SKEW_MS, MAX_SKEW_MS),
};

/** One switch and its value: the order of several would decide what is lowered. */
function checkChange(path: string, change: unknown): void {
  const names = Object.keys(Object(change));
  for (const name of names) choice(Object.keys(VALUES))(`${path} name of the switch`, name);
  if (names.length !== 1) throw new TypeError(`${path} expected one switch, got ${names.length}`);
  const [name] = names as [keyof typeof VALUES];
  object({ [name]: VALUES[name] })(path, change);
}
