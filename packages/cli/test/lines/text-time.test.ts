import { describe, expect, it } from 'vitest';
import { textTime } from '../../src/lines/text-time.js';

// Summer time of half an hour.
process.env.TZ = 'Australia/Lord_Howe';

const NOW = Date.UTC(2026, 10, 28, 12);
const UTC = Date.UTC(2026, 10, 28, 4, 31, 6);
const LOCAL = new Date(2026, 10, 28, 4, 31, 6).getTime();

const read = (line: string) => textTime(line, NOW);

describe('a time with its offset is read from', () => {
  it.each([
    ['ISO 8601', '2026-11-28T04:31:06.123Z ready', UTC + 123],
    ['ISO 8601 with a point and nanoseconds', '2026-11-28T04:31:06.123456789Z stdout F ready', UTC + 123],
    ['ISO 8601 with a comma', '2026-11-28T04:31:06,120+00:00 ready', UTC + 120],
    ['ISO 8601 east of Greenwich', '2026-11-28T06:01:06+01:30 ready', UTC],
    ['ISO 8601 west of Greenwich', '2026-11-27T23:31:06-0500 ready', UTC],
    ['PostgreSQL', '2026-11-28 04:31:06.123 UTC [12] LOG:  ready', UTC + 123],
    ['an offset of hours only', '2026-11-28 05:31:06+01 ready', UTC],
    ['gunicorn', '[2026-11-28 05:31:06 +0100] [7] [INFO] Booting', UTC],
    ['RFC 5424', '<34>1 2026-11-28T04:31:06.003Z host app 12 - - ready', UTC + 3],
    ['an access log', '127.0.0.1 - frank [28/Nov/2026:05:31:06 +0100] "GET / HTTP/1.1" 200 2', UTC],
    ['an access log with a host name', 'web-1.example.org - - [28/Nov/2026:04:31:06 +0000] "GET /"', UTC],
    ['an access log of IPv6', '::1 - - [28/Nov/2026:04:31:06 +0000] "GET /"', UTC],
    ['RFC 1123', 'Sat, 28 Nov 2026 04:31:06 GMT ready', UTC],
    ['date', 'Sat Nov 28 04:31:06 UTC 2026 ready', UTC],
    ['logrus', 'time="2026-11-28T04:31:06Z" level=info msg=ready', UTC],
    ['slog', 'time=2026-11-28T04:31:06.123Z level=INFO msg=ready', UTC + 123],
    ['Prometheus', 'level=info ts=2026-11-28T04:31:06.5Z caller=main.go:1', UTC + 500],
    ['epoch seconds', `${UTC / 1000} ready`, UTC],
    ['epoch seconds with a fraction', `${UTC / 1000}.250    12 TCP_MISS/200`, UTC + 250],
    ['epoch milliseconds', `[${UTC + 7}] ready`, UTC + 7],
    ['epoch nanoseconds', `${UTC}123456: ready`, UTC],
    ['a coloured time', '\x1b[90m2026-11-28T04:31:06.000Z\x1b[39m ready', UTC],
    ['a time behind a level', 'INFO  [2026-11-28T04:31:06Z] ready', UTC],
    ['a time behind a coloured level', '\x1b[32minfo\x1b[39m: 2026-11-28T04:31:06Z ready', UTC],
  ])('%s', (_, line, time) => {
    expect(read(line)).toBe(time);
  });
});

