import type { Destination } from '@logferry/core';
import { deliverySpecs } from '../options/delivery-specs.js';
import type { OptionSpec } from '../options/option.js';

/** A cloud that a command ships to, with its options. */
export interface Target<Options extends object> {
  /** Word of the command line: `log-service`. */
  readonly name: string;
  /** Section of the configuration file: `logService`. */
  readonly section: string;
  /** `Alibaba Cloud Log Service` */
  readonly title: string;
  /** Flags of the destination. */
  readonly specs: readonly OptionSpec[];
  /** Options that need a value. */
  readonly required: readonly string[];
  /** All options of the destination. */
  readonly optionNames: readonly (keyof Options & string)[];
  /** Makes the destination. Throws `ConfigError`. */
  create(options: Options): Destination;
}

/** All flags of a command that ships to a target. A name of both layers is the destination's. */
export function shippingSpecsOf({ specs }: Target<never>): readonly OptionSpec[] {
  const own = new Set(specs.map(({ path }) => path[0]));
  return [...specs, ...deliverySpecs.filter(({ path }) => !own.has(path[0]))];
}
