import { onTestFinished } from 'vitest';
import { type CoreShipper, createCoreShipper } from '../../src/core-shipper.js';
import type { DeliveryOptions, Drop, SpoolOptions } from '../../src/index.js';
import type { SpoolFiles } from '../../src/spool/files.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { SimulatedFiles } from './simulated-files.js';
import { OnDisk } from './spool.js';

/** A process of {@link SimulatedDisk}. */
export interface SimulatedProcess {
  readonly shipper: CoreShipper;
  readonly destination: OnDisk;
  /** Messages of `onError`, those that tell of requests left out. */
  readonly told: string[];
  readonly drops: Drop[];
  accept(texts: readonly string[]): void;
  /** Nothing of it runs any more. */
  kill(): void;
}

/** A simulated disk and a clock, for processes one after another. */
export class SimulatedDisk {
  readonly clock = new VirtualClock();
  readonly files = new SimulatedFiles((callback) => this.clock.defer(callback));

  /** `change` may replace calls of the file system. */
  start(
    options: DeliveryOptions = {},
    spool: Partial<SpoolOptions> = {},
    change: (files: SpoolFiles) => Partial<SpoolFiles> = () => ({}),
  ): SimulatedProcess {
    const { clock, files } = this;
    const process = { isDead: false };
    const seen = files.seenBy(process);
    const destination = new OnDisk();
    const told: string[] = [];
    const drops: Drop[] = [];
    const whileAlive = (callback: () => void) => () => {
      if (!process.isDead) callback();
    };
    const shipper = createCoreShipper(
      destination,
      {
        maxDelayMs: 10,
        retry: { capMs: 1000 },
        ...options,
        spool: { directory: '/var/spool', ...spool },
        onDrop: (drop) => void drops.push(drop),
        onError: ({ message }) => void (message.startsWith('spool: ') && told.push(message)),
      },
      {
        clock: {
          now: () => clock.now(),
          monotonic: () => clock.monotonic(),
          setTimer: (callback, delayMs) => clock.setTimer(whileAlive(callback), delayMs),
          defer: (callback) => clock.defer(whileAlive(callback)),
        },
        files: { ...seen, ...change(seen) },
      },
    );
    const kill = (): void => {
      process.isDead = true;
      files.bury(process);
    };
    onTestFinished(kill);
    return {
      shipper,
      destination,
      told,
      drops,
      accept: (texts) => {
        for (const text of texts) shipper.accept({ time: clock.now(), level: 'info', urgent: false, text, fields: {} });
      },
      kill,
    };
  }
}

/** An error of the file system. */
export function diskError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}
