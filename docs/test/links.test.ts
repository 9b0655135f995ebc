import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { groups } from '../.vitepress/pages.js';
import { slugOf } from '../.vitepress/slug.js';
import { root } from '../tools/entry-points.js';
import { listPages, listReadmes, readPage } from '../tools/pages.js';

const OWN = /^https:\/\/github\.com\/logferry\/logferry\/(?:tree|blob)\/main\//;
const others = ['ARCHITECTURE.md', 'CONTRIBUTING.md', 'packages/core/SPOOL.md', 'test/complaints.md'];
const listed = groups.flatMap(({ pages }) => pages.map(([path]) => `docs/${path}.md`));
const files = [...listPages(), ...listReadmes(), ...others];

it('every page of the list is written, and every page is in the list', () => {
  expect(listPages()).toEqual(['docs/index.md', ...listed.filter((file) => !file.startsWith('docs/api/'))].sort());
});

it('every page has a title, and a description of one sentence', () => {
  const wrong = listPages().filter((file) => {
    const { title, description, body } = readPage(file);
    return title === '' || !/[^.]\.$/.test(description) || (proseOf(body).match(/^# /gm) ?? []).length > 1;
  });
  expect(wrong).toEqual([]);
});

it('links lead to files of the repository, and to headings there', () => {
  expect(
    files.flatMap((file) =>
      linksOf(file)
        .filter((link) => !leadsSomewhere(file, link))
        .map((link) => `${file}: ${link}`),
    ),
  ).toEqual([]);
});

it('no page has the marks of a merge with conflicts', () => {
  expect(files.filter((file) => /^(?:<{7}|={7}|>{7})/m.test(readFileSync(join(root, file), 'utf8')))).toEqual([]);
});

it('no page has the marks of a merge that was not ended', () => {
  expect(files.filter((file) => /^(?:<{7}|>{7}) /m.test(readFileSync(join(root, file), 'utf8')))).toEqual([]);
});

it('the README has at most 150 lines', () => {
  expect(readFileSync(join(root, 'README.md'), 'utf8').split('\n').length).toBeLessThanOrEqual(151);
});

/** The addresses of links and pictures, but not those in code. */
function linksOf(file: string): string[] {
  const prose = proseOf(readFileSync(join(root, file), 'utf8')).replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
}

function leadsSomewhere(from: string, link: string): boolean {
  const inRepository = OWN.test(link) ? link.replace(OWN, '') : undefined;
  if (inRepository === undefined && /^[a-z]+:/.test(link)) return true;
  const [path = '', anchor] = (inRepository ?? link).split('#');
  const file = inRepository === undefined ? (path === '' ? from : join(dirname(from), decodeURI(path))) : path;
  if (file.startsWith('docs/api/')) return true;
  if (relative('', file).startsWith('..') || !existsSync(join(root, file))) return false;
  return anchor === undefined || anchorsOf(file).includes(anchor);
}

/** The anchors of a page, or of the README of a folder. */
function anchorsOf(file: string): string[] {
  const page = statSync(join(root, file)).isDirectory() ? join(file, 'README.md') : file;
  if (!existsSync(join(root, page))) return [];
  const prose = proseOf(readFileSync(join(root, page), 'utf8'));
  const slugs = [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    slugOf(heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')),
  );
  return page === file ? slugs : ['readme', ...slugs];
}

/** Without blocks of code. */
function proseOf(text: string): string {
  return text.replaceAll(/^ *```.*?^ *```/gms, '');
}
