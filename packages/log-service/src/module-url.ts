import { pathToFileURL } from 'node:url';

/** URL of this module, as CommonJS knows it. The build writes the ES module anew: one source cannot say both. */
export const moduleUrl: string = pathToFileURL(__filename).href;
