import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { type Cloud, textOf } from '../clouds.js';
import { installExample } from '../example.js';
import type { Row } from '../row.js';
import { childOf, type Server, startServer } from '../server.js';

const ordersOf = (server: Server, ids: readonly number[]) =>
  Promise.all(ids.map(async (id) => expect(await server.get(`/orders/${id}`)).toBe(200)));

/** Two processes: each opens, and closes. */
function ofTwo(orders: number, reloads = 0): string[] {
  const processes = 2 * (1 + reloads);
  return [
    ...Array(processes).fill('shop closes'),
    ...Array(processes).fill('shop opens'),
    ...Array(orders).fill('order read'),
  ].sort();
}

export const clusterRow: Row = {
  name: 'node:cluster and winston',
  short: false,
  async run(context) {
    await installExample(context, 'frameworks/pm2-cluster');
    const delivered = async (cloud: Cloud): Promise<string> => {
      const env = { CLOUD: cloud, WORKERS: '2' };
      const server = await startServer(context, ['node', 'server.js'], { env, processes: 2 });
      await ordersOf(server, [1, 2, 3, 4, 5, 6]);
      expect(await server.end('SIGTERM')).toMatchObject({ exit: 0, stderr: '' });
      expect(context.clouds.take()).toEqual(ofTwo(6));
      return '10 of 10';
    };
    return {
      'CloudWatch Logs': await delivered('cloudwatch'),
      'Log Service': await delivered('log-service'),
      'at the end': 'SIGTERM; exit code 0',
    };
  },
};

export const pm2Row: Row = {
  name: 'PM2 7 and winston',
  short: false,
  async run(context) {
    const { folder, exec, clouds } = context;
    await installExample(context, 'frameworks/pm2-cluster');
    const env = { PM2_HOME: join(folder, 'pm2'), PORT: '0' };
    const pm2 = async (...args: readonly string[]): Promise<void> =>
      expect(await exec('pm2', args, { env }), args[0]).toMatchObject({ exit: 0 });
    const order = async (id: number): Promise<void> => {
      const [, port] = /"port":(\d+)/.exec(readFileSync(join(env.PM2_HOME, 'logs', 'shop-out-0.log'), 'utf8')) ?? [];
      expect((await fetch(`http://127.0.0.1:${port}/orders/${id}`)).status).toBe(200);
    };
    try {
      await pm2('start', 'ecosystem.config.cjs');
      await order(1);
      await pm2('reload', 'shop');
      await order(2);
      await pm2('delete', 'shop');
    } finally {
      await pm2('kill');
    }
    expect(clouds.take()).toEqual(ofTwo(2, 1));
    return { 'CloudWatch Logs': '10 of 10', 'Log Service': '–', 'at the end': 'pm2 reload and pm2 delete' };
  },
};

/** A namespace of process ids with a file system that cannot be written, but for the spool, stands for a container. */
const UNSHARE = ['--pid', '--fork', '--mount-proc', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])];
const AS_FIRST_PROCESS =
  'mount --bind "$SPOOL_DIRECTORY" "$SPOOL_DIRECTORY" && mount -o remount,bind,ro / && exec node server.js';
/** A process of another container counts as dead after 30 s, and is looked for each 30 s. */
const ADOPTION_TIMEOUT_MS = 120_000;

export const containerRow: Row = {
  name: 'the first process of a container, and pino',
  short: false,
  lacks: spawnSync('unshare', [...UNSHARE, 'true']).status === 0 ? undefined : 'unshare, or the right to it',
  async run(context) {
    const { folder, clouds } = context;
    await installExample(context, 'frameworks/container');
    const spool = join(folder, 'spool');
    mkdirSync(spool);
    const start = (cloud: Cloud): Promise<Server> =>
      startServer(context, ['unshare', ...UNSHARE, 'sh', '-c', AS_FIRST_PROCESS], {
        env: { CLOUD: cloud, SPOOL_DIRECTORY: spool },
      });
    const seen: string[] = [];
    const take = (): string[] => {
      for (const record of clouds.takeRecords()) {
        expect(Number(record.pid)).toBe(1);
        seen.push(`${textOf(record)} ${record.url ?? ''}`.trim());
      }
      return seen;
    };
    const end = async (server: Server, signal: NodeJS.Signals): Promise<void> => {
      process.kill(childOf(server.started.pid), signal);
      const ended = await server.started.ended;
      // unshare ends as its child did, but for a child that a signal has ended.
      if (signal !== 'SIGKILL') expect(ended).toMatchObject({ exit: 0, stderr: '' });
    };
    const killed = await start('cloudwatch');
    await ordersOf(killed, [1]);
    await end(killed, 'SIGKILL');
    const next = await start('cloudwatch');
    await ordersOf(next, [2]);
    await vi.waitUntil(() => take().includes('order read /orders/1'), { timeout: ADOPTION_TIMEOUT_MS });
    await end(next, 'SIGTERM');
    // A request that the kill cut off may have stored its records.
    const expected = ['order read /orders/1', 'order read /orders/2', 'shop closes', 'shop opens'];
    expect([...new Set(take())].sort()).toEqual(expected);
    expect(seen.filter((text) => text === 'shop opens').length).toBeGreaterThanOrEqual(2);
    seen.length = 0;
    const other = await start('log-service');
    await ordersOf(other, [3]);
    await end(other, 'SIGTERM');
    expect(take().sort()).toEqual(['order read /orders/3', 'shop closes', 'shop opens']);
    return {
      'CloudWatch Logs': '5 of 5',
      'Log Service': '3 of 3',
      'at the end': 'SIGTERM; exit code 0. SIGKILL; the next container delivers',
    };
  },
};
