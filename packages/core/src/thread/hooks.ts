import type { Drop } from '../contract/destination.js';
import { ConfigError, type DeliveryError } from '../contract/errors.js';
import { nearestName } from '../options/checks.js';
import { hooksUrl } from '../options/hooks-option.js';
import type { ShapingOptions } from '../options/shaping-options.js';
import { type Exports, exportOf, loadModule } from './load-module.js';

/** The functions that a module may export, by the options that they stand for. */
export interface Hooks {
  readonly onError?: (error: DeliveryError) => void;
  readonly onDrop?: (drop: Drop) => void;
  readonly transform?: NonNullable<ShapingOptions['transform']>;
  /** Of the destination. */
  readonly route?: (...args: never) => unknown;
  /** Of the destination. */
  readonly credentials?: (...args: never) => unknown;
}

const hookNames: readonly (keyof Hooks)[] = ['onError', 'onDrop', 'route', 'transform', 'credentials'];

/**
 * The options of a transport in a worker thread with the functions that the module of the option `hooks` exports, in place of that
 * option. Rejects with `ConfigError` if the module cannot be loaded, exports none of them, or one that is an option as well.
 */
export async function withHooks<Options extends { readonly hooks?: string | undefined }>(
  options: Options,
): Promise<Omit<Options, 'hooks'>> {
  const url = hooksUrl(options?.hooks);
  // Without them the options are checked as they came.
  if (url === undefined) return options;
  const { hooks, ...others } = options;
  return { ...others, ...(await loadHooks(url, others)) };
}

/** Loads the functions. `options` are those that may not be given twice. Rejects with `ConfigError`. */
export async function loadHooks(url: string, ...options: readonly object[]): Promise<Hooks> {
  const exported = await load(url);
  const hooks: Record<string, unknown> = {};
  for (const name of hookNames) {
    const hook = exportOf(exported, name);
    if (hook === undefined) continue;
    if (typeof hook !== 'function') throw wrong(url, `exports ${name}, which is no function`);
    if (options.some((each) => (each as Exports)[name] !== undefined))
      throw new ConfigError(name, `${name}: expected to be absent beside hooks: ${url} exports it, too`);
    hooks[name] = hook;
  }
  refuseMisspelt(url, exported);
  if (Object.keys(hooks).length === 0) throw wrong(url, `exports none of ${hookNames.join(', ')}`);
  return hooks;
}

async function load(url: string): Promise<Exports> {
  try {
    return await loadModule(url);
  } catch (error) {
    throw wrong(url, `cannot be loaded: ${error instanceof Error ? error.message : error}`);
  }
}

/** Such a function would never be called. A module may export other functions of its own. */
function refuseMisspelt(url: string, exported: Exports): void {
  for (const [name, value] of Object.entries(exported)) {
    const meant = nearestName(name, hookNames);
    const isMisspelt = meant !== undefined && Math.abs(name.length - meant.length) <= 2;
    if (typeof value !== 'function' || !isMisspelt || exportOf(exported, meant) !== undefined) continue;
    throw wrong(url, `exports ${name}: did you mean "${meant}"?`);
  }
}

function wrong(url: string, what: string): ConfigError {
  return new ConfigError('hooks', `hooks: ${url} ${what}`);
}
