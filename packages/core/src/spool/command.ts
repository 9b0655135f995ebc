import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { claim } from './adoption.js';
import { nodeFiles, type SpoolFiles } from './files.js';
import { recordOf } from './frame.js';
import { type FoundDirectory, type FoundSpool, inspect, readSegments } from './inspect.js';
import { freeDirectory, thisOwner } from './owner.js';
import { Quarantine } from './quarantine.js';
import { nameOf } from './segment.js';
import type { SegmentContent } from './segment-reader.js';

const HELP = `Usage: logferry-spool [--print | --recover] DIRECTORY

Looks at the directory of the option "spool" of Logferry: destinations, owners, segments, records, health. It changes nothing.

  --print    write the records that are left, as lines of JSON
  --recover  repair what dead owners left: cut torn ends, take damaged bytes and foreign segments away. Ships nothing
  --help     show this text

Exit code: 0 all is well, 1 something is damaged or cannot be used, 2 wrong arguments or an unreadable directory,
3 with --recover: a directory was left alone, since its owner lives.
`;

/** Where the command writes. */
export interface Output {
  out(text: string): void;
  error(text: string): void;
}

/** Runs the command line `logferry-spool`. Resolves to its exit code. */
export async function runCommand(
  args: readonly string[],
  output: Output,
  files: SpoolFiles = nodeFiles,
): Promise<number> {
  const parsed = parse(args);
  if (typeof parsed === 'string') {
    output.error(`logferry-spool: ${parsed}\n\n${HELP}`);
    return 2;
  }
  const { directory, help, print, recover } = parsed;
  if (help) {
    output.out(HELP);
    return 0;
  }
  let spools: readonly FoundSpool[];
  try {
    spools = inspect(files, directory, thisOwner(), Date.now());
  } catch (error) {
    output.error(`logferry-spool: cannot read ${directory}: ${(error as Error).message}\n`);
    return 2;
  }
  if (print) return printRecords(spools, output);
  if (recover) return repair(spools, output, files);
  return list(spools, output);
}

interface Arguments {
  readonly directory: string;
  readonly help: boolean;
  readonly print: boolean;
  readonly recover: boolean;
}

/** The arguments, or what is wrong with them. */
function parse(args: readonly string[]): Arguments | string {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { help: flag, print: flag, recover: flag },
      allowPositionals: true,
    });
    const [directory = '', ...others] = positionals;
    if (values.help) return { ...values, directory };
    if (directory === '' || others.length > 0) return 'expected one directory';
    return values.print && values.recover ? 'expected --print or --recover, and not both' : { ...values, directory };
  } catch (error) {
    return (error as Error).message;
  }
}

async function list(spools: readonly FoundSpool[], { out }: Output): Promise<number> {
  let isHealthy = true;
  if (spools.length === 0) out('no records\n');
  for (const { path, directories } of spools) {
    out(`${basename(path)}\n`);
    for (const directory of directories) {
      const { lines, isWell, key } = await describe(directory);
      isHealthy &&= isWell;
      if (key !== undefined) out(`  ${key}\n`);
      for (const line of lines) out(`  ${line}\n`);
    }
  }
  return isHealthy ? 0 : 1;
}

async function describe(
  directory: FoundDirectory,
): Promise<{ readonly lines: readonly string[]; readonly isWell: boolean; readonly key: string | undefined }> {
  const lines: string[] = [];
  let key: string | undefined;
  let isWell = true;
  let total = 0;
  for await (const { name, content, fault } of directory.segments()) {
    if (!content) {
      isWell = false;
      lines.push(`  ${nameOf(name)}: ${fault}`);
      continue;
    }
    const { bytes, found, left, header } = content;
    key ??= header?.key;
    total += left.length;
    const [oldest] = left;
    const age = oldest ? `, the oldest of ${new Date(recordOf(bytes, oldest).acceptedAt).toISOString()}` : '';
    const damage = found.damagedRecords > 0 ? `, ${found.damagedRecords} damaged` : '';
    isWell &&= fault === undefined && damage === '';
    lines.push(
      `  ${nameOf(name)}: ${bytes.length} bytes, ${left.length} of ${found.frames.length} records left${age}${damage}${fault === undefined ? '' : `, ${fault}`}`,
    );
  }
  return {
    lines: [`${ownerText(directory)}: ${total} ${total === 1 ? 'record' : 'records'} left`, ...lines],
    isWell,
    key,
  };
}

