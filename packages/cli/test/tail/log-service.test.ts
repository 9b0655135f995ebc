import { describe, expect, it } from 'vitest';
import { looks, looksAgain, startLogstore, tail } from './support.js';

const now = Date.now();
const GET_LOGS = ['GetLogs'] as const;
const PAGES_OF_LOOK = 11;
const JSON_TYPE = 'application/json';

/** Records of one millisecond after another. */
const numbered = (count: number, fromMs: number) =>
  Array.from({ length: count }, (_, index) => ({ time: fromMs + index, fields: { msg: `log ${index}` } }));

describe('following', () => {
  it('prints the logs in order of time, page by page, and then those that are shipped', async () => {
    const { target, ship } = await startLogstore();
    await ship(numbered(250, now - 5000).toReversed());
    const tailed = tail(target);
    await expect.poll(() => tailed.lines().length).toBe(250);
    expect(tailed.lines()).toEqual(numbered(250, 0).map(({ fields }) => `INFO  ${fields.msg}`));
    await ship([{ time: now, level: 'error', fields: { msg: 'next', status: 500 } }], { topic: 'web' });
    await expect.poll(() => tailed.lines()[250]).toBe('ERROR next  status=500  [web]');
    expect(tailed.errors).toEqual([]);
  });

  it('prints a log that comes up to 30 s late, and none twice', async () => {
    const { emulator, target, ship } = await startLogstore();
    await ship([
      { time: now - 40_000, fields: { msg: 'old' } },
      { time: now, fields: { msg: 'new' } },
    ]);
    const tailed = tail(target);
    await expect.poll(tailed.lines).toEqual(['INFO  old', 'INFO  new']);
    await ship([{ time: now - 29_000, fields: { msg: 'late' } }]);
    await ship([{ time: now - 31_000, fields: { msg: 'too late' } }]);
    await expect.poll(tailed.lines).toEqual(['INFO  old', 'INFO  new', 'INFO  late']);
    await looksAgain(emulator);
    expect(tailed.lines()).toHaveLength(3);
  });

  it('prints equal logs of one time as often as they are stored', async () => {
    const { emulator, target } = await startLogstore({ clock: () => now });
    // The transports make logs of one time different.
    const track = async (count: number) => {
      const log = { __source__: 'agent', __logs__: Array.from({ length: count }, () => ({ msg: 'same' })) };
      const body = JSON.stringify(log);
      const headers = { 'x-log-apiversion': '0.6.0', 'x-log-bodyrawsize': `${body.length}`, 'content-type': JSON_TYPE };
      await fetch(`${emulator.url}/logstores/web/track`, { method: 'POST', headers, body });
    };
    await track(2);
    const tailed = tail(target);
    await expect.poll(tailed.lines).toEqual(['INFO  same', 'INFO  same']);
    await looksAgain(emulator);
    await track(1);
    await expect.poll(tailed.lines).toEqual(['INFO  same', 'INFO  same', 'INFO  same']);
    await looksAgain(emulator);
    expect(tailed.lines()).toHaveLength(3);
  });

  it('prints none twice of the second in which a look begins, when earlier ones are forgotten', async () => {
    const { emulator, target, ship } = await startLogstore();
    const second = Math.floor(now / 1000) * 1000 - 32_000;
    const early = Array.from({ length: 999 }, (_, index) => ({
      time: second + (index % 400),
      fields: { msg: index },
    }));
    await ship([...early, { time: second + 30_900, fields: { msg: 'new' } }]);
    const tailed = tail(target);
    await expect.poll(() => tailed.lines().length).toBe(1000);
    await looksAgain(emulator, 3 * PAGES_OF_LOOK);
    expect(tailed.lines()).toHaveLength(1000);
  });

  it('asks again where the service found a part, and goes on where it never finds all', async () => {
    const { emulator, target, ship } = await startLogstore();
    await ship(numbered(4, now - 4));
    emulator.faults({ next: ['incomplete', 'incomplete'], only: GET_LOGS });
    const once = tail(target, { follow: false });
    await once.end;
    expect(once.lines()).toEqual(['INFO  log 0', 'INFO  log 1', 'INFO  log 2', 'INFO  log 3']);
    emulator.faults({ incomplete: 1, only: GET_LOGS });
    const tailed = tail(target);
    await expect.poll(tailed.lines).toEqual(['INFO  log 2', 'INFO  log 3']);
    emulator.faults();
    await expect.poll(tailed.lines).toEqual(['INFO  log 2', 'INFO  log 3', 'INFO  log 0', 'INFO  log 1']);
  });

  it('finds later what the service left out, also if it is older than the newest log by more than 30 s', async () => {
    const { emulator, target, ship } = await startLogstore();
    await ship([
      ...numbered(2, now - 100_000),
      ...numbered(2, now - 60_000).map((each) => ({ ...each, level: 'warn' })),
    ]);
    emulator.faults({ incomplete: 1, only: GET_LOGS });
    const tailed = tail(target);
    await expect.poll(tailed.lines).toEqual(['WARN  log 0', 'WARN  log 1']);
    emulator.faults();
    await expect.poll(tailed.lines).toHaveLength(4);
    expect(tailed.lines().slice(2)).toEqual(['INFO  log 0', 'INFO  log 1']);
  });

  it('follows one topic', async () => {
    const { target, ship } = await startLogstore();
    await ship([{ time: now, fields: { msg: 'one' } }], { topic: 'web' });
    await ship([{ time: now, fields: { msg: 'two' } }], { topic: 'api' });
    const tailed = tail({ ...target, topic: 'api' }, { follow: false });
    await tailed.end;
    expect(tailed.lines()).toEqual(['INFO  two']);
  });

  it('prints the time of the event, which web tracking has in a field', async () => {
    const { target, ship } = await startLogstore();
    const time = new Date().setHours(12, 34, 56, 789);
    await ship([{ time, fields: { msg: 'tracked' } }], { credentials: undefined, sequenceField: 'seq' });
    const tailed = tail(target, { follow: false });
    await tailed.end;
    expect(tailed.text()).toMatch(/^12:34:56\.789 INFO {2}tracked {2}seq=\d+\n$/);
  });

  it('prints the logs since a time, of a level, and raw', async () => {
    const { target, ship } = await startLogstore();
    await ship([
      { time: now - 20, level: 'error', fields: { msg: 'before' } },
      { time: now - 10, level: 'error', fields: { msg: 'since' } },
      { time: now, fields: { msg: 'since' } },
    ]);
    const settings = { follow: false, raw: true, minRank: 50, sinceMs: now - 10, grep: /since/ };
    const tailed = tail(target, settings);
    await tailed.end;
    expect(
      tailed
        .text()
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line)),
    ).toEqual([
      expect.objectContaining({ level: 'error', msg: 'since', __time__: String(Math.floor((now - 10) / 1000)) }),
    ]);
  });

  it('prints records of pino and bunyan as their lines, and lines of an agent as they are', async () => {
    const { target, ship } = await startLogstore();
    const err = { type: 'Error', message: 'down', stack: 'Error: down\n    at pay.js:1:2', code: 'E_DOWN' };
    await ship([
      { time: now, level: 'error', fields: { level: 50, pid: 7, hostname: 'a', msg: 'paid', err, order: { id: 1 } } },
      { time: now + 1, level: 'warn', fields: { name: 'api', level: 40, pid: 7, hostname: 'a', msg: 'slow', v: 0 } },
      { time: now + 2, level: '', fields: { content: '[error] of nginx' } },
    ]);
    const tailed = tail(target, { follow: false });
    await tailed.end;
    expect(tailed.lines()).toEqual([
      'ERROR paid  err.code=E_DOWN  order={"id":1}',
      '    Error: down',
      '        at pay.js:1:2',
      'WARN  slow  name=api',
      'ERROR [error] of nginx',
    ]);
  });
});

