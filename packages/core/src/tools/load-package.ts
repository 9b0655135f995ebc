import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DeliveryError } from '../contract/errors.js';
import { moduleCache } from './module-cache.js';
import { isInBundle } from './own-file.js';
import { requireFrom } from './require-from.js';
import { outsideContext } from './system-clock.js';

/** A package that is loaded with its first use. */
export interface LazyPackage<T> {
  readonly name: string;
  /** Its name for people, in messages. @default its name */
  readonly title?: string | undefined;
  /**
   * `() => import(name)`: a bundler sees from it what belongs into the bundle. Where most applications do without the package, it ends with
   * `.catch(rethrow)`, and has the comment `webpackIgnore: true`: then no build fails, or warns, for lack of it.
   */
  readonly load: () => Promise<T>;
  /** The URL of a module of the package that needs this one. In a bundle it may be `undefined`. */
  readonly parentUrl: string | undefined;
}

/** For an `import()` that may fail: esbuild takes a missing package for an error of the build unless it sees a `.catch`. */
export function rethrow(error: unknown): never {
  throw error;
}

/**
 * Loads a package, outside of the caller's asynchronous context, since what it makes then lives as long as the process: by `require`, or by `import()` where that fails: Node.js remembers a failure of `import()` for the life of the
 * process. Rejects with a `DeliveryError`: `UNAVAILABLE` while no file can be loaded, else `MISCONFIGURED` with Node.js' error as its
 * cause.
 */
export async function loadPackage<T>(wanted: LazyPackage<T>): Promise<T> {
  assertFilesLoad();
  const { name, load, parentUrl } = wanted;
  const requireIt = async (): Promise<T> => requireFrom(placeOf(parentUrl))(name);
  // A bundle has its own copy, which only `import()` finds. Elsewhere `require` is faster: it reads no names of exports.
  const [first, second] = isInBundle(parentUrl) ? [load, requireIt] : [requireIt, load];
  try {
    return await outsideContext(first);
  } catch (error) {
    try {
      return await outsideContext(second);
    } catch (secondError) {
      // The copy in a bundle may be there, and broken.
      throw refusal(wanted, isInBundle(parentUrl) && isMissing(error, name) ? secondError : error);
    }
  }
}

/** Where `require` begins its search. A bundle that does not know its place is searched for beside the program: its own file, often. */
function placeOf(parentUrl: string | undefined): string {
  return parentUrl ?? process.argv[1] ?? process.execPath;
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
  return moduleCache !== undefined && Object.keys(moduleCache).length === 0;
}

function refusal({ name, title = name, parentUrl }: LazyPackage<unknown>, cause: unknown): DeliveryError {
  const refuse = (text: string): DeliveryError => new DeliveryError('MISCONFIGURED', `${title} ${text}`, { cause });
  if (!isMissing(cause, name)) return refuse(`cannot be loaded: ${cause}`);
  const folders = requireFrom(placeOf(parentUrl)).resolve.paths(name);
  const isThere = folders?.some((folder) => existsSync(join(folder, name, 'package.json')));
  // Node.js 20 and 26.12 remember that a file package.json was missing, or could not be read. An installation may also lack files.
  if (isThere) return refuse(`is there, but Node.js does not find it: restart the process, or npm install ${name}`);
  return refuse(`is not installed; install it: npm install ${name}`);
}

/** Whether Node.js does not find the package itself, rather than one that it needs. */
function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  // The second text is that of Yarn Plug'n'Play.
  return NOT_FOUND.has(code) && [`'${name}'`, `tried to access ${name} `].some((text) => message.includes(text));
}

const NOT_FOUND: ReadonlySet<string | undefined> = new Set(['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND']);
