import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type CloudWatchEmulator, startCloudWatch } from '@logferry/emulators';
import fastify from 'fastify';
import pino from 'pino';
import oldestPino from 'pino-9.14.0';
import { pinoHttp } from 'pino-http';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import packageFile from '../package.json' with { type: 'json' };
import cloudwatch from '../src/cloudwatch.js';
import { hostKeys, withoutHostKeys } from '../src/worker.js';
import { fixture, linesOf, newFile } from './support/fixtures.js';
import { end, transportOf } from './support/transport.js';

const oldest = oldestPino as unknown as typeof pino;
const require = createRequire(import.meta.url);

/** The packages of all versions of pino in the peer range; `pino` is the newest. */
const packages = Object.keys(packageFile.devDependencies).filter((name) => /^pino(-\d|$)/.test(name));

let emulator: CloudWatchEmulator;
beforeAll(async () => {
  emulator = await startCloudWatch();
  Object.assign(process.env, emulator.env);
});
afterAll(() => emulator.close());

it.each(packages)('every key that %s adds to the options of a target is known', (name) => {
  const source = readFileSync(require.resolve(`${name}/lib/transport.js`), 'utf8');
  const added = new Set([...source.matchAll(/\boptions(?:\.|\[')([\w$]+)(?:'\])? = /g)].map(([, key]) => key));
  // With several targets or a pipeline the options are those of pino's own worker, which passes on the user's.
  expect(added.delete('targets')).toBe(true);
  expect(added.delete('pipelines')).toBe(true);
  expect([...added].sort()).toEqual(hostKeys.filter((key) => key !== '$context').sort());
});

type AuditLogger = pino.Logger<'audit'>;
type Transport = pino.TransportSingleOptions & { readonly dedupe: boolean };

const customLevels = { audit: 35 };

/** Loggers with all settings of their host that reach the options of a target. */
const hosts: [string, (transport: Transport) => AuditLogger][] = [
  ['the oldest pino', (transport) => oldest({ customLevels, transport })],
  ['the newest pino', (transport) => pino({ customLevels, transport })],
  ['pino-http', (transport) => pinoHttp({ customLevels, useLevel: 'audit', transport }).logger as AuditLogger],
  ['Fastify', (transport) => fastify({ logger: { customLevels, transport } }).log as unknown as AuditLogger],
];

it.each(hosts)('a target of %s starts and ships beside customLevels and dedupe', async (name, start) => {
  const logGroupName = name.replaceAll(' ', '-');
  const options = { logGroupName, maxDelayMs: 0 };
  const logger = start({ target: '@logferry/pino/cloudwatch', dedupe: true, options });
  const failed = once(transportOf(logger), 'error');
  logger.audit('paid');
  // `end()` would block the thread of the emulator.
  const shipped = vi.waitUntil(() => emulator.events({ logGroupName })[0]?.message, { timeout: 20_000 });
  const line = await Promise.race([shipped, failed]);
  expect(JSON.parse(String(line))).toMatchObject({ level: 35, msg: 'paid' });
});

it('a target of a third party may pass all its options to destinationStream()', async () => {
  const file = newFile();
  const logger = pino({ customLevels, transport: { target: fixture('file-target.mjs'), options: { file } } });
  logger.audit('paid');
  await end(transportOf(logger));
  expect(linesOf(file).map((line) => JSON.parse(line))).toMatchObject([{ level: 35, msg: 'paid' }]);
});

it('refuses the keys where no host added them', async () => {
  for (const key of ['levels', 'dedupe'])
    await expect(cloudwatch({ logGroupName: 'shop', [key]: {} })).rejects.toThrow(`unknown option "${key}"`);
  expect(withoutHostKeys({ $context: {}, level: 'info', levels: { audit: 35 } })).toEqual({ level: 'info' });
});
