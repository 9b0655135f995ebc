import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { suggest } from '../src/complete/suggest.js';
import { createProgram } from '../src/program.js';
import { BIN, directory, run } from './support/command.js';

/** A command and all below it, with their names from the first one on. */
function walk(command: Command, path: readonly string[] = []): [string[], Command][] {
  return [[[...path], command], ...command.commands.flatMap((each) => walk(each, [...path, each.name()]))];
}

const all = walk(createProgram('1.2.3'));

it('--version states the version', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(await run(['--version'])).toMatchObject({ code: 0, out: `${version}\n` });
});

it.each(all.map(([path]) => path))('--help of "%s %s" explains the command and each option', async (...path) => {
  const { code, out, error } = await run([...path.filter(Boolean), '--help']);
  expect({ code, error }).toEqual({ code: 0, error: '' });
  const [, command] = all.find(([each]) => each.join(' ') === path.filter(Boolean).join(' ')) ?? [];
  expect(command?.description()).not.toBe('');
  for (const option of command?.options ?? []) {
    if (option.hidden) continue;
    expect(out).toContain(option.long);
    expect(option.description).not.toBe('');
  }
  for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
});

it('bears that nobody reads its help, and that stderr is full', async () => {
  const shell = (line: string) =>
    promisify(execFile)('sh', ['-c', line, process.execPath, BIN]).catch((error: { code: number }) => error);
  expect(await shell('"$0" "$1" cloudwatch --help | true')).toMatchObject({ stderr: '' });
  expect(await shell('"$0" "$1" cloudwatch --nonsense 2>/dev/full')).toMatchObject({ code: 2 });
});

it('without a command it shows the help, and ends with code 2', async () => {
  expect(await run([])).toMatchObject({ code: 2, error: expect.stringContaining('Usage: logferry') });
});

it.each([
  ['cloudwach', "unknown command 'cloudwach': did you mean cloudwatch?"],
  ['tail cloudwach', "unknown command 'cloudwach': did you mean cloudwatch?"],
  ['run node app.js', 'expected "logferry run cloudwatch …" or "logferry run log-service …"'],
  ['tail --group shop', 'expected "logferry tail cloudwatch …" or "logferry tail log-service …"'],
  ['--nothing', 'logferry --help shows all commands'],
  ['ship cloudwatch', "missing required argument 'files': logferry ship cloudwatch --help shows all options"],
  ['complete tcsh', 'expected bash or zsh or fish or powershell, got "tcsh"'],
  ['spool /nowhere', 'logferry: cannot read /nowhere'],
])('logferry %s says what was probably meant', async (line, message) => {
  expect(await run(line.split(' '))).toMatchObject({ code: 2, error: expect.stringContaining(message) });
});

it('names all options that are missing at once', async () => {
  const { error } = await run(['log-service']);
  for (const name of ['endpoint', 'project', 'logstore']) expect(error).toContain(`logferry: --${name} is missing`);
});

it('the help of tail says what the options mean to it', async () => {
  const { out } = await run(['tail', 'cloudwatch', '--help']);
  expect(out).toContain('log stream (default: all)');
  expect(out).toContain('role to read the logs with');
});

it.each([
  ['r', ['run'], false],
  ['cloudwatch --gr', ['--group'], false],
  ['cloudwatch --overs', ['--oversize'], false],
  ['cloudwatch --oversize t', ['truncate'], false],
  ['cloudwatch --oversize=t', ['truncate'], false],
  ['cloudwatch --oversize = t', ['truncate'], false],
  ['cloudwatch --oversize =', ['truncate', 'split', 'drop'], false],
  ['cloudwatch --group r', [], false],
  ['cloudwatch --config l', [], true],
  ['cloudwatch --spool ', [], true],
  ['cloudwatch ', [], false],
  ['ship cloudwatch --group shop a.log ', [], true],
  ['run cloudwatch -- n', [], true],
  ['run cloudwatch node --gr', [], true],
  ['doctor cloudwatch --policy t', ['terraform'], false],
  ['complete z', ['zsh'], false],
] as const)('completes "%s"', (line, words, files) => {
  const found = suggest(createProgram('1.2.3'), line.split(' '));
  expect({ words: found.words.map(({ text }) => text), files: found.files }).toEqual({ words, files });
});

it('completes commands and flags in bash', async () => {
  const home = directory();
  mkdirSync(join(home, 'bin'));
  symlinkSync(BIN, join(home, 'bin', 'logferry'));
  const { out: script } = await run(['complete', 'bash']);
  writeFileSync(join(home, 'logferry.bash'), script);
  const complete = (...words: string[]): string[] => {
    const shell = `
      # Of a shell that completes.
      compopt() { :; }
      source "$HOME/logferry.bash"
      # ~/.bashrc is loaded again.
      source "$HOME/logferry.bash" || exit 1
      COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
      COMP_LINE='${words.join(' ')}'; COMP_POINT=\${#COMP_LINE}
      $(complete -p logferry | sed 's/.*-F \\([^ ]*\\).*/\\1/')
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = { PATH: `${join(home, 'bin')}:${process.env.PATH}`, HOME: home };
    return execFileSync('bash', ['-c', shell], { env, encoding: 'utf8' }).trim().split('\n');
  };
  expect(complete('logferry', 'clo')).toEqual(['cloudwatch']);
  expect(complete('logferry', 'run', '')).toEqual(expect.arrayContaining(['cloudwatch', 'log-service']));
  expect(complete('logferry', 'doctor', 'cloudwatch', '--policy', '')).toEqual(['json', 'terraform', 'cdk']);
  expect(complete('logferry', '$(touch evil)', '')).toEqual(expect.arrayContaining(['cloudwatch']));
  expect(existsSync('evil')).toBe(false);
  expect(complete('logferry', 'cloudwatch', '--log-g')).toEqual(['--log-group-name', '--log-group-class']);
});
