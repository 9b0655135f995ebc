import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { wrongOption } from './checks.js';

/** The URL of the module that the option `hooks` names. Throws `ConfigError` if there is no such file. */
export function hooksUrl(hooks: unknown): string | undefined {
  if (hooks === undefined) return undefined;
  const path = typeof hooks === 'string' && hooks !== '' ? pathOf(hooks) : undefined;
  if (path === undefined) throw wrongOption('hooks', EXPECTED, hooks);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile()) return (hooks as string).startsWith('file:') ? (hooks as string) : pathToFileURL(path).href;
  throw wrongOption('hooks', `${EXPECTED} (${found ? `${path} is no file` : `there is no ${path}`})`, hooks);
}

const EXPECTED = 'the path or the file: URL of a module';

function pathOf(hooks: string): string | undefined {
  if (!/^[a-z]{2,}:/i.test(hooks)) return resolve(hooks);
  try {
    return fileURLToPath(hooks);
  } catch {
    return undefined;
  }
}
