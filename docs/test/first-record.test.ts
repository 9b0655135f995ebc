import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { full } from '../../forms.js';
import { root } from '../tools/entry-points.js';

/** The folders of the packages that the pages install, and of those that they need. */
const PACKAGES = ['core', 'cloudwatch', 'log-service', 'winston', 'pino', 'bunyan', 'emulators', 'cli'];
const QUIET = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];

/** A block of code, and the text before it. */
interface Block {
  readonly before: string;
  readonly language: string;
  readonly code: string;
}

describe.runIf(full)('with what is written on the page alone, an empty folder ships its first record', () => {
  let tarballs: readonly string[];
  let packed: string;

  beforeAll(() => {
    packed = mkdtempSync(join(tmpdir(), 'logferry-first-record-packed-'));
    const each = PACKAGES.map((name) => `--workspace=packages/${name}`);
    execFileSync('npm', ['pack', '--silent', '--pack-destination', packed, ...each], { cwd: root });
    tarballs = readdirSync(packed).map((file) => join(packed, file));
  }, 120_000);
  afterAll(() => rmSync(packed, { recursive: true, force: true }));

  it.concurrent.each(['winston', 'pino', 'bunyan', 'command-line'])(
    'start/%s',
    async (page) => {
      const folder = mkdtempSync(join(tmpdir(), `logferry-first-record-${page}-`));
      const reader = new Reader(folder, tarballs);
      try {
        const blocks = blocksOf(page);
        // npx finds the command in the folder, and has nothing to install.
        if (!blocks.some(({ code }) => INSTALL.test(code))) await reader.run('npm install logferry');
        for (const block of blocks) await reader.follow(block);
        expect(reader.shown).toBeGreaterThanOrEqual(2);
      } finally {
        await reader.stop();
        rmSync(folder, { recursive: true, force: true });
      }
    },
    300_000,
  );
});

/** A line that installs packages. */
const INSTALL = /^npm install .*$/m;

/** The blocks of the sections that need no account. */
function blocksOf(page: string): readonly Block[] {
  const text = readFileSync(join(root, `docs/start/${page}.md`), 'utf8');
  const sections = text.split(/^## /m).filter((section) => !/^The real /.test(section));
  return sections.flatMap((section) =>
    [...section.matchAll(/^((?:(?!```)[\s\S])*?)^```(\w*)\n([\s\S]*?)^```$/gm)].map(
      ([, before = '', language = '', code = '']) => ({ before, language, code }),
    ),
  );
}

/** Does what a page says, in a folder. */
class Reader {
  /** Times that records were read back. */
  shown = 0;
  readonly #tarballs: readonly string[];
  #folder: string;
  #env: NodeJS.ProcessEnv = { ...process.env, NODE_NO_WARNINGS: '1' };
  #stop: (() => Promise<unknown>) | undefined;

  constructor(folder: string, tarballs: readonly string[]) {
    this.#folder = folder;
    this.#tarballs = tarballs;
  }

  async follow({ before, language, code }: Block): Promise<void> {
    if (language === 'js') await this.#write(code, [...before.matchAll(/`(\w+\.mjs)`/g)].at(-1)?.[1]);
    else if (code.startsWith('npx logferry dev')) await this.#startClouds(before);
    else if (language === 'sh') await this.run(code);
  }

  /** A program without a name is that of the reader's own application. */
  async #write(code: string, name = ''): Promise<void> {
    writeFileSync(join(this.#folder, name || 'app.mjs'), code);
    if (!name) await this.run('node app.mjs');
  }

  async run(script: string): Promise<void> {
    const local = script.replace(INSTALL, (line) => {
      const others = line.replace(/ (@logferry\/\w+|logferry)/, '');
      return `${others} ${QUIET.join(' ')} ${this.#tarballs.join(' ')}`;
    });
    const args = ['-euo', 'pipefail', '-c', `${local}\necho "$PWD"`];
    const { stdout, stderr } = await promisify(execFile)('bash', args, { cwd: this.#folder, env: this.#env });
    const lines = stdout.trimEnd().split('\n');
    this.#folder = lines.pop() as string;
    expect(stderr).not.toContain('[logferry]');
    for (const _ of script.matchAll(/^npx logferry tail/gm)) {
      this.shown++;
      expect(
        lines.findLast((line) => /^\d\d:\d\d:\d\d\.\d{3} (INFO|WARN) /.test(line)),
        script,
      ).toBeDefined();
    }
  }

  async #startClouds(before: string): Promise<void> {
    const server = spawn('npx', ['logferry', 'dev'], { cwd: this.#folder, detached: true });
    const closed = once(server, 'close');
    this.#stop = () => {
      process.kill(-(server.pid as number), 'SIGINT');
      return closed;
    };
    let output = '';
    for await (const text of server.stdout.setEncoding('utf8')) {
      output += text;
      if (output.includes('Ctrl-C')) break;
    }
    const variables = [...output.matchAll(/^ +export (\w+)=(\S+)$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]);
    // The pages say so.
    expect(variables, before).toHaveLength(10);
    this.#env = { ...this.#env, ...Object.fromEntries(variables) };
  }

  async stop(): Promise<void> {
    await this.#stop?.();
  }
}
