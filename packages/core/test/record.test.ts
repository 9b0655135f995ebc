import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { toEpochMs } from '../src/index.js';

const FALLBACK = 7;

it.each([
  ['epoch milliseconds', 1_700_000_000_123, 1_700_000_000_123],
  ['fractional milliseconds', 1_700_000_000_123.9, 1_700_000_000_123],
  ['epoch seconds', 1_700_000_000, 1_700_000_000_000],
  ['fractional seconds', 1_700_000_000.5, 1_700_000_000_500],
  ['epoch microseconds', 1_700_000_000_123_456, 1_700_000_000_123],
  ['epoch nanoseconds', Number(1_700_000_000_123_456_789n), 1_700_000_000_123],
  ['milliseconds of 1973', 100_000_000_000, 100_000_000_000],
  ['microseconds as digits', '1700000000123456', 1_700_000_000_123],
  ['nanoseconds as digits', '1700000000123456789', 1_700_000_000_123],
  ['nanoseconds as a BigInt', 1_700_000_000_123_456_789n, 1_700_000_000_123],
  ['process.hrtime.bigint()', process.hrtime.bigint(), FALLBACK],
  ['process.hrtime.bigint() after a year', 31_536_000_000_000_000n, FALLBACK],
  ['process.hrtime()', process.hrtime(), FALLBACK],
  ['performance.now()', performance.now(), FALLBACK],
  ['performance.now() after 11 days', 950_400_000.5, FALLBACK],
  ['YYYYMMDDHHmm, local time', '202601020304', new Date(2026, 0, 2, 3, 4).getTime()],
  ['YYYYMMDDHHmm as a number', 202_601_020_304, new Date(2026, 0, 2, 3, 4).getTime()],
  ['YYYYMMDDHHmmss', '20260102030405', new Date(2026, 0, 2, 3, 4, 5).getTime()],
  ['YYYYMMDDHHmmssSSS', '20260102030405678', new Date(2026, 0, 2, 3, 4, 5, 678).getTime()],
  ['YYYYMMDD', '20260102', FALLBACK],
  ['milliseconds as digits', '1700000000123', 1_700_000_000_123],
  ['seconds as digits', '1700000000', 1_700_000_000_000],
  ['ISO 8601', '2026-01-02T03:04:05.678Z', Date.UTC(2026, 0, 2, 3, 4, 5, 678)],
  ['ISO 8601 with nanoseconds', '2026-01-02T03:04:05.678912345Z', Date.UTC(2026, 0, 2, 3, 4, 5, 678)],
  ['ISO 8601 with an offset', '2026-01-02T03:04:05+02:00', Date.UTC(2026, 0, 2, 1, 4, 5)],
  ['a date alone', '2026-01-02', FALLBACK],
  ['date and time with a blank, local time', '2026-01-02 03:04:05', new Date(2026, 0, 2, 3, 4, 5).getTime()],
  ['a Date', new Date(1234567890123), 1_234_567_890_123],
  ['an invalid Date', new Date('no'), FALLBACK],
  ['an ambiguous form', '3/4/2026', FALLBACK],
  ['a time of day', '10:20:30', FALLBACK],
  ['NaN', Number.NaN, FALLBACK],
  ['infinity', Number.POSITIVE_INFINITY, FALLBACK],
  ['a negative number', -5, FALLBACK],
  ['a duration', 35, FALLBACK],
  ['nothing', undefined, FALLBACK],
  ['an object', {}, FALLBACK],
  ['a Date of another realm', runInNewContext('new Date(1234567890123)'), 1_234_567_890_123],
  ['a Date that has its own way', Object.assign(new Date(1234567890123), { getTime: () => 'no' }), 1_234_567_890_123],
  ['what looks like a Date', Object.create(Date.prototype), FALLBACK],
  ['a revoked proxy', revoked(), FALLBACK],
])('toEpochMs reads %s', (_, value, expected) => {
  expect(toEpochMs(value, FALLBACK)).toBe(expected);
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable(new Date(), {});
  revoke();
  return proxy;
}
