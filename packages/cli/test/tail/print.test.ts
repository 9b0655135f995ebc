import { describe, expect, it } from 'vitest';
import { recognise } from '../../src/lines/recognise.js';
import { printEvent } from '../../src/tail/print.js';
import type { TailEvent } from '../../src/tail/source.js';

const time = new Date(2026, 10, 28, 4, 5, 6, 7).getTime();

function print(line: string | object, event: Partial<TailEvent> = {}, hasColours = false): string {
  const text = typeof line === 'string' ? line : JSON.stringify(line);
  const printed = { timeMs: time, raw: text, line: text, origin: undefined, ...event };
  return printEvent(printed, recognise(text, time), { hasColours, nowMs: time });
}

const at = (text: string): string => `04:05:06.007 ${text}`;

describe('the line of a record', () => {
  it('has time, level, message and members, of pino, bunyan, winston and other JSON', () => {
    const pino = { level: 30, time, pid: 1, hostname: 'a', msg: 'hello', user: 'ann', ok: true, n: 1.5, none: null };
    expect(print(pino)).toBe(at('INFO  hello  user=ann  ok=true  n=1.5  none=null'));
    const bunyan = { name: 'api', hostname: 'a', pid: 1, level: 60, msg: 'hello', time: '2026-11-28T04:05:06Z', v: 0 };
    expect(print(bunyan)).toBe(at('FATAL hello  name=api'));
    expect(print({ level: 'warn', message: 'hello', timestamp: '2026-11-28T04:05:06Z', a: 1 })).toBe(
      at('WARN  hello  a=1'),
    );
    const other = { '@timestamp': '2026-11-28T04:05:06Z', severity: 'ERROR', message: 'hello', pid: 7 };
    expect(print(other)).toBe(at('ERROR hello  pid=7'));
    expect(print({ status: 200 })).toBe(at('INFO  status=200'));
  });

  it('has a text as it is', () => {
    expect(print('2026-11-28 04:05:06 WARN disk is full')).toBe(at('WARN  2026-11-28 04:05:06 WARN disk is full'));
    expect(print('')).toBe(at('INFO'));
  });

  it('has values that end where they seem to end', () => {
    const line = { level: 30, time, msg: 'm', a: 'x y', b: '', c: 'k=v', d: '"', e: { f: ['g h'] }, f: '{', g: 'é' };
    expect(print(line)).toBe(at('INFO  m  a="x y"  b=""  c="k=v"  d="\\""  e={"f":["g h"]}  f="{"  g=é'));
  });

  it('has the date where it is not of today, and the stream where several are followed', () => {
    const event = { timeMs: new Date(2025, 0, 2, 3, 4, 5, 6).getTime(), origin: 'web/1' };
    expect(print('x', event)).toBe('2025-01-02 03:04:05.006 INFO  x  [web/1]');
  });

  it('has the namespace of metrics, whose description it leaves out', () => {
    const CloudWatchMetrics = [{ Namespace: 'shop', Dimensions: [['route']], Metrics: [{ Name: 'latency' }] }];
    expect(print({ _aws: { Timestamp: time, CloudWatchMetrics }, route: '/cart', latency: 12 })).toBe(
      at('INFO  metrics shop  route=/cart  latency=12'),
    );
    expect(print({ level: 30, time, msg: 'paid', _aws: { CloudWatchMetrics }, latency: 12 })).toBe(
      at('INFO  metrics shop paid  latency=12'),
    );
    expect(print({ _aws: 'hostile', a: 1 })).toBe(at('INFO  a=1'));
  });
});

describe('the lines after it', () => {
  it('are those of a text, and of the stacks of errors', () => {
    expect(print('Error: boom\n\tat a.js:1\r\n  at b.js:2')).toBe(
      `${at('ERROR Error: boom')}\n        at a.js:1\n      at b.js:2`,
    );
    const err = { type: 'TypeError', message: 'boom', stack: 'TypeError: boom\n    at a.js:1', code: 'E_BOOM' };
    expect(print({ level: 50, time, msg: 'failed', err })).toBe(
      `${at('ERROR failed  err.code=E_BOOM')}\n    TypeError: boom\n        at a.js:1`,
    );
    expect(print({ level: 'error', message: 'boom', stack: 'Error: boom\n    at a.js:1' })).toBe(
      `${at('ERROR boom')}\n    Error: boom\n        at a.js:1`,
    );
  });

  it('name the member where there are several stacks', () => {
    expect(print({ level: 50, time, msg: 'failed', one: { stack: 'A' }, two: { stack: 'B' } })).toBe(
      `${at('ERROR failed')}\n    one:\n    A\n    two:\n    B`,
    );
  });
});

describe('colours', () => {
  it('mark the level, and dim what is not the message', () => {
    expect(print({ level: 50, time, msg: 'm', a: 1 }, { origin: 's' }, true)).toBe(
      at('\x1b[31mERROR\x1b[0m m  \x1b[2ma=\x1b[0m1  \x1b[2m[s]\x1b[0m'),
    );
    const levels = [10, 20, 30, 40, 50, 60].map((level) => print({ level, time, msg: 'm' }, {}, true).slice(13, 20));
    expect(levels.map((text) => text.replace(/m.*/s, ''))).toEqual([
      '\x1b[2',
      '\x1b[2',
      '\x1b[32',
      '\x1b[33',
      '\x1b[31',
      '\x1b[1;31',
    ]);
  });
});

describe('a hostile record', () => {
  const controls = [
    ...Array.from({ length: 0x20 }, (_, code) => code),
    ...Array.from({ length: 0x21 }, (_, index) => 0x7f + index),
    ...[0x61c, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069, 0xfeff, 0xd800, 0xdfff, 0xe0041],
  ].map((code) => String.fromCodePoint(code));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const unsafe = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\p{Cs}]|\p{Cf}/u;

  it('has no control, invisible or turning character left, wherever it is', () => {
    for (const control of controls) {
      const value = `a${control}b`;
      const printed = [
        print(value),
        print(value, { origin: value }),
        print({ level: 30, time, msg: value, [value]: value, [`${value}2`]: { [value]: value } }),
        print({ level: value, message: value, stack: `${value}\n${value}` }),
        print({ level: 50, time, msg: 'm', [value]: { stack: value, [value]: value }, other: { stack: 's' } }),
        print({ _aws: { CloudWatchMetrics: [{ Namespace: value }] } }),
      ];
      for (const text of printed) expect(text, JSON.stringify(control)).not.toMatch(unsafe);
    }
  });

  it('shows what it tried, but no colours', () => {
    expect(print('\x1b[31mred\x1b[0m \x1b]52;c;aGk=\x07 \x1b[2J \u202egnp.exe \u{e0041}')).toBe(
      at('INFO  red \\x1b]52;c;aGk=\\x07 \\x1b[2J \\u202egnp.exe \\u{e0041}'),
    );
  });

  it('cannot make a line that begins as one of another record', () => {
    const forged = at('ERROR forged');
    for (const text of [`a\n${forged}`, `a\r${forged}`, `a\r\n${forged}`, `a\u2028${forged}`])
      for (const printed of [print(text), print({ level: 30, time, msg: text, text, stack: text })])
        expect(printed.split(/[\n\r\u2028]/).filter((line) => !line.startsWith('    '))).toHaveLength(1);
  });

  it('keeps the joiners of emoji and scripts', () => {
    expect(print('👩‍💻 می‌خواهم')).toBe(at('INFO  👩‍💻 می‌خواهم'));
  });
});
