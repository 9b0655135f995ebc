import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MultilineRule } from '../../src/lines/multiline.js';
import { RecordReader } from '../../src/lines/record-reader.js';

interface Reading {
  readonly reader: RecordReader;
  readonly records: [text: string, endOffset: number, time: number][];
  readonly tooLong: [head: string, endOffset: number][];
}

function start(multiline: MultilineRule, now: () => number = () => 0, maxLineChars = 100_000): Reading {
  const records: Reading['records'] = [];
  const tooLong: Reading['tooLong'] = [];
  const reader = new RecordReader({
    multiline,
    maxLineChars,
    now,
    onRecord: (record, endOffset) => records.push([record.text, endOffset, record.time]),
    onTooLong: (head, endOffset) => tooLong.push([head, endOffset]),
  });
  return { reader, records, tooLong };
}

function readAll(chunks: readonly Uint8Array[], multiline: MultilineRule): Reading {
  const reading = start(multiline);
  for (const chunk of chunks) reading.reader.read(chunk);
  reading.reader.end();
  return reading;
}

it('tells each record with the offset of its end', () => {
  const { reader, records } = start('auto');
  reader.read('größe\n  two\r\n\n\nthree\n{"a":1}\nfour');
  reader.end();
  expect(records.map(([text, endOffset]) => [text, endOffset])).toEqual([
    ['größe\n  two', 15],
    ['three', 23],
    ['{"a":1}', 31],
    ['four', 35],
  ]);
});

it('holds the last line until it is clear that nothing belongs to it', () => {
  const { reader, records } = start('auto');
  reader.read('one\n');
  expect(reader.hasHeld).toBe(true);
  expect(records).toEqual([]);
  reader.read('  two\nthree\n');
  expect(records.map(([text]) => text)).toEqual(['one\n  two']);
  reader.flush();
  expect(reader.hasHeld).toBe(false);
  reader.read('  four');
  reader.flush();
  expect(records.map(([text]) => text)).toEqual(['one\n  two', 'three']);
  reader.end();
  expect(records.map(([text]) => text)).toEqual(['one\n  two', 'three', '  four']);
});

it('holds nothing without joining', () => {
  const { reader, records } = start('off');
  reader.read('one\n');
  expect(reader.hasHeld).toBe(false);
  expect(records).toHaveLength(1);
});

it('gives a record the time of reading of its first line', () => {
  let now = 1000;
  const { reader, records } = start('auto', () => now);
  reader.read('one\n');
  now = 2000;
  reader.read('  two\nthree\n');
  now = 3000;
  reader.end();
  expect(records.map(([text, , time]) => [text, time])).toEqual([
    ['one\n  two', 1000],
    ['three', 2000],
  ]);
});

it('tells a line that is too long in its place, and joins nothing over it', () => {
  const { reader, records, tooLong } = start('auto', () => 0, 10);
  reader.read(`one\n  ${'x'.repeat(20)}\n  two\n`);
  reader.end();
  expect(records.map(([text, endOffset]) => [text, endOffset])).toEqual([
    ['one', 4],
    ['  two', 33],
  ]);
  expect(tooLong).toEqual([[`  ${'x'.repeat(20)}`, 27]]);
});

it('reads what a process writes, until it dies', async () => {
  const code = 'console.log("ready"); console.log({ list: Array(50).fill("größe") }); throw new Error("failed")';
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = [start('auto'), start('auto')];
  let bytes = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    stdout.reader.read(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => stderr.reader.read(chunk));
  await once(child, 'close');
  stdout.reader.end();
  stderr.reader.end();
  expect(stdout.records.map(([text]) => text.split('\n')[0])).toEqual(['ready', '{']);
  expect(stdout.records.at(-1)?.[1]).toBe(bytes);
  expect(stderr.records.map(([text]) => text)).toEqual([
    expect.stringMatching(/^\[eval\]:1\n.*Error: failed\n.*\nNode\.js v/s),
  ]);
});

describe('for any input', () => {
  const line = fc.constantFrom(
    ...['', ' ', '  two', '\tat x', 'one', 'größe €', '2026-11-28 04:31:06 ERROR failed', '{"a":1}', '{', '}', '😀'],
    ...[
      'Traceback (most recent call last):',
      '  File "a.py", line 1',
      'ValueError: x',
      'goroutine 1 [running]:',
      'main.f()',
    ],
    ...[
      '/srv/a.js:1',
      'throw x',
      '^',
      'Error: x',
      '    at f (a.js:1:1)',
      'Node.js v20.1.0',
      'Caused by: x',
      '... 2 more',
    ],
  );
  const input = fc
    .tuple(fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n')), { maxLength: 40 }), fc.oneof(line, fc.constant('')))
    .map(([all, last]) => `${all.flat().join('')}${last}`);
  const rule = fc.constantFrom<MultilineRule>('auto', 'indent', 'off', /^\d{4}|^one/);

  it('any split gives the same records and offsets', () => {
    fc.assert(
      fc.property(input, rule, fc.array(fc.nat({ max: 400 }), { maxLength: 10 }), (text, multiline, cuts) => {
        const bytes = Buffer.from(text);
        const edges = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const chunks = edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
        expect(readAll(chunks, multiline).records).toEqual(readAll([bytes], multiline).records);
        const single = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
        expect(readAll(single, multiline).records).toEqual(readAll([bytes], multiline).records);
      }),
      { numRuns: 500 },
    );
  });

  it('no line is lost, doubled or moved', () => {
    fc.assert(
      fc.property(input, rule, (text, multiline) => {
        const { records } = readAll([Buffer.from(text)], multiline);
        expect(nonBlank(records.map(([record]) => record).join('\n'))).toEqual(nonBlank(text));
      }),
      { numRuns: 500 },
    );
  });

  it('the input up to the end of a record has this record and those before it, and no more', () => {
    fc.assert(
      fc.property(input, rule, (text, multiline) => {
        const bytes = Buffer.from(text);
        const { records } = readAll([bytes], multiline);
        records.forEach(([, endOffset], index) => {
          const before = records.slice(0, index + 1).map(([record]) => record);
          expect(nonBlank(before.join('\n'))).toEqual(nonBlank(bytes.subarray(0, endOffset).toString()));
        });
      }),
      { numRuns: 300 },
    );
  });
});

function nonBlank(text: string): string[] {
  return text.split(/\r?\n/).filter((each) => each.trim() !== '');
}
