import { ConfigError, wrongOption } from '@logferry/core';
import type { MultilineRule } from './multiline.js';

/** Reads the value of the option `multiline`. Throws `ConfigError`. */
export function parseMultiline(text: string): MultilineRule {
  if (text === 'auto' || text === 'off' || text === 'indent') return text;
  const [, source, flags] = REGULAR_EXPRESSION.exec(text) ?? [];
  if (!source) {
    throw wrongOption(
      'multiline',
      'auto, off, indent or a regular expression such as /^\\d{4}-/, which matches the first line of a record',
      text,
    );
  }
  try {
    return new RegExp(source, flags);
  } catch (error) {
    throw new ConfigError('multiline', `multiline: ${(error as Error).message}`);
  }
}

/** With the flags that have a meaning for one line. */
const REGULAR_EXPRESSION = /^\/(.+)\/([iuv]*)$/;
