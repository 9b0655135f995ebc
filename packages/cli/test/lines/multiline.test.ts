import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { LineJoiner, type MultilineRule } from '../../src/lines/multiline.js';

/** The records that a text becomes. */
function join(text: string, rule: MultilineRule = 'auto'): string[] {
  const records: string[] = [];
  const joiner = new LineJoiner(rule, (record) => records.push(record));
  text.split('\n').forEach((line, index) => {
    joiner.add(line, index, 0);
  });
  joiner.release();
  return records;
}

function stderrOf(code: string): string {
  return spawnSync(process.execPath, ['--input-type=commonjs', '-e', code], { encoding: 'utf8' }).stderr.trim();
}

const lines = (...all: string[]): string => all.join('\n');

const STACK = lines('Error: failed', '    at run (/srv/app.js:1:7)', '    at main (/srv/app.js:9:1)');

const PYTHON = lines(
  'ERROR:root:failed',
  'Traceback (most recent call last):',
  '  File "/srv/app.py", line 4, in f',
  '    1/0',
  'ZeroDivisionError: division by zero',
  '',
  'During handling of the above exception, another exception occurred:',
  '',
  'Traceback (most recent call last):',
  '  File "/srv/app.py", line 6, in f',
  'shop.errors.OrderError',
);

const GO = lines(
  'panic: failed',
  '[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47]',
  '',
  'goroutine 1 [running]:',
  'main.run(0xc000, {0x1, 0x2})',
  '\t/srv/main.go:4 +0x39',
  'main.(*Shop).Serve(...)',
  '\t/srv/main.go:9',
  'created by main.main in goroutine 7',
  '\t/srv/main.go:2 +0x1d',
  '',
  'goroutine 18 [chan receive]:',
  'main.wait()',
  '\t/srv/main.go:20 +0x25',
);

const JAVA = lines(
  '2026-11-28 04:31:06 ERROR shop - failed',
  'java.lang.IllegalStateException: failed',
  '\tat shop.Orders.pay(Orders.java:12)',
  '\t... 2 common frames omitted',
  'Caused by: java.io.IOException: closed',
  '\tat shop.Net.read(Net.java:7)',
  '... 12 more',
);

const DUMP = lines('paid {', '  id: 12,', '  items: [', '    { name: "a" }', '  ]', '}');

describe('auto', () => {
  it.each([
    ['an error with its stack', STACK],
    ['a traceback of Python with another', PYTHON],
    ['a panic of Go with its goroutines', GO],
    ['an exception of Java with its causes', JAVA],
    ['a dump of util.inspect', DUMP],
    ['JSON on several lines', '{\n  "level": 30,\n  "msg": "ready"\n}'],
    [
      'an exception of PHP',
      'PHP Fatal error: x in /srv/a.php:3\nStack trace:\n#0 /srv/a.php(9): f()\n#1 {main}\n  thrown in /srv/a.php',
    ],
    [
      'an exception of .NET',
      'Unhandled exception. System.Exception: x\n   at A.B()\n--- End of stack trace from previous location ---\n   at A.C()',
    ],
  ])('joins %s', (_, record) => {
    expect(join(`ready\n${record}\nready again`)).toEqual(['ready', record, 'ready again']);
  });

  it.each([
    ['an error', 'throw new Error("failed\\nfor two reasons")'],
    [
      'an error with a cause and fields',
      'throw Object.assign(new Error("a", { cause: new TypeError("b") }), { list: [1] })',
    ],
    ['a value', 'throw "failed"'],
    ['a syntax error', 'console.log("a";'],
    ['a missing module', 'require("/no/such/module")'],
  ])('joins what Node.js writes when it dies of %s', (_, code) => {
    const dump = stderrOf(code);
    expect(dump).toContain('\nNode.js v');
    expect(join(`ready\n${dump}\nready again`)).toEqual(['ready', dump, 'ready again']);
  });

  it('takes no longer for a long line than its length demands', () => {
    const trace = `goroutine 1 [running]:\n${'f('.repeat(300_000)}`;
    const startedAtMs = performance.now();
    join(`${trace}\n/${':1'.repeat(300_000)}x1\n${'a.'.repeat(300_000)}\n${'A'.repeat(300_000)}`);
    expect(performance.now() - startedAtMs).toBeLessThan(2000);
  });

  it('ends what Node.js writes at a line with a time of its own', () => {
    const dump = '/srv/app.js:1\nthrow x\n^\nfailed';
    expect(join(`${dump}\n2026-11-28 04:31:06 ready`)).toEqual([dump, '2026-11-28 04:31:06 ready']);
  });

  it.each([
    ['sentences', 'one', 'two'],
    ['a line after a traceback', PYTHON, 'KeyError: not again'],
    [
      'a sentence after the frames of a traceback',
      'x\nTraceback (most recent call last):\n  File "a.py", line 1',
      'all is well',
    ],
    ['a sentence after a goroutine', GO, 'exit status 2'],
    ['a path with a line number and what follows', '/srv/app.js:10\nx', 'y'],
    ['a sentence on goroutines', 'one', 'goroutine pool is ready'],
    ['a line in brackets', 'one', '[two] three'],
  ])('keeps %s apart', (_, first, second) => {
    expect(join(`${first}\n${second}`)).toEqual([first, second]);
  });
});

