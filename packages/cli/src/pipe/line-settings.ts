import { booleanOption, stringOption } from '@logferry/core';
import { parseMultiline } from '../lines/line-options.js';
import type { MultilineRule } from '../lines/multiline.js';
import type { ConfigFile } from '../options/config-file.js';
import { lineSpecs } from '../options/line-specs.js';
import { readOptions } from '../options/read-options.js';
import { withSources } from '../targets/target-options.js';

/** How a command reads lines. */
export interface LineSettings {
  readonly multiline: MultilineRule;
  readonly tee: boolean;
  readonly quiet: boolean;
}

/** Reads the options of lines from all sources. Throws `UsageError`. */
export function readLineSettings(flags: Readonly<Record<string, unknown>>, file: ConfigFile | undefined): LineSettings {
  const options = readOptions(lineSpecs, flags, process.env, file);
  const { multiline, tee, quiet } = options.values;
  return withSources(options, () => ({
    multiline: parseMultiline(stringOption('multiline', multiline, 'auto')),
    tee: booleanOption('tee', tee, false),
    quiet: booleanOption('quiet', quiet, false),
  }));
}
