import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../tools/entry-points.js';

/** A fenced block of code on a page. */
export interface Block {
  readonly file: string;
  readonly line: number;
  /** The heading `## …` above it. */
  readonly heading: string;
  /** The text between the block or the heading above, and this block. */
  readonly before: string;
  readonly language: string;
  /** In brackets after the language: the file that has this code, or the group of fragments that it belongs to. */
  readonly label: string;
  readonly code: string;
}

const FENCE = /^( *)```([\w-]*)[^\n[]*(?:\[([^\n]*)\])?[^\n]*\n(.*?)^\1```[ ]*$/gms;

/** The blocks of a page. In a list they are indented. */
export function blocksOf(file: string): Block[] {
  const text = readFileSync(join(root, file), 'utf8');
  const blocks = [...text.matchAll(FENCE)];
  const fences = text.match(/^ *```/gm) ?? [];
  if (fences.length !== 2 * blocks.length) throw new Error(`${file}: a block of code has no end`);
  let end = 0;
  return blocks.map((match) => {
    const [fenced, indent = '', language = '', label = '', code = ''] = match;
    const above = text.slice(0, match.index);
    const heading =
      above
        .match(/^## .+$/gm)
        ?.at(-1)
        ?.slice('## '.length) ?? '';
    const before = above.slice(Math.max(end, above.lastIndexOf(`\n## ${heading}\n`)));
    end = match.index + fenced.length;
    const line = above.split('\n').length;
    return { file, line, heading, before, language, label, code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), '') };
  });
}
