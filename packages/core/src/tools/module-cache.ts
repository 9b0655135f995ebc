/**
 * The modules that `require` has loaded, by file, in this process or in this test of Jest. The build replaces the ES module, which has no
 * `require`, by `undefined`.
 */
export const moduleCache: Readonly<Record<string, unknown>> | undefined =
  typeof require === 'function' ? require.cache : undefined;
