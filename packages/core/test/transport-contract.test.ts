import assert from 'node:assert/strict';
import type { EventEmitter } from 'node:events';
import { expect, it, test } from 'vitest';
import { createShipper, type DeliveryOptions, type LogRecord } from '../src/index.js';
import { type RunningLogger, type TransportHarness, transportContract } from '../src/testing/index.js';
import { recordOf, startPlainAdapter } from './support/plain-adapter.js';

const harness: TransportHarness = { name: 'plain', start: startPlainAdapter };

transportContract({ test, assert }, harness);

/** The error of one test, by the beginning of its name after the transport's. */
async function errorOf(start: TransportHarness['start'], test: string): Promise<Error | undefined> {
  const tests: { readonly name: string; readonly run: () => Promise<void> }[] = [];
  transportContract({ test: (name, run) => tests.push({ name, run }), assert }, { ...harness, start });
  const found = tests.find(({ name }) => name.startsWith(`plain ${test}`));
  return found?.run().then(
    () => undefined,
    (error: Error) => error,
  );
}

/** Replaces members of the logger. */
const logger =
  (change: (original: RunningLogger) => Partial<RunningLogger>): TransportHarness['start'] =>
  (destination, options) => {
    const original = startPlainAdapter(destination, options);
    return { ...original, ...change(original) };
  };

/** Changes the records. */
const records =
  (change: (record: LogRecord) => Partial<LogRecord>): TransportHarness['start'] =>
  (destination, options) => {
    const shipper = createShipper(destination, options);
    return {
      log(level, text, fields) {
        const record = recordOf(level, text, fields);
        shipper.accept({ ...record, ...change(record) });
      },
      flush: () => shipper.flush(),
      end: () => shipper.close(),
      stats: () => shipper.stats(),
    };
  };

/** Changes the options. */
const withOptions =
  (change: (options: DeliveryOptions) => DeliveryOptions): TransportHarness['start'] =>
  (destination, options) =>
    startPlainAdapter(destination, change(options));

const faults: readonly (readonly [fault: string, start: TransportHarness['start'], test: string, message: RegExp])[] = [
  ['ships another text', records(() => ({ text: 'log' })), 'hands over', /the record's text is log/],
  [
    'loses the text among the fields',
    records(() => ({ fields: { order: 7 } })),
    'hands over',
    /no field .* has the text/,
  ],
  ['loses a field', records(({ fields }) => ({ fields: { message: fields.message } })), 'hands over', /undefined/],
  ['takes another time', records(() => ({ time: 0 })), 'hands over', /the record's time is 0/],
  ['ships the number of the level', records(() => ({ level: '30' })), 'hands over', /'30'/],
  ['takes no record for urgent', records(() => ({ urgent: false })), 'marks a warning', /false/],
  [
    'writes into the logged object',
    logger(({ log }) => ({ log: (level, text, fields) => log(level, text, Object.assign(fields, { level })) })),
    'leaves the logged object',
    /Cannot add property level|level: 'info'/,
  ],
  ['does not flush', logger(() => ({ flush: async () => {} })), 'has delivered all records when a flush', /marker/],
  [
    'does not wait for the end',
    logger(({ end }) => ({ end: async () => void end() })),
    'has delivered all records when the logger',
    /marker/,
  ],
  [
    'flushes at the end, and stays open',
    logger(({ flush }) => ({ end: flush })),
    'has delivered all records when the logger',
    /the destination is not closed/,
  ],
  [
    'repeats records itself',
    logger(({ log, flush }) => ({
      flush() {
        log('info', 'marker 0000.', {});
        return flush();
      },
    })),
    'delivers each record of an outage once',
    /marker 0000/,
  ],
  [
    'gives up what is refused',
    (destination, options) => {
      const { send } = destination;
      destination.send = (batch, signal) =>
        send.call(destination, batch, signal).catch((error) => {
          if (error.code !== 'INVALID') throw error;
          return { rejected: batch.events.map((_, index) => ({ index, reason: 'invalid' })), wireBytes: 1 };
        });
      return startPlainAdapter(destination, options);
    },
    'keeps all records while all are refused as INVALID',
    /\d+ !== 100/,
  ],
  [
    'hides losses',
    withOptions((options) => ({ ...options, onDrop: () => {} })),
    'ends in time',
    /10 records are lost, and onDrop has told 0/,
  ],
  [
    'ends without a deadline',
    withOptions((options) => ({ ...options, closeTimeoutMs: 5500 })),
    'ends in time',
    /has not ended 5 s later/,
  ],
  [
    'emits an error without a listener',
    (destination, options) => {
      // An event of the process, since an exception that is not caught would end this test run.
      const onError = (error: Error): unknown => (process as EventEmitter).emit('uncaughtExceptionMonitor', error);
      return startPlainAdapter(destination, { ...options, onError });
    },
    'keeps failures',
    /an exception reached the process: .*nothing delivered/,
  ],
  [
    'throws on a value that is no JSON',
    logger(({ log }) => ({ log: (level, text, fields) => log(level, JSON.stringify([text, fields]), fields) })),
    'takes hostile values',
    /BigInt/,
  ],
  [
    'skips empty records',
    logger(({ log }) => ({ log: (level, text, fields) => text !== '' && log(level, text, fields) })),
    'takes hostile values',
    /log calls, but \d+ records/,
  ],
  [
    'takes no record after the end',
    logger(({ log, end }) => {
      let isOpen = true;
      return {
        log: (...args) => isOpen && log(...args),
        end() {
          isOpen = false;
          return end();
        },
      };
    }),
    'counts records after the end',
    /1,\n/,
  ],
  [
    'ignores wrong options',
    withOptions(() => ({})),
    'refuses {"maxDelayMs":-1}',
    /expected a ConfigError, got undefined/,
  ],
  [
    'throws errors of its own',
    (destination, options) => {
      try {
        return startPlainAdapter(destination, options);
      } catch (error) {
        throw new TypeError(String(error));
      }
    },
    'refuses what is no destination',
    /expected a ConfigError, got TypeError/,
  ],
];

it.each(faults)('fails a transport that %s', async (_fault, start, test, message) => {
  expect((await errorOf(start, test))?.message).toMatch(message);
});

it('omits the test of records after the end if the framework accepts none', () => {
  const names: string[] = [];
  const runner = { test: (name: string) => names.push(name), assert };
  transportContract(runner, harness);
  const all = names.splice(0);
  transportContract(runner, { ...harness, logsAfterEnd: false });
  expect(all.filter((name) => !names.includes(name))).toEqual(['plain counts records after the end as closed']);
});
