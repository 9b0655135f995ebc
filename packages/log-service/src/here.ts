import { pathToFileURL } from 'node:url';

/** URL of this module, as CommonJS knows it. The build writes the ES module anew: one source cannot say both. */
export const here: string = pathToFileURL(__filename).href;
