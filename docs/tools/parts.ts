import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type ts from 'typescript';
import { REPOSITORY } from '../.vitepress/links.js';
import { groups } from '../.vitepress/pages.js';
import { type EntryPoint, root } from './entry-points.js';
import { optionTable, readOptions } from './options.js';
import { listPages, listReadmes } from './pages.js';

const FILES = `${REPOSITORY}/blob/main/`;

/** A part of a page between `<!-- options delivery -->` and `<!-- /options delivery -->`. */
const PART = /(?<=^<!-- options (\S+) -->\n).*?(?=^<!-- \/options \1 -->$)/gms;

/** The interface behind the name of a table. */
const TABLES: Readonly<Record<string, readonly [entryPoint: string, name: string, inherited: boolean]>> = {
  delivery: ['@logferry/core', 'DeliveryOptions', true],
  cloudwatch: ['@logferry/cloudwatch', 'CloudWatchOptions', true],
  'log-service': ['@logferry/log-service', 'LogServiceOptions', true],
  winston: ['@logferry/winston', 'HostOptions', true],
  pino: ['@logferry/pino', 'StreamOptions', false],
  bunyan: ['@logferry/bunyan', 'StreamOptions', false],
};

/** Makes the generated parts of all pages and READMEs anew. Returns the files that differ, and writes them if told so. */
export function updateParts(program: ts.Program, entryPoints: readonly EntryPoint[], write: boolean): string[] {
  const stale = [...listPages(), ...listReadmes()].filter((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const fresh = text.replace(PART, (_part, name: string) => `\n${table(name, file)}\n\n`);
    if (write && fresh !== text) writeFileSync(join(root, file), fresh);
    return fresh !== text;
  });
  return stale;

  function table(name: string, file: string): string {
    const [entryPoint, type, inherited] = TABLES[name] ?? [];
    const types = entryPoints.find((each) => each.name === entryPoint)?.types;
    if (types === undefined || type === undefined) throw new Error(`${file}: there is no table "${name}"`);
    return optionTable(readOptions(program, types, type, inherited === true), (page) => linkTo(page, file));
  }
}

/** A link of a comment to a page: within the site relative, as a page of npm needs it absolute. */
function linkTo(url: string, from: string): string {
  if (!url.startsWith(FILES)) return `<${url}>`;
  const [file = '', anchor] = url.slice(FILES.length).split('#');
  const path = relative(dirname(from), file);
  const address = from.startsWith('docs/') ? (path.startsWith('.') ? path : `./${path}`) : `${FILES}${file}`;
  return `See [${nameOf(file)}](${address}${anchor === undefined ? '' : `#${anchor}`}).`;
}

/** A page's name in the sidebar; of a README its package. */
function nameOf(file: string): string {
  const page = groups.flatMap(({ pages }) => pages).find(([path]) => file === `docs/${path}.md`);
  return page?.[1] ?? `@logferry/${file.split('/')[1]}`;
}
