import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const folder = fileURLToPath(new URL('..', import.meta.url));

/** Runs a script against the built package, in a process of its own, on a virtual clock; returns the lines of the debug log without their time. */
function linesOf(script: string, env: NodeJS.ProcessEnv): readonly string[] {
  const whole = `
    import { createShipper, DeliveryError } from '@logferry/core';
    import { VirtualClock } from '@logferry/core/testing';
    const record = (text, level = 'shop') => ({ time: 1, level, urgent: false, text, fields: {} });
    const accepted = { rejected: [], wireBytes: 7, requestId: 'r-1' };
    const clock = new VirtualClock();
    const destination = {
      name: 'mine', reads: 'text', limits: { maxEvents: 10, maxBytes: 10_000 },
      encode: ({ time, text, level }) => ({ route: level, time, payload: text, bytes: text.length }),
      send: async () => accepted,
    };
    const start = (options) =>
      createShipper(destination, { maxDelayMs: 0, onError() {}, onDrop() {}, ...options }, { clock, random: () => 0.999 });
    ${script}`;
  const args = ['--input-type=module', '--eval', whole];
  const clean = { ...process.env, LOGFERRY_DEBUG: undefined, NODE_DEBUG: undefined, ...env };
  const { stderr, status } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', env: clean });
  expect(status, stderr).toBe(0);
  return stderr
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^\[logferry:debug\] \d{4}-\d\d-\d\dT[\d:.]+Z /, ''));
}

it('shows where records go, the first delivery of each route, every failed attempt, and its retry', () => {
  const script = `
    destination.describe = (route) => ({ endpoint: 'here', target: route ? 'group ' + route : 'groups', credentials: 'environment variables' });
    let isDown = true;
    destination.send = async () => {
      if (!isDown) return accepted;
      isDown = false;
      throw new DeliveryError('THROTTLED', 'too fast', { requestId: 'r-0' });
    };
    const shipper = start();
    for (const text of ['a', 'b']) shipper.accept(record(text));
    await clock.advance(2000);
    for (const level of ['shop', 'other']) shipper.accept(record('c', level));
    await clock.advance(2000);
    await shipper.close();`;
  expect(linesOf(script, { LOGFERRY_DEBUG: '1' })).toEqual([
    'mine: ships to groups at here; credentials: environment variables',
    'mine: attempt failed, THROTTLED: too fast; request id r-0',
    'mine: 2 events to group shop go again in 999 ms at the earliest, after THROTTLED',
    'mine: first delivery, 999 ms after the start: 2 events, 7 bytes, in 0 ms, request id r-1; to group shop at here; credentials: environment variables',
    'mine: first delivery, 2000 ms after the start: 1 event, 7 bytes, in 0 ms, request id r-1; to group other at here; credentials: environment variables',
    'mine: 1 records/s, delivered 4, waiting 0, retries 1 (THROTTLED 1), oldest 0 ms',
  ]);
});

it('shows the state every 10 s, and nothing while nothing changes', () => {
  const script = `
    const shipper = start();
    await clock.advance(60_000);
    for (let i = 0; i < 50; i++) shipper.accept(record('x'));
    await clock.advance(60_000);
    destination.send = async () => { throw new DeliveryError('NETWORK', 'no connection'); };
    shipper.accept(record('x'));
    await clock.advance(15_000);
    await shipper.close({ timeoutMs: 0 });`;
  const states = linesOf(script, { LOGFERRY_DEBUG: '1' }).filter((line) => line.includes('records/s'));
  expect(states).toEqual([
    'mine: 5 records/s, delivered 50, waiting 0, retries 0, oldest 0 ms',
    expect.stringMatching(/^mine: 0 records\/s, delivered 50, waiting 1, retries \d+ \(NETWORK \d+\), oldest 10 s$/),
    expect.stringMatching(
      /^mine: 0 records\/s, delivered 50, waiting 0, lost 1, retries \d+ \(NETWORK \d+\), oldest 0 ms$/,
    ),
  ]);
});

it('goes on when the destination fails to describe itself, or says nothing', () => {
  const throwing = `destination.describe = () => { throw new Error('a bug'); };`;
  for (const describe of ['', throwing]) {
    const script = `${describe} const shipper = start(); shipper.accept(record('x')); await shipper.close();`;
    const [first, second] = linesOf(script, { LOGFERRY_DEBUG: '1' });
    expect(first).toBe('mine: ships to mine');
    expect(second).toMatch(/; to route "shop"$/);
  }
});

it.each([
  ['', ['1']],
  ['other,LOGFERRY', ['absent', 'empty', '1']],
  ['logf*', ['absent', 'empty', '1']],
])('NODE_DEBUG=%s turns the debug log on for values of LOGFERRY_DEBUG: %j', (names, on) => {
  const script = `
    for (const [name, value] of Object.entries({ absent: undefined, empty: '', 0: '0', 1: '1' })) {
      if (value === undefined) delete process.env.LOGFERRY_DEBUG;
      else process.env.LOGFERRY_DEBUG = value;
      destination.name = name;
      start();
    }`;
  const lines = linesOf(script, { NODE_DEBUG: names });
  expect(lines.map((line) => line.split(':', 1)[0]).sort()).toEqual([...on].sort());
});

it('does not keep the process alive, and does not fail on a closed stderr', () => {
  const script = `
    import { closeSync } from 'node:fs';
    import { systemClock } from '@logferry/core';
    createShipper(destination, {}, { clock: systemClock });
    closeSync(2);
    const shipper = createShipper(destination);
    shipper.accept(record('x'));`;
  expect(linesOf(script, { LOGFERRY_DEBUG: '1' })).toEqual(['mine: ships to mine']);
});
