import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const packages = new URL('../packages/', import.meta.url).pathname;
const IMPORT = /(?:\bfrom\s+|\bimport\s*\(?\s*)['"]([^'"]+)['"]/g;

interface Import {
  readonly package: string;
  readonly file: string;
  readonly target: string;
}

function imports(): Import[] {
  return readdirSync(packages).flatMap((name) =>
    readdirSync(join(packages, name, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => {
        const source = readFileSync(join(packages, name, 'src', file), 'utf8');
        return [...source.matchAll(IMPORT)].map(([, target = '']) => ({ package: name, file, target }));
      }),
  );
}

const DESTINATIONS = ['cloudwatch', 'log-service'];
const ADAPTERS = ['winston', 'pino', 'bunyan'];
const own = imports().filter(({ target }) => target.startsWith('@logferry/'));
const from = (names: readonly string[]): Import[] => own.filter((each) => names.includes(each.package));

it('sees the imports that it judges', () => {
  expect(imports().length).toBeGreaterThan(50);
  expect(own.length).toBeGreaterThan(5);
  expect(readdirSync(packages).sort()).toEqual([...DESTINATIONS, ...ADAPTERS, 'core', 'emulators'].sort());
});

it('core knows no cloud, no framework, and one package: thread-stream', () => {
  const foreign = imports().filter(({ package: name, target }) => name === 'core' && !/^(\.|node:)/.test(target));
  expect([...new Set(foreign.map(({ target }) => target))]).toEqual(['thread-stream']);
});

it('destinations know core only', () => {
  expect([...new Set(from(DESTINATIONS).map(({ target }) => target))]).toEqual(['@logferry/core']);
});

it('emulators know none of our packages', () => {
  expect(from(['emulators'])).toEqual([]);
});

it('in an adapter, only the file named after a cloud knows that cloud; all others know core only', () => {
  for (const { file, target } of from(ADAPTERS)) {
    const cloud = DESTINATIONS.find((name) => file === `${name}.ts`);
    const allowed = cloud === undefined ? ['@logferry/core'] : ['@logferry/core', `@logferry/${cloud}`];
    expect(allowed, `${file} imports ${target}`).toContain(target);
  }
});

it('a binding is short: it only joins a framework and a cloud', () => {
  for (const adapter of ADAPTERS) {
    for (const cloud of DESTINATIONS) {
      const lines = readFileSync(join(packages, adapter, 'src', `${cloud}.ts`), 'utf8').split('\n').length;
      expect(lines, `${adapter}/${cloud}.ts`).toBeLessThanOrEqual(60);
    }
  }
});
