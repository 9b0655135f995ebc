// Writes the tables of the pages on moving from other packages, between their marks: `node docs/tools/moving-tables.mjs`, after a build.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const packages = {
  ...require('../../packages/winston/dist/cjs/other-transports.js').otherTransports,
  ...require('../../packages/pino/dist/cjs/other-transports.js').otherTransports,
  ...require('../../packages/bunyan/dist/cjs/other-transports.js').otherTransports,
  ...require('../../packages/log-service/dist/cjs/options/other-clients.js').otherLogServiceClients,
};

const MARKED = /(<!-- moving (\S+) -->\n)[\s\S]*?(<!-- \/moving -->)/g;

/** The pages, as paths below `docs`. */
export const movingPages = readdirSync(new URL('../moving', import.meta.url)).map((name) => `moving/${name}`);

/** A page with its tables as they have to be. */
export function withTables(text) {
  return text.replace(MARKED, (_, begin, name, end) => `${begin}\n${tableOf(name)}\n${end}`);
}

function tableOf(name) {
  const options = packages[name];
  if (!options) throw new Error(`no options of ${name} are known`);
  const rows = Object.entries(options).map(([option, { is, note }]) => {
    const difference = note === undefined ? 'the same' : note.replaceAll('|', '\\|');
    return `| \`${option}\` | ${is === undefined ? 'none' : `\`${is}\``} | ${difference} |`;
  });
  return ['| option | here | difference |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const page of movingPages) {
    const file = new URL(`../${page}`, import.meta.url);
    writeFileSync(file, withTables(readFileSync(file, 'utf8')));
  }
}
