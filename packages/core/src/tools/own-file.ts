import { ConfigError } from '../contract/errors.js';

/**
 * URL of a file of a package, which a worker thread loads by its place. Throws `ConfigError` if the calling code is part of a bundle: a
 * file at that place would be the application's own.
 *
 * @param moduleUrl URL of the file module-url.js of the package
 * @param path of the file, as seen from there
 * @param packageName for the message, as are the others
 * @param option the option that asks for the thread @default 'thread'
 * @param instead how to do without @default without that option
 */
export function ownFile(
  moduleUrl: string | undefined,
  path: string,
  packageName: string,
  option = 'thread',
  instead = `leave ${option} out to ship from this thread`,
): string {
  if (isInBundle(moduleUrl)) {
    const cause = `a bundle lacks the files that the worker thread loads of ${packageName}`;
    const remedy = 'keep it out of the bundle (declare the packages @logferry/* as external)';
    throw new ConfigError(option, `${option}: ${cause}; ${remedy}, or ${instead}`);
  }
  return new URL(path, moduleUrl).href;
}

/** A bundle has one URL for all modules, or none. */
export function isInBundle(moduleUrl: string | undefined): boolean {
  return !/\/module-url\.[jt]s$/.test(moduleUrl ?? '');
}
