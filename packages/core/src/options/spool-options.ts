import { resolve } from 'node:path';
import { choiceOption, numberOption, objectOption, optionNames, refuseUnknownOptions, wrongOption } from './checks.js';

/** Keeps records on disk, so that they outlive the process. */
export interface SpoolOptions {
  /** A directory on a local file system, made if it is missing. Transports, processes and threads may share it. */
  readonly directory: string;
  /**
   * `'journal'`: a record is on disk before it is accepted, so that no end of the process loses it. `'spill'`: what does not fit into
   * memory, and what is left at the end, goes to disk; a process that is killed loses what is in memory. @default 'journal'
   */
  readonly mode?: 'journal' | 'spill' | undefined;
  /**
   * Most bytes on disk of one transport in one thread, from 1_048_576. Then `overflow` decides: the new record is dropped, or the oldest segment, as
   * `spool-full`. @default 268_435_456 (256 MiB)
   */
  readonly maxBytes?: number | undefined;
  /**
   * Wall time since a record was accepted after which it is given up, as `expired`, in milliseconds: takes the place of `retry.maxAgeMs`.
   * @default 259_200_000 (72 hours)
   */
  readonly maxAgeMs?: number | undefined;
  /**
   * When records survive the loss of power: `'interval'` after a second, `'batch'` before they are first sent, `'record'` before they are
   * accepted, `'never'` when the system writes them by itself. The end of a process needs none of them. @default 'interval'
   * @see https://github.com/logferry/logferry/blob/main/docs/spool.md#loss-of-power
   */
  readonly fsync?: 'interval' | 'batch' | 'record' | 'never' | undefined;
}

/** Spool options with every value in place. */
export type ResolvedSpoolOptions = { readonly [Name in keyof SpoolOptions]-?: NonNullable<SpoolOptions[Name]> };

const HOUR_MS = 3_600_000;

const spoolOptionNames = optionNames<SpoolOptions>({
  directory: true,
  mode: true,
  maxBytes: true,
  maxAgeMs: true,
  fsync: true,
});

/** Checks the option `spool`. Throws `ConfigError`. `identity` is that of the destination. */
export function resolveSpool(options: unknown, identity: unknown): ResolvedSpoolOptions | undefined {
  if (options === undefined) return undefined;
  const raw = objectOption('spool', options, 'an object with the member directory');
  refuseUnknownOptions(raw, spoolOptionNames, 'spool.');
  const { directory } = raw;
  if (typeof directory !== 'string' || directory === '')
    throw wrongOption('spool.directory', 'the path of a directory', directory);
  if (typeof identity !== 'string' || identity === '')
    throw wrongOption('destination.identity', 'a string that is not empty, for the option spool', identity);
  return {
    directory: resolve(directory),
    mode: choiceOption('spool.mode', raw.mode as SpoolOptions['mode'], 'journal', ['journal', 'spill']),
    maxBytes: numberOption('spool.maxBytes', raw.maxBytes, 256 * 1024 * 1024, { min: 1024 * 1024 }),
    maxAgeMs: numberOption('spool.maxAgeMs', raw.maxAgeMs, 72 * HOUR_MS, { min: 1 }),
    fsync: choiceOption('spool.fsync', raw.fsync as SpoolOptions['fsync'], 'interval', [
      'interval',
      'batch',
      'record',
      'never',
    ]),
  };
}