function ownerText({ owner, isLeft }: FoundDirectory): string {
  if (owner === 'nobody') return 'nobody';
  const thread = owner.thread === 0 ? '' : `, thread ${owner.thread}`;
  return `process ${owner.pid}${thread}, ${isLeft ? 'dead' : 'alive'}`;
}

async function printRecords(spools: readonly FoundSpool[], { out }: Output): Promise<number> {
  let isHealthy = true;
  for (const { path, directories } of spools) {
    for (const directory of directories) {
      for await (const { content, fault } of directory.segments()) {
        isHealthy &&= fault === undefined && content?.found.damagedRecords === 0;
        if (!content) continue;
        for (const frame of content.left) {
          const { acceptedAt, urgent, events } = recordOf(content.bytes, frame);
          const record = {
            spool: basename(path),
            acceptedAt: new Date(acceptedAt).toISOString(),
            urgent,
            sent: content.marks.sent.has(frame.number),
            events: events.map(({ route, time, payload }) => ({ route, time, payload })),
          };
          out(`${JSON.stringify(record)}\n`);
        }
      }
    }
  }
  return isHealthy ? 0 : 1;
}

async function repair(spools: readonly FoundSpool[], output: Output, files: SpoolFiles): Promise<number> {
  let hasRefused = false;
  let isDamaged = false;
  for (const { path, directories } of spools) {
    const quarantine = new Quarantine(path, files);
    for (const directory of directories) {
      if (!directory.isLeft) {
        hasRefused = true;
        output.error(`${directory.path} is left alone: ${ownerText(directory)}\n`);
        continue;
      }
      // Nobody else works on it meanwhile.
      const claimed = claim(files, directory.path, thisOwner(), Date.now());
      if (claimed === undefined) continue;
      if (await repairDirectory(claimed, quarantine, files, output)) isDamaged = true;
      files.rename(claimed, join(dirname(claimed), freeDirectory()));
    }
  }
  if (hasRefused) return 3;
  return isDamaged ? 1 : 0;
}

/** Whether something is left that cannot be used. */
async function repairDirectory(
  directory: string,
  quarantine: Quarantine,
  files: SpoolFiles,
  { out }: Output,
): Promise<boolean> {
  let isDamaged = false;
  for await (const { content, fault, path } of readSegments(files, directory)) {
    if (!content) {
      isDamaged = true;
      out(`${path}: left alone: ${fault}\n`);
    } else if (fault !== undefined || content.found.frames.length === 0) {
      quarantine.move(path);
      out(`${path}: taken away: ${fault ?? 'it has no record'}\n`);
    } else if (content.found.damagedRecords > 0) {
      quarantine.keepParts(path, content.bytes, content.found);
      replace(files, path, undamaged(content));
      out(`${path}: ${content.found.damagedRecords} damaged records taken away\n`);
    }
  }
  return isDamaged;
}

/** The header, as it is, and the frames. */
function undamaged({ bytes, found: { frames } }: SegmentContent): Uint8Array {
  const head = bytes.subarray(0, frames[0]?.start);
  return Buffer.concat([head, ...frames.map(({ start, end }) => bytes.subarray(start, end))]);
}

/** Replaces a file at once: it is never seen half. */
function replace(files: SpoolFiles, path: string, content: Uint8Array): void {
  const file = files.create(`${path}.tmp`);
  try {
    files.write(file, content, content.length, 0);
    files.syncNow(file);
  } finally {
    files.close(file);
  }
  files.rename(`${path}.tmp`, path);
}
