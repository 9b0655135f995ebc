import fc from 'fast-check';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { Levels } from '../src/levels.js';
import { parseLine as parse } from '../src/parse-line.js';

const NOW = Date.UTC(2026, 4, 1);
const TIME = Date.UTC(2026, 3, 30, 12, 34, 56, 789);

const parseLine = (line: string, now: number, levels = new Levels()) => parse(line, now, levels);

/** The line that a real logger writes. */
function lineOf(options: pino.LoggerOptions, log: (logger: pino.Logger) => void): string {
  const lines: string[] = [];
  log(pino({ level: 'trace', ...options }, { write: (line) => void lines.push(line) }));
  return lines.join('').trimEnd();
}

describe('time', () => {
  const forms: [string, () => string, number][] = [
    ['epoch milliseconds, the default', () => `,"time":${TIME}`, TIME],
    ['an ISO string', () => `,"time":"${new Date(TIME).toISOString()}"`, TIME],
    ['an ISO string with nanoseconds', () => `,"time":"2026-04-30T12:34:56.789123456Z"`, TIME],
    ['epoch seconds', () => `,"time":${Math.trunc(TIME / 1000)}`, TIME - 789],
    ['epoch milliseconds with a fraction', () => `,"time":${TIME}.25`, TIME],
    ['no time', () => '', NOW],
    ['no time that can be read', () => ',"time":"yesterday"', NOW],
  ];
  it.each(forms)('reads %s', (_, timestamp, expected) => {
    expect(
      parseLine(
        lineOf({ timestamp }, (logger) => logger.info('x')),
        NOW,
      ).time,
    ).toBe(expected);
  });

  it.each(['epochTime', 'unixTime', 'isoTime', 'isoTimeNano'] as const)('reads pino.stdTimeFunctions.%s', (form) => {
    const line = lineOf({ timestamp: pino.stdTimeFunctions[form] }, (logger) => logger.info('x'));
    expect(Math.abs(parseLine(line, 0).time - Date.now())).toBeLessThan(60_000);
  });
});

describe('level', () => {
  it.each(['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const)('reads %s as its label', (level) => {
    const line = lineOf({}, (logger) => logger[level]('x'));
    const urgent = ['warn', 'error', 'fatal'].includes(level);
    expect(parseLine(line, NOW)).toMatchObject({ level, urgent });
  });

  it('keeps the label that a formatter writes, and compares it in upper or lower case', () => {
    const formatters = { level: (label: string) => ({ level: label.toUpperCase() }) };
    const line = lineOf({ formatters }, (logger) => logger.error('x'));
    expect(parseLine(line, NOW)).toMatchObject({ level: 'ERROR', levelValue: 50, urgent: true });
  });

  it('reads a level that no logger has told as its number', () => {
    const line = lineOf({ customLevels: { notice: 35, alert: 45.5 } }, (logger) => logger.info('x'));
    expect(parseLine(line.replace('30', '35'), NOW)).toMatchObject({ level: '35', urgent: false });
    expect(parseLine(line.replace('30', '45.5'), NOW)).toMatchObject({ level: '45.5', urgent: true });
  });

  it('reads a level that a logger has told as its label, and compares a label of it', () => {
    const levels = new Levels();
    levels.learn({
      code: 'PINO_CONFIG',
      config: { levels: pino({ customLevels: { notice: 35, alert: 45.5 } }).levels },
    });
    expect(parseLine('{"level":35,"time":1}', NOW, levels)).toMatchObject({ level: 'notice', levelValue: 35 });
    expect(parseLine('{"level":"alert","time":1}', NOW, levels)).toMatchObject({ level: 'alert', urgent: true });
    expect(parseLine('{"level":30,"time":1}', NOW, levels)).toMatchObject({ level: 'info', urgent: false });
  });

  it.each([
    undefined,
    null,
    'text',
    {},
    { code: 'PINO_CONFIG' },
    { code: 'PINO_CONFIG', config: null },
    { code: 'FLUSH' },
  ])('learns no level from the message %j', (message) => {
    const levels = new Levels();
    levels.learn(message);
    expect([levels.labelOf(30), levels.labelOf(35)]).toEqual(['info', '35']);
  });

  it('keeps a label that no logger has told, which cannot be compared', () => {
    expect(parseLine('{"level":"notice","time":1}', NOW)).toMatchObject({ level: 'notice', levelValue: undefined });
  });

  it.each(['{"severity":"ERROR"}', '{"level":null}', '{"level":{"a":1}}'])('is none in %s', (line) => {
    expect(parseLine(line, NOW)).toMatchObject({ level: '', levelValue: undefined, urgent: false });
  });
});

