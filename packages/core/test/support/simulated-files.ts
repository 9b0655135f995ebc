import { basename, dirname, join } from 'node:path';
import type { SpoolFiles } from '../../src/spool/files.js';

class File {
  content: Buffer = Buffer.alloc(0);
  /** What is on the medium. */
  synced: Buffer = Buffer.alloc(0);
}

type Names = Map<string, File | Directory>;

class Directory {
  names: Names = new Map();
  mtimeMs = 0;
  /** The names on the medium, and the changes since then, in their order. */
  synced: Names = new Map();
  changes: ((names: Names) => void)[] = [];

  change(act: (names: Names) => void): void {
    act(this.names);
    this.changes.push(act);
  }

  sync(): void {
    this.synced = new Map(this.names);
    this.changes = [];
  }
}

export type Call = keyof SpoolFiles;

/** Calls of the file system that fail: `times` of them behind the next `after`, of one kind or of any. */
export interface Fault {
  readonly call: Call | 'any';
  after: number;
  times: number;
  readonly code: 'ENOSPC' | 'EIO' | 'EMFILE' | 'EACCES' | 'EROFS';
}

/** How much of what was not synced a loss of power leaves. */
export interface Leftover {
  /** The part of the changes of each directory, and of what was added to each file. */
  readonly keptPercent: number;
  /** A file may keep its length, and have zeros where its content is lost. */
  readonly isZeroFilled: boolean;
}

/** A file system in memory that fails on request, and loses what was not synced when the power does: content and names. */
export class SimulatedFiles {
  readonly #defer: (callback: () => void) => void;
  readonly #root = new Directory();
  readonly #opened = new Map<number, { readonly file: File; readonly by: object }>();
  readonly #owners = new Map<Directory, object>();
  #lastNumber = 2;
  /** By content, which never changes. */
  readonly #found = new WeakMap<Buffer, readonly string[]>();
  readonly faults: Fault[] = [];
  /** A directory could not be synced: its process may have been killed before the next try. */
  areNamesInDoubt = false;
  /** Calls that failed on request, by code. */
  readonly failed = new Map<string, number>();

  /** `defer`: a call that is waited for ends then. */
  constructor(defer: (callback: () => void) => void) {
    this.#defer = defer;
  }

  /** The part of them that were marks. */
  failedAppends = 0;

  get failures(): number {
    return [...this.failed.values()].reduce((sum, count) => sum + count, 0);
  }

  /** The paths of all files whose name ends so. */
  paths(ending = ''): string[] {
    return this.#files().flatMap(([path]) => (path.endsWith(ending) ? path : []));
  }

