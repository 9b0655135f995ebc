import type { DeliveryReport, DeliveryStats } from '@logferry/core';
import bunyan from 'bunyan';
import { expectTypeOf, test } from 'vitest';
import { type CloudWatchStreamOptions, cloudWatchStream } from '../src/cloudwatch.js';
import {
  type DestinationEntry,
  type DestinationStream,
  type DestinationStreamOptions,
  destinationStream,
} from '../src/index.js';

test('an entry fits the types of bunyan, and the methods of its stream return promises of counters', () => {
  expectTypeOf<DestinationEntry>().toExtend<bunyan.Stream>();
  expectTypeOf<DestinationStream['flush']>().returns.resolves.toEqualTypeOf<DeliveryReport>();
  expectTypeOf<DestinationStream['close']>().returns.resolves.toEqualTypeOf<DeliveryReport>();
  expectTypeOf<DestinationStream['stats']>().returns.toEqualTypeOf<DeliveryStats>();
});

test('the options of destination, delivery and bunyan are one typed object', () => {
  expectTypeOf<{
    logGroupName: string;
    region: string;
    level: 'warn';
    name: string;
    maxDelayMs: number;
  }>().toExtend<CloudWatchStreamOptions>();
  expectTypeOf<CloudWatchStreamOptions['level']>().toEqualTypeOf<bunyan.LogLevel | undefined>();
});

/** Never called: the compiler checks that each mistake is refused. */
export function mistakes({ destination }: DestinationStreamOptions): bunyan {
  // @ts-expect-error the log group is required
  cloudWatchStream({ level: 'info' });
  // @ts-expect-error misspelt
  cloudWatchStream({ logGroupName: 'shop', leval: 'info' });
  // @ts-expect-error the directory is required
  cloudWatchStream({ logGroupName: 'shop', spool: { mode: 'spill' } });
  // @ts-expect-error not a level of bunyan
  destinationStream({ destination, level: 'verbose' });
  // @ts-expect-error the destination is required
  destinationStream({ level: 'info' });
  return bunyan.createLogger({ name: 'shop', streams: [cloudWatchStream({ logGroupName: 'shop', level: 'info' })] });
}
