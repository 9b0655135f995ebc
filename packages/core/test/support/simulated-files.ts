import { basename, dirname, join } from 'node:path';
import type { SpoolFiles } from '../../src/spool/files.js';

interface SimulatedFile {
  content: Buffer;
  /** Bytes of the content that are on the medium. */
  syncedBytes: number;
}

/** A call of the file system that fails. */
export interface Fault {
  readonly call: 'create' | 'write' | 'append' | 'read' | 'sync' | 'remove' | 'touch' | 'makeDirectory';
  readonly code: 'ENOSPC' | 'EIO' | 'EMFILE' | 'EACCES';
}

/** A file system in memory that fails on request, and loses what was not synced when the power does. */
export class SimulatedFiles {
  readonly #files = new Map<string, SimulatedFile>();
  /** Times of change. */
  readonly #directories = new Map<string, number>();
  readonly #opened = new Map<number, SimulatedFile>();
  #lastFile = 2;
  /** For the next calls of their kind. */
  readonly faults: Fault[] = [];
  /** Calls that failed on request. */
  failed = 0;

  /** The paths of all files whose name ends so. */
  paths(ending = ''): string[] {
    return [...this.#files.keys()].filter((path) => path.endsWith(ending));
  }

  /** Whether some segment holds the text. */
  holds(text: string): boolean {
    return [...this.#files].some(([path, { content }]) => path.endsWith('.v1') && content.includes(text));
  }

  /** Loses what is not on the medium, or a part of it: `kept` of 0 to 1. */
  losePower(kept: number): void {
    for (const file of this.#files.values()) {
      const unsynced = file.content.length - file.syncedBytes;
      file.content = file.content.subarray(0, file.syncedBytes + Math.floor(unsynced * kept));
    }
  }

  /** Removes a directory with all in it. */
  removeAll(path: string): void {
    for (const name of this.#files.keys()) if (name.startsWith(`${path}/`)) this.#files.delete(name);
    for (const name of this.#directories.keys())
      if (name === path || name.startsWith(`${path}/`)) this.#directories.delete(name);
  }

  directories(): string[] {
    return [...this.#directories.keys()];
  }

  rename(from: string, to: string): void {
    if (!this.#directories.has(from) && !this.#files.has(from)) throw this.#error('ENOENT', `rename ${from}`);
    const moved = (path: string): string => to + path.slice(from.length);
    const isBelow = (path: string): boolean => path === from || path.startsWith(`${from}/`);
    for (const [path, file] of [...this.#files]) {
      if (!isBelow(path)) continue;
      this.#files.delete(path);
      this.#files.set(moved(path), file);
    }
    for (const [path, atMs] of [...this.#directories]) {
      if (!isBelow(path)) continue;
      this.#directories.delete(path);
      this.#directories.set(moved(path), atMs);
    }
  }

  /** The file system as a process sees it: once `isDead`, no call does anything any more. */
  seenBy(isDead: () => boolean): SpoolFiles {
    const guard = (call: Fault['call'] | undefined, path: string): void => {
      if (isDead()) throw new Error('a dead process calls nothing');
      const index = this.faults.findIndex((fault) => fault.call === call);
      if (index < 0) return;
      const [fault] = this.faults.splice(index, 1);
      this.failed++;
      throw this.#error(fault?.code ?? 'EIO', `${call} ${path}`);
    };
    const file = (path: string): SimulatedFile => {
      const found = this.#files.get(path);
      if (!found) throw this.#error('ENOENT', path);
      return found;
    };
    const opened = (number: number): SimulatedFile => this.#opened.get(number) as SimulatedFile;
    const sync = (number: number): void => {
      guard('sync', String(number));
      opened(number).syncedBytes = opened(number).content.length;
    };
    return {
      makeDirectory: (path) => {
        guard('makeDirectory', path);
        for (let each = path; each !== dirname(each); each = dirname(each))
          if (!this.#directories.has(each)) this.#directories.set(each, 0);
      },
      list: (path) => {
        guard(undefined, path);
        if (!this.#directories.has(path)) throw this.#error('ENOENT', path);
        return [...this.#files.keys(), ...this.#directories.keys()]
          .filter((each) => dirname(each) === path)
          .map((each) => basename(each));
      },
      rename: (from, to) => {
        guard(undefined, from);
        this.rename(from, to);
      },
      remove: (path) => {
        guard('remove', path);
        file(path);
        this.#files.delete(path);
      },
      removeDirectory: (path) => {
        guard(undefined, path);
        if (!this.#directories.has(path)) throw this.#error('ENOENT', path);
        const isEmpty = ![...this.#files.keys(), ...this.#directories.keys()].some((each) => dirname(each) === path);
        if (!isEmpty) throw this.#error('EACCES', `${path} is not empty`);
        this.#directories.delete(path);
      },
      touch: (path, atMs) => {
        guard('touch', path);
        if (!this.#directories.has(path)) throw this.#error('ENOENT', path);
        this.#directories.set(path, atMs);
      },
      stat: (path) => {
        guard(undefined, path);
        const mtimeMs = this.#directories.get(path);
        if (mtimeMs !== undefined) return { size: 0, mtimeMs };
        return { size: file(path).content.length, mtimeMs: 0 };
      },
      create: (path) => {
        guard('create', path);
        if (!this.#directories.has(dirname(path))) throw this.#error('ENOENT', path);
        const made = { content: Buffer.alloc(0), syncedBytes: 0 };
        this.#files.set(path, made);
        this.#opened.set(++this.#lastFile, made);
        return this.#lastFile;
      },
      write: (number, bytes, length, position) => {
        const { content } = opened(number);
        // Half of it is written before the disk is full: the frame is torn.
        const isTorn = this.faults[0]?.call === 'write' && this.faults[0].code === 'ENOSPC';
        if (isTorn) this.faults.shift();
        else guard('write', String(number));
        const written = isTorn ? length >> 1 : length;
        opened(number).content = Buffer.concat([content.subarray(0, position), bytes.subarray(0, written)]);
        if (isTorn) this.failed++;
        return written;
      },
      truncate: (number, size) => {
        guard(undefined, String(number));
        opened(number).content = opened(number).content.subarray(0, size);
      },
      sync: async (number) => sync(number),
      syncNow: sync,
      syncDirectory: async () => {},
      close: (number) => {
        guard(undefined, String(number));
        this.#opened.delete(number);
      },
      append: (path, bytes) => {
        guard('append', path);
        if (!this.#directories.has(dirname(path))) throw this.#error('ENOENT', path);
        const found = this.#files.get(path) ?? { content: Buffer.alloc(0), syncedBytes: 0 };
        found.content = Buffer.concat([found.content, bytes]);
        this.#files.set(path, found);
      },
      readAll: (path) => {
        guard('read', path);
        return Buffer.from(file(path).content);
      },
      read: async (path, position, length) => {
        guard('read', path);
        return Buffer.from(file(path).content.subarray(position, position + length));
      },
    };
  }

  #error(code: string, text: string): Error {
    return Object.assign(new Error(`${code}: ${text}`), { code });
  }
}

/** The directories of a spool below `root` that belong to this process. */
export function ownDirectories(files: SimulatedFiles, root: string): string[] {
  return files
    .directories()
    .filter((path) => dirname(dirname(path)) === root && basename(path).startsWith(`${process.pid}-`));
}

/** Gives directories to an owner that is dead. */
export function bury(files: SimulatedFiles, paths: readonly string[]): void {
  for (const path of paths) files.rename(path, join(dirname(path), basename(path).replace(/^\d+-/, `${2 ** 22 + 1}-`)));
}
