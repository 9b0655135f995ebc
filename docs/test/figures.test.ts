import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCloudWatch } from '@logferry/cloudwatch';
import { createLogService } from '@logferry/log-service';
import { expect, it } from 'vitest';
import { root } from '../tools/entry-points.js';
import { listPages, listReadmes } from '../tools/pages.js';

const read = (file: string): string => readFileSync(join(root, file), 'utf8');

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  s: 1000,
  minutes: 60_000,
  hours: 3_600_000,
  MiB: 1024 ** 2,
};

it('each default that a page states behind the name of an option is that of the option', () => {
  const stated = [...listPages(), ...listReadmes()].flatMap((file) =>
    [...read(file).matchAll(/`([a-zA-Z.]+)` \(([\d,]+)(?: (s|minutes|hours|MiB))?(?=[);, ])/g)].map(
      ([, name = '', number = '', unit = '']) => ({
        file,
        name,
        value: Number(number.replaceAll(',', '')) * (UNITS[unit] ?? Number.NaN),
      }),
    ),
  );
  const defaults = defaultsOf('docs/options/delivery.md');
  // The page of the spool names the members alone.
  const defaultOf = (name: string) => defaults.get(name) ?? defaults.get(`spool.${name}`);
  expect(stated.length).toBeGreaterThan(15);
  expect(stated.filter(({ name, value }) => defaultOf(name) !== value)).toEqual([]);
});

const cloudWatch = createCloudWatch({ logGroupName: 'shop' }).limits;
const place = { endpoint: 'cn-hangzhou.log.aliyuncs.com', project: 'shop', logstore: 'web' };
const logService = createLogService({ ...place, credentials: { accessKeyId: 'a', accessKeySecret: 'b' } }).limits;

it('the limits of a request are those of the destinations', () => {
  const page = read('docs/cost-and-quotas.md');
  expect(rowOf(page, 'events in a request')).toEqual([
    cloudWatch.maxEvents.toLocaleString('en'),
    logService.maxEvents.toLocaleString('en'),
  ]);
  const [inCloudWatch, inLogService] = rowOf(page, 'bytes in a request');
  expect(inCloudWatch).toMatch(new RegExp(`^${cloudWatch.maxBytes.toLocaleString('en')}:`));
  expect(inLogService).toContain(`raw ${logService.maxBytes.toLocaleString('en')};`);
  const day = 24 * 3_600_000;
  const [cloudWatchAge, logServiceAge] = rowOf(page, 'how old an event may be');
  expect(cloudWatchAge).toContain(`${(cloudWatch.maxPastMs ?? 0) / day} days`);
  expect(logServiceAge).toContain(`${(logService.maxPastMs ?? 0) / day} days`);
  const [cloudWatchLead, logServiceLead] = rowOf(page, 'how far ahead');
  expect(cloudWatchLead).toContain(`${(cloudWatch.maxFutureMs ?? 0) / 3_600_000} hours`);
  expect(logServiceLead).toContain(`${(logService.maxFutureMs ?? 0) / 60_000} minutes`);
});

it('the rate of requests follows from the limits of a request', () => {
  const page = read('docs/cost-and-quotas.md');
  for (const records of [1, 1000, 10_000]) {
    // A record of 300 bytes, and 26 that CloudWatch Logs counts for each. To Log Service the number of logs is the limit.
    const toCloudWatch = Math.max(1, (records * 326) / cloudWatch.maxBytes);
    const toLogService = Math.max(1, records / logService.maxEvents);
    const texts = [toCloudWatch, toLogService].map((rate) => String(Number(rate.toFixed(1))));
    expect(rowOf(page, records.toLocaleString('en'))).toEqual(texts);
  }
});

it('what a package installs is what the page on security says', () => {
  const [, section = ''] = read('docs/security.md').split('## What is installed');
  const rows = [...section.matchAll(/^\| `@logferry\/([\w-]+)` \| (.+) \|$/gm)];
  expect(rows.length).toBeGreaterThan(5);
  for (const [, folder = '', cell = ''] of rows) {
    const { dependencies } = JSON.parse(read(`packages/${folder}/package.json`));
    const others = Object.keys(dependencies ?? {}).filter((name) => !name.startsWith('@logferry/'));
    const [installed = ''] = cell.split(';');
    expect([folder, ...[...installed.matchAll(/`([^`]+)`/g)].map(([, name]) => name)]).toEqual([folder, ...others]);
  }
});

/** The defaults that are numbers, by the name of the option. */
function defaultsOf(file: string): Map<string, number> {
  const rows = read(file).matchAll(/^\| `([\w.]+)` \| [^|]+ \| `([\d_]+)`/gm);
  return new Map([...rows].map(([, name = '', value = '']) => [name, Number(value.replaceAll('_', ''))]));
}

/** The cells of a row of a table behind its first one. */
function rowOf(page: string, first: string): string[] {
  const [, cells = ''] = page.match(new RegExp(`^\\| ${first} \\| (.*) \\|$`, 'm')) ?? [];
  return cells.split(' | ');
}
