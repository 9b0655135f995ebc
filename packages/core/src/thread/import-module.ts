/** Loads a module of either kind by its URL. In CommonJS tsc turns `import()` into `require`, so that the build replaces that file. */
export const importModule = (url: string): Promise<unknown> => import(url);
