import {
  type BatchLimits,
  ConfigError,
  createShipper,
  type DeliveryOptions,
  type Shipper,
  splitOptions,
} from '@logferry/core';
import type { Command } from 'commander';
import type { ConfigFile } from '../options/config-file.js';
import { DELIVERY_DEFAULTS, DELIVERY_OFFERED } from '../options/delivery-specs.js';
import { envOf, flagOf, type OptionSpec } from '../options/option.js';
import { addFlags, type ReadOptions, readOptions } from '../options/read-options.js';
import { UsageError } from '../usage-error.js';
import { shippingSpecsOf } from './target.js';
import type { AnyTarget } from './targets.js';

/** Adds all flags of a target: those of the destination and of the delivery. */
export function addShippingFlags(command: Command, target: AnyTarget): void {
  const own = new Set(target.specs);
  const specs = shippingSpecsOf(target);
  addFlags(
    command,
    specs.filter((spec) => own.has(spec)),
    `${target.title}:`,
  );
  addFlags(
    command,
    specs.filter((spec) => !own.has(spec)),
    'Delivery:',
  );
}

/** Reads the options of a target from all sources. Throws `UsageError`. */
export function readTargetOptions(
  target: AnyTarget,
  flags: Readonly<Record<string, unknown>>,
  file: ConfigFile | undefined,
  specs: readonly OptionSpec[] = shippingSpecsOf(target),
): ReadOptions {
  const options = readOptions(specs, flags, process.env, file, target.section);
  const missing = target.required.filter((name) => options.values[name] === undefined || options.values[name] === '');
  if (missing.length > 0)
    throw new UsageError(missing.map((name) => missingText(target, name, specs)).join('\nlogferry: '));
  return options;
}

function missingText({ section }: AnyTarget, name: string, specs: readonly OptionSpec[]): string {
  const spec = specs.find(({ path }) => path[0] === name) as OptionSpec;
  const flag = spec.short === undefined ? flagOf(spec) : `--${spec.short}`;
  return `${flag} is missing: give the flag, ${envOf(spec)}, or ${section}.${name} in logferry.config.ts`;
}

/** What a command adds to the options of the delivery. */
export type Callbacks = Required<Pick<DeliveryOptions, 'onError' | 'onDrop'>>;

/** A shipper, and what is known of its destination. */
export interface Shipment {
  readonly shipper: Shipper;
  readonly limits: BatchLimits;
  /** Names account, region and service of the destination, and nothing secret. */
  readonly identity: string;
}

/** Makes a shipper to a target. Throws `UsageError`. */
export function openShipment(target: AnyTarget, options: ReadOptions, callbacks: Callbacks): Shipment {
  return withSources(options, () => {
    const [own, delivery] = splitOptions(options.values, target.optionNames, DELIVERY_OFFERED) as unknown as readonly [
      never,
      DeliveryOptions,
    ];
    const destination = target.create(own);
    const shipper = createShipper(destination, { ...DELIVERY_DEFAULTS, ...delivery, ...callbacks });
    return { shipper, limits: destination.limits, identity: destination.identity ?? '' };
  });
}

/** Makes of a `ConfigError` a `UsageError` that names the flag, the variable or the file that the option came from. */
export function withSources<T>(options: ReadOptions, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!ConfigError.is(error)) throw error;
    const text = error.message.replace(/^\[logferry\] /, '');
    const start = `${error.option}: `;
    const source = options.sourceOf(error.option);
    if (text.startsWith(start)) throw new UsageError(`${source}: ${text.slice(start.length)}`);
    // Flags and variables have known names only.
    throw new UsageError(text.startsWith('unknown option') ? `${source}: ${text}` : text);
  }
}
