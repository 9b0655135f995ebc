import type { Command } from 'commander';
import { type ConfigFile, readConfigFile } from '../options/config-file.js';
import { lineSpecs } from '../options/line-specs.js';
import { targets } from './targets.js';

const MEMBERS = [...targets.map(({ section }) => section), ...lineSpecs.map(({ path }) => path[0])];

/** Adds the flag that names the configuration file. */
export function addConfigFlag(command: Command): void {
  command.option('--config <file>', 'configuration file (default: logferry.config.{ts,js,mjs,cjs,json})');
}

/** Reads the configuration file that the flag names, or the one in the working directory. Throws `UsageError`. */
export function readConfig(flags: Readonly<Record<string, unknown>>): Promise<ConfigFile | undefined> {
  return readConfigFile(flags.config as string | undefined, MEMBERS);
}
