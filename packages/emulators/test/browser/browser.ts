import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { type Dev, type DevOptions, startDev } from '../../src/index.js';

export interface Opened {
  readonly dev: Dev;
  readonly page: Page;
}

/** Both servers, and their page in a browser. Any other message of the browser's console, and a request to another address, fail the test. */
export async function openPage(
  browser: Browser,
  options: DevOptions = {},
  context?: BrowserContextOptions,
): Promise<Opened> {
  const dev = await startDev({ port: 0, ...options });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, ...context });
  const faults: string[] = [];
  page.on('console', (message) => {
    // A test may stop the server, or have another one refuse; the browser says so.
    if (!/net::ERR_|status of 503/.test(message.text())) faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => void faults.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => void faults.push(`dialog: ${dialog.message()}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(dev.url) && !request.url().startsWith('data:'))
      faults.push(`request: ${request.url()}`);
  });
  onTestFinished(async () => {
    await page.close();
    await dev.close();
    if (faults.length > 0) throw new Error(faults.join('\n'));
  });
  await page.goto(dev.url);
  await page.getByText('live', { exact: true }).waitFor();
  return { dev, page };
}

/** Runs a program with the packages of this repository. */
export function runProgram(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = spawn(process.execPath, args, {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    env: { ...process.env, ...env },
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  return child;
}

/** A shop that logs to both clouds and reports its ledger. */
export function startShop(dev: Dev): { close(): Promise<void> } {
  const { endpoint, project, logstore } = dev.logService.target;
  const child = runProgram(['children/shop.mjs', endpoint, project, logstore], dev.env);
  return {
    async close() {
      const closed = once(child, 'close');
      child.stdin?.end();
      await closed;
    },
  };
}
