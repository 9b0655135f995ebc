import { inspect } from 'node:util';
import { type Command, Option } from 'commander';
import { UsageError } from '../usage-error.js';
import type { ConfigFile } from './config-file.js';
import { attributeOf, envOf, flagOf, joinValues, type OptionSpec, parseValue } from './option.js';

/** Options from all sources: a flag goes before the environment, which goes before the configuration file. */
export interface ReadOptions {
  readonly values: Readonly<Record<string, unknown>>;
  /** Where an option came from, by its name in the code (`retry.baseMs`); the flag that could set it if it did not come. */
  sourceOf(name: string): string;
}

/** Adds the flags of options to a command. */
export function addFlags(command: Command, specs: readonly OptionSpec[], group: string): void {
  for (const spec of specs) {
    const flag = flagOf(spec);
    const flags = spec.short === undefined ? flag : `--${spec.short}, ${flag}`;
    const value = spec.kind === 'boolean' ? '' : ` <${spec.value}>`;
    const off = spec.kind === 'boolean' && spec.defaultText === 'true' ? `; ${negationOf(flag)} turns it off` : '';
    const preset = spec.defaultText === undefined ? '' : ` (default: ${spec.defaultText}${off})`;
    const option = new Option(`${flags}${value}`, `${spec.description}${preset}`).helpGroup(group);
    if (spec.choices) option.argChoices = [...spec.choices];
    if (spec.kind !== 'boolean')
      option.argParser((text: string, before: unknown) => {
        refuseFlag(command, flag, text);
        return joinValues(spec, before, parseValue(spec, text, flag, false));
      });
    command.addOption(option);
    // One entry of the help is enough for both.
    if (spec.kind === 'boolean' || spec.kind === 'text-or-off')
      command.addOption(new Option(negationOf(flag)).hideHelp());
  }
}

/** Reads the options of one section of the file, or of the file itself, with those of the environment and the command line. */
export function readOptions(
  specs: readonly OptionSpec[],
  flags: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
  file: ConfigFile | undefined,
  section?: string,
): ReadOptions {
  const values = sectionOf(file, section);
  const sources = new Map<string, string>();
  for (const name of Object.keys(values)) sources.set(name, `${file?.name}: ${section ? `${section}.` : ''}${name}`);
  for (const spec of specs) {
    const name = spec.path.join('.');
    const text = env[envOf(spec)];
    const fromFlag = flags[attributeOf(spec)];
    // An empty variable is none, as a shell's `VARIABLE= command` means.
    const isInEnv = text !== undefined && text !== '';
    if (fromFlag === undefined && !isInEnv) continue;
    set(values, spec.path, fromFlag ?? parseValue(spec, text ?? '', envOf(spec), true));
    sources.set(name, fromFlag === undefined ? envOf(spec) : flagOf(spec));
  }
  const specOf = (name: string): OptionSpec | undefined => specs.find(({ path }) => path.join('.') === name);
  return {
    values,
    sourceOf(name) {
      const [first = name] = name.split(/[.[]/);
      const spec = specOf(name) ?? specOf(first);
      return sources.get(name) ?? sources.get(first) ?? (spec ? flagOf(spec) : name);
    },
  };
}

/** As a shell leaves it of `--group $GROUP --tee` if the variable is empty. */
function refuseFlag({ options }: Command, flag: string, text: string): void {
  if (options.some(({ short, long }) => text === short || text === long))
    throw new UsageError(`${flag}: expected a value, got the flag ${text}`);
}

function negationOf(flag: string): string {
  return flag.replace('--', '--no-');
}

/** A copy that may be changed, of objects down to the members that flags set. */
function sectionOf(file: ConfigFile | undefined, section: string | undefined): Record<string, unknown> {
  const content = section === undefined ? file?.content : file?.content[section];
  if (content === undefined) return {};
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new UsageError(`${file?.name}: ${section}: expected an object, got ${inspect(content, { depth: 0 })}`);
  return { ...content };
}

function set(values: Record<string, unknown>, [first, second]: OptionSpec['path'], value: unknown): void {
  if (second === undefined) values[first] = value;
  else values[first] = { ...Object(values[first]), [second]: value };
}
