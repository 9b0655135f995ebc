import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../tools/entry-points.js';

/** A fenced block of code on a page. */
export interface Block {
  readonly file: string;
  readonly line: number;
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
  return blocks.map((match) => {
    const [, indent = '', language = '', label = '', code = ''] = match;
    const line = text.slice(0, match.index).split('\n').length;
    return { file, line, language, label, code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), '') };
  });
}
