import { pathToFileURL } from 'node:url';

/** URL of this module, as CommonJS knows it. The build replaces the ES module: one source cannot say both. */
export const moduleUrl: string = pathToFileURL(__filename).href;
