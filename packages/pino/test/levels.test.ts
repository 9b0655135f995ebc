import { once } from 'node:events';
import { MemoryDestination } from '@logferry/core/testing';
import pino from 'pino';
import oldestPino from 'pino-9.14.0';
import { describe, expect, it } from 'vitest';
import { full } from '../../../forms.js';
import { close, destinationStream } from '../src/index.js';
import { fixture, linesOf, newFile } from './support/fixtures.js';
import { startTransport, transportOf } from './support/transport.js';

const oldest = oldestPino as unknown as typeof pino;
const customLevels = { audit: 35, page: 70 };
const target = fixture('file-target.mjs');
const other = { target: fixture('silent-target.mjs') };
const stage = { target: fixture('upper-case-stage.mjs') };

const pinos: [string, typeof pino][] = [
  ['the oldest pino', oldest],
  ['the newest pino', pino],
];

/** Logs a line of each of these levels. */
function logAll(logger: pino.Logger<'audit' | 'page'>): void {
  logger.info('a');
  logger.audit('b');
  logger.page('c');
}

describe.each(pinos)('in process, with %s', (_, make) => {
  function start(level?: 'warn') {
    const destination = new MemoryDestination();
    const stream = destinationStream({ destination, level });
    return { stream, labels: () => destination.records.map((record) => record.level) };
  }

  it('customLevels have their names', async () => {
    const { stream, labels } = start();
    logAll(make({ customLevels }, stream));
    await stream.close();
    expect(labels()).toEqual(['info', 'audit', 'page']);
  });

  it('levels with useOnlyCustomLevels have their names, also with the number of a standard one', async () => {
    const { stream, labels } = start();
    const logger = make({ customLevels: { low: 30, high: 31 }, useOnlyCustomLevels: true, level: 'low' }, stream);
    logger.low('a');
    logger.high('b');
    await stream.close();
    expect(labels()).toEqual(['low', 'high']);
  });

  it('customLevels have their names behind pino.multistream', async () => {
    const { stream, labels } = start();
    logAll(make({ customLevels }, make.multistream([{ level: 'info', stream }])));
    await stream.close();
    expect(labels()).toEqual(['info', 'audit', 'page']);
  });

  it('customLevels of a child logger only are numbers', async () => {
    const { stream, labels } = start();
    make(stream)
      .child({}, { customLevels: { deep: 37 } })
      .deep('a');
    await stream.close();
    expect(labels()).toEqual(['37']);
  });

  it('the option level compares names that formatters.level writes', async () => {
    const { stream, labels } = start('warn');
    logAll(make({ customLevels, formatters: { level: (level) => ({ level }) } }, stream));
    await stream.close();
    expect(labels()).toEqual(['page']);
  });
});

describe.each(full ? pinos : pinos.slice(1))('in a worker of %s, customLevels have their names', (_, make) => {
  const cases: [string, (options: object) => pino.TransportMultiOptions | object][] = [
    ['a target', (options) => ({ target, options })],
    ['a pipeline', (options) => ({ pipeline: [stage, { target, options }] })],
    ['targets', (options) => ({ targets: [{ target, options, level: 'audit' }, other], levels: customLevels })],
    ['targets without levels', (options) => ({ targets: [{ target, options, level: 'info' }, other] })],
    [
      'targets with dedupe',
      (options) => ({ targets: [{ target, options, level: 'audit' }, other], levels: customLevels, dedupe: true }),
    ],
  ];

  it.each(cases.filter((_, index) => full || index % 2 === 1))('in %s', async (name, transportOf) => {
    const file = newFile();
    const transport = startTransport(transportOf({ file, label: true }) as pino.TransportMultiOptions, make);
    logAll(make({ customLevels }, transport));
    await close(transport);
    const expected = ['info', 'audit', 'page'];
    expect(linesOf(file)).toEqual(
      name.endsWith('levels') || !name.startsWith('targets') ? expected : expected.slice(1),
    );
  });

  it('of a logger that is made with { transport }, with useOnlyCustomLevels', async () => {
    const file = newFile();
    const transport = { target, options: { file, label: true } };
    const logger = make({ customLevels: { low: 30 }, useOnlyCustomLevels: true, level: 'low', transport });
    logger.low('a');
    await close(transportOf(logger));
    expect(linesOf(file)).toEqual(['low']);
  });

  it('of a second logger of the transport, from its first line', async () => {
    const file = newFile();
    const transport = startTransport({ target, options: { file, label: true } }, make);
    make(transport).info('a');
    await once(transport, 'ready');
    make({ customLevels }, transport).audit('b');
    await close(transport);
    expect(linesOf(file)).toEqual(['info', 'audit']);
  });

  it.runIf(full)('where another target has taken the message of pino, by the option levels', async () => {
    const [file, early] = [newFile(), newFile()];
    const targets = [
      { target: fixture('config-target.mjs'), options: { file: early } },
      { target, options: { file, label: true, startMs: 200 } },
    ];
    const transport = startTransport({ targets, levels: customLevels }, make);
    make({ customLevels }, transport).audit('b');
    await close(transport);
    expect([linesOf(file), linesOf(early)]).toEqual([['audit'], ['audit b']]);
  });

  it('beside a target that begins to wait for them later, which gets them, too', async () => {
    const [file, late] = [newFile(), newFile()];
    const targets = [
      { target, options: { file, label: true } },
      { target: fixture('config-target.mjs'), options: { file: late, isLate: true } },
    ];
    const transport = startTransport({ targets }, make);
    make({ customLevels }, transport).audit('b');
    await close(transport);
    expect([linesOf(file), linesOf(late)]).toEqual([['audit'], ['audit b']]);
  });
});
