import { readdirSync, readFileSync } from 'node:fs';
import type { OtherPackages } from '@logferry/core';
import { expect, it } from 'vitest';
import { otherTransports as otherBunyan } from '../../packages/bunyan/src/other-transports.js';
import { otherLogServiceClients } from '../../packages/log-service/src/options/other-clients.js';
import { otherTransports as otherPino } from '../../packages/pino/src/other-transports.js';
import { otherTransports as otherWinston } from '../../packages/winston/src/other-transports.js';

const packages: OtherPackages = { ...otherWinston, ...otherPino, ...otherBunyan, ...otherLogServiceClients };
const folder = new URL('../moving/', import.meta.url);
const pages = readdirSync(folder);
const MARKED = /(<!-- moving (\S+) -->\n)[\s\S]*?(<!-- \/moving -->)/g;

it('each package whose options an error answers has its table on a page', () => {
  const texts = pages.map((page) => readFileSync(new URL(page, folder), 'utf8'));
  const named = texts.flatMap((text) => [...text.matchAll(MARKED)].map(([, , name]) => name));
  expect(named.sort()).toEqual(Object.keys(packages).sort());
});

it.each(pages)('the tables of %s are those of the error: npx vitest run moving -u writes them', async (page) => {
  const file = new URL(page, folder);
  const text = readFileSync(file, 'utf8').replace(
    MARKED,
    (_, begin, name, end) => `${begin}\n${tableOf(name).join('\n')}\n\n${end}`,
  );
  await expect(text).toMatchFileSnapshot(file.pathname);
});

function tableOf(name: string): string[] {
  const rows = Object.entries(packages[name] ?? {}).map(([option, { is, note = 'the same' }]) => {
    const here = is === undefined ? 'none' : `\`${is}\``;
    return `| \`${option}\` | ${here} | ${note.replaceAll('|', '\\|')} |`;
  });
  return ['| option | here | difference |', '| --- | --- | --- |', ...rows];
}
