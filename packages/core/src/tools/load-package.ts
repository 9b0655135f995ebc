import { closeSync, existsSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DeliveryError } from '../contract/errors.js';

/** A package that is loaded with its first use. */
export interface LazyPackage<T> {
  readonly name: string;
  /** Its name for people, in messages. @default its name */
  readonly title?: string | undefined;
  /** `() => import(name)`: a bundler sees from it what belongs into the bundle. */
  readonly load: () => Promise<T>;
  /** The URL of the module that needs the package. A bundle may have none. */
  readonly parentUrl: string | undefined;
}

/**
 * Loads a package, by `require` where `import()` fails: Node.js remembers a failure of `import()` for the life of the process.
 * Rejects with a `DeliveryError`: `UNAVAILABLE` while no file can be loaded, else `MISCONFIGURED` with Node.js' error as its cause.
 */
export async function loadPackage<T>(wanted: LazyPackage<T>): Promise<T> {
  assertFilesLoad();
  try {
    return await wanted.load();
  } catch (error) {
    return requireInstead(wanted, error);
  }
}

/**
 * Throws a `DeliveryError` where loading a file would fail in this moment, and the failure would be remembered, or mistaken for a
 * file that is missing: no file descriptor is free, or Jest has ended the test that this module belongs to.
 */
export function assertFilesLoad(): void {
  if (isEnvironmentGone())
    throw new DeliveryError(
      'UNAVAILABLE',
      'Jest has ended the test: close the logger before, or no file can be loaded',
    );
  const open: number[] = [];
  try {
    for (let count = 0; count < SPARE_DESCRIPTORS; count++) open.push(openSync(process.execPath, 'r'));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    // Node.js' permission model, for example, says nothing of the files that matter.
    if (!OUT_OF_DESCRIPTORS.has(code)) return;
    const text = `no file can be loaded (${message}): raise the limit of open files (ulimit -n)`;
    throw new DeliveryError('UNAVAILABLE', text, { cause });
  } finally {
    for (const descriptor of open) closeSync(descriptor);
  }
}

/** Enough for files that are read side by side; sockets of the application may take some at the same time. */
const SPARE_DESCRIPTORS = 8;

const OUT_OF_DESCRIPTORS: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE']);

/** Jest gives this variable to each module that it loads. */
declare const jest: { readonly isEnvironmentTornDown?: () => boolean };

/** After the end of a test Jest prints an error for each file that is loaded, loads nothing, and fails the run. */
function isEnvironmentGone(): boolean {
  if (typeof jest === 'undefined') return false;
  if (jest.isEnvironmentTornDown) return jest.isEnvironmentTornDown();
  // Before version 30 only the emptied memory of modules tells.
  return typeof require === 'function' && Object.keys(require.cache).length === 0;
}

function requireInstead<T>({ name, title = name, parentUrl }: LazyPackage<T>, first: unknown): T {
  const refuse = (text: string, cause: unknown): DeliveryError =>
    new DeliveryError('MISCONFIGURED', `${title} ${text}`, { cause });
  if (parentUrl === undefined) throw refuse(`cannot be loaded: ${first}`, first);
  const require = createRequire(parentUrl);
  try {
    return require(name) as T;
  } catch (cause) {
    if (!isMissing(cause, name)) throw refuse(`cannot be loaded: ${cause}`, cause);
    const isThere = require.resolve.paths(name)?.some((folder) => existsSync(join(folder, name, 'package.json')));
    // Node.js 20 remembers that a file package.json was missing, or could not be read.
    if (isThere) throw refuse('is installed, but Node.js remembers that it was not: restart the process', cause);
    throw refuse(`is not installed; install it: npm install ${name}`, cause);
  }
}

/** Whether Node.js does not find the package itself, rather than one that it needs. */
function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'MODULE_NOT_FOUND' && String(message).includes(`'${name}'`);
}
