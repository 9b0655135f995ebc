/**
 * Makes a text of a stranger safe for a terminal, in one line. A record could otherwise move the cursor, hide what came before, write
 * to the clipboard, or turn the order of characters around. Colours are left out; all else that does not show is written as an escape,
 * `\x1b` or `\u202e`.
 */
export function safeText(text: string): string {
  return UNSAFE.test(text) ? text.replace(COLOURS, '').replace(ALL_UNSAFE, escapeOf) : text;
}

/** The lines of a text, each of them safe. */
export function safeLines(text: string): string[] {
  return text.split(/\r?\n/).map((line) => safeText(line.replaceAll('\t', '    ')));
}

/**
 * Controls (C0, C1), formats (Unicode's marks of direction, invisible characters and tags), separators of lines and paragraphs, and
 * halves of surrogate pairs. The joiners of emoji and of some scripts stay.
 */
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const ALL_UNSAFE = new RegExp(UNSAFE, 'gu');

/** https://www.ecma-international.org/publications-and-standards/standards/ecma-48/ "SELECT GRAPHIC RENDITION" */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const COLOURS = /\x1b\[[\d;:]*m/g;

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}
