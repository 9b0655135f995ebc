import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recognise } from '../../src/lines/recognise.js';

const NOW = Date.UTC(2026, 10, 28, 12);
const TIME = Date.UTC(2026, 10, 28, 4, 31, 6, 123);
const ISO = '2026-11-28T04:31:06.123Z';

/** What a line says, without the members that are the same for all. */
function read(line: string) {
  const { format, time, level, urgent, message, hasOwnTime, hasOwnLevel } = recognise(line, NOW);
  return { format, time: hasOwnTime ? time : undefined, level: hasOwnLevel ? level : undefined, urgent, message };
}

describe('a line', () => {
  it.each([
    ['pino', `{"level":40,"time":${TIME},"pid":1,"hostname":"vm","reqId":1,"msg":"low"}`, 'warn', true],
    ['pino', `{"level":60,"time":"${ISO}","msg":"low"}`, 'fatal', true],
    ['pino', `{"level":30,"time":${TIME},"msg":"low","level":50,"time":1}`, 'info', false],
    ['pino', `{"level":"error","time":${TIME},"pid":1,"hostname":"vm","msg":"low"}`, 'error', true],
    ['pino', `{"time":${TIME},"level":35,"msg":"low"}`, '35', false],
    ['pino', `{"level":45,"time":${TIME},"msg":"low"}`, '45', true],
    ['bunyan', `{"name":"shop","hostname":"vm","pid":1,"level":50,"msg":"low","time":"${ISO}","v":0}`, 'error', true],
    ['winston', `{"level":"warn","message":"low","timestamp":"${ISO}"}`, 'warn', true],
    ['winston', `{"level":"http","message":"low","timestamp":"${ISO}"}`, 'http', false],
    ['winston', `{"level":"crit","message":"low","timestamp":"${ISO}"}`, 'crit', true],
    ['json', `{"level":"WARNING","ts":"${ISO}","msg":"low"}`, 'warn', true],
    ['json', `{"severity":"NOTICE","@timestamp":"${ISO}","message":"low"}`, 'info', false],
    ['json', `{"lvl":"custom","ts":${TIME / 1000},"message":"low"}`, 'custom', false],
    ['json', `{"loglevel":"Error","date":"${ISO}","message":"low"}`, 'error', true],
    ['json', `{"log.level":"debug","datetime":"2026/11/28 04:31:06.123 +0000","message":"low"}`, 'debug', false],
    ['json', `{"levelname":"CRITICAL","eventTime":"${ISO}","event":"low"}`, 'fatal', true],
    ['json', `{"version":"1.1","host":"vm","short_message":"low","level":3,"timestamp":${TIME / 1000}}`, 'error', true],
    ['json', `{"time":"no time","timestamp":"${ISO}","log":"low"}`, undefined, false],
    ['json', ` { "level" : 3, "timestamp" : ${TIME}, "message" : "low" }`, undefined, false],
  ])('of %s: %s', (format, line, level, urgent) => {
    expect(read(line)).toEqual({ format, time: TIME, level, urgent, message: 'low' });
  });

  it.each([
    [`${ISO} ERROR failed`, TIME, 'error', true],
    [`${ISO} ready`, TIME, undefined, false],
    ['WARN low', undefined, 'warn', true],
    ['ready', undefined, undefined, false],
    [`{"level":30,"time":${TIME},"msg":`, undefined, 'info', false],
    ['{ not: "JSON" }', undefined, undefined, false],
    ['["a", "list"]', undefined, undefined, false],
  ])('of text: %s', (line, time, level, urgent) => {
    expect(read(line)).toMatchObject({ format: 'text', time, urgent, message: line });
    expect(recognise(line, NOW).fields).toEqual({ message: line });
    expect(recognise(line, NOW).fieldsJson).toBeUndefined();
    expect(recognise(line, NOW).level).toBe(level ?? 'info');
  });
});

it('gives the time of reading and info to a line that says nothing', () => {
  for (const line of ['ready', '{"a":1}']) {
    expect(recognise(line, NOW)).toMatchObject({
      time: NOW,
      level: 'info',
      urgent: false,
      hasOwnTime: false,
      hasOwnLevel: false,
    });
  }
});

it('keeps all digits and members of JSON', () => {
  const line = `{"level":30,"time":${TIME},"id":12345678901234567890,"a":1,"a":2}`;
  expect(recognise(line, NOW).fields).toEqual({ level: 30, time: TIME, id: '12345678901234567890', a: 2, a_: 1 });
  expect(recognise(line, NOW).fieldsJson).toBe(line);
});

it("keeps pino's own level and time where the application logs others", () => {
  const line = `{"level":30,"time":${TIME},"level":50,"time":1}`;
  expect(recognise(line, NOW).fields).toEqual({ level: 30, time: TIME, level_: 50, time_: 1 });
});

it('reads level and time of pino without parsing the rest', () => {
  const line = `{"level":30,"time":${TIME},"msg":no JSON}`;
  expect(recognise(line, NOW)).toMatchObject({ format: 'pino', time: TIME, fields: { message: line }, message: line });
});

it('reads JSON that was joined from several lines', () => {
  expect(read(`{\n  "level": "error",\n  "message": "failed",\n  "timestamp": "${ISO}"\n}`)).toEqual({
    format: 'winston',
    time: TIME,
    level: 'error',
    urgent: true,
    message: 'failed',
  });
});

it('reads level and time from the first of several lines', () => {
  expect(recognise(`ready\n${ISO} ERROR failed`, NOW)).toMatchObject({ hasOwnTime: false, hasOwnLevel: false });
});

it('keeps any text as it is, and never throws', () => {
  const fragment = fc.constantFrom(
    '{"level":',
    '30',
    ',"time":',
    '"',
    '[',
    '<',
    '2026-',
    '11',
    ' 04:31:06',
    'Nov 28 ',
    '\x1b[',
    'm',
    '=',
    '}',
    'E1128',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(fragment).map((all) => all.join('')),
    fc.json(),
  );
  fc.assert(
    fc.property(text, (line) => {
      const record = recognise(line, NOW);
      expect(record.text).toBe(line);
      expect(Number.isSafeInteger(record.time)).toBe(true);
      expect(record.level).not.toBe('');
      expect(typeof record.message).toBe('string');
      expect(typeof record.fields).toBe('object');
    }),
    { numRuns: 2000 },
  );
});
