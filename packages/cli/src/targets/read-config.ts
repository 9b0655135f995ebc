import type { Command } from 'commander';
import { CONFIG_ENDINGS, type ConfigFile, readConfigFile } from '../options/config-file.js';
import { lineSpecs } from '../options/line-specs.js';
import { envOf, flagOf } from '../options/option.js';
import { type AnyTarget, targets } from './targets.js';

const MEMBERS = [...targets.map(({ section }) => section), ...lineSpecs.map(({ path }) => path[0])];

/** Adds the flag that names the configuration file, and says below the options where else they may stand. */
export function addConfigFlag(command: Command, target: AnyTarget): void {
  const [spec] = target.specs;
  command
    .option('--config <file>', `configuration file (default: logferry.config.{${CONFIG_ENDINGS.join(',')}})`)
    .addHelpText(
      'after',
      spec === undefined
        ? ''
        : `
Options may also be variables, as ${envOf(spec)} for ${flagOf(spec)}, and members of the configuration file.`,
    );
}

/** Reads the configuration file that the flag or `LOGFERRY_CONFIG` names, or the one in the working directory. Throws `UsageError`. */
export function readConfig(flags: Readonly<Record<string, unknown>>): Promise<ConfigFile | undefined> {
  return readConfigFile((flags.config as string | undefined) ?? (process.env.LOGFERRY_CONFIG || undefined), MEMBERS);
}
