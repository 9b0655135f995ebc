import { fileURLToPath } from 'node:url';
import { requireFrom } from '../tools/require-from.js';

/** The exports of a module, by name. */
export type Exports = Readonly<Record<string, unknown>>;

/** Loads an ES module or a CommonJS module by its URL. `require` of ES modules begins with Node.js 20.19 and 22.12, and has a flag. */
export async function loadModule(url: string, format?: 'commonjs' | undefined): Promise<Exports> {
  const isRequired = format === 'commonjs' || isTypeScript(url);
  try {
    return (await (isRequired ? requireModule(url) : importModule(url))) as Exports;
  } catch (error) {
    const other = otherWay(isRequired, error);
    if (!other) throw error;
    try {
      return (await other(url)) as Exports;
    } catch (second) {
      throw codeOf(second) === 'ERR_REQUIRE_ESM' ? error : second;
    }
  }
}

function importModule(url: string): Promise<unknown> {
  // For webpack, which warns of what it cannot follow: there is nothing to bundle.
  return import(/* webpackIgnore: true */ url);
}

function requireModule(url: string): Exports {
  return requireFrom(url)(fileURLToPath(url));
}

/** In a worker thread, tsx transforms what is required, and in some versions of Node.js not what is imported. */
function isTypeScript(url: string): boolean {
  return /\.[cm]?tsx?$/.test(new URL(url).pathname);
}

/** The way that may succeed after this error of the first one. */
function otherWay(isRequired: boolean, error: unknown): ((url: string) => unknown) | undefined {
  if (!isRequired) return NO_IMPORT.has(codeOf(error)) ? requireModule : undefined;
  return error instanceof SyntaxError || NO_REQUIRE.has(codeOf(error)) ? importModule : undefined;
}

/** An export. Node.js reads the names of a CommonJS module from its source, and misses those of unusual forms. */
export function exportOf(exported: Exports, name: string): unknown {
  return exported[name] ?? (exported.default as Exports | undefined)?.[name];
}

/** `require` may succeed after these errors of `import()`. */
const NO_IMPORT: ReadonlySet<unknown> = new Set([
  // Yarn Plug'n'Play keeps packages in archives, which `import()` reads only with a loader of Yarn's.
  'ENOTDIR',
  'ERR_MODULE_NOT_FOUND',
  // jest runs tests where `import()` needs a flag.
  'ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING',
  'ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING_FLAG',
]);

/** `import()` may succeed after these errors of `require`. */
const NO_REQUIRE: ReadonlySet<unknown> = new Set(['ERR_REQUIRE_ESM', 'ERR_REQUIRE_ASYNC_MODULE']);

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | null)?.code;
}
