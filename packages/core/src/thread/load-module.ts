import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { importModule } from './import-module.js';

/** The exports of a module, by name. */
export type Exports = Readonly<Record<string, unknown>>;

/** Loads an ES module or a CommonJS module by its URL. `require` of ES modules begins with Node.js 20.19 and 22.12, and has a flag. */
export async function loadModule(url: string): Promise<Exports> {
  try {
    return (await importModule(url)) as Exports;
  } catch (error) {
    if (!NO_IMPORT.has(codeOf(error))) throw error;
    try {
      return createRequire(url)(fileURLToPath(url));
    } catch (second) {
      throw codeOf(second) === 'ERR_REQUIRE_ESM' ? error : second;
    }
  }
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

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | null)?.code;
}
