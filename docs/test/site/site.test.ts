import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { launch } from '../../../packages/emulators/test/browser/chromium.js';
import { groups } from '../../.vitepress/pages.js';
import { dist, serve } from './serve.js';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 375, height: 800 };
/** Pages that are loaded at once. */
const TABS = 3;

const addresses = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.html') && file !== '404.html')
  .map((file) => `/${file.replace(/(index)?\.html$/, '')}`);

let browser: Browser;
let site: Awaited<ReturnType<typeof serve>>;
beforeAll(async () => {
  [browser, site] = await Promise.all([launch(), serve()]);
});
afterAll(async () => {
  await browser.close();
  site.close();
});

/** A tab of the browser. It notes what must not happen: messages of the console, errors, missing files, and requests to other hosts. */
async function open(options?: BrowserContextOptions): Promise<{ page: Page; faults: string[] }> {
  const page = await browser.newPage({ viewport: WIDE, ...options });
  const faults: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(`${page.url()}: console: ${message.text()}`);
  });
  page.on('pageerror', (error) => void faults.push(`${page.url()}: ${error.message}`));
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(site.url))
      faults.push(`${page.url()}: request: ${request.url()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) faults.push(`${page.url()}: ${response.status()}: ${response.url()}`);
  });
  onTestFinished(() => page.close());
  return { page, faults };
}

it('every page fits into a wide and a narrow window, loads its pictures, and asks no other host', async () => {
  expect(addresses.length).toBeGreaterThan(groups.flatMap(({ pages }) => pages).length);
  const left = [...addresses];
  const found: string[] = [];
  const work = async (): Promise<void> => {
    const { page, faults } = await open();
    for (let address = left.pop(); address !== undefined; address = left.pop()) {
      await page.setViewportSize(WIDE);
      await page.goto(site.url + address);
      if ((await page.locator('.vp-doc h1').count()) !== 1) faults.push(`${address}: has not one title`);
      for (const size of [WIDE, NARROW]) {
        await page.setViewportSize(size);
        const { content, view, broken } = await measure(page);
        if (content > view) faults.push(`${address}: is ${content} wide in a window of ${view}`);
        if (broken.length > 0) faults.push(`${address}: pictures are missing: ${broken}`);
      }
    }
    found.push(...faults);
  };
  await Promise.all(Array.from({ length: TABS }, work));
  expect(found).toEqual([]);
});

/** Widths in pixels of the content and of the window, and the pictures that did not load. */
function measure(page: Page): Promise<{ content: number; view: number; broken: string[] }> {
  return page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    view: document.documentElement.clientWidth,
    broken: [...document.images]
      .filter(({ complete, naturalWidth }) => complete && naturalWidth === 0)
      .map(({ src }) => src),
  }));
}

describe('the search', () => {
  it('finds a term, and leads to its place', async () => {
    const { page, faults } = await open();
    await page.goto(site.url);
    // The page listens once its scripts run.
    await expect
      .poll(async () => {
        await page.keyboard.press('Control+k');
        return page.locator('.VPLocalSearchBox').count();
      })
      .toBe(1);
    await page.locator('.VPLocalSearchBox input').fill('web tracking');
    const first = page.locator('.VPLocalSearchBox .result').first();
    await first.waitFor();
    expect(await first.textContent()).toMatch(/web tracking/i);
    await first.click();
    await page.waitForURL((url) => url.pathname !== '/');
    expect(await page.locator('.vp-doc').textContent()).toMatch(/web tracking/i);
    expect(faults).toEqual([]);
  });
});

it('a narrow window has the list of pages in a menu', async () => {
  const { page, faults } = await open({ viewport: NARROW });
  await page.goto(`${site.url}/options/delivery`);
  await page.getByRole('button', { name: 'Menu', exact: true }).click();
  await page.locator('.VPSidebar').getByRole('link', { name: 'pino', exact: true }).click();
  await page.waitForURL(`${site.url}/start/pino`);
  expect(faults).toEqual([]);
});

it.each(['/', '/start/winston', '/options/cloudwatch', '/ends'])('axe finds no problem on %s', async (address) => {
  const { page } = await open();
  await page.goto(site.url + address);
  await page.addScriptTag({ path: AXE });
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
    const results = await axe.run();
    return results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
  expect(violations).toEqual([]);
});

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

describe('for machines', () => {
  it('llms.txt lists each page with its description, and each address is a file', () => {
    const text = readFileSync(join(dist, 'llms.txt'), 'utf8');
    const entries = [...text.matchAll(/^- \[(.+)\]\((\S+)\): (.+)$/gm)];
    expect(entries.map(([, , address]) => address)).toEqual(
      groups.flatMap(({ pages }) => pages.map(([path]) => `/${path}.md`)),
    );
    for (const [, title, address = ''] of entries)
      expect(readFileSync(join(dist, address), 'utf8')).toContain(`# ${title}`);
  });

  it('llms-full.txt has all pages', () => {
    const text = readFileSync(join(dist, 'llms-full.txt'), 'utf8');
    for (const path of groups
      .flatMap(({ pages }) => pages.map(([each]) => each))
      .filter((path) => !path.startsWith('api/')))
      expect(text).toContain(readFileSync(join(dist, `${path}.md`), 'utf8').trim());
  });

  it('links lead to the same place wherever the text is read', () => {
    const text = readFileSync(join(dist, 'llms-full.txt'), 'utf8');
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, href = '']) => href);
    expect(links.filter((href) => href.startsWith('.'))).toEqual([]);
    const pages = links.filter((href) => href.startsWith('/')).map((href) => href.replace(/#.*/, ''));
    expect(pages.length).toBeGreaterThan(100);
    expect(pages.filter((href) => !existsSync(join(dist, href)))).toEqual([]);
  });
});
