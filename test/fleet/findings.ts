import type { Outcome, Scenario } from './fleet.js';

/** The defaults of the core. */
const CAP_MS = 30_000;
const REQUEST_TIMEOUT_MS = 30_000;

const MOST_WASTED = 0.15;
const MOST_RSS_BYTES = 2 * 1024 ** 3;

/** The fleet has found its rate so long after a start or an outage. */
const SETTLED_S = 60;

/** The figures of a fleet. Times are in milliseconds, parts from 0 to 1. */
export interface Findings {
  readonly lastCaughtUpMs: number;
  readonly mostCaughtUpMs: number;
  readonly medianCaughtUpMs: number;
  /** Requests in the outage. */
  readonly failed: number;
  /** THROTTLED answers, of all requests from the end of the outage on. */
  readonly wasted: number;
  /** Answers of 503 by the load alone, of the same requests. */
  readonly overloaded: number;
  /** THROTTLED answers of all requests before the outage, once the fleet has found its rate. */
  readonly wastedSteady: number;
  readonly slowestCloseMs: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly peakRssBytes: number;
  /** What is not as promised. */
  readonly broken: readonly string[];
}

export function findingsOf(scenario: Scenario, outcome: Outcome): Findings {
  const { steadyMs, outageMs, recoveryMs, deployedMs } = scenario.timeline;
  const { seconds, backlog, caughtUpMs, closedMs, logged, stored, lost, pending, duplicates, peakRssBytes } = outcome;
  const outageAt = Math.floor(steadyMs / 1000);
  const backAt = Math.ceil((steadyMs + outageMs) / 1000);
  const deployAt = Math.floor((steadyMs + outageMs + recoveryMs) / 1000);
  const endAt = Math.floor((steadyMs + outageMs + recoveryMs + deployedMs) / 1000);
  const steady = [Math.floor(outageAt / 2), outageAt] as const;
  const share = (part: 'throttled' | 'overloaded', from: number, to: number): number =>
    sum(seconds.slice(from, to).map((second) => second[part])) /
    Math.max(1, sum(seconds.slice(from, to).map(({ requests }) => requests)));
  const requestRate = (from: number, to: number): number =>
    sum(seconds.slice(from, to).map(({ requests }) => requests)) / (to - from);
  const mostBacklog = (from: number, to: number): number => Math.max(...backlog.slice(from, to));
  const sorted = [...caughtUpMs].sort((a, b) => a - b);
  const lastCaughtUpMs = sorted.at(-1) ?? 0;
  const boundMs =
    CAP_MS +
    (scenario.outage === 'hangs' ? REQUEST_TIMEOUT_MS : 0) +
    (2 * 1000 * scenario.processes) / scenario.quotaPerSecond;
  const wasted = share('throttled', backAt, seconds.length);
  const broken: string[] = [];
  const check = (isKept: boolean, text: string): void => {
    if (!isKept) broken.push(text);
  };
  check(lastCaughtUpMs <= boundMs, `the last process caught up after ${lastCaughtUpMs} ms, and not ${boundMs} ms`);
  check(wasted <= MOST_WASTED, `${wasted} of the requests were throttled`);
  for (const [after, from, to] of [
    ['outage', backAt + SETTLED_S, deployAt],
    ['deploy', deployAt + SETTLED_S, endAt],
  ] as const) {
    if (to <= from) continue;
    const rate = requestRate(from, to) / requestRate(...steady);
    const size = mostBacklog(from, to) / mostBacklog(...steady);
    check(rate <= 1.25, `after the ${after} there are ${rate} times the requests of before`);
    check(size <= 1.5, `after the ${after} there is ${size} times the backlog of before`);
  }
  check(lost === 0 && stored === logged && pending === 0, `of ${logged} records ${stored} are stored, ${lost} lost`);
  check(duplicates === 0, `${duplicates} records are stored twice`);
  check(peakRssBytes <= MOST_RSS_BYTES, `the peak of the memory is ${peakRssBytes} bytes`);
  return {
    lastCaughtUpMs,
    mostCaughtUpMs: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    medianCaughtUpMs: sorted[sorted.length >> 1] ?? 0,
    failed: sum(seconds.map(({ failed }) => failed)),
    wasted,
    overloaded: share('overloaded', backAt, seconds.length),
    wastedSteady: share('throttled', ...steady),
    slowestCloseMs: Math.max(...closedMs),
    lost,
    duplicates,
    peakRssBytes,
    broken,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
