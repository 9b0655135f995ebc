import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch, openPage, startShop } from './browser.js';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const DOCS = fileURLToPath(new URL('../../../../docs/', import.meta.url));

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

describe.each(['light', 'dark'] as const)('in %s colours', (colorScheme) => {
  it('axe finds no problem before the first record, nor in any tab with records', async () => {
    // The policy of the page permits no foreign script, such as axe.
    const { dev, page } = await openPage(
      browser,
      { project: 'shop', logstores: ['payments'] },
      { colorScheme, bypassCSP: true },
    );
    await page.addScriptTag({ path: AXE });
    expect(await problems(page, colorScheme)).toEqual([]);

    const shop = startShop(dev);
    await page.getByRole('tab', { name: 'Faults' }).click();
    await page.getByRole('switch', { name: 'Throttle of CloudWatch Logs' }).click();
    await fetch(dev.cloudWatch.url, { method: 'POST' });
    const declined = page.locator('#tail [role=option]', { hasText: 'payment declined' });
    await declined.nth(2).waitFor();
    await declined.last().click();
    await page.getByRole('region', { name: 'Record' }).waitFor();
    expect(await problems(page, colorScheme)).toEqual([]);
    for (const tab of ['Requests', 'Chart', 'Ledger']) {
      await page.getByRole('tab', { name: tab }).click();
      if (tab === 'Requests') await page.locator('#requests [role=option]').first().click();
      if (tab === 'Ledger') await page.getByRole('region', { name: 'Ledger of shop.mjs' }).waitFor();
      expect(await problems(page, colorScheme), tab).toEqual([]);
    }
    if (process.env.LOGFERRY_SCREENSHOTS === '1') await takeScreenshot(page, colorScheme);
    await shop.close();
  });
});

/** What axe finds, in words. Colours alone differ in the dark. */
async function problems(page: Page, colorScheme: 'light' | 'dark'): Promise<string[]> {
  const options = colorScheme === 'light' ? {} : { runOnly: ['color-contrast'] };
  const results = await page.evaluate((given) => (globalThis as unknown as Axe).axe.run(document, given), options);
  return results.violations.map(
    ({ id, impact, nodes }) => `${impact}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`,
  );
}

interface Axe {
  readonly axe: { run(context: Document, options: object): Promise<{ readonly violations: readonly Violation[] }> };
}

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** For the README: a minute of the shop, with the chart. */
async function takeScreenshot(page: Page, colorScheme: string): Promise<void> {
  await page.getByRole('tab', { name: 'Chart' }).click();
  await page.getByLabel('The last').selectOption('1 min');
  await page.waitForTimeout(55_000);
  await page.locator('#tail [role=option]', { hasText: 'payment declined' }).last().click();
  await page.screenshot({ path: `${DOCS}page-${colorScheme}.png` });
}
