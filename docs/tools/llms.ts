import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { absoluteLink } from '../.vitepress/links.js';
import { groups } from '../.vitepress/pages.js';
import { type Page, readPage } from './pages.js';

/** Writes llms.txt, the list of all pages, llms-full.txt, all of them in one, and each page as Markdown beside its HTML. */
export function writeLlms(dist: string, base: string): void {
  const index = readPage('docs/index.md');
  const sections = groups.map(({ title, pages }) => ({
    title,
    pages: pages.map(([path]) => ({ path, page: readPage(`docs/${path}.md`) })),
  }));
  const entry = (path: string, { title, description }: Page) =>
    `- [${title}](${base}${path}.md)${description && `: ${description}`}\n`;
  const list = sections.map(
    ({ title, pages }) => `## ${title}\n\n${pages.map(({ path, page }) => entry(path, page)).join('')}`,
  );
  writeFileSync(join(dist, 'llms.txt'), `# Logferry\n\n> ${index.description}\n\n${list.join('\n')}`);
  const all = [{ path: 'index', page: index }, ...sections.flatMap(({ pages }) => pages)];
  writeFileSync(join(dist, 'llms-full.txt'), all.map(({ page }) => textOf(page, base).trim()).join('\n\n---\n\n'));
  for (const { path, page } of all) {
    const file = join(dist, `${path}.md`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, textOf(page, base).trimStart());
  }
}

/** The text of a page without the marks of its generated parts. Links lead to the same place wherever it is read. */
function textOf({ file, body }: Page, base: string): string {
  return body
    .replaceAll(/^<!-- .* -->\n\n?/gm, '')
    .replaceAll(
      /\]\((\.[^)\s]*)\)/g,
      (_link, href: string) => `](${absoluteLink(file.replace(/^docs\//, ''), href, base)})`,
    );
}
