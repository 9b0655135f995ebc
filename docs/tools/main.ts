// `npm run docs`: makes the generated parts of the pages, and the site. `npm run docs:dev` shows the site while it is written,
// `npm run docs:api` notes what the packages export.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, createServer } from 'vitepress';
import { writeApi } from './api.js';
import { createProgram, findEntryPoints, root } from './entry-points.js';
import { writeLlms } from './llms.js';
import { updateParts } from './parts.js';
import { readSurfaces, surfaceFile } from './surface.js';

const docs = join(root, 'docs');
const { values } = parseArgs({
  options: { surface: { type: 'boolean' }, dev: { type: 'boolean' }, site: { type: 'boolean' } },
});

const entryPoints = findEntryPoints();
const program = createProgram(entryPoints);
for (const file of updateParts(program, entryPoints, true)) console.log(`${file} has new tables`);
if (values.surface) {
  mkdirSync(join(docs, 'api-surface'), { recursive: true });
  for (const [folder, text] of readSurfaces(program, entryPoints)) writeFileSync(surfaceFile(folder), text);
}
if (values.site || values.dev) await writeApi(program, entryPoints);
if (values.dev) {
  const server = await createServer(docs);
  await server.listen();
  server.printUrls();
}
if (values.site) {
  await build(docs);
  writeLlms(join(docs, '.vitepress/dist'), process.env.LOGFERRY_DOCS_BASE ?? '/');
}
