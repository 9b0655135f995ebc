import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { wrongOption } from './checks.js';

/** The URL of the module that the option `hooks` names. Throws `ConfigError` if there is no such file. */
export function hooksUrl(hooks: unknown): string | undefined {
  if (hooks === undefined) return undefined;
  const url = typeof hooks === 'string' && hooks !== '' ? urlOf(hooks) : undefined;
  if (url === undefined) throw wrongOption('hooks', EXPECTED, hooks);
  const path = fileURLToPath(url);
  if (existsSync(path)) return url;
  throw wrongOption('hooks', `${EXPECTED} (there is no ${path})`, hooks);
}

const EXPECTED = 'the path or the file: URL of a module';

function urlOf(hooks: string): string | undefined {
  if (!/^[a-z]{2,}:/i.test(hooks)) return pathToFileURL(resolve(hooks)).href;
  return hooks.startsWith('file:') && URL.canParse(hooks) ? hooks : undefined;
}
