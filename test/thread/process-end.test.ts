import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { assertBalanced, type DeliveryStats } from '@logferry/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Ended, runCode } from './run.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'logferry-process-end-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs `code` with a shipper in a thread. `own` are options of its destination. */
function run(code: string, options: object = {}, own: object = {}, ...flags: string[]): Promise<Ended> {
  const file = join(folder, 'stored.log');
  return runCode(
    `
    import { writeSync } from 'node:fs';
    import { createShipper } from '@logferry/core';
    import { createFileDestination } from './file-destination.mjs';
    const destination = createFileDestination(${JSON.stringify({ file, ...own })});
    const shipper = createShipper(destination, ${JSON.stringify({ thread: true, ...options })});
    const log = (text) => shipper.accept({ time: 1, level: 'info', urgent: false, text, fields: {} });
    const tell = () => writeSync(2, 'stats ' + JSON.stringify(shipper.stats()) + '\\n');
    ${code}
  `,
    ...flags,
  );
}

/** Writes a module for `--import`. */
function preload(code: string): string {
  const file = join(folder, 'preload.mjs');
  writeFileSync(file, `import { isMainThread } from 'node:worker_threads';\nif (!isMainThread) { ${code} }`);
  return pathToFileURL(file).href;
}

const stored = (): string[] => {
  try {
    return readFileSync(join(folder, 'stored.log'), 'utf8').split('\n').slice(0, -1);
  } catch {
    return [];
  }
};

const told = ({ stderr }: Ended): number =>
  [...stderr.matchAll(/\[logferry\] file: (\d+) records? lost/g)].reduce((sum, [, count]) => sum + Number(count), 0);

describe('process.exit() with a thread that gives no proof of delivery', () => {
  it('counts and tells all records: the thread is stuck', async () => {
    const code = `
      log('stored');
      await shipper.flush();
      log('<block>');
      await new Promise((resolve) => setTimeout(resolve, 100));
      for (let i = 0; i < 100; i++) log('x');
      process.on('exit', tell);
      process.exit(3);
    `;
    const ended = await run(code, { closeTimeoutMs: 200 });
    expect(ended.code).toBe(3);
    expect(stored()).toEqual(['stored']);
    expect(told(ended)).toBe(101);
    expect(ended.stderr).toContain('"pending":0');
    expect(ended.stderr).toContain('the worker thread gave no answer at the exit of the process');
    expect(ended.tookMs).toBeLessThan(8000);
  });

  it('counts and tells all records: the thread cannot start', async () => {
    const never = preload('Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);');
    const code = "for (let i = 0; i < 100; i++) log('x'); process.exit(3);";
    const ended = await run(code, { closeTimeoutMs: 200 }, {}, '--import', never);
    expect(ended.code).toBe(3);
    expect(told(ended)).toBe(100);
    expect(ended.tookMs).toBeLessThan(15_000);
  });

  it('waits once for a thread that cannot start, when the process ends by itself', async () => {
    const never = preload('Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);');
    const ended = await run("log('x');", { closeTimeoutMs: 200 }, {}, '--import', never);
    expect(ended.code).toBe(0);
    expect(told(ended)).toBe(1);
    expect(ended.tookMs).toBeLessThan(6000);
  });

  it('tells each loss once, when the service is slower than the deadline', async () => {
    const code = "log('x'); await shipper.flush(); for (let i = 1; i < 40; i++) log('x'); process.exit();";
    const ended = await run(code, { maxBatchEvents: 1, concurrency: 2, closeTimeoutMs: 700 }, { delayMs: 100 });
    expect(stored().length).toBeGreaterThan(3);
    // On a busy machine the worker may answer too late: then its last report can miss a stored record, which counts as lost.
    const hasAnswered = !ended.stderr.includes('gave no answer');
    if (hasAnswered) expect(stored().length + told(ended)).toBe(40);
    else expect(stored().length + told(ended)).toBeGreaterThanOrEqual(40);
    expect(told(ended)).toBeLessThan(40);
  });
});

describe('what a dead process left', () => {
  it('is delivered by a thread at a natural end, and does not delay process.exit()', async () => {
    const spool = { spool: { directory: join(folder, 'spool') }, maxBatchEvents: 10 };
    const leave = "for (let i = 0; i < 400; i++) log('old ' + i); process.exit();";
    await run(leave, { ...spool, closeTimeoutMs: 0 }, { down: true });
    expect(stored()).toEqual([]);
    // 40 requests, at most two at a time.
    const exit = "log('own'); process.on('exit', tell); process.exit();";
    const exited = await run(exit, { ...spool, maxDelayMs: 0 }, { delayMs: 200 });
    expect(stored()).toContain('own');
    expect(stored().length).toBeLessThan(200);
    expect(exited.stderr).not.toContain('lost');
    expect(exited.stderr).toContain('"pending":0');
    await run("log('last');", { ...spool, maxDelayMs: 0 }, { delayMs: 20 });
    expect(new Set(stored()).size).toBe(402);
  });
});

