import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename } from 'node:path';
import { threadId } from 'node:worker_threads';
import { attempt } from '../tools/attempt.js';
import type { SpoolFiles } from './files.js';

/**
 * A writer: a thread of a process. Its directory has its name, so that one rename, which is atomic, changes the owner: there is no
 * second place that could say something else.
 */
export interface Owner {
  readonly pid: number;
  /** 0 for the main thread. */
  readonly thread: number;
  /** Start of the process in ticks since the system's start; 0 if it is not known. */
  readonly startedTicks: number;
  /** The namespace of its process ids; 0 if the system does not say. */
  readonly namespace: number;
  /** Names the start of the system, or if that is not known the host. */
  readonly boot: string;
}

/** A directory's owner says at least so often that it is alive, by the directory's time of change. */
export const HEARTBEAT_MS = 10_000;

/** An owner whose process cannot be looked at is dead after this time without a heartbeat. */
export const DEAD_AFTER_MS = 30_000;

/** `<pid>-<thread>-<started>-<namespace>-<boot>-<serial>`; nobody owns `free-<serial>`. */
const OWNED = /^(\d+)-(\d+)-(\d+)-(\d+)-([0-9a-f]{16})-[0-9a-f]+$/;
const FREE = /^free-[0-9a-f]+$/;

/** A new name for a directory of the owner. */
export function directoryOf({ pid, thread, startedTicks, namespace, boot }: Owner): string {
  return `${pid}-${thread}-${startedTicks}-${namespace}-${boot}-${serial()}`;
}

/** A new name for a directory that nobody owns. */
export function freeDirectory(): string {
  return `free-${serial()}`;
}

/** The owner of a directory: `nobody` owns a free one; `undefined` for a name that is no directory of a spool. */
export function ownerOf(directory: string): Owner | 'nobody' | undefined {
  if (FREE.test(directory)) return 'nobody';
  const match = OWNED.exec(directory);
  if (!match) return undefined;
  const [pid = 0, thread = 0, startedTicks = 0, namespace = 0] = match.slice(1, 5).map(Number);
  return { pid, thread, startedTicks, namespace, boot: match[5] as string };
}

/** This thread, as an owner. */
export function thisOwner(): Owner {
  return {
    pid: process.pid,
    thread: threadId,
    // In a namespace without a `/proc` of its own, numbers there are those of other processes.
    startedTicks: (pidInProc() === process.pid && startedTicksOf(process.pid)) || 0,
    namespace: Number(/\d+/.exec(attempt(() => readlinkSync('/proc/self/ns/pid')) ?? '')?.[0] ?? 0),
    boot: bootId(),
  };
}

/**
 * Whether an owner lives. Its process can be looked at if it has the same namespace of ids: a number that was given to another
 * process has another start. Else, and for a worker thread, its last heartbeat counts.
 */
export function isAlive(owner: Owner, me: Owner, heartbeatAgeMs: number): boolean {
  const hasHeartbeat = heartbeatAgeMs < DEAD_AFTER_MS;
  const isKnown = owner.startedTicks > 0 && me.startedTicks > 0;
  const isVisible = isKnown && owner.boot === me.boot && owner.namespace === me.namespace;
  if (!isVisible) return hasHeartbeat;
  if (startedTicksOf(owner.pid) !== owner.startedTicks) return false;
  const isThisThread = owner.pid === me.pid && owner.thread === me.thread;
  return owner.thread === 0 || isThisThread || hasHeartbeat;
}

/** Whether the owner of a directory is dead, or gave it up. False for a directory that is none of a spool. */
export function isLeft(files: SpoolFiles, path: string, me: Owner, nowMs: number): boolean {
  const owner = ownerOf(basename(path));
  if (owner === undefined || owner === 'nobody') return owner === 'nobody';
  const heartbeatAtMs = attempt(() => files.stat(path).mtimeMs);
  return heartbeatAtMs !== undefined && !isAlive(owner, me, nowMs - heartbeatAtMs);
}

function serial(): string {
  return randomBytes(6).toString('hex');
}

/** The id of this process as `/proc` has it. */
function pidInProc(): number {
  return Number(attempt(() => readlinkSync('/proc/self')));
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the 22nd field. The second may hold blanks and parentheses. */
function startedTicksOf(pid: number): number | undefined {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields === undefined ? undefined : Number(fields[19]);
}

function bootId(): string {
  const id = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1'))?.replace(/[^0-9a-f]/g, '');
  return (id || createHash('sha256').update(hostname()).digest('hex')).slice(0, 16);
}
