import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { assertBalanced, createShipper, DeliveryError } from '../src/index.js';
import { RecordingDestination, record } from './support/recording-destination.js';
import { start } from './support/start.js';

const folder = fileURLToPath(new URL('..', import.meta.url));

/** Runs a script against the built package, in a process of its own. */
function run(script: string): { stdout: string; stderr: string; status: number | null } {
  const args = ['--input-type=module', '--eval', script];
  return spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', timeout: 60_000 });
}

const imports = `
  import { createShipper, DeliveryError } from '@logferry/core';
  const record = (text) => ({ time: 1, level: 'info', urgent: false, text, fields: {} });
  const limits = { maxEvents: 10, maxBytes: 10_000, baseBytes: () => 0 };
  const encode = ({ time, text }) => ({ route: 'r', time, payload: text, bytes: text.length });
`;

it('by default reports losses in one line on stderr, and later ones in another at the end', () => {
  const { stderr } = run(`${imports}
    const shipper = createShipper({ name: 'mine', reads: 'text', limits, encode, send: async () => ({ rejected: [], wireBytes: 0 }) });
    shipper.accept(record('x'.repeat(20_000)));
    await new Promise(setImmediate);
    for (let i = 1; i < 1000; i++) shipper.accept(record('x'.repeat(20_000)));
    await shipper.close();
  `);
  expect(stderr.trim().split('\n')).toEqual([
    '[logferry] mine: 1 record lost (too-large 1)',
    '[logferry] mine: 999 records lost (too-large 999)',
  ]);
});

it.each([
  ['goes on', 'await new Promise((resolve) => setTimeout(resolve, 4000));', 1500],
  ['ends', 'process.exit();', 800],
])(
  'reports all losses on a stderr that is full when they happen, in a process that %s',
  async (_, then, readAfterMs) => {
    const script = `${imports}
    import { writeSync } from 'node:fs';
    process.stderr.write('');
    for (let round = 0; round < 3; round++) {
      try { for (;;) writeSync(2, 'x'.repeat(1000)); } catch {}
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const send = async () => ({ rejected: [], wireBytes: 0 });
    for (const name of ['one', 'two']) {
      const shipper = createShipper({ name, reads: 'text', limits, encode, send });
      for (let i = 0; i < 100; i++) shipper.accept(record('x'.repeat(20_000)));
      await new Promise(setImmediate);
      shipper.accept(record('x'.repeat(20_000)));
      await shipper.flush();
    }
    ${then}
  `;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { cwd: folder });
    await new Promise((resolve) => setTimeout(resolve, readAfterMs));
    const told = (await text(child.stderr)).match(/\[logferry\].*/g) ?? [];
    const lost = told.map((line) => Number(/(\d+) records? lost/.exec(line)?.[1]));
    expect(lost.reduce((sum, count) => sum + count, 0)).toBe(202);
  },
);

it('by default reports failures on stderr, with their code, and the losses that follow from them', () => {
  const { stderr } = run(`${imports}
    const send = async () => { throw new DeliveryError('AUTH', 'the key is not valid'); };
    const shipper = createShipper({ name: 'mine', reads: 'text', limits, encode, send }, { maxDelayMs: 0 });
    shipper.accept(record('x'));
    await shipper.close();
  `);
  expect(stderr.trim().split('\n')).toEqual([
    '[logferry] mine: 1 record lost (undeliverable 1); AUTH: the key is not valid',
  ]);
});

it('by default reports a disk that fails on stderr, and counts no attempt for it', () => {
  const { stderr } = run(`${imports}
    const send = async () => ({ rejected: [], wireBytes: 0 });
    const destination = { name: 'mine', identity: 'mine', reads: 'text', limits, encode, send };
    const shipper = createShipper(destination, { spool: { directory: '/dev/null' } });
    shipper.accept(record('x'));
    await shipper.close();
  `);
  expect(stderr.trim().split('\n')).toEqual([
    expect.stringMatching(
      /^\[logferry\] mine: spool: cannot write to \/dev\/null: ENOTDIR.*records are kept in memory only$/,
    ),
  ]);
});

