import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createProgram, findEntryPoints } from '../tools/entry-points.js';
import { updateParts } from '../tools/parts.js';
import { readSurfaces, surfaceFile } from '../tools/surface.js';

const entryPoints = findEntryPoints();
const program = createProgram(entryPoints);

it('the tables of options are those of the comments in the code: npm run docs:api makes them anew', () => {
  expect(updateParts(program, entryPoints, false)).toEqual([]);
});

it.each(readSurfaces(program, entryPoints))('what packages/%s exports is noted: npm run docs:api', (folder, text) => {
  const file = surfaceFile(folder);
  expect(text).toBe(existsSync(file) ? readFileSync(file, 'utf8') : '');
});