describe('failures', () => {
  it('survives quotas, errors of the service and broken connections, and tells them once', async () => {
    const { emulator, target, ship } = await startLogstore();
    await ship(numbered(150, now));
    emulator.faults({ next: ['readQuota', 'ok', 'busy', 'reset', 'throttle', 'html'], only: GET_LOGS });
    const tailed = tail(target);
    await expect.poll(() => tailed.lines().length).toBe(150);
    expect(tailed.lines()).toEqual(numbered(150, 0).map(({ fields }) => `INFO  ${fields.msg}`));
    const { host } = new URL(emulator.url);
    expect(tailed.errors).toEqual([
      expect.stringMatching(
        `^GetLogs from logstore "web" of project "local" at ${host}: HTTP 403 ShardReadQuotaExceed: `,
      ),
      expect.stringContaining('HTTP 503 ServerBusy'),
    ]);
  });

  it('names the remedy for a missing logstore, a missing index and a refused key', async () => {
    const { target, ship } = await startLogstore();
    const { accessKeyId } = target.credentials as { accessKeyId: string };
    await expect(tail({ ...target, logstore: 'none' }).end).rejects.toThrow(
      /LogStoreNotExist.* \(check the names of the project and of the logstore, and that the endpoint is that of its region\)$/,
    );
    await ship(numbered(1, now), { logstore: 'bare', createMissing: true });
    await expect(tail({ ...target, logstore: 'bare' }).end).rejects.toThrow(
      'the logstore has no index, without which logs cannot be read, create one: HTTP 400 IndexConfigNotExist',
    );
    await expect(tail({ ...target, credentials: { accessKeyId, accessKeySecret: 'wrong' } }).end).rejects.toThrow(
      'the access key secret or the region is wrong',
    );
  });

  it('ends at once by the signal while a request hangs', async () => {
    const { emulator, target } = await startLogstore();
    emulator.faults({ hang: 1, only: GET_LOGS });
    const tailed = tail(target);
    await expect.poll(() => looks(emulator)).toBe(1);
    const start = performance.now();
    await tailed.stop();
    // The request would time out much later.
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