it('delivers pending records when the process has nothing left to do, with one listener for all shippers', () => {
  const { stdout, status } = run(`${imports}
    let delivered = 0;
    const send = async ({ events }) => { delivered += events.length; return { rejected: [], wireBytes: 0 }; };
    const shippers = Array.from({ length: 20 }, () => createShipper({ name: 'mine', reads: 'text', limits, encode, send }));
    for (const shipper of shippers) shipper.accept(record('x'));
    console.log('listeners', process.listenerCount('beforeExit'));
    process.on('exit', () => console.log('delivered', delivered, 'listeners', process.listenerCount('beforeExit')));
  `);
  expect(stdout).toBe('listeners 1\ndelivered 20 listeners 0\n');
  expect(status).toBe(0);
});

it('does not keep an idle process alive, and leaves no listener behind', () => {
  const startedMs = performance.now();
  const stdout = execFileSync(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `${imports}
    createShipper({ name: 'mine', reads: 'text', limits, encode, send: async () => ({ rejected: [], wireBytes: 0 }) }, { maxDelayMs: 60_000 });
    process.on('exit', () => console.log('listeners', process.listenerCount('beforeExit')));
  `,
    ],
    { cwd: folder, encoding: 'utf8' },
  );
  expect(stdout).toBe('listeners 0\n');
  expect(performance.now() - startedMs).toBeLessThan(30_000);
});

it('recognises errors of the ES module and the CommonJS copy by is(), and shares the exit listener between them', () => {
  const { stdout } = run(`
    import { createRequire } from 'node:module';
    import * as esm from '@logferry/core';
    const cjs = createRequire(import.meta.url)('@logferry/core');
    const error = new cjs.DeliveryError('AUTH', 'no');
    console.log(error instanceof esm.DeliveryError, esm.DeliveryError.is(error), cjs.DeliveryError.is(new Error('x')));
    console.log(esm.ConfigError.is(new cjs.ConfigError('a', 'b')), esm.ConfigError.is(error));
    const limits = { maxEvents: 1, maxBytes: 1024, baseBytes: () => 0 };
    const encode = () => ({ route: 'r', time: 1, payload: 'x', bytes: 1 });
    const destination = { name: 'mine', reads: 'text', limits, encode, send: async () => ({ rejected: [], wireBytes: 1 }) };
    for (const { createShipper } of [esm, cjs]) createShipper(destination).accept({});
    console.log(process.listenerCount('beforeExit'));
  `);
  expect(stdout).toBe('false true false\ntrue false\n1\n');
});

it('survives callbacks that throw or reject', async () => {
  const rejecting = async (): Promise<void> => {
    throw new Error('in the callback');
  };
  const throwing = (): void => {
    throw new Error('in the callback');
  };
  for (const callback of [rejecting, throwing]) {
    const destination = new RecordingDestination();
    destination.respond = ({ events }) => {
      if (events.some(({ payload }) => payload === 'bad')) throw new DeliveryError('INVALID', 'no');
      return { rejected: [], wireBytes: 0 };
    };
    const { shipper } = start({ onError: callback, onDrop: callback }, { destination });
    for (const text of ['bad', 'good']) shipper.accept(record(text));
    expect(await shipper.close()).toMatchObject({ dropped: { invalid: 1 } });
  }
});

it('counts, but does not report, the losses of records that a callback logs', async () => {
  let reported = 0;
  const shipper = createShipper(new RecordingDestination(), {
    maxBufferBytes: 1024,
    onDrop: () => {
      reported++;
      shipper.accept(record('x'.repeat(5000)));
    },
  });
  shipper.accept(record('x'.repeat(5000)));
  await shipper.flush();
  expect(reported).toBe(1);
  expect(shipper.stats()).toMatchObject({ received: 2, dropped: { 'buffer-full': 2 } });
  assertBalanced(shipper.stats());
});

it('assertBalanced names the number that is wrong', () => {
  const ledger = { ...start().shipper.stats(), received: 3, delivered: 1 };
  expect(() => assertBalanced(ledger)).toThrow(/received 3 \+ recovered 0, but delivered 1 .* = 1$/);
  expect(() => assertBalanced({ ...ledger, delivered: 4, pending: -1 })).toThrow(/pending -1/);
});
