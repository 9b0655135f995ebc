import type { OptionSpec } from './option.js';

/** Options of commands that read lines: the members of the configuration file beside the sections of the targets. */
export const lineSpecs: readonly OptionSpec[] = [
  {
    path: ['multiline'],
    kind: 'text',
    choices: ['auto', 'indent', 'off'],
    value: 'rule',
    description:
      'lines that are one record: auto (stack traces and indented lines), indent, off, or /pattern of first lines/',
    defaultText: 'auto',
  },
  { path: ['tee'], kind: 'boolean', description: 'pass the input on, unchanged' },
  { path: ['quiet'], kind: 'boolean', description: 'no report if nothing is lost' },
];
