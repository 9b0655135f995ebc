import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const docs = fileURLToPath(new URL('..', import.meta.url));
const root = join(docs, '..');

export const REPOSITORY = 'https://github.com/logferry/logferry';

/** The address of a file of the repository that lies outside of the site, and `undefined` for a page. `folder` has the link. */
export function repositoryLink(folder: string, href: string): string | undefined {
  const file = fileOf(folder, href);
  return relative(docs, file).startsWith('..') ? addressOf(file, href) : undefined;
}

/** The address of what a page of the site links to, for a text that is read elsewhere: the page as Markdown, or a file of the repository. */
export function absoluteLink(page: string, href: string, base: string): string {
  const folder = dirname(join(docs, page));
  const file = fileOf(folder, href);
  const path = relative(docs, file).split(sep).join('/');
  return path.startsWith('..') || !path.endsWith('.md') ? addressOf(file, href) : `${base}${path}${anchorOf(href)}`;
}

function fileOf(folder: string, href: string): string {
  const [path = ''] = href.split('#');
  return join(folder, decodeURI(path));
}

function addressOf(file: string, href: string): string {
  if (!existsSync(file)) throw new Error(`there is no ${href}`);
  const kind = statSync(file).isDirectory() ? 'tree' : 'blob';
  return `${REPOSITORY}/${kind}/main/${relative(root, file).split(sep).join('/')}${anchorOf(href)}`;
}

function anchorOf(href: string): string {
  const [, anchor] = href.split('#');
  return anchor ? `#${anchor}` : '';
}
