import { expect } from 'vitest';
import { textOf } from '../clouds.js';
import { installExample } from '../example.js';
import type { ReachContext, Row } from '../row.js';
import { startServer } from '../server.js';

const requests = { '/health': 200, '/orders/7': 200, '/orders/2000': 500, '/nowhere': 404 } as const;
const texts = ['order read', 'shop closes', 'shop opens', 'there is no order 2000'];
/** Next.js ends by `process.exit()` after SIGTERM. */
const EXIT = 143;
const BUILD_TIMEOUT_MS = 180_000;
const env = { NEXT_TELEMETRY_DISABLED: '1' };

/** Code of the application is bundled by Next.js; the packages stay outside, and ship from a worker thread. */
export const nextRow: Row = {
  name: 'Next.js 16 and winston',
  short: false,
  async run(context) {
    await installExample(context, 'frameworks/nextjs');
    const built = await context.exec('next', ['build'], { env, timeoutMs: BUILD_TIMEOUT_MS });
    expect(built, built.stdout).toMatchObject({ exit: 0 });
    expect(built.stdout + built.stderr).not.toMatch(/logferry|winston/i);
    expect(context.clouds.takeRecords(), 'while it builds').toEqual([]);
    return {
      'CloudWatch Logs': await delivered(context, 'cloudwatch'),
      'Log Service': await delivered(context, 'log-service'),
      'at the end': `SIGTERM; exit code ${EXIT}, in a thread`,
    };
  },
};

async function delivered(context: ReachContext, cloud: 'cloudwatch' | 'log-service'): Promise<string> {
  const command = ['node', 'node_modules/next/dist/bin/next', 'start'] as const;
  const server = await startServer(context, command, { env: { ...env, CLOUD: cloud } });
  for (const [path, status] of Object.entries(requests)) expect(await server.get(path), path).toBe(status);
  expect(await server.end('SIGTERM')).toMatchObject({ exit: EXIT });
  const records = context.clouds.takeRecords();
  expect(records.map(textOf).sort()).toEqual(texts);
  return `${records.length} of ${texts.length}`;
}
