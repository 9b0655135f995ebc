import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from './entry-points.js';

/** A page of the site, or a README. */
export interface Page {
  /** Path in the repository: `docs/start/pino.md`. */
  readonly file: string;
  readonly title: string;
  readonly description: string;
  /** Without the front matter. */
  readonly body: string;
}

/** The paths of all pages of the site that are written by hand. */
export function listPages(): string[] {
  return readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !/(^|\/)(node_modules|api|tools|test|\.vitepress)\//.test(file))
    .map((file) => `docs/${file}`)
    .sort();
}

/** The READMEs that npm and GitHub show. */
export function listReadmes(): string[] {
  return ['README.md', ...readdirSync(join(root, 'packages')).map((folder) => `packages/${folder}/README.md`)];
}

export function readPage(file: string): Page {
  const text = readFileSync(join(root, file), 'utf8');
  const [, head = '', body = text] = /^---\n(.*?)\n---\n(.*)$/s.exec(text) ?? [];
  const { description = '' } = (parse(head) ?? {}) as { description?: string };
  const [, title = ''] = /^# (.+)$/m.exec(body) ?? [];
  return { file, title, description, body };
}
