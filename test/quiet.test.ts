import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type CloudWatchEmulator,
  type LogServiceEmulator,
  startCloudWatch,
  startLogService,
} from '@logferry/emulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { shipTo } from './support/clouds.js';

const child = fileURLToPath(new URL('quiet/child.mjs', import.meta.url));
const TRANSPORTS = 4;

interface Result {
  readonly called: { readonly onError: number; readonly onDrop: number; readonly warn: number };
  readonly stats: readonly { readonly delivered: number; readonly retries: Readonly<Record<string, number>> }[];
  readonly stderr: string;
}

interface Clouds {
  readonly emulators: readonly [CloudWatchEmulator, LogServiceEmulator];
  /** `onOutput` gets all output so far. */
  run(plan: object, env?: NodeJS.ProcessEnv, onOutput?: (output: string) => void): Promise<Result>;
}

async function startClouds(): Promise<Clouds> {
  const emulators = await Promise.all([startCloudWatch({ strict: true }), startLogService({ strict: true })]);
  onTestFinished(async () => void (await Promise.all(emulators.map((each) => each.close()))));
  const [cloudwatch, logService] = [shipTo(emulators[0]), emulators[1].signedTarget];
  return {
    emulators,
    async run(plan, env = {}, onOutput = () => {}) {
      const args = [child, JSON.stringify({ cloudwatch, logService, everyMs: 0, ...plan })];
      const options = { env: { ...process.env, ...env }, maxBuffer: 1 << 28 };
      const running = promisify(execFile)(process.execPath, args, options);
      let output = '';
      for (const stream of [running.child.stdout, running.child.stderr])
        stream?.on('data', (chunk) => {
          output += chunk;
          onOutput(output);
        });
      const { stdout, stderr } = await running;
      return { ...JSON.parse(stdout.trim().split('\n').at(-1) ?? ''), stderr };
    },
  };
}

describe('four transports', () => {
  it('write nothing to stderr, and call nothing, while 4 % of requests are throttled, reset or answered 500', async () => {
    const { emulators, run } = await startClouds();
    const faults = ['throttle', 'reset', 'serverError'] as const;
    const next = Array.from({ length: 10_000 }, (_, request) => {
      const turn = (request + 1) / 25;
      return Number.isInteger(turn) ? (faults[turn % faults.length] ?? 'ok') : 'ok';
    });
    for (const emulator of emulators) emulator.faults({ next });
    const records = 1500;
    const { called, stats, stderr } = await run({ records, delivery: { maxBatchEvents: 5, maxDelayMs: 50 } });
    expect(stderr).toBe('');
    expect(called).toEqual({ onError: 0, onDrop: 0, warn: 0 });
    expect(stats.map(({ delivered }) => delivered)).toEqual(Array(TRANSPORTS).fill(records));
    const codes = new Set(stats.flatMap(({ retries }) => Object.keys(retries)));
    expect([...codes]).toEqual(expect.arrayContaining(['THROTTLED', 'UNAVAILABLE']));
  });

  it('show with LOGFERRY_DEBUG=1 where they ship, the kind of credentials, deliveries, failures and retries', async () => {
    const { emulators, run } = await startClouds();
    for (const emulator of emulators) emulator.faults({ next: ['serverError'] });
    const { stderr } = await run({ records: 2, delivery: { maxDelayMs: 50 } }, { LOGFERRY_DEBUG: '1' });
    const lines = stderr.trim().split('\n');
    expect(lines.filter((line) => !line.startsWith('[logferry:debug] '))).toEqual([]);
    const count = (pattern: RegExp): number => lines.filter((line) => pattern.test(line)).length;
    const keys = '; credentials: the keys of the option "credentials"';
    expect(count(new RegExp(`Z cloudwatch: ships to log group "\\S+" at region .*${keys}`))).toBe(2);
    expect(count(new RegExp(`Z cloudwatch \\(thread \\d+\\): ships to log group .*${keys}`))).toBe(1);
    expect(count(new RegExp(`Z log-service \\(thread \\d+\\): ships to logstore "\\S+" of project .*${keys}`))).toBe(1);
    expect(
      count(/: first delivery, \d+ ms after the start: \d events?, \d+ bytes, in \d+ ms, request id \S+; to /),
    ).toBe(TRANSPORTS);
    expect(count(/: attempt failed, UNAVAILABLE: .*HTTP 50/)).toBe(2);
    expect(count(/: \d events? to \S.* go again in \d+ ms at the earliest, after UNAVAILABLE/)).toBe(2);
    expect(count(/: \d+ records\/s, delivered 2, waiting 0, retries /)).toBeGreaterThanOrEqual(TRANSPORTS - 1);
  });

  it('say once that an outage of more than 10 s lasts, and that it is over', async () => {
    const { emulators, run } = await startClouds();
    for (const emulator of emulators) emulator.faults({ down: true });
    // Of winston in this process `onError` tells it.
    const goOn = (output: string): void => {
      if ((output.match(/^NETWORK$|nothing delivered for/gm) ?? []).length < TRANSPORTS) return;
      for (const emulator of emulators) emulator.faults();
    };
    const delivery = { maxDelayMs: 50, retry: { capMs: 1000 } };
    const { called, stats, stderr } = await run({ records: 10, delivery }, {}, goOn);
    expect(stats.map(({ delivered }) => delivered)).toEqual(Array(TRANSPORTS).fill(10));
    const lasting = /nothing delivered for 1\d s, \d+ attempts failed, the last: /g;
    const over = /delivery to .* goes on again after 1\d s, \d+ attempts failed/g;
    expect(stderr.match(lasting)).toHaveLength(TRANSPORTS - 1);
    expect(stderr.match(over)).toHaveLength(TRANSPORTS - 1);
    expect(called).toEqual({ onError: 2, onDrop: 0, warn: 4 });
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2 * (TRANSPORTS - 1));
  });
});
