import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startCloudWatch, startLogService } from '@logferry/emulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { shipTo } from './support/clouds.js';

const child = fileURLToPath(new URL('secrets/child.mjs', import.meta.url));

/** As AWS and Alibaba Cloud name them. */
const SECRET = 'SecretThatNobodyMaySee0123456789';
const TOKEN = 'TokenThatNobodyMaySee0123456789';

interface Refusal {
  readonly options: object;
  /** The service's name for the refusal. */
  readonly error: string;
}

const clouds: Readonly<Record<string, () => Promise<Refusal>>> = {
  async cloudwatch() {
    const emulator = await startCloudWatch({ strict: true });
    onTestFinished(() => emulator.close());
    const keys = { secretAccessKey: SECRET, sessionToken: TOKEN };
    const options = shipTo(emulator);
    return { options: { ...options, credentials: { ...options.credentials, ...keys } }, error: 'HTTP 40' };
  },
  async 'log-service'() {
    const emulator = await startLogService({ strict: true });
    onTestFinished(() => emulator.close());
    const keys = { accessKeySecret: SECRET, securityToken: TOKEN };
    const options = emulator.signedTarget;
    return { options: { ...options, credentials: { ...Object(options.credentials), ...keys } }, error: 'HTTP 401' };
  },
};

const spools = [undefined, { mode: 'journal' }, { mode: 'spill' }] as const;
const hosts = ['winston', 'bunyan', 'pino', 'pino in a worker'] as const;
const cases = Object.keys(clouds).flatMap((cloud) =>
  hosts.flatMap((host, row) =>
    [false, true]
      .filter((thread) => !thread || !host.startsWith('pino'))
      .map((thread, column) => ({ cloud, host, thread, spool: spools[(row + column) % spools.length] })),
  ),
);

describe.concurrent('no secret is seen in errors, notices, counters, on stderr, in its debug log, on disk or by inspecting a transport', () => {
  it.each(cases)('$host to $cloud, thread: $thread', async ({ cloud, host, thread, spool }) => {
    const { options, error } = await (clouds[cloud] as () => Promise<Refusal>)();
    const directory = mkdtempSync(join(tmpdir(), 'logferry-secrets-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const all = {
      ...options,
      maxDelayMs: 0,
      closeTimeoutMs: 1000,
      ...(thread && { thread }),
      ...(spool && { spool: { directory, ...spool } }),
    };
    const plan = JSON.stringify({ host, cloud, options: all });
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [child, plan], {
      maxBuffer: 1 << 30,
      env: { ...process.env, LOGFERRY_DEBUG: '1' },
    });
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .map((name) => join(directory, name))
      .filter((path) => statSync(path).isFile())
      .map((path) => readFileSync(path, 'latin1'));
    if (spool) expect(files.join('')).toContain('a record');
    const visible = [stdout, stderr, ...files].join('\n');
    expect(visible).toContain(error);
    for (const secret of [SECRET, TOKEN]) expect(visible.split(secret)).toHaveLength(1);
  });
});
