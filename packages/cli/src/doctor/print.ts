import { Colour, painter } from '../colour.js';
import { safeText } from '../safe-text.js';
import type { NamedFinding, Status } from './finding.js';

/** One finding as lines for people, with its remedy below. Servers have a say in its text: nothing of it moves the cursor. */
export function humanText({ check, status, text, remedy }: NamedFinding, hasColours: boolean): string {
  const { mark, colour } = STYLES[status];
  const paint = painter(hasColours);
  const line = `${paint(colour, mark)} ${check.padEnd(NAME_WIDTH)} ${safeText(text)}\n`;
  return remedy === undefined
    ? line
    : `${line}${' '.repeat(NAME_WIDTH + 3)}${paint(colour, '->')} ${safeText(remedy)}\n`;
}

/** One finding as a line of JSON. */
export function jsonText({ check, status, text, remedy }: NamedFinding): string {
  return `${JSON.stringify({ check, status, text, remedy })}\n`;
}

const NAME_WIDTH = 12;

const STYLES: Readonly<Record<Status, { readonly mark: string; readonly colour: Colour }>> = {
  ok: { mark: '✓', colour: Colour.green },
  warning: { mark: '!', colour: Colour.yellow },
  failed: { mark: '✗', colour: Colour.red },
  skipped: { mark: '-', colour: Colour.dim },
};
