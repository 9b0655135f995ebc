import type { Clouds } from './clouds.js';

/** Rows of one table of `docs/reach.md`, which stands between `<!-- reach NAME -->` and `<!-- /reach NAME -->`. */
export interface Group {
  readonly name: string;
  /** Heads of the columns, without the first, which has the names of the rows. */
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

/** One place where people run things. */
export interface Row {
  readonly name: string;
  /** It belongs to the short form, too. */
  readonly short: boolean;
  /** What this machine lacks for the row, which is skipped then. @default nothing */
  readonly lacks?: string | undefined;
  /** Tries the place, expects what is promised, and returns what is seen. It is the same in each run: a time is not part of it. */
  run(context: ReachContext): Promise<Outcome>;
}

/** The cells of a row, by column. */
export type Outcome = Readonly<Record<string, string>>;

export interface ReachContext {
  /** A folder of this row, empty at its start. */
  readonly folder: string;
  /** Paths of the tarballs, by name of the package. */
  readonly tarballs: ReadonlyMap<string, string>;
  /** Clouds of this row alone. */
  readonly clouds: Clouds;
  /**
   * Installs packages by npm into `folder`, or into another one, besides the dependencies of a package.json that is there. Ours come
   * from the tarballs, and bring those of ours along that they depend on. Others are named with a version: `esbuild@0.28.2`.
   */
  install(packages?: readonly string[], folder?: string): Promise<void>;
  /**
   * Runs a command, in `folder` unless `cwd` says otherwise. The commands of its node_modules are found. The environment has the
   * clouds, and `env`. Rejects only if the command does not start, or exceeds `timeoutMs`, which is 60 s at first.
   */
  exec(command: string, args: readonly string[], options?: ExecOptions): Promise<Ended>;
  /** The same for a program that goes on, such as a server. If it still runs at the end of the row, it is killed. */
  start(command: string, args: readonly string[], options?: Omit<ExecOptions, 'timeoutMs'>): Started;
  /** A folder that `fill` fills once for all rows with the same key: for an installation that several rows only read. */
  shared(key: string, fill: (folder: string) => Promise<void>): Promise<string>;
}

export interface ExecOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

export interface Started {
  readonly pid: number;
  /** What it wrote to stdout so far. */
  stdout(): string;
  readonly ended: Promise<Ended>;
}

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  /** Exit code, or the signal that ended it. */
  readonly exit: number | string;
}
