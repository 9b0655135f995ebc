import { pathToFileURL } from 'node:url';

/** URL of this module; `undefined` where a bundle does not know its own. The build replaces the ES module: one source cannot say both. */
export const moduleUrl: string | undefined = pathToFileURL(__filename).href;