  /** What the pattern finds in all segments; `onMedium`: on the medium, under names that are there too. */
  find(pattern: RegExp, onMedium = false): Set<string> {
    const found = new Set<string>();
    for (const [path, { content, synced }] of this.#files(onMedium))
      if (path.endsWith('.v1')) for (const each of this.#findIn(onMedium ? synced : content, pattern)) found.add(each);
    return found;
  }

  /** Files that a process has open. */
  openedBy(process: object): number {
    return [...this.#opened.values()].filter(({ by }) => by === process).length;
  }

  /** Whether the disk wrote all that it has, as a system does after a while. */
  writeBack(): void {
    this.areNamesInDoubt = false;
    for (const [, file] of this.#files()) file.synced = file.content;
    for (const [, directory] of this.#directories()) directory.sync();
  }

  /** Loses what is not on the medium, or a part of it. */
  losePower({ keptPercent, isZeroFilled }: Leftover): { readonly lostNames: number; readonly lostBytes: number } {
    const namesBefore = this.#files().length;
    let lostBytes = 0;
    const kept = (count: number): number => Math.floor((count * keptPercent) / 100);
    const lose = (directory: Directory): void => {
      const names = new Map(directory.synced);
      for (const change of directory.changes.slice(0, kept(directory.changes.length))) change(names);
      directory.names = names;
      directory.sync();
      for (const node of names.values()) {
        if (node instanceof Directory) lose(node);
        else lostBytes += loseContent(node);
      }
    };
    const loseContent = (file: File): number => {
      const { content, synced } = file;
      // It was cut meanwhile.
      if (content.length <= synced.length) {
        file.synced = content;
        return 0;
      }
      const length = synced.length + kept(content.length - synced.length);
      const zeros = isZeroFilled ? Buffer.alloc(content.length - length) : Buffer.alloc(0);
      file.content = Buffer.concat([content.subarray(0, length), zeros]);
      file.synced = file.content;
      return content.length - length;
    };
    lose(this.#root);
    return { lostNames: namesBefore - this.#files().length, lostBytes };
  }

  /** Removes a directory with all in it. */
  removeAll(path: string): void {
    this.#directory(dirname(path)).change((names) => names.delete(basename(path)));
  }

  /** The directories that a process made, or adopted, and has not given up. */
  directoriesOf(process: object): string[] {
    return this.#directories().flatMap(([path, directory]) => (this.#owners.get(directory) === process ? path : []));
  }

  /** The process is dead: its directories have the name of an owner that is. */
  bury(process: object): void {
    for (const path of this.directoriesOf(process)) {
      this.#owners.delete(this.#directory(path));
      this.#rename(path, deadName(path));
    }
    for (const [number, { by }] of this.#opened) if (by === process) this.#opened.delete(number);
  }

  /** All processes are dead. */
  buryAll(): void {
    this.#owners.clear();
    this.#opened.clear();
    for (const [path] of this.#directories()) if (isOwned(basename(path))) this.#rename(path, deadName(path));
    for (const [, directory] of this.#directories()) directory.sync();
  }

  /** The file system as a process sees it: once `isDead`, no call does anything any more. */
  seenBy(process: { readonly isDead: boolean }): SpoolFiles {
    const enter = (call: Call, text: string): Fault | undefined => {
      if (process.isDead) throw new Error('a dead process calls nothing');
      const fault = this.#nextFault(call);
      // A write fails in its middle.
      if (fault && call === 'append') this.failedAppends++;
      if (fault && call.startsWith('syncDirectory')) this.areNamesInDoubt = true;
      if (fault && call !== 'write' && call !== 'append') throw this.#fail(fault, `${call} ${text}`);
      return fault;
    };
    const opened = (number: number): File => {
      const found = this.#opened.get(number);
      if (!found) throw failure('EBADF', String(number));
      return found.file;
    };
    const later = async <T>(call: Call, text: string, act: () => T): Promise<T> => {
      enter(call, text);
      await new Promise<void>((resolve) => this.#defer(resolve));
      // A dead process hears nothing any more.
      return process.isDead ? new Promise<never>(() => {}) : act();
    };
    const syncLater = (number: number): Promise<void> => {
      const file = opened(number);
      const { content } = file;
      // What is written meanwhile may not be on the medium.
      return later('sync', String(number), () => {
        if (file.synced.length < content.length) file.synced = content;
      });
    };
    const create = (path: string): File => {
      const file = new File();
      this.#directory(dirname(path)).change((names) => names.set(basename(path), file));
      return file;
    };
    return {
      makeDirectory: (path) => {
        enter('makeDirectory', path);
        return this.#makeDirectory(path, process);
      },
      list: (path) => {
        enter('list', path);
        return [...this.#directory(path).names.keys()];
      },
      rename: (from, to) => {
        enter('rename', from);
        const node = this.#node(from);
        this.#rename(from, to);
        if (!(node instanceof Directory)) return;
        if (isOwned(basename(to))) this.#owners.set(node, process);
        else this.#owners.delete(node);
      },
      remove: (path) => {
        enter('remove', path);
        this.#file(path);
        this.#directory(dirname(path)).change((names) => names.delete(basename(path)));
      },
      removeDirectory: (path) => {
        enter('removeDirectory', path);
        if (this.#directory(path).names.size > 0) throw failure('ENOTEMPTY', path);
        this.#directory(dirname(path)).change((names) => names.delete(basename(path)));
      },
      touch: (path, atMs) => {
        enter('touch', path);
        this.#directory(path).mtimeMs = atMs;
      },
      stat: (path) => {
        enter('stat', path);
        const node = this.#node(path);
        return node instanceof File ? { size: node.content.length, mtimeMs: 0 } : { size: 0, mtimeMs: node.mtimeMs };
      },
      create: (path) => {
        enter('create', path);
        const file = create(path);
        this.#opened.set(++this.#lastNumber, { file, by: process });
        return this.#lastNumber;
      },
      write: (number, bytes, length, position) => {
        const fault = enter('write', String(number));
        const file = opened(number);
        const written = fault ? length >> 1 : length;
        file.content = Buffer.concat([file.content.subarray(0, position), bytes.subarray(0, written)]);
        if (!fault) return written;
        const error = this.#fail(fault, `write ${number}`);
        // On a full disk a part is written, and the call succeeds.
        if (fault.code === 'ENOSPC') return written;
        throw error;
      },
      truncate: (number, size) => {
        enter('truncate', String(number));
        opened(number).content = opened(number).content.subarray(0, size);
      },
      sync: syncLater,
      syncNow: (number) => {
        enter('syncNow', String(number));
        opened(number).synced = opened(number).content;
      },
      syncDirectory: (path) => later('syncDirectory', path, () => this.#directory(path).sync()),
      syncDirectoryNow: (path) => {
        enter('syncDirectoryNow', path);
        this.#directory(path).sync();
      },
      close: (number) => {
        opened(number);
        this.#opened.delete(number);
        enter('close', String(number));
      },
      append: (path, bytes) => {
        const fault = enter('append', path);
        const found = this.#directory(dirname(path)).names.get(basename(path)) ?? create(path);
        if (!(found instanceof File)) throw failure('EISDIR', path);
        const added = fault ? bytes.subarray(0, bytes.length >> 1) : bytes;
        found.content = Buffer.concat([found.content, added]);
        if (fault) throw this.#fail(fault, `append ${path}`);
      },
      readAll: (path) => {
        enter('readAll', path);
        return Buffer.from(this.#file(path).content);
      },
      read: (path, position, length) =>
        later('read', path, () => Buffer.from(this.#file(path).content.subarray(position, position + length))),
    };
  }

  #findIn(content: Buffer, pattern: RegExp): readonly string[] {
    const found = this.#found.get(content) ?? content.toString('latin1').match(pattern) ?? [];
    this.#found.set(content, found);
    return found;
  }

  #nextFault(call: Call): Fault | undefined {
    const fault = this.faults.find((each) => each.call === call || each.call === 'any');
    if (!fault || fault.after-- > 0) return undefined;
    if (--fault.times === 0) this.faults.splice(this.faults.indexOf(fault), 1);
    return fault;
  }

  #fail({ code }: Fault, text: string): Error {
    this.failed.set(code, (this.failed.get(code) ?? 0) + 1);
    return failure(code, text);
  }

  #makeDirectory(path: string, process: object): string | undefined {
    if (path === dirname(path)) return undefined;
    const first = this.#makeDirectory(dirname(path), process);
    const parent = this.#directory(dirname(path));
    if (parent.names.has(basename(path))) return first;
    const made = new Directory();
    parent.change((names) => names.set(basename(path), made));
    if (isOwned(basename(path))) this.#owners.set(made, process);
    return first ?? path;
  }

  /** Within one directory a rename happens in whole or not at all. */
  #rename(from: string, to: string): void {
    const node = this.#node(from);
    const source = this.#directory(dirname(from));
    const target = this.#directory(dirname(to));
    const remove = (names: Names): void => void names.delete(basename(from));
    const add = (names: Names): void => void names.set(basename(to), node);
    if (source === target)
      source.change((names) => {
        remove(names);
        add(names);
      });
    else {
      source.change(remove);
      target.change(add);
    }
  }

  #node(path: string): File | Directory {
    if (path === dirname(path)) return this.#root;
    const found = this.#directory(dirname(path)).names.get(basename(path));
    if (!found) throw failure('ENOENT', path);
    return found;
  }

  #directory(path: string): Directory {
    const node = this.#node(path);
    if (node instanceof File) throw failure('ENOTDIR', path);
    return node;
  }

  #file(path: string): File {
    const node = this.#node(path);
    if (node instanceof Directory) throw failure('EISDIR', path);
    return node;
  }

  #files(onMedium = false, path = '/', directory = this.#root): [string, File][] {
    return [...(onMedium ? directory.synced : directory.names)].flatMap(([name, node]) =>
      node instanceof File
        ? [[join(path, name), node] as [string, File]]
        : this.#files(onMedium, join(path, name), node),
    );
  }

  #directories(path = '/', directory = this.#root): [string, Directory][] {
    return [
      [path, directory],
      ...[...directory.names].flatMap(([name, node]) =>
        node instanceof Directory ? this.#directories(join(path, name), node) : [],
      ),
    ];
  }
}

/** Whether the name of a directory says that this process owns it: all simulated ones have its id. */
function isOwned(name: string): boolean {
  return name.startsWith(`${process.pid}-`);
}

/** No process has so large an id. */
function deadName(path: string): string {
  return join(dirname(path), basename(path).replace(/^\d+-/, `${2 ** 22 + 1}-`));
}

function failure(code: string, text: string): Error {
  return Object.assign(new Error(`${code}: ${text}`), { code });
}
