import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cloudWatchStream as bunyanStream } from '@logferry/bunyan/cloudwatch';
import { createShipper } from '@logferry/core';
import { MemoryDestination } from '@logferry/core/testing';
import cloudWatchTarget, { cloudWatchStream as pinoStream } from '@logferry/pino/cloudwatch';
import { withFlush } from '@logferry/winston';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { LogServiceTransport } from '@logferry/winston/log-service';
import pino from 'pino';
import { expect, it, onTestFinished, vi } from 'vitest';
import winston from 'winston';
import { root } from '../tools/entry-points.js';

const page = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8');

/** The first cells of the table below a heading, without the names of errors of others. */
function firstCells(heading: string): string[] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const [table = ''] = section.split(/\n#{2,3} /);
  return [...table.matchAll(/^\| (`.*?`)(?: of pino)? +\|/gm)].map(([, cell = '']) => cell);
}

it('each error code has a row', () => {
  const source = readFileSync(join(root, 'packages/core/src/contract/errors.ts'), 'utf8');
  const codes = [...source.matchAll(/^ {2}\| '([A-Z_]+)'/gm)].map(([, code]) => `\`${code}\``);
  expect(codes.length).toBeGreaterThan(10);
  expect(firstCells('By error code').toSorted()).toEqual(codes.toSorted());
});

it('each reason of a loss has a row', async () => {
  const shipper = createShipper(new MemoryDestination());
  const { dropped } = await shipper.close();
  const cells = firstCells('By the reason of a loss').flatMap((cell) => cell.split(', '));
  expect(cells.toSorted()).toEqual(
    Object.keys(dropped)
      .map((reason) => `\`${reason}\``)
      .toSorted(),
  );
});

const group = { logGroupName: 'shop' };
const place = { endpoint: 'cn-hangzhou.log.aliyuncs.com', project: 'shop', logstore: 'web' };

/** Wrong options, as they are found in the wild. The compiler refuses most of them. */
const mistakes: readonly (() => unknown)[] = [
  () => new CloudWatchTransport({ logGroup: 'shop' } as never),
  () => new CloudWatchTransport({ ...group, awsRegion: 'us-east-1' } as never),
  () => new CloudWatchTransport({ logGroupName: undefined } as never),
  () => new LogServiceTransport({ ...place, project: undefined } as never),
  () => new LogServiceTransport({ ...place, endpoint: 'cn-hangzhou' }),
  () => new CloudWatchTransport({ ...group, endpoint: 'localhost:4601' }),
  () => new LogServiceTransport({ ...place, credentials: 'env' }),
  () => new CloudWatchTransport({ ...group, credentials: { accessKeyId: 'a', secretAccessKey: 'b\n' } }),
  () => new CloudWatchTransport({ ...group, thread: true, transform: (record) => record }),
  () =>
    pino.transport({
      target: '@logferry/pino/cloudwatch',
      options: { ...group, transform: (record: unknown) => record },
    }),
  () => pinoStream({ ...group, thread: true } as never),
  () => winston.createLogger({ transports: [new CloudWatchTransport({ ...group, level: 'trace' })] }),
  () => pino(cloudWatchTarget(group) as never),
  () => withFlush(async () => {}, winston.createLogger({ silent: true }) as never),
  () => new LogServiceTransport({ ...place, createMissing: true }),
  () => new CloudWatchTransport({ ...group, region: 'us-east-1', client: { send: () => {} } as never }),
  () => bunyanStream({ ...group, logStreamName: '{day}' }),
  () => bunyanStream({ ...group, redact: ['$.a'] }),
  () => new CloudWatchTransport({ ...group, thread: true, hooks: '/no/such/hooks.mjs' }),
  () => bunyanStream({ ...group, spool: {} as never }),
  () => bunyanStream({ ...group, retry: { maxAgeMs: 500 } }),
];

/** Needs a bundle: `test/reach` has it. */
const ELSEWHERE = '`thread: a bundle lacks the files that the worker thread loads of …`';

it('each ConfigError of the page is one that a mistake throws', () => {
  vi.stubEnv('ALIBABA_CLOUD_ACCESS_KEY_ID', undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
  const messages = mistakes.map((make) => {
    try {
      make();
      return 'no error';
    } catch (error) {
      const { name, message } = error as Error;
      return name === 'ConfigError' ? message.replace('[logferry] ', '') : `${name}: ${message}`;
    }
  });
  const patterns = firstCells('By ConfigError').map((cell) => [cell, patternOf(cell)] as const);
  const unmatched = patterns.filter(
    ([cell, pattern]) => cell !== ELSEWHERE && !messages.some((text) => pattern.test(text)),
  );
  expect(unmatched.map(([cell]) => cell)).toEqual([]);
  expect(messages.filter((text) => !patterns.some(([, pattern]) => pattern.test(text)))).toEqual([]);
});

/** A cell has the beginning of a message, with `…` for a part of it. */
function patternOf(cell: string): RegExp {
  const parts = cell.slice(1, -1).split('…');
  return new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}`, 's');
}

/** Texts of the services, of Node.js and of the command, which no source of ours has. */
const OF_OTHERS =
  /^(?:\w+(?:Exception|Id|Match|Token)(?:: .*)?|a local server .*|AccessDeniedException: .*|PutRetentionPolicy …)$/;

it('each message of the page is one of the code', () => {
  const sources = ['core', 'cloudwatch', 'log-service'].map((name) => sourcesOf(join(root, 'packages', name, 'src')));
  // Parts that are filled in, and line ends of the code, match any text.
  const code = sources.join('\n').replaceAll(/\$\{[^}]*\}/g, '…');
  const messages = ['### AUTH', '### MISCONFIGURED', '### Behind a proxy'].flatMap((heading) => {
    const [, section = ''] = page.split(`\n${heading}\n`);
    const [rows = ''] = section.split(/\n#{2,3} /);
    return [...rows.matchAll(/^\| (`[^|]*`)/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)]);
  });
  const own = messages.map(([, text = '']) => text).filter((text) => !OF_OTHERS.test(text));
  expect(own.length).toBeGreaterThan(10);
  expect(own.filter((text) => !partsOf(text).every((part) => code.includes(part)))).toEqual([]);
});

/** Without what differs: a part in brackets, the name of a package, an action. */
function partsOf(message: string): string[] {
  return message
    .split(/…|@[\w/-]+|\(.*\)|log:\w+/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function sourcesOf(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
}