describe('local time is read from', () => {
  it.each([
    ['log4j', '2026-11-28 04:31:06,123 INFO ready', LOCAL + 123],
    ['ISO 8601 without an offset', '2026-11-28T04:31:06.123 ready', LOCAL + 123],
    ['tenths of a second', '2026-11-28 04:31:06.5 ready', LOCAL + 500],
    ['minutes', '2026-11-28 04:31 ready', LOCAL - 6000],
    ['nginx', '2026/11/28 04:31:06 [error] 7#7: *1 open() failed', LOCAL],
    ['Go', '2026/11/28 04:31:06.123456 ready', LOCAL + 123],
    ['dpkg', '2026-11-28 04:31:06 status installed libc6:amd64 2.36-9', LOCAL],
    ['a number behind the time, which is no offset', '2026-11-28 04:31:06 -10 degrees', LOCAL],
    ['syslog', 'Nov 28 04:31:06 web-1 app[12]: ready', LOCAL],
    ['syslog with a priority', '<34>Nov 28 04:31:06 web-1 app: ready', LOCAL],
    ['syslog with a year', 'Nov 28 2026 04:31:06: %ASA-6-302013', LOCAL],
    ['klog', 'I1128 04:31:06.123456       1 main.go:12] ready', LOCAL + 123],
    ['ctime', '[Sat Nov 28 04:31:06.120000 2026] [core:error] [pid 12] failed', LOCAL + 120],
    ['Tomcat', '28-Nov-2026 04:31:06.123 INFO [main] ready', LOCAL + 123],
    ['Python', 'INFO:2026-11-28 04:31:06,123:ready', LOCAL + 123],
  ])('%s', (_, line, time) => {
    expect(read(line)).toBe(time);
  });

  it('another zone than UTC in these tests', () => {
    expect(LOCAL).toBe(UTC - 11 * 3_600_000);
  });

  it('single-digit days', () => {
    expect(read('Nov  8 04:31:06 web-1 app: ready')).toBe(new Date(2026, 10, 8, 4, 31, 6).getTime());
    expect(read('Nov 8 04:31:06 web-1 app: ready')).toBe(new Date(2026, 10, 8, 4, 31, 6).getTime());
  });

  it('each hour of a year, as Date reads it', () => {
    for (let hour = 0; hour < 366 * 24; hour++) {
      const date = new Date(2026, 0, 1, hour, 20);
      const parts = [date.getMonth() + 1, date.getDate(), date.getHours()].map((part) => String(part).padStart(2, '0'));
      const line = `${date.getFullYear()}-${parts[0]}-${parts[1]} ${parts[2]}:20:00 ready`;
      expect(read(line), line).toBe(
        new Date(date.getFullYear(), date.getMonth(), date.getDate(), date.getHours(), 20).getTime(),
      );
    }
  });
});

describe('a year that is not written', () => {
  it('is the year before for a time that would be more than a day ahead', () => {
    const newYear = new Date(2027, 0, 1, 0, 0, 30).getTime();
    expect(textTime('Dec 31 23:59:59 web-1 app: ready', newYear)).toBe(new Date(2026, 11, 31, 23, 59, 59).getTime());
    expect(textTime('I1231 23:59:59.000000 1 main.go:1] x', newYear)).toBe(
      new Date(2026, 11, 31, 23, 59, 59).getTime(),
    );
    expect(read('Nov 30 04:31:06 web-1 app: ready')).toBe(new Date(2025, 10, 30, 4, 31, 6).getTime());
  });

  it('is the next year for a time that is less than a day ahead', () => {
    const lastMinute = new Date(2026, 11, 31, 23, 59, 30).getTime();
    expect(textTime('Jan  1 00:00:10 web-1 app: ready', lastMinute)).toBe(new Date(2027, 0, 1, 0, 0, 10).getTime());
  });

  it('is a leap year for February 29', () => {
    expect(read('Feb 29 04:31:06 web-1 app: ready')).toBe(new Date(2024, 1, 29, 4, 31, 6).getTime());
  });
});

describe('no time is read from', () => {
  it.each([
    ['a sentence', 'the order of 2026-11-28 04:31:06 was paid'],
    ['an empty line', ''],
    ["npm's debug log", '0 verbose cli /usr/bin/node /usr/bin/npm'],
    ['a date alone', '2026-11-28 ready'],
    ['a time of day alone', '04:31:06 ready'],
    ['a month that does not exist', '2026-13-28 04:31:06 ready'],
    ['a day that does not exist', '2026-02-30 04:31:06 ready'],
    ['an hour that does not exist', '2026-11-28 24:31:06 ready'],
    ['a minute that does not exist', '2026-11-28 04:61:06 ready'],
    ['a year before 1970', '1026-11-28 04:31:06 ready'],
    ['an address', '127.0.0.1 - - connected'],
    ['a number', '1234567 rows'],
    ['a number that is a time far ahead', '9999999999 rows'],
    ['a number with a unit', '1700000000ms passed'],
    ['the clock of the kernel', '[ 1234.567890] usb 1-1: new device'],
    ['a word that looks like a month', 'Mayor 28 04:31:06'],
    ['a word before a date', 'Since 2026-11-28 04:31:06 nothing'],
    ['a list', '[one, two]'],
    ['a time with a zone that is cut off', 'Nov 28'],
  ])('%s', (_, line) => {
    expect(read(line)).toBeUndefined();
  });
});
