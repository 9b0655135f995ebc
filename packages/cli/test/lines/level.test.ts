import { describe, expect, it } from 'vitest';
import { textLevel } from '../../src/lines/level.js';

it.each([
  ['2026-11-28 04:31:06,123 ERROR c.s.Orders - failed', 'error'],
  ['2026-11-28 04:31:06 WARNING ready', 'warn'],
  ['ERROR: failed', 'error'],
  ['ERROR', 'error'],
  ['ERROR:root:failed', 'error'],
  ['[WARN ] low', 'warn'],
  ['[2026-11-28 04:31:06 +0000] [7] [CRITICAL] WORKER TIMEOUT', 'fatal'],
  ['[2026-11-28 04:31:06,123: DEBUG/MainProcess] ready', 'debug'],
  ['2026-11-28 04:31:06.123 UTC [12] FATAL:  no role', 'fatal'],
  ['04:31:06 [main] TRACE shop.Orders', 'trace'],
  ['2026-11-28T04:31:06Z 0 [Warning] [MY-010068] self signed', 'warn'],
  ['2026/11/28 04:31:06 [error] 7#7: open() failed', 'error'],
  ['2026/11/28 04:31:06 [crit] 7#7: no space', 'fatal'],
  ['[Sat Nov 28 04:31:06 2026] [core:notice] [pid 12] ready', 'info'],
  ['time="2026-11-28T04:31:06Z" level=warning msg="no ERROR"', 'warn'],
  ['time=2026-11-28T04:31:06Z level=DEBUG msg=ready', 'debug'],
  ['ts=1 lvl=eror msg=failed', 'error'],
  ['shop {"level":"error","code":1}', 'error'],
  ['info: ready', 'info'],
  ['warn: low', 'warn'],
  ['fail: Microsoft.Hosting[6]', 'error'],
  ['2026-11-28T04:31:06.123Z debug: ready', 'debug'],
  ['2026-11-28T04:31:06.123Z [orders] error: failed', 'error'],
  ['\x1b[31merror\x1b[39m: failed', 'error'],
  ['\x1b[33mWARN\x1b[0m low', 'warn'],
  ['Nov 28 04:31:06 web-1 sshd[12]: error: kex_exchange_identification', 'error'],
  ['Error: failed', 'error'],
  ['<3>failed', 'error'],
  ['<34>1 2026-11-28T04:31:06Z host app - - - failed', 'fatal'],
  ['<14>ready', 'info'],
  ['<15>ready', 'debug'],
  ['E1128 04:31:06.123456 1 main.go:12] failed', 'error'],
  ['W1128 04:31:06.123456 1 main.go:12] low', 'warn'],
  ['F1128 04:31:06.123456 1 main.go:12] failed', 'fatal'],
  ['0 verbose cli /usr/bin/node', 'debug'],
  ['12 silly fetch manifest', 'trace'],
  ['3 http fetch GET 200', 'info'],
  ['npm warn deprecated glob', 'warn'],
  ['npm ERR! code ENOENT', 'error'],
  ['<info>  [1700000000.1] manager: ready', 'info'],
])('the level of "%s" is %s', (line, level) => {
  expect(textLevel(line)).toBe(level);
});

describe('no level is read from', () => {
  it.each([
    'no error occurred',
    'the warning was shown: error rate is low',
    'ready',
    '',
    '127.0.0.1 - - [28/Nov/2026:04:31:06 +0000] "GET /ERROR HTTP/1.1" 500 12',
    '127.0.0.1 - - [28/Nov/2026:04:31:06 +0000] "GET /?level=ERROR&q=1 HTTP/1.1" 404 12',
    'ERRORS found',
    'MY_ERROR_CODE is set',
    'status=ERROR',
    'npm run build',
    '2026-11-28 04:31:06 status installed libc6',
    'failed (error)',
    '3 errors',
    `${'ready '.repeat(20)}ERROR`,
    'ready\nERROR in the second line',
  ])('"%s"', (line) => {
    expect(textLevel(line)).toBeUndefined();
  });
});
