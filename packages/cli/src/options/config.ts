import type { CloudWatchOptions } from '@logferry/cloudwatch';
import type { DeliveryOptions } from '@logferry/core';
import type { LogServiceOptions } from '@logferry/log-service';

/** Options of delivery that a command takes: a process that does nothing but ship needs no thread, and says itself what fails. */
export type CommandDeliveryOptions = Omit<DeliveryOptions, 'thread' | 'hooks' | 'onError' | 'onDrop'>;

/** What `logferry.config.ts`, `.mts`, `.js`, `.mjs`, `.cjs` or `.json` exports. A flag, and then an environment variable, goes before it. */
export interface Config {
  /** For the commands with `cloudwatch`. */
  readonly cloudwatch?: (Partial<CloudWatchOptions> & CommandDeliveryOptions) | undefined;
  /** For the commands with `log-service`. */
  readonly logService?: (Partial<LogServiceOptions> & CommandDeliveryOptions) | undefined;
  /** The lines that are one record: `'auto'`, `'indent'`, `'off'`, or `'/…/'`, a pattern of first lines. @default 'auto' */
  readonly multiline?: string | undefined;
  /** Passes the input on. @default false */
  readonly tee?: boolean | undefined;
  /** Says nothing of what is well. @default false */
  readonly quiet?: boolean | undefined;
}

/** Returns its argument: gives an editor the types of a configuration file. */
export function defineConfig(config: Config): Config {
  return config;
}
