import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { attempt } from '../tools/attempt.js';
import { toDateMs } from '../tools/time.js';
import { remedyOf } from './disk-errors.js';
import { nodeFiles } from './files.js';
import { type Frame, recordOf, type SpoolRecord } from './frame.js';
import { type FoundDirectory, type FoundSegment, type FoundSpool, inspect } from './inspect.js';
import { thisOwner } from './owner.js';
import { claim, giveUp, Repair, type Repaired } from './repair.js';
import { nameOf } from './segment.js';
import { ForeignSegments, type SegmentContent, segmentsAmong } from './segment-reader.js';

/** Where it writes. */
export interface Output {
  /** Resolves when there is room for more. */
  out(text: string): Promise<void>;
  error(text: string): void;
}

/** What is done with a spool: it is listed, its records are written as lines of JSON, or what dead owners left is repaired. */
export type SpoolAction = 'list' | 'print' | 'recover';

/**
 * Inspects the directory of the option `spool`, for the command `logferry spool`. Only `'recover'` changes it; all may run while processes
 * write.
 *
 * @returns the exit code. 0: nothing is damaged. 1: something is damaged, foreign, of another version, or cannot be read, or cannot be
 * repaired. 2: `directory` cannot be read. 3: the rest is repaired, but the directory of a living owner was left alone.
 */
export async function inspectSpool(directory: string, action: SpoolAction, output: Output): Promise<number> {
  let spools: readonly FoundSpool[];
  try {
    spools = inspect(nodeFiles, directory, thisOwner(), Date.now());
  } catch (error) {
    output.error(`cannot read ${directory}: ${(error as Error).message}\n`);
    return 2;
  }
  if (spools.length === 0) output.error(`${directory} holds no spool: it was not used yet, or is another directory\n`);
  let isWell = true;
  for (const { path, fault } of spools) {
    if (fault === undefined) continue;
    isWell = false;
    output.error(`${path} cannot be read: ${fault}\n`);
  }
  if (action === 'recover') return repair(spools, isWell, output);
  const show = action === 'print' ? printRecords : list;
  return (await show(spools, output)) && isWell ? 0 : 1;
}

/** Numbers of a segment, a directory or all of them. */
interface Sum {
  left: number;
  settled: number;
  damaged: number;
  bytes: number;
}

/** Whether all is well. */
async function list(spools: readonly FoundSpool[], { out }: Output): Promise<boolean> {
  const total = nothing();
  let isWell = true;
  for (const { path, directories, quarantine } of spools) {
    const lines: string[] = [];
    let key: string | undefined;
    for (const directory of directories) {
      const sum = nothing();
      const segments: string[] = [];
      for await (const segment of segmentsOf(directory)) {
        isWell &&= isUsable(segment);
        key ??= segment.content?.header?.key;
        const each = sumOf(segment);
        add(sum, each);
        segments.push(`    ${segmentText(segment, each)}`);
      }
      add(total, sum);
      lines.push(`  ${ownerText(directory)}: ${sumText(sum)}`, ...segments);
    }
    if (quarantine.files > 0)
      lines.push(
        `  quarantine: ${quarantine.files} ${quarantine.files === 1 ? 'file' : 'files'}, ${inDigits(quarantine.bytes)} bytes`,
      );
    await out([`${basename(path)}${key === undefined ? '' : ` (${key})`}`, ...lines, ''].join('\n'));
  }
  await out(`in all: ${sumText(total)}\n`);
  return isWell;
}

/** Writes the records that are left. Resolves to whether all is well. */
async function printRecords(spools: readonly FoundSpool[], { out }: Output): Promise<boolean> {
  let isWell = true;
  for (const { path, directories } of spools) {
    let destination = basename(path);
    for (const directory of directories) {
      for await (const segment of segmentsOf(directory)) {
        isWell &&= isUsable(segment);
        const { content, fault } = segment;
        if (!content || fault !== undefined) continue;
        destination = content.header?.key ?? destination;
        let text = '';
        for (const frame of content.left) {
          const record = readRecord(content, frame);
          if (record) text += `${JSON.stringify(asJson(record, destination, content.marks.sent.has(frame.number)))}\n`;
          else isWell = false;
          if (text.length < PORTION_CHARS) continue;
          await out(text);
          text = '';
        }
        await out(text);
      }
    }
  }
  return isWell;
}

