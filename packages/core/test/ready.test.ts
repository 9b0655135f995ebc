import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { assertBalanced } from '../src/index.js';
import { accepted, record } from './support/recording-destination.js';
import { start } from './support/start.js';

const BUDGET = 256 * 1024;
/** Its share of the budget is a little more. */
const TEXT = 'x'.repeat(1000);

describe('ready()', () => {
  it('resolves at once while less than half of the budget is used', async () => {
    const { shipper } = start({ maxBufferBytes: BUDGET });
    for (let i = 0; i < 100; i++) shipper.accept(record(TEXT));
    expect(shipper.stats().bufferBytes).toBeLessThan(BUDGET / 2);
    await shipper.ready();
  });

  it('waits while half of the budget or more is used, also by records of this turn, until deliveries have freed it', async () => {
    const { shipper, destination, clock } = start({ maxBufferBytes: BUDGET });
    let answer = (): void => {};
    destination.respond = () => new Promise((resolve) => (answer = () => resolve(accepted)));
    for (let i = 0; i < 150; i++) shipper.accept(record(TEXT));
    let isReady = false;
    const ready = shipper.ready().then(() => (isReady = true));
    await clock.advance(2000);
    expect(isReady).toBe(false);
    expect(shipper.stats().bufferBytes).toBeGreaterThan(BUDGET / 2);
    answer();
    await ready;
    expect(shipper.stats().bufferBytes).toBeLessThan(BUDGET / 2);
  });

  it('does not wait for the end of maxDelayMs: what fills half of the budget is sent, also of many routes', async () => {
    const { shipper, destination } = start({ maxBufferBytes: BUDGET, maxDelayMs: 60_000 });
    for (let i = 0; i < 150; i++) shipper.accept(record(TEXT, { level: `route-${i % 7}` }));
    await shipper.ready();
    expect(shipper.stats().bufferBytes).toBeLessThan(BUDGET / 2);
    expect(destination.attempts.length).toBeGreaterThan(0);
  });

  it('lets a load of twenty budgets through without a loss', async () => {
    const { shipper, destination, clock } = start({ maxBufferBytes: BUDGET });
    destination.respond = () => nextTurn(accepted);
    let isLoaded = false;
    const loading = (async () => {
      for (let chunk = 0; chunk < 100; chunk++) {
        await shipper.ready();
        for (let i = 0; i < 50; i++) expect(shipper.accept(record(TEXT))).toBe(true);
      }
      isLoaded = true;
    })();
    while (!isLoaded) await clock.advance(100);
    await loading;
    const report = await shipper.close();
    assertBalanced(shipper.stats());
    expect(report).toMatchObject({ received: 5000, delivered: 5000 });
  });

  it('resolves when the shipper closes, which drops what comes then', async () => {
    const { shipper, destination, clock } = start({ maxBufferBytes: BUDGET });
    destination.respond = () => new Promise(() => {});
    for (let i = 0; i < 150; i++) shipper.accept(record(TEXT));
    const ready = shipper.ready();
    const closed = shipper.close({ timeoutMs: 1000 });
    await ready;
    await clock.advance(2000);
    await closed;
    await shipper.ready();
  });
});
