import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const packages = new URL('../packages/', import.meta.url).pathname;
/** A call of a global, and no method such as `socket.setTimeout()`. */
const GLOBAL_TIMER =
  /(?<![.\w])(setTimeout|setImmediate|setInterval|clearTimeout)\(|performance\.now\(|process\.nextTick\(|node:timers/;
const COMMENT = /\/\*[\s\S]*?\*\/|\/\/.*/g;
const IMPORT = /(?:\bfrom\s+|\bimport\s*\(?\s*)['"]([^'"]+)['"]/g;

interface Import {
  readonly package: string;
  /** Path within `src`. */
  readonly file: string;
  readonly target: string;
}

function imports(): Import[] {
  return readdirSync(packages).flatMap((name) =>
    readdirSync(join(packages, name, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => {
        const source = readFileSync(join(packages, name, 'src', file), 'utf8').replace(COMMENT, '');
        return [...source.matchAll(IMPORT)].map(([, target = '']) => ({ package: name, file, target }));
      }),
  );
}

const DESTINATIONS = ['cloudwatch', 'log-service'];
const ADAPTERS = ['winston', 'pino', 'bunyan'];
/** The packages that users install beside their framework. */
const SHIPPED = ['core', ...DESTINATIONS, ...ADAPTERS, 'otel'];
const all = imports();
const own = all.filter(({ target }) => target.startsWith('@logferry/'));
const from = (names: readonly string[]): Import[] => own.filter((each) => names.includes(each.package));

/** The imports within a package, as paths within `src`. */
const within = (name: string): { readonly file: string; readonly target: string }[] =>
  all
    .filter((each) => each.package === name && each.target.startsWith('.'))
    .map(({ file, target }) => ({ file, target: join(dirname(file), target).replace(/\.js$/, '.ts') }));

it('finds the imports to check', () => {
  expect(all.length).toBeGreaterThan(50);
  expect(own.length).toBeGreaterThan(5);
  expect(readdirSync(packages).sort()).toEqual([...SHIPPED, 'cli', 'emulators'].sort());
});

it('core imports no cloud, no framework, and three packages: thread-stream, proxy-from-env and @pinojs/redact', () => {
  const foreign = all.filter(({ package: name, target }) => name === 'core' && !/^(\.|node:)/.test(target));
  expect(new Set(foreign.map(({ target }) => target))).toEqual(
    new Set(['thread-stream', 'proxy-from-env', '@pinojs/redact']),
  );
});

it('destinations, and otel, import core only', () => {
  for (const names of [DESTINATIONS, ['otel']])
    expect([...new Set(from(names).map(({ target }) => target))]).toEqual(['@logferry/core']);
});

it('emulators import none of our packages', () => {
  expect(from(['emulators'])).toEqual([]);
});

it('the command imports core, the destinations and the emulators, and no adapter', () => {
  const allowed = ['core', 'core/spool-command', ...DESTINATIONS, 'emulators', 'emulators/report'].map(
    (name) => `@logferry/${name}`,
  );
  for (const { file, target } of from(['cli'])) expect(allowed, `${file} imports ${target}`).toContain(target);
});

it('in an adapter, only the file named after a cloud imports that cloud; all others import core only', () => {
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
      expect(lines, `${adapter}/${cloud}.ts`).toBeLessThanOrEqual(65);
    }
  }
});

it('no package that ships takes a timer, or the monotonic clock, from a global that test runners replace', () => {
  const wrong = SHIPPED.flatMap((name) =>
    readdirSync(join(packages, name, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.startsWith('testing/') && file !== 'tools/system-clock.ts')
      .filter((file) => GLOBAL_TIMER.test(readFileSync(join(packages, name, 'src', file), 'utf8').replace(COMMENT, '')))
      .map((file) => `${name}/${file}`),
  );
  expect(wrong).toEqual([]);
});

/** A listener of ours that throws ends the application. */
const UNGUARDED =
  /\.(on|once|prependListener|addListener)\(\s*'\w+',(?!\s*guarded\()|\bonmessage =(?! guarded\()|\bvoid [\w.#]+\(.*\.then\(/;
/** The listeners of the HTTP client only settle promises and sockets; an error in our worker ends that thread alone. */
const GUARDED_OTHERWISE = [
  ...['core/tools/http.ts', 'core/tools/http-socket.ts', 'core/tools/tunnel.ts'],
  'core/thread/worker.ts',
];
/** Lines whose listener is guarded where it is made, or resolves a promise; winston takes a wrong level from the listener of 'pipe'. */
const GUARDED_BEFORE =
  /, (failed|left|leave|take|post|onClose|resolve|callback)\)|'pipe'|this\.once\('finish', callback\)/;

it('no package that ships listens, or lets a promise go, without a guard', () => {
  const wrong = SHIPPED.flatMap((name) =>
    readdirSync(join(packages, name, 'src'), { recursive: true, encoding: 'utf8' })
      .filter(
        (file) =>
          file.endsWith('.ts') && !file.startsWith('testing/') && !GUARDED_OTHERWISE.includes(`${name}/${file}`),
      )
      .flatMap((file) => {
        const source = readFileSync(join(packages, name, 'src', file), 'utf8').replace(COMMENT, '');
        const lines = source
          .replace(/\(\s*\n\s*/g, '(')
          .replace(/',\s*\n\s*/g, "', ")
          .split('\n');
        return lines
          .filter((line) => UNGUARDED.test(line) && !GUARDED_BEFORE.test(line))
          .map((line) => `${name}/${file}: ${line}`);
      }),
  );
  expect(wrong).toEqual([]);
});

it('no package that ships keeps state on globalThis, but for what sharedState() makes when it is loaded', () => {
  const wrong = SHIPPED.flatMap((name) =>
    readdirSync(join(packages, name, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && file !== 'tools/shared-state.ts')
      .filter((file) =>
        /globalThis as|globalThis\[|^(?!const ).*\bsharedState[<(]/m.test(
          readFileSync(join(packages, name, 'src', file), 'utf8')
            .replace(COMMENT, '')
            .replace(/^import.*$/gm, '')
            .replace(/^export function sharedState.*$/gm, ''),
        ),
      )
      .map((file) => `${name}/${file}`),
  );
  expect(wrong).toEqual([]);
});

/** The folders of core: each may import itself and those before it. */
const GROUND = ['contract', 'tools', 'process'];
const HOPS = [
  'options',
  'accounting',
  'spool',
  'batch',
  'delivery',
  'intake',
  'flush-waits.ts',
  'ready-waits.ts',
  'shipper.ts',
  'core-shipper.ts',
  'thread',
  'create-shipper.ts',
  'with-flush.ts',
];
const DOORS = ['index.ts', 'testing'];
const FOLDERS = [...GROUND, ...HOPS, ...DOORS];
const folderOf = (path: string): string => path.split('/')[0] ?? '';

describe('in core', () => {
  const arrows = within('core').map(({ file, target }) => ({ file, from: folderOf(file), to: folderOf(target) }));

  it('every file is in a folder of the list, and every folder has imports', () => {
    const seen = new Set([...arrows.map((arrow) => arrow.from), ...arrows.map((arrow) => arrow.to)]);
    expect([...seen].sort()).toEqual([...FOLDERS].sort());
  });

  it('contract imports only itself', () => {
    expect(arrows.filter((arrow) => arrow.from === 'contract' && arrow.to !== 'contract')).toEqual([]);
  });

  it('tools imports only contract, and process only the two, besides themselves', () => {
    for (const [folder, ground] of [
      ['tools', ['contract', 'tools']],
      ['process', GROUND],
    ] as const)
      for (const arrow of arrows.filter((each) => each.from === folder)) expect(ground, arrow.file).toContain(arrow.to);
  });

  it('a folder imports only itself and folders before it in the list', () => {
    for (const { file, from: folder, to } of arrows)
      expect(FOLDERS.slice(0, FOLDERS.indexOf(folder) + 1), `${file} imports from ${to}`).toContain(to);
  });

  it('no other folder imports index.ts or testing', () => {
    for (const { file, from: folder, to } of arrows) if (DOORS.includes(to)) expect(folder, file).toBe(to);
  });
});

it('in the command, a folder imports only itself and what commands share, and of that only what is before it', () => {
  const shared = ['lines', 'options', 'targets', 'pipe'];
  const arrows = within('cli')
    .filter(({ file, target }) => file.includes('/') && target.includes('/'))
    .map(({ file, target }) => ({ file, from: folderOf(file), to: folderOf(target) }));
  for (const folder of shared) expect(arrows.map((arrow) => arrow.to)).toContain(folder);
  for (const { file, from: folder, to } of arrows) {
    const before = shared.includes(folder) ? shared.slice(0, shared.indexOf(folder)) : shared;
    expect([...before, folder], file).toContain(to);
  }
});

it.each([...SHIPPED, 'cli', 'emulators'])('imports of %s have no circle', (name) => {
  const graph = new Map<string, string[]>();
  for (const { file, target } of within(name)) graph.set(file, [...(graph.get(file) ?? []), target]);
  expect(circleIn(graph)).toEqual([]);
});

it('finds a circle where there is one', () => {
  const graph = new Map([
    ['a', ['b', 'c']],
    ['c', ['d']],
    ['d', ['c']],
  ]);
  expect(circleIn(graph)).toEqual(['c', 'd', 'c']);
});

/** The files of a circle, the first of them twice; empty if there is none. */
function circleIn(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): readonly string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const target of graph.get(file) ?? []) {
      const circle = walk(target, [...path, file]);
      if (circle.length > 0) return circle;
    }
    done.add(file);
    return [];
  };
  for (const file of graph.keys()) {
    const circle = walk(file, []);
    if (circle.length > 0) return circle;
  }
  return [];
}
