import {
  appendFileSync,
  close,
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  promises,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from './disk-errors.js';

/** The part of a file system that the spool uses: a parameter, so that tests can make it fail. Every function may throw. */
export interface SpoolFiles {
  /** Makes a directory, and those above it, that only this user can enter. Returns the first that was missing, if one was. */
  makeDirectory(path: string): string | undefined;
  /** Names in a directory. */
  list(path: string): readonly string[];
  rename(from: string, to: string): void;
  /** Removes a file. */
  remove(path: string): void;
  /** Removes a directory that is empty. */
  removeDirectory(path: string): void;
  /** Sets the time of the last change of a directory, in epoch milliseconds. */
  touch(path: string, atMs: number): void;
  stat(path: string): { readonly size: number; readonly mtimeMs: number };
  /** Makes a file that only this user can read. It must not exist. */
  create(path: string): number;
  /** Writes the first `length` bytes at a position. Returns the number of bytes written: on a full disk fewer. */
  write(file: number, bytes: Uint8Array, length: number, position: number): number;
  truncate(file: number, size: number): void;
  /** Waits until the content of a file is on the medium. */
  sync(file: number): Promise<void>;
  syncNow(file: number): void;
  /** Waits until the names in a directory are on the medium. */
  syncDirectory(path: string): Promise<void>;
  syncDirectoryNow(path: string): void;
  close(file: number): void;
  /** Adds to a small file, which it makes if it is missing. */
  append(path: string, bytes: Uint8Array): void;
  /** Reads a small file. */
  readAll(path: string): Uint8Array;
  /** Reads up to `length` bytes: fewer at the end of the file. */
  read(path: string, position: number, length: number): Promise<Uint8Array>;
}

const FOR_THIS_USER = 0o600;
const DIRECTORY_FOR_THIS_USER = 0o700;

/** Windows cannot open a directory, and needs no such thing. */
const SYNCS_DIRECTORIES = process.platform !== 'win32';

/** The file system of Node.js. */
export const nodeFiles: SpoolFiles = {
  makeDirectory,
  list: (path) => readdirSync(path),
  rename: renameSync,
  remove: unlinkSync,
  removeDirectory: (path) => rmdirSync(path),
  touch: (path, atMs) => utimesSync(path, atMs / 1000, atMs / 1000),
  stat: (path) => statSync(path),
  create: (path) => openSync(path, 'wx', FOR_THIS_USER),
  write: (file, bytes, length, position) => writeSync(file, bytes, 0, length, position),
  truncate: ftruncateSync,
  sync: (file) => settle((done) => fdatasync(file, done)),
  syncNow: fdatasyncSync,
  async syncDirectory(path) {
    if (!SYNCS_DIRECTORIES) return;
    const file = openSync(path, 'r');
    try {
      await settle((done) => fsync(file, done));
    } finally {
      close(file);
    }
  },
  syncDirectoryNow(path) {
    if (!SYNCS_DIRECTORIES) return;
    const file = openSync(path, 'r');
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  },
  close: closeSync,
  append: (path, bytes) => appendFileSync(path, bytes, { mode: FOR_THIS_USER }),
  readAll: (path) => readFileSync(path),
  async read(path, position, length) {
    const handle = await promises.open(path, 'r');
    try {
      const buffer = Buffer.allocUnsafe(length);
      const { bytesRead } = await handle.read(buffer, 0, length, position);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  },
};

/** One by one: of several on a volume that is read-only, Node.js says that they are missing. */
function makeDirectory(path: string): string | undefined {
  if (existsSync(path)) return undefined;
  const first = path === dirname(path) ? undefined : makeDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: DIRECTORY_FOR_THIS_USER });
  } catch (error) {
    // Another process was faster.
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  return first ?? path;
}

function settle(start: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve())));
}