describe('text and fields', () => {
  it('are the line as it is, and its fields once they are read', () => {
    const line = lineOf({ base: { service: 'shop' } }, (logger) => logger.info({ orderId: 'A-17' }, 'order paid'));
    const record = parseLine(line, NOW);
    expect(record.text).toBe(line);
    expect(record.fields).toMatchObject({ service: 'shop', orderId: 'A-17', msg: 'order paid' });
    expect(record.fields).toBe(record.fields);
  });

  it("ignore the application's keys named level and time", () => {
    const timestamp = (): string => `,"time":${TIME}`;
    const line = lineOf({ timestamp }, (logger) => logger.warn({ time: 'noon', level: 'high' }, 'x'));
    expect(line).toMatch(/"time".*"time"/);
    expect(parseLine(line, NOW)).toMatchObject({ time: TIME, level: 'warn' });
  });

  it('has the level that pino writes, and keeps the one of the application, if the line has no time', () => {
    const line = lineOf({ timestamp: false }, (logger) => logger.warn({ level: 7 }, 'x'));
    const record = parseLine(line, NOW);
    expect(record).toMatchObject({ level: 'warn', levelValue: 40 });
    expect(record.fields).toMatchObject({ level: 40, level_: 7 });
  });

  it.each([{ level: 30 }, { level: 'info' }, { level: 7 }])(
    'keep a field of the application that is named level: %o',
    (own) => {
      const line = lineOf({}, (logger) => logger.info(own, 'x'));
      expect(parseLine(line, NOW).fields).toMatchObject({ level: 30, level_: own.level });
    },
  );

  it.each([
    'Server listening on port 3000',
    '42',
    'null',
    '["level",30]',
    '{"level":30,"time":1777552496789,"msg":"cut o',
    'me":1777552496789,"msg":"cut off"}',
    '{"level":30,}',
    '{',
  ])('%s is plain text, with level info and the time now', (line) => {
    const record = parseLine(line, NOW);
    expect(record).toMatchObject({ text: line, level: 'info', urgent: false, time: NOW, fields: { msg: line } });
  });

  it('keep their fields, however long they are', () => {
    const line = `{"severity":"error","a":"${'x'.repeat(16 * 1024 * 1024)}","b":1}`;
    expect(Object.keys(parseLine(line, NOW).fields)).toEqual(['severity', 'a', 'b']);
  });

  it('have the whole line as message if its JSON is broken in the middle', () => {
    const line = `{"level":50,"time":${TIME},"a":"b"c"}`;
    expect(parseLine(line, NOW)).toMatchObject({ text: line, level: 'error', time: TIME, fields: { msg: line } });
  });
});

it('never throws, and always returns a time, a label and fields', () => {
  const json = fc.json().map((text) => text.replaceAll('\n', ' '));
  const head = fc.constantFrom('', '{"level":', '{"level":30,"time":', '{"level":"x","time":"', '{"time":');
  fc.assert(
    fc.property(head, fc.oneof(fc.string(), json), (start, rest) => {
      const record = parseLine(start + rest, NOW);
      expect(Number.isInteger(record.time)).toBe(true);
      expect(record.text).toBe(start + rest);
      expect(typeof record.level).toBe('string');
      expect(typeof record.fields).toBe('object');
    }),
    { numRuns: 2000 },
  );
});