describe('a line of JSON', () => {
  const JSON_LINE = '{"level":30,"msg":"ready"}';

  it.each<MultilineRule>(['auto', 'indent', /^\d{4}/])('is a record of its own by the rule %s', (rule) => {
    expect(join(`2026 one\n${JSON_LINE}\n  two\n${JSON_LINE}`, rule)).toEqual([
      '2026 one',
      JSON_LINE,
      '  two',
      JSON_LINE,
    ]);
  });

  it('is not held', () => {
    const records: string[] = [];
    const joiner = new LineJoiner('auto', (record) => records.push(record));
    joiner.add(JSON_LINE, 1, 0);
    expect(records).toEqual([JSON_LINE]);
    expect(joiner.hasHeld).toBe(false);
  });
});

it('indent joins indented lines only', () => {
  expect(join('one\n\ttwo\n three\nCaused by: four\n}', 'indent')).toEqual([
    'one\n\ttwo\n three',
    'Caused by: four',
    '}',
  ]);
});

it('off joins nothing, and leaves out blank lines', () => {
  expect(join('one\n  two\n\n \nthree', 'off')).toEqual(['one', '  two', 'three']);
});

it('a regular expression matches the lines that begin a record', () => {
  expect(join('zero\n2026 one\ntwo\n\n  three\n2026 four', /^\d{4}/)).toEqual([
    'zero',
    '2026 one\ntwo\n\n  three',
    '2026 four',
  ]);
});

it('keeps blank lines inside of a record only', () => {
  expect(join('\n\none\n\n \t\n  two\n\n\nthree\n\n')).toEqual(['one\n\n \t\n  two', 'three']);
});

describe('a record that is too large', () => {
  it('ends after 1,000 lines', () => {
    const [first, second, ...more] = join(`one\n${'  two\n'.repeat(1500)}three`);
    expect(first?.split('\n')).toHaveLength(1000);
    expect(second?.split('\n')).toHaveLength(501);
    expect(more).toEqual(['three']);
  });

  it('goes on as the stack trace that it is', () => {
    const records = join(`goroutine 1 [running]:\n${'main.run()\n'.repeat(1500)}ready`);
    expect(records.map((record) => record.split('\n').length)).toEqual([1000, 501, 1]);
  });

  it('ends at 256 KiB', () => {
    const line = `  ${'x'.repeat(1022)}`;
    const records = join(`one\n${`${line}\n`.repeat(600)}`);
    expect(records.map((record) => record.split('\n').length)).toEqual([256, 255, 90]);
    expect(Math.max(...records.map((record) => record.length))).toBeLessThanOrEqual(256 * 1024);
  });

  it('is not made so by blank lines', () => {
    expect(join(`one\n${'\n'.repeat(5000)}  two`)).toEqual(['one', '  two']);
  });
});
