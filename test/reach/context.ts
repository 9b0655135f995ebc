import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pack } from '../support/pack.js';
import { type Clouds, startClouds } from './clouds.js';
import type { Ended, ExecOptions, ReachContext, Row, Started } from './row.js';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const TIMEOUT_MS = 60_000;
const INSTALL_TIMEOUT_MS = 300_000;

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

interface DevDependencies {
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** What all rows of a run share: the tarballs, and folders that are filled once. */
export class Reach {
  readonly #root = mkdtempSync(join(tmpdir(), 'logferry-reach-'));
  readonly #manifests = new Map<string, Manifest>();
  readonly #tarballs = new Map<string, string>();
  readonly #shared = new Map<string, Promise<string>>();

  /** Packs all packages. */
  pack(): void {
    const folders = readdirSync(join(repository, 'packages'));
    const packed = join(this.#root, 'packed');
    mkdirSync(packed);
    pack(folders, packed);
    for (const folder of folders) {
      const manifest: Manifest & { readonly version: string } = readManifest(join(repository, 'packages', folder));
      const file = `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`;
      this.#manifests.set(manifest.name, manifest);
      this.#tarballs.set(manifest.name, join(packed, file));
    }
  }

  /** Runs a row in a folder and with clouds of its own. */
  async run(row: Row): Promise<Readonly<Record<string, string>>> {
    const folder = mkdtempSync(join(this.#root, 'row-'));
    const clouds = await startClouds();
    const started: ChildProcess[] = [];
    try {
      return await row.run(this.#context(folder, clouds, started));
    } finally {
      for (const child of started) child.kill('SIGKILL');
      await clouds.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }

  end(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #context(folder: string, clouds: Clouds, started: ChildProcess[]): ReachContext {
    const inRow = (options: ExecOptions = {}) => ({ cwd: folder, ...options, env: { ...clouds.env, ...options.env } });
    return {
      folder,
      tarballs: this.#tarballs,
      clouds,
      install: (packages = [], into = folder) => this.#install(packages, into),
      exec: (command, args, options) => run(command, args, inRow(options)),
      start(command, args, options) {
        const { cwd, env } = inRow(options);
        const child = spawn(command, args, { cwd, env: environment(cwd, env), stdio: ['ignore', 'pipe', 'pipe'] });
        started.push(child);
        return follow(child);
      },
      shared: (key, fill) => {
        const known = this.#shared.get(key);
        if (known) return known;
        const filled = mkdtempSync(join(this.#root, 'shared-'));
        const filling = fill(filled).then(() => filled);
        this.#shared.set(key, filling);
        return filling;
      },
    };
  }

  async #install(packages: readonly string[], folder: string): Promise<void> {
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'package.json');
    if (!existsSync(file)) writeFileSync(file, JSON.stringify({ name: 'somebody', version: '1.0.0', private: true }));
    const { dependencies, devDependencies } = readManifest<DevDependencies>(folder);
    const named = [...Object.keys({ ...dependencies, ...devDependencies }), ...packages].filter((name) =>
      this.#manifests.has(name),
    );
    const ours = [...this.#closure(named)].map((name) => `${name}@file:${this.#tarballs.get(name)}`);
    const others = packages.filter((name) => !this.#manifests.has(name));
    const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
    const { exit, stderr } = await run('npm', ['install', ...quiet, ...ours, ...others], {
      cwd: folder,
      timeoutMs: INSTALL_TIMEOUT_MS,
    });
    if (exit !== 0) throw new Error(`npm install ended with ${exit}: ${stderr}`);
  }

  /** The named ones of our packages, and those that they depend on. */
  #closure(names: Iterable<string>): Set<string> {
    const all = new Set(names);
    for (const name of all)
      for (const dependency of Object.keys(this.#manifests.get(name)?.dependencies ?? {}))
        if (this.#manifests.has(dependency)) all.add(dependency);
    return all;
  }
}

/** The version of a package in this repository: rows that use the same fetch nothing. */
export function pinned(name: string): string {
  return `${name}@${JSON.parse(readFileSync(join(repository, 'node_modules', name, 'package.json'), 'utf8')).version}`;
}

function readManifest<Members>(folder: string): Manifest & Members {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

async function run(
  command: string,
  args: readonly string[],
  options: ExecOptions & { readonly cwd: string },
): Promise<Ended> {
  const { cwd, timeoutMs = TIMEOUT_MS } = options;
  const env = environment(cwd, options.env);
  return new Promise((resolve, reject) => {
    execFile(
      command,
      args,
      { cwd, env, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        if (error && typeof error.code === 'string') reject(error);
        else if (error?.killed)
          reject(new Error(`${command} ${args.join(' ')} takes more than ${timeoutMs} ms: ${stdout}${stderr}`));
        else resolve({ stdout, stderr, exit: error ? (error.code ?? error.signal ?? 'unknown') : 0 });
      },
    );
  });
}

function follow(child: ChildProcess): Started {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  return {
    pid: child.pid as number,
    stdout: () => output.stdout,
    ended: once(child, 'close').then(([code, signal]) => ({ ...output, exit: code ?? signal })),
  };
}

function environment(cwd: string, env: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const path = [join(cwd, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
  return { ...ownEnvironment(), PATH: path, ...env };
}

/** The environment as before vitest, which changes what frameworks and other runners do. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter(
    (name) => !/^(VITEST|NODE_ENV$|NODE_OPTIONS$|TEST$|DEV$|PROD$|MODE$)/.test(name),
  );
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}
