import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { REPOSITORY, repositoryLink } from './links.js';
import { groups } from './pages.js';
import { slugOf } from './slug.js';

const docs = fileURLToPath(new URL('..', import.meta.url));

const base = process.env.LOGFERRY_DOCS_BASE ?? '/';

export default defineConfig({
  title: 'Logferry',
  description: 'Log transports for winston, pino and bunyan to Amazon CloudWatch Logs and Alibaba Cloud Log Service.',
  lang: 'en',
  base,
  head: [['link', { rel: 'icon', href: `${base}icon.svg` }]],
  cleanUrls: true,
  srcExclude: ['node_modules/**', 'test/**', 'tools/**', 'api-surface/**'],
  // Styles and scripts are files of the site: a page asks no other host.
  themeConfig: {
    search: {
      provider: 'local',
      options: {
        // A page answers before the reference does.
        miniSearch: { searchOptions: { boostDocument: (id: string) => (id.includes('/api/') ? 0.1 : 1) } },
      },
    },
    outline: [2, 3],
    nav: [
      { text: 'Start', link: '/start/winston', activeMatch: '/start/' },
      { text: 'Options', link: '/options/delivery', activeMatch: '/options/' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: groups.map(({ title, pages }) => ({
      text: title,
      items: pages.map(([path, text]) => ({ text, link: `/${path.replace(/index$/, '')}` })),
    })),
    socialLinks: [{ icon: 'github', link: REPOSITORY }],
  },
  markdown: {
    // Colours that can be read.
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    // The same anchors as on GitHub.
    anchor: { slugify: slugOf },
    config(md) {
      // A link out of this folder leads to a file of the repository.
      md.core.ruler.push('repository-links', ({ tokens, env }) => {
        const folder = dirname(join(docs, env.relativePath ?? ''));
        for (const token of tokens.flatMap(({ children }) => children ?? [])) {
          const href = token.attrGet('href');
          if (href?.startsWith('.')) token.attrSet('href', repositoryLink(folder, href) ?? href);
        }
      });
    },
  },
});
