import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPage, startShop } from './browser.js';
import { launch } from './chromium.js';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const DOCS = fileURLToPath(new URL('../../../../docs/', import.meta.url));

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

it('axe finds no problem before the first record, nor in any tab with records, in light and dark colours', async () => {
  // The policy of the page permits no foreign script, such as axe.
  const options = { project: 'shop', logstores: ['payments'] };
  const { dev, page } = await openPage(browser, options, { bypassCSP: true });
  await page.addScriptTag({ path: AXE });
  expect(await problems(page), 'before the first record').toEqual([]);

  const shop = startShop(dev);
  await page.getByRole('tab', { name: 'Faults' }).click();
  await page.getByRole('switch', { name: 'Throttle of CloudWatch Logs' }).click();
  await fetch(dev.cloudWatch.url, { method: 'POST' });
  const declined = page.locator('#tail [role=option]', { hasText: 'payment declined' });
  await declined.nth(1).waitFor();
  await declined.last().click();
  await page.getByRole('region', { name: 'Record' }).waitFor();
  expect(await problems(page), 'Faults').toEqual([]);
  for (const tab of ['Requests', 'Chart', 'Ledger']) {
    await page.getByRole('tab', { name: tab }).click();
    if (tab === 'Requests') await page.locator('#requests [role=option]').first().click();
    if (tab === 'Ledger') await page.getByRole('region', { name: 'Ledger of shop.mjs' }).waitFor();
    expect(await problems(page), tab).toEqual([]);
  }
  if (process.env.LOGFERRY_SCREENSHOTS === '1') await takeScreenshots(page);
  await shop.close();
});

/** What axe finds, in words. Colours alone differ in the dark. */
async function problems(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    const options = { resultTypes: ['violations'], ...(colorScheme === 'dark' && { runOnly: ['color-contrast'] }) };
    const { violations } = await page.evaluate(
      (given) => (globalThis as unknown as Axe).axe.run(document, given),
      options,
    );
    for (const { id, impact, nodes } of violations)
      found.push(`${colorScheme}: ${impact}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  }
  return found;
}

interface Axe {
  readonly axe: { run(context: Document, options: object): Promise<{ readonly violations: readonly Violation[] }> };
}

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** For the README: a minute of the shop, with the chart in the light and the ledger in the dark. */
async function takeScreenshots(page: Page): Promise<void> {
  await page.getByRole('tab', { name: 'Chart' }).click();
  await page.getByLabel('The last').selectOption('1 min');
  await page.getByLabel('follow').check();
  await page.waitForTimeout(50_000);
  await page.locator('#tail [role=option]', { hasText: 'payment declined' }).last().click();
  await page.screenshot({ path: `${DOCS}page-light.png` });
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.getByRole('tab', { name: 'Ledger' }).click();
  await page.screenshot({ path: `${DOCS}page-dark.png` });
}
