import { styleText } from 'node:util';
import { safeText } from '../safe-text.js';
import type { NamedFinding, Status } from './finding.js';

/** One finding as lines for people, with its remedy below. Servers have a say in its text: nothing of it moves the cursor. */
export function humanText({ check, status, text, remedy }: NamedFinding, hasColours: boolean): string {
  const { mark, colour } = STYLES[status];
  const paint = (painted: string): string => (hasColours ? styleText(colour, painted, ANY_STREAM) : painted);
  const line = `${paint(mark)} ${check.padEnd(NAME_WIDTH)} ${safeText(text)}\n`;
  return remedy === undefined ? line : `${line}${' '.repeat(NAME_WIDTH + 3)}${paint('->')} ${safeText(remedy)}\n`;
}

/** One finding as a line of JSON. */
export function jsonText({ check, status, text, remedy }: NamedFinding): string {
  return `${JSON.stringify({ check, status, text, remedy })}\n`;
}

const NAME_WIDTH = 12;

/** The caller knows whether there are colours: `styleText` would look at stdout. */
const ANY_STREAM = { validateStream: false };

const STYLES: Readonly<
  Record<Status, { readonly mark: string; readonly colour: 'green' | 'yellow' | 'red' | 'gray' }>
> = {
  ok: { mark: '✓', colour: 'green' },
  warning: { mark: '!', colour: 'yellow' },
  failed: { mark: '✗', colour: 'red' },
  skipped: { mark: '-', colour: 'gray' },
};
