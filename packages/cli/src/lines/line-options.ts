import { UsageError } from '../usage-error.js';
import type { MultilineRule } from './multiline.js';

/** Reads the value of `--multiline`. */
export function parseMultiline(text: string): MultilineRule {
  if (text === 'auto' || text === 'off' || text === 'indent') return text;
  const [, source, flags] = REGULAR_EXPRESSION.exec(text) ?? [];
  if (!source) {
    throw new UsageError(
      `--multiline must be auto, off, indent or a regular expression such as /^\\d{4}-/, which matches the first line of a record; got ${JSON.stringify(text)}`,
    );
  }
  try {
    return new RegExp(source, flags);
  } catch (error) {
    throw new UsageError(`--multiline: ${(error as Error).message}`);
  }
}

/** With the flags that have a meaning for one line. */
const REGULAR_EXPRESSION = /^\/(.+)\/([iuv]*)$/;
