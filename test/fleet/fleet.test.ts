import { expect, it } from 'vitest';
import { findingsOf } from './findings.js';
import { runFleet } from './fleet.js';
import { fleets, scenarioOf, short } from './scenarios.js';

/** One process of twenty, and as much of the quota. */
function sample(fleet: (typeof fleets)[keyof typeof fleets]): typeof fleet {
  const { processes, quotaPerSecond } = fleet;
  return { ...fleet, processes: processes / 20, quotaPerSecond: quotaPerSecond / 20 } as typeof fleet;
}

it('keeps the bars with a thousand processes whose quota is too small, through an outage and a deploy', async () => {
  const scenario = scenarioOf(fleets.scarce, 'logferry', short);
  expect(findingsOf(scenario, await runFleet(scenario)).broken).toEqual([]);
}, 600_000);

it.each([1, 2, 3, 4, 5, 6])(
  'loses nothing and wastes little with a twentieth of the processes, and seed %i',
  async (seed) => {
    // Records that come more or less often than `maxDelayMs` meet other batches.
    for (const intervalMs of [700, 1000, 1100, 1500]) {
      const scenario = scenarioOf({ ...sample(fleets.scarce), intervalMs }, 'logferry', short, seed);
      const { lost, duplicates, wasted } = findingsOf(scenario, await runFleet(scenario));
      expect({ intervalMs, lost, duplicates }).toEqual({ intervalMs, lost: 0, duplicates: 0 });
      expect(wasted).toBeLessThan(0.15);
    }
  },
);

it('has the same outcome for the same seed', async () => {
  const run = async (seed: number) => {
    const { peakRssBytes, ...outcome } = await runFleet(scenarioOf(sample(fleets.scarce), 'logferry', short, seed));
    expect(peakRssBytes).toBeGreaterThan(0);
    return outcome;
  };
  const first = await run(1);
  expect(await run(1)).toEqual(first);
  expect(await run(2)).not.toEqual(first);
});

it('finds in fixed retries what the bars are against: losses, and requests that are throttled for ever', async () => {
  const dropping = scenarioOf(sample(fleets.scarce), 'drops', short);
  expect(findingsOf(dropping, await runFleet(dropping)).lost).toBeGreaterThan(1000);
  const keeping = scenarioOf(sample(fleets.scarce), 'keeps', short);
  expect(findingsOf(keeping, await runFleet(keeping)).wasted).toBeGreaterThan(0.15);
});
