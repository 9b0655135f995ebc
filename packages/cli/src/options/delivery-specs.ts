import { type DeliveryOptions, deliveryOptionNames } from '@logferry/core';
import type { OptionSpec } from './option.js';

/**
 * The command's own defaults of delivery options. A source that can wait needs no large buffer; a command has time to end, and memory
 * for more routes than a destination allows inside an application.
 */
export const DELIVERY_DEFAULTS: Required<Pick<DeliveryOptions, 'maxBufferBytes' | 'maxRoutes' | 'closeTimeoutMs'>> = {
  maxBufferBytes: 16 * 1024 * 1024,
  maxRoutes: 10_000,
  closeTimeoutMs: 30_000,
};

/** Delivery options without a use here: the process does nothing but ship, and says itself what fails. */
export const DELIVERY_NOT_OFFERED: readonly string[] = ['thread', 'hooks', 'onError', 'onDrop'];

/** All others. */
export const DELIVERY_OFFERED: readonly (keyof DeliveryOptions)[] = deliveryOptionNames.filter(
  (name) => !DELIVERY_NOT_OFFERED.includes(name),
);

/** The options of shaping, batching, buffering and delivery: the same for both clouds. */
export const deliverySpecs: readonly OptionSpec[] = [
  number(['maxDelayMs'], 'longest wait of the first record in an open batch', '1000'),
  number(['maxBatchBytes'], 'most bytes in a batch, as the service counts them', "the service's limit"),
  number(['maxBatchEvents'], 'most events in a batch', "the service's limit"),
  number(['maxBufferBytes'], 'budget for all records that wait or are in flight', '16777216'),
  {
    path: ['overflow'],
    kind: 'text',
    choices: ['drop-newest', 'drop-oldest'],
    value: 'rule',
    description: 'what is dropped when the budget is full, which the input prevents: drop-newest or drop-oldest',
    defaultText: 'drop-newest',
  },
  number(['maxRoutes'], 'most streams or topics with records waiting or in flight', '10000'),
  number(['concurrency'], 'most requests in flight', '4'),
  { path: ['ordered'], kind: 'boolean', description: 'one request in flight for each stream or topic, in order' },
  number(['requestTimeoutMs'], 'longest time of an attempt without progress', '30000'),
  number(['retry', 'baseMs'], 'first backoff after a failure', '200'),
  number(['retry', 'throttledBaseMs'], 'first backoff after throttling', '1000'),
  number(['retry', 'capMs'], 'longest backoff', '30000'),
  number(['retry', 'maxAgeMs'], 'age at which a record that still fails is given up', '900000'),
  number(['closeTimeoutMs'], 'longest wait for the rest at the end', '30000'),
  {
    path: ['spool', 'directory'],
    short: 'spool',
    kind: 'text',
    value: 'dir',
    description: 'keep records on disk until they are delivered, so that they outlive the process',
  },
  {
    path: ['spool', 'mode'],
    kind: 'text',
    choices: ['journal', 'spill'],
    value: 'mode',
    description: 'journal: each record is on disk first; spill: only what does not fit or is left at the end',
    defaultText: 'journal',
  },
  number(['spool', 'maxBytes'], 'most bytes on disk', '268435456'),
  number(['spool', 'maxAgeMs'], 'age at which a record on disk is given up', '259200000'),
  {
    path: ['spool', 'fsync'],
    kind: 'text',
    choices: ['interval', 'batch', 'record', 'never'],
    value: 'when',
    description: 'when the disk is synced: interval, batch, record or never',
    defaultText: 'interval',
  },
  {
    path: ['dropNotice'],
    kind: 'boolean',
    description: 'a record of our own in the logs says what was lost',
    defaultText: 'true',
  },
  {
    path: ['sample'],
    kind: 'numbers',
    value: 'level=part',
    description: 'part of the records of a level that ships: debug=0.1',
    defaultText: 'all',
  },
  {
    path: ['redact'],
    kind: 'list',
    value: 'path',
    description: 'field that is replaced by [Redacted]: req.headers.authorization, *.token',
  },
];

function number(path: OptionSpec['path'], description: string, defaultText: string): OptionSpec {
  return { path, kind: 'number', value: path.at(-1)?.endsWith('Ms') ? 'ms' : 'n', description, defaultText };
}