describe('a thread that dies', () => {
  it('of memory ends neither the application nor its logs, and its records are told', async () => {
    const code = `
      log('<memory>');
      await new Promise((resolve) => setTimeout(resolve, 50));
      while (shipper.stats().pending > 0) await new Promise((resolve) => setTimeout(resolve, 20));
      log('by its successor');
    `;
    const ended = await run(code, {}, {}, '--max-old-space-size=100');
    expect(ended).toMatchObject({ code: 0 });
    expect(told(ended)).toBe(1);
    expect(ended.stderr).toMatch(/the worker thread has ended \(Worker terminated due to reaching memory limit/);
    expect(stored()).toEqual(['by its successor']);
  });

  it('of memory twice is followed by nobody, since the main thread would die of the same', async () => {
    const code = `
      for (let death = 0; death < 2; death++) {
        log('<memory>');
        await new Promise((resolve) => setTimeout(resolve, 50));
        while (shipper.stats().pending > 0) await new Promise((resolve) => setTimeout(resolve, 20));
      }
      log('<memory>');
    `;
    const ended = await run(code, {}, {}, '--max-old-space-size=100');
    expect(ended).toMatchObject({ code: 0 });
    expect(told(ended)).toBe(3);
    expect(ended.stderr).toContain('records are dropped for 10 minutes');
  });

  it('in a module that Node.js preloads ends neither the application nor its logs', async () => {
    const broken = preload("throw new Error('broken preload');");
    const code = `
      log('x');
      while (shipper.stats().pending > 0) await new Promise((resolve) => setTimeout(resolve, 20));
      log('y');
      while (shipper.stats().pending > 0) await new Promise((resolve) => setTimeout(resolve, 20));
      log('in process');
      await shipper.flush();
    `;
    const ended = await run(code, { dropNotice: false }, {}, '--import', broken);
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.stderr).toContain('the worker thread has ended (broken preload)');
    expect(told(ended) + stored().length).toBe(3);
    expect(stored().at(-1)).toBe('in process');
  });

  it.each([
    ['close()', 'await shipper.close();', 3, 0],
    ['process.exit()', "log('queued'); process.exit();", 3, 1],
    ['a natural end', "log('last');", 4, 0],
    ['records at the exit', "process.on('exit', () => log('late'));", 3, 1],
  ])('is followed by the main thread, which ends with %s and counts each record once', async (_, end, kept, lost) => {
    const code = `
      for (let death = 0; death < 2; death++) {
        log('<exit>');
        await shipper.flush();
      }
      for (let i = 0; i < 3; i++) log('in process');
      await shipper.flush();
      process.on('exit', tell);
      ${end}
    `;
    const ended = await run(code, { dropNotice: false });
    expect(stored()).toHaveLength(kept);
    expect(told(ended)).toBe(2 + lost);
    expect(ended.stderr).toContain('"pending":0');
  });

  it('has told all losses that it has counted, also those that are joined', async () => {
    const code = `
      for (let turn = 0; turn < 15; turn++) {
        log('<refuse>');
        await shipper.flush();
      }
      log('<exit>');
      await shipper.flush();
      tell();
    `;
    const ended = await run(code);
    expect(ended.stderr).toContain('"invalid":15');
    expect(told(ended)).toBe(16);
  });

  it('at its start is told as the cause, also at an early end', async () => {
    const broken = preload("throw new Error('broken preload');");
    const ended = await run("log('x'); await shipper.close();", {}, {}, '--import', broken);
    expect(told(ended)).toBe(1);
    expect(ended.stderr).toContain('broken preload');
  });
});

describe('at the exit of the process', () => {
  it('records that a later exit listener logs are delivered', async () => {
    const code = `
      log('first');
      process.on('exit', () => { for (let i = 0; i < 3; i++) log('late ' + i); tell(); });
      process.exit();
    `;
    const { stderr } = await run(code, { maxDelayMs: 600_000 });
    expect(stored()).toEqual(['first', 'late 0', 'late 1', 'late 2']);
    expect(stderr).toContain('"delivered":4');
  });

  it('records are delivered before an earlier listener that ends the process', async () => {
    const code = `
      process.on('exit', () => process.exit(7));
      for (let i = 0; i < 20; i++) log('x');
      process.exit();
    `;
    expect(await run(code, { maxDelayMs: 600_000 })).toMatchObject({ code: 7, stderr: '' });
    expect(stored()).toHaveLength(20);
  });

  it('records that an exit listener logs after a natural end are delivered', async () => {
    expect((await run("process.on('exit', () => log('the only one'));")).stderr).toBe('');
    expect(stored()).toEqual(['the only one']);
  });

  it('records that are on disk only are read back for a later exit listener, too, and do not block it in vain', async () => {
    const gate = join(folder, 'gate');
    const code = `
      import { writeFileSync } from 'node:fs';
      const rest = ' ' + 'x'.repeat(400);
      while (shipper.stats().spooled < 200) {
        for (let i = 0; i < 20; i++) log(i + rest);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      process.on('exit', () => {
        writeFileSync(${JSON.stringify(gate)}, '');
        log('late');
        tell();
      });
      process.exit();
    `;
    const spool = { directory: join(folder, 'spool') };
    const options = { maxBufferBytes: 65_536, closeTimeoutMs: 300, dropNotice: false, spool };
    const { stderr } = await run(code, options, { gate });
    const stats: DeliveryStats = JSON.parse(/^stats (.*)$/m.exec(stderr)?.[1] ?? '');
    assertBalanced(stats);
    expect(stats.pending).toBe(0);
    expect(stats.delivered).toBeGreaterThan(1);
    expect(stored()).toHaveLength(stats.delivered);
  });

  it('records that met the deadline at the natural end do not block it for another', async () => {
    const ended = await run("for (let i = 0; i < 10; i++) log('x');", { closeTimeoutMs: 1500 }, { down: true });
    expect(told(ended)).toBe(10);
    expect(ended.tookMs).toBeLessThan(6000);
  });
});

it('records are delivered at each end of a process that goes on', async () => {
  const code = `
    let ends = 0;
    process.on('beforeExit', () => { if (++ends < 4) setTimeout(() => log('end ' + ends)); });
    log('start');
  `;
  const { stderr, code: status } = await run(code, { maxDelayMs: 600_000 });
  expect(stored()).toEqual(['start', 'end 1', 'end 2', 'end 3']);
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
