import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { assertBalanced } from '@logferry/core';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { clouds } from './support/clouds.js';
import { type Host, hosts } from './support/hosts.js';

const child = fileURLToPath(new URL('memory/child.js', import.meta.url));

describe('a full budget of 64 MiB, while the service is down, counts the memory that its records hold', () => {
  for (const cloud of ['cloudwatch', 'log-service'])
    for (const length of ['50', '300', '20000'])
      for (const script of ['ascii', 'chinese'])
        it.concurrent(`${cloud}, ${length} characters, ${script}`, async ({ expect: expectHere }) => {
          const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', child, cloud, length, script]);
          expectHere(Number(stdout)).toBeGreaterThanOrEqual(0.9);
          expectHere(Number(stdout)).toBeLessThanOrEqual(1.25);
        });
});

it('the worker of pino delivers all records of a burst of 100,000 lines of 300 bytes, with default options', async () => {
  for (const cloud of clouds) {
    const running = await cloud.start();
    const host = hosts.find(({ inPinoWorker }) => inPinoWorker) as Host;
    const logger = await host.start(cloud.name, running.options);
    const padding = 'x'.repeat(300 - lineLength());
    for (let index = 100_000; index < 200_000; index++) logger.log('info', String(index), { padding });
    await logger.flush();
    const stats = await logger.stats();
    assertBalanced(stats);
    expect(stats).toMatchObject({ received: 100_000, delivered: 100_000 });
    await logger.end();
    await running.close();
  }
});

/** Length of a line of pino with an empty padding, without its end. */
function lineLength(): number {
  let line = '';
  pino({}, { write: (text: string) => (line = text) }).info({ padding: '' }, '100000');
  return line.length - 1;
}
