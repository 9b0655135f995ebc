/** Next.js calls this at its start. */
export async function register() {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return;
  const { logStartAndEnd } = await import('./lib/logger.js');
  logStartAndEnd();
}

/** Next.js calls this with what a route or a page throws. */
export async function onRequestError(error, { method, path: url }) {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return;
  const { logger } = await import('./lib/logger.js');
  logger.error(error.message, { method, url, stack: error.stack });
}
