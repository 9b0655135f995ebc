import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { assertBalanced, type DeliveryStats } from '../src/index.js';
import { temporaryDirectory } from './support/spool.js';

const folder = fileURLToPath(new URL('..', import.meta.url));

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
  readonly tookMs: number;
}

/** Runs a script against the built package, in a process of its own. */
function run(script: string): Ended {
  const startedMs = performance.now();
  const args = ['--input-type=module', '--eval', setUp + script];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { stdout, stderr, status, tookMs: performance.now() - startedMs };
}

const setUp = `
  import { createShipper, DeliveryError } from '@logferry/core';
  const record = (text) => ({ time: 1, level: 'info', urgent: false, text, fields: {} });
  const stored = [];
  const destination = {
    name: 'mine',
    reads: 'text',
    limits: { maxEvents: 10, maxBytes: 10_000 },
    encode: ({ time, text }) => ({ route: 'r', time, payload: text, bytes: text.length }),
    async send({ events }) {
      stored.push(...events.map(({ payload }) => payload));
      return { rejected: [], wireBytes: 0 };
    },
  };
  const down = { ...destination, send: async () => { throw new DeliveryError('NETWORK', 'down'); } };
  const hanging = { ...destination, send: () => new Promise(() => {}) };
`;

const endedFirst =
  'the cause: Error: the process ended first: await flush() or close() before process.exit(), or ship with thread: true';

describe('at the exit of a process that has records queued', () => {
  it.each([
    ['process.exit()', 'process.exit(3)', 3],
    ['an uncaught error', 'throw new Error("the end")', 1],
    ['an unhandled rejection', 'await Promise.reject(new Error("the end"))', 1],
  ])('they are counted, and told on stderr or to onDrop: %s', (_, end, status) => {
    const ended = run(`
      const silent = createShipper(destination);
      const told = createShipper(destination, { onDrop: ({ reason, records }) => console.log('onDrop', reason, records) });
      for (let i = 0; i < 25; i++) for (const shipper of [silent, told]) shipper.accept(record('x'));
      process.on('exit', () => console.log(silent.stats().dropped.undeliverable, told.stats().pending));
      ${end};
    `);
    expect(ended).toMatchObject({ status, stdout: 'onDrop undeliverable 25\n25 0\n' });
    expect(ended.stderr).toContain(`[logferry] mine: 25 records lost (undeliverable 25); ${endedFirst}\n`);
  });

  it('those in flight count as lost, since nobody will see the response', () => {
    const { stdout, stderr } = run(`
      const shipper = createShipper(hanging, { maxDelayMs: 0 });
      shipper.accept(record('x'));
      setTimeout(() => process.exit(), 20);
      process.on('exit', () => console.log(JSON.stringify(shipper.stats())));
    `);
    expect(JSON.parse(stdout)).toMatchObject({ pending: 0, ambiguous: 1, dropped: { undeliverable: 1 }, inFlight: 0 });
    expect(stderr).toContain('1 record lost (undeliverable 1)');
  });

  it('they are told before an earlier listener of the application that ends the process', () => {
    const { stderr, status } = run(`
      process.on('exit', () => process.exit(7));
      createShipper(destination).accept(record('x'));
      process.exit();
    `);
    expect(stderr).toContain('1 record lost (undeliverable 1)');
    expect(status).toBe(7);
  });

  it.each([
    ['nothing else was logged', ''],
    ['records were logged before', "shipper.accept(record('before')); await shipper.flush();"],
    ['records are queued', "shipper.accept(record('queued'));"],
  ])('a record that an exit listener logs is refused, and told at once, if %s', (_, before) => {
    const { stdout, stderr } = run(`
      const shipper = createShipper(destination);
      ${before}
      process.on('exit', () => {
        console.log(shipper.accept(record('late')), JSON.stringify(shipper.stats().dropped));
        process.exit();
      });
    `);
    expect(stdout).toMatch(/^false .*"closed":1/);
    expect(stderr).toContain('[logferry] mine: 1 record lost (closed 1)');
  });
});

describe('at the exit of a process with a spool', () => {
  it.each([
    ['spill', ''],
    ['spill', "shipper.accept(record('queued 1')); shipper.accept(record('queued 2'));"],
    ['journal', ''],
    ['journal', "shipper.accept(record('queued 1')); shipper.accept(record('queued 2'));"],
  ])('records that an exit listener logs are on disk for the next start: %s, %s', (mode, before) => {
    const directory = temporaryDirectory();
    const start = (more: string): Ended =>
      run(`
        const options = { spool: { directory: ${JSON.stringify(directory)}, mode: '${mode}' } };
        const shipper = createShipper({ ...destination, identity: 'mine' }, options);
        ${more}
      `);
    const first = start(`
      ${before}
      process.on('exit', () => {
        console.log(shipper.accept(record('late 1')), shipper.accept(record('late 2')), JSON.stringify(shipper.stats()));
        process.exit();
      });
      process.exit();
    `);
    expect(first).toMatchObject({ stdout: expect.stringMatching(/^true true /), stderr: '' });
    const texts = [...before.matchAll(/queued \d/g)].map(([text]) => text).concat('late 1', 'late 2');
    const stats: DeliveryStats = JSON.parse(first.stdout.replace('true true ', ''));
    assertBalanced(stats);
    expect(stats).toMatchObject({ received: texts.length, spooled: texts.length, pending: 0 });
    const next = start('await shipper.close(); console.log(JSON.stringify(stored.sort()));');
    expect(next.stderr).toBe('');
    expect(JSON.parse(next.stdout)).toEqual(texts.sort());
  });
});

describe('at the natural end of a process that goes on', () => {
  it('records are delivered at each end', () => {
    const { stdout, stderr } = run(`
      const shipper = createShipper(destination, { maxDelayMs: 600_000 });
      let ends = 0;
      process.on('beforeExit', () => {
        if (++ends < 4) setTimeout(() => shipper.accept(record(\`end \${ends}\`)));
      });
      process.on('exit', () => console.log(JSON.stringify(stored)));
      shipper.accept(record('start'));
    `);
    expect(JSON.parse(stdout)).toEqual(['start', 'end 1', 'end 2', 'end 3']);
    expect(stderr).toBe('');
  });

  it('records that met the deadline once are not tried again, and are told at the exit', () => {
    const { stdout, stderr, tookMs } = run(`
      const shipper = createShipper(hanging, { maxDelayMs: 0, closeTimeoutMs: 100 });
      shipper.accept(record('x'));
      let ends = 0;
      process.on('beforeExit', () => {
        if (++ends === 2) setTimeout(() => {});
        if (ends === 3) setTimeout(() => shipper.accept(record('y')));
      });
      process.on('exit', () => console.log(ends, JSON.stringify(shipper.stats().dropped)));
    `);
    expect(stdout).toMatch(/^5 .*"undeliverable":2/);
    expect(stderr).toBe(`[logferry] mine: 2 records lost (undeliverable 2); ${endedFirst}\n`);
    expect(tookMs).toBeLessThan(20_000);
  });

  it('the wait ends when no attempt can come before the deadline', () => {
    const { stderr, tookMs } = run(`
      const send = async () => { throw new DeliveryError('AUTH', 'the key is not valid'); };
      createShipper({ ...destination, send }, { maxDelayMs: 0, closeTimeoutMs: 29_000 }).accept(record('x'));
    `);
    expect(stderr).toContain('1 record lost (undeliverable 1)');
    expect(tookMs).toBeLessThan(25_000);
  });
});
