/** Advice for the operator about an error of the file system. */
export function remedyOf(error: unknown): string {
  return REMEDIES.get(codeOf(error)) ?? 'check the disk, and the directory of the option spool';
}

/** The name of an error of the file system: `"ENOSPC"`. */
export function codeOf(error: unknown): unknown {
  return ((error ?? {}) as { readonly code?: unknown }).code;
}

/** The error of a write that the disk took in part only. */
export function noSpace(text: string): Error {
  return Object.assign(new Error(text), { code: 'ENOSPC' });
}

const REMEDIES: ReadonlyMap<unknown, string> = new Map([
  ...named('free space on its volume, or lower spool.maxBytes', 'ENOSPC EDQUOT EFBIG'),
  ...named('mount its volume writable', 'EROFS'),
  ...named('give this user the right to write there', 'EACCES EPERM'),
  ...named('raise the limit of open files', 'EMFILE ENFILE'),
  ...named('the directory has vanished: mount its volume again', 'ENOENT'),
  ...named('a part of its path is a file: choose another directory', 'ENOTDIR'),
]);

function named(remedy: string, codes: string): [string, string][] {
  return codes.split(' ').map((code) => [code, remedy]);
}
