import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { UsageError } from '../usage-error.js';

/** A configuration file, as it was read. */
export interface ConfigFile {
  /** As it is named in messages. */
  readonly name: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/** Of the file in the working directory; the first that exists is read. */
export const CONFIG_ENDINGS: readonly string[] = ['ts', 'mts', 'js', 'mjs', 'cjs', 'json'];

const NAMES = CONFIG_ENDINGS.map((ending) => `logferry.config.${ending}`);

/**
 * Reads the configuration file: the one that is named, or one in the working directory; `undefined` if there is none. Throws
 * `UsageError` for one that is missing, cannot be loaded, exports no object, or has a member that is not `known`.
 */
export async function readConfigFile(
  named: string | undefined,
  known: readonly string[],
): Promise<ConfigFile | undefined> {
  const name = named ?? NAMES.find((each) => existsSync(each));
  if (name === undefined) return undefined;
  const path = resolve(name);
  if (!existsSync(path)) throw new UsageError(`--config: there is no ${path}`);
  const content = await load(path, name);
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new UsageError(
      `${name}: expected an object as its export, got ${content === null ? 'null' : typeof content}`,
    );
  for (const member of Object.keys(content))
    if (!known.includes(member))
      throw new UsageError(`${name}: unknown member "${member}": known are ${known.join(', ')}`);
  return { name, content: content as Readonly<Record<string, unknown>> };
}

async function load(path: string, name: string): Promise<unknown> {
  // Nothing that is awaited comes any more, or the file ended the process.
  const sayEnd = (): void => {
    process.stderr.write(`logferry: ${name} cannot be loaded: the process ended before it was\n`);
    process.exitCode = WRONG_OPTIONS;
  };
  process.once('exit', sayEnd);
  try {
    return await importFile(path);
  } catch (error) {
    throw new UsageError(`${name} cannot be loaded: ${textOf(error)}`);
  } finally {
    process.off('exit', sayEnd);
  }
}

const WRONG_OPTIONS = 2;

async function importFile(path: string): Promise<unknown> {
  switch (extname(path)) {
    case '.json':
      return JSON.parse((await readFile(path, 'utf8')).replace(/^\ufeff/, ''));
    case '.ts':
    case '.mts': {
      // No engine that is supported reads all of TypeScript by itself.
      const { createJiti } = await import('jiti');
      // `defineConfig` is there for the file, too, if this package is not installed beside it, as with npx.
      const alias = { logferry: fileURLToPath(new URL('./index.js', import.meta.url)) };
      return createJiti(import.meta.url, { alias }).import(path, { default: true });
    }
    default:
      return (await import(pathToFileURL(path).href)).default;
  }
}

/** Code may throw anything. */
function textOf(error: unknown): string {
  return error instanceof Error ? error.message : inspect(error);
}
