import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { moduleUrl } from '../module-url.js';

/** A file of the page. */
export interface Asset {
  readonly type: string;
  readonly content: Buffer | string;
}

/** In a bundle that does not know its own place, packages are found from the working directory. */
const { resolve } = createRequire(moduleUrl ?? join(process.cwd(), 'index.js'));
const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** The libraries by the names under which the page imports them. They are found where the package manager put them. */
const LIBRARIES = {
  preact: () => resolve('preact'),
  'preact/hooks': () => resolve('preact/hooks'),
  // `resolve` finds the CommonJS form; the form for browsers is beside it.
  htm: () => join(dirname(resolve('htm')), 'htm.module.js'),
  uplot: () => resolve('uplot/dist/uPlot.esm.js'),
};
const LIBRARY_STYLES = { 'uplot.css': () => resolve('uplot/dist/uPlot.min.css') };

/** Paths of the files below `assets/`, by name. */
export function assetPaths(): ReadonlyMap<string, string> {
  const folder = pageFolder();
  const own = readdirSync(folder).filter((name) => extname(name) in TYPES);
  return new Map([
    ...own.map((name): [string, string] => [name, join(folder, name)]),
    ...Object.entries(LIBRARIES).map(([name, find]): [string, string] => [libraryFile(name), find()]),
    ...Object.entries(LIBRARY_STYLES).map(([name, find]): [string, string] => [name, find()]),
  ]);
}

/** Reads a file of {@link assetPaths}. */
export async function readAsset(path: string): Promise<Asset> {
  return { type: TYPES[extname(path)] ?? '', content: await readFile(path) };
}

/** The page, with a policy that permits its own scripts and styles only: a text of a log can never run. */
export async function readPage(): Promise<Asset & { readonly policy: string }> {
  const nonce = randomBytes(16).toString('base64');
  const imports = Object.fromEntries(
    Object.keys(LIBRARIES).map((name) => [name, `/_logferry/assets/${libraryFile(name)}`]),
  );
  const html = await readFile(join(pageFolder(), 'index.html'), 'utf8');
  const importMap = `<script type="importmap" nonce="${nonce}">${JSON.stringify({ imports })}</script>`;
  return {
    type: 'text/html; charset=utf-8',
    content: html.replace('<!-- import map -->', importMap),
    policy: [
      `default-src 'none'`,
      `script-src 'self' 'nonce-${nonce}'`,
      `style-src 'self'`,
      `connect-src 'self'`,
      'img-src data:',
      `base-uri 'none'`,
      `form-action 'none'`,
      `frame-ancestors 'none'`,
    ].join('; '),
  };
}

/** In the package's own folder, wherever its modules are built to. */
function pageFolder(): string {
  return join(dirname(resolve('@logferry/emulators/package.json')), 'page');
}

function libraryFile(name: string): string {
  return `${name.replace('/', '-')}.js`;
}
