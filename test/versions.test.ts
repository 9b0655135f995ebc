import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

it('examples that stand alone need the packages in the version that they have', () => {
  const read = (file: string) => JSON.parse(readFileSync(root + file, 'utf8'));
  const files = ['examples/frameworks', 'examples/testing'].flatMap((folder) =>
    readdirSync(root + folder).map((name) => `${folder}/${name}/package.json`),
  );
  const { version } = read('packages/core/package.json');
  const ranges = files
    .filter((file) => existsSync(root + file))
    .flatMap((file) => Object.entries({ ...read(file).dependencies, ...read(file).devDependencies }))
    .filter(([name]) => name.includes('logferry'))
    .map(([, range]) => range);
  expect(new Set(ranges)).toEqual(new Set([`^${version}`]));
});
