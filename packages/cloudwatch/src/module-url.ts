import { pathToFileURL } from 'node:url';

/** URL of this module. CommonJS has no `import.meta.url`, so the build replaces this file in the ES modules. */
export const moduleUrl: string = pathToFileURL(__filename).href;