/** Most text that waits to be written, but for a single longer record. */
const PORTION_CHARS = 64 * 1024;

function asJson({ acceptedAt, urgent, events }: SpoolRecord, destination: string, sent: boolean): object {
  return {
    destination,
    acceptedAt: isoTime(acceptedAt),
    urgent,
    sent,
    events: events.map(({ route, time, payload }) =>
      typeof payload === 'string'
        ? { route, time, payload }
        : { route, time, payloadBase64: Buffer.from(payload).toString('base64') },
    ),
  };
}

/** Repairs what is left. Resolves to the exit code. */
async function repair(spools: readonly FoundSpool[], areAllRead: boolean, output: Output): Promise<number> {
  let isWell = areAllRead;
  let isAllLeft = true;
  for (const { path, directories } of spools) {
    for (const directory of directories) {
      if (!directory.isLeft) {
        isAllLeft = false;
        output.error(`${directory.path} is left alone: ${ownerText(directory)}\n`);
        continue;
      }
      try {
        isWell = (await repairDirectory(path, directory.path, output)) && isWell;
      } catch (error) {
        isWell = false;
        output.error(`${directory.path} cannot be repaired: ${errorText(error)}\n`);
      }
    }
  }
  if (!isWell) return 1;
  return isAllLeft ? 0 : 3;
}

/** Resolves to whether all that is left of the directory can be used. Rejects with an error of the file system. */
async function repairDirectory(keyDirectory: string, path: string, { out, error }: Output): Promise<boolean> {
  const { uid } = statSync(path);
  // The application could not read the files that another user makes.
  if (process.getuid && process.getuid() !== uid) {
    error(`${path} is left alone: run this as the user ${uid}, who owns it\n`);
    return false;
  }
  const claimed = claim(nodeFiles, path, thisOwner(), Date.now());
  // Its new owner repairs it.
  if (!claimed) return true;
  if (claimed.unknown !== undefined) {
    error(`${path} is left alone: ${basename(claimed.unknown)} has another version of the format\n`);
    return false;
  }
  let isWell = true;
  try {
    const repairs = new Repair(keyDirectory, nodeFiles);
    const foreign = new ForeignSegments(keyDirectory);
    for (const name of segmentsAmong(nodeFiles.list(claimed.path))) {
      const shown = join(path, nameOf(name));
      try {
        const repaired = await repairs.segment(claimed.path, name, foreign);
        const text = repairText(repaired);
        if (text !== '') await out(`${shown}: ${text}\n`);
        if (repaired.failure === undefined) continue;
        isWell = false;
        error(`${shown} cannot be repaired: ${errorText(repaired.failure)}\n`);
      } catch (failure) {
        isWell = false;
        error(`${shown} cannot be read: ${errorText(failure)}\n`);
      }
    }
    for (const each of repairs.rest(claimed.path)) await out(`${join(path, basename(each))}: foreign: taken away\n`);
  } finally {
    giveUp(nodeFiles, claimed.path);
  }
  return isWell;
}

/** What was done; nothing if it failed, or if nothing had to be done. */
function repairText({ content, fault, damagedRecords, damagedBytes, failure }: Repaired): string {
  if (failure !== undefined) return '';
  if (fault !== undefined) return `foreign: ${fault}: taken away`;
  const parts: string[] = [];
  if (damagedBytes > 0)
    parts.push(`${inDigits(damagedBytes)} damaged bytes of ${count(damagedRecords, 'record')} taken away`);
  if (!content) parts.push('removed, since no record is left');
  return parts.join(', ');
}

