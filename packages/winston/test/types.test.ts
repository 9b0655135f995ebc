import type { DeliveryReport, DeliveryStats } from '@logferry/core';
import { expectTypeOf, test } from 'vitest';
import winston from 'winston';
import type Transport from 'winston-transport';
import { CloudWatchTransport, type CloudWatchTransportOptions } from '../src/cloudwatch.js';
import { DestinationTransport, type DestinationTransportOptions } from '../src/index.js';

test('transports fit the types of winston, and their methods return promises of counters', () => {
  expectTypeOf<DestinationTransport>().toExtend<Transport>();
  expectTypeOf<CloudWatchTransport>().toExtend<DestinationTransport>();
  expectTypeOf<DestinationTransport['flush']>().returns.resolves.toEqualTypeOf<DeliveryReport>();
  expectTypeOf<DestinationTransport['close']>().returns.resolves.toEqualTypeOf<DeliveryReport>();
  expectTypeOf<DestinationTransport['stats']>().returns.toEqualTypeOf<DeliveryStats>();
});

test('options of all layers are one typed object', () => {
  expectTypeOf<{
    logGroupName: string;
    region: string;
    level: string;
    format: ReturnType<typeof winston.format.json>;
    maxDelayMs: number;
    retry: { maxAgeMs: number };
  }>().toExtend<CloudWatchTransportOptions>();
  expectTypeOf<CloudWatchTransportOptions>().toHaveProperty('onDrop');
});

/** Never called: the compiler checks that each mistake is refused. */
export function mistakes({ destination }: DestinationTransportOptions): winston.Logger {
  // @ts-expect-error the log group is required
  new CloudWatchTransport({ level: 'info' });
  // @ts-expect-error misspelt
  new CloudWatchTransport({ logGroupName: 'shop', leval: 'info' });
  // @ts-expect-error the directory is required
  new CloudWatchTransport({ logGroupName: 'shop', spool: { mode: 'spill' } });
  // @ts-expect-error a host option that is not taken
  new DestinationTransport({ destination, log: () => {} });
  // @ts-expect-error the destination is required
  new DestinationTransport({ level: 'info' });
  return winston.createLogger({ transports: [new CloudWatchTransport({ logGroupName: 'shop', level: 'info' })] });
}