/** A directory that cannot be read is one segment that cannot be used. */
async function* segmentsOf(directory: FoundDirectory): AsyncGenerator<FoundSegment | Unreadable> {
  try {
    yield* directory.segments();
  } catch (error) {
    yield { name: undefined, content: undefined, damagedRecords: 0, damagedBytes: 0, fault: errorText(error) };
  }
}

/** A directory that cannot be read. */
type Unreadable = Omit<FoundSegment, 'name'> & { readonly name: undefined };

function isUsable({ fault, damagedBytes }: FoundSegment | Unreadable): boolean {
  return fault === undefined && damagedBytes === 0;
}

/** `undefined` for a content that is no record. */
function readRecord({ bytes }: SegmentContent, frame: Frame): SpoolRecord | undefined {
  return attempt(() => recordOf(bytes, frame));
}

function nothing(): Sum {
  return { left: 0, settled: 0, damaged: 0, bytes: 0 };
}

/** A foreign segment has bytes only. */
function sumOf({ content, damagedRecords: damaged, fault }: FoundSegment | Unreadable): Sum {
  const bytes = content?.bytes.length ?? 0;
  if (!content || fault !== undefined) return { ...nothing(), bytes };
  const { found, left } = content;
  return { left: left.length, settled: found.frames.length - left.length, damaged, bytes };
}

function add(sum: Sum, { left, settled, damaged, bytes }: Sum): void {
  sum.left += left;
  sum.settled += settled;
  sum.damaged += damaged;
  sum.bytes += bytes;
}

function segmentText(segment: FoundSegment | Unreadable, sum: Sum): string {
  const { name, content, fault, damagedBytes } = segment;
  const parts: string[] = [];
  if (fault !== undefined) parts.push(fault);
  else {
    parts.push(sumText(sum));
    if (damagedBytes > 0) parts.push(`${inDigits(damagedBytes)} damaged bytes`);
    const times = [content?.left[0], content?.left.at(-1)]
      .flatMap((frame) => (content && frame && readRecord(content, frame)) ?? [])
      .map(({ acceptedAt }) => acceptedAt);
    const [first, last] = times;
    if (first !== undefined && last !== undefined)
      parts.push(`accepted ${isoTime(first)} to ${isoTime(last)}, the oldest ${ageText(Date.now() - first)} ago`);
  }
  return `${name ? nameOf(name) : 'cannot be read'}: ${parts.join(', ')}`;
}

function sumText({ left, settled, damaged, bytes }: Sum): string {
  const text = `${count(left, 'record')} left, ${inDigits(settled)} settled, ${inDigits(bytes)} bytes`;
  return damaged > 0 ? `${text}, ${count(damaged, 'damaged record')}` : text;
}

function ownerText({ owner, isLeft, heartbeatAgeMs }: FoundDirectory): string {
  if (owner === 'nobody') return 'nobody';
  const thread = owner.thread === 0 ? '' : `, thread ${owner.thread}`;
  const state = isLeft ? 'dead' : 'alive';
  return `process ${owner.pid}${thread}, ${state}, heartbeat ${ageText(heartbeatAgeMs)} ago`;
}

function errorText(error: unknown): string {
  return `${(error as Error).message} (${remedyOf(error)})`;
}

function count(number: number, noun: string): string {
  return `${inDigits(number)} ${noun}${number === 1 ? '' : 's'}`;
}

function inDigits(number: number): string {
  return number.toLocaleString('en-US');
}

function isoTime(ms: number): string | undefined {
  const dateMs = toDateMs(ms);
  return dateMs === undefined ? undefined : new Date(dateMs).toISOString();
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** `3 min`: in the largest unit that fits. */
function ageText(ms: number): string {
  const [name, unitMs] = UNITS.find(([, each]) => ms >= each) ?? ['s', 1000];
  return `${Math.floor(Math.max(0, ms) / unitMs)} ${name}`;
}
