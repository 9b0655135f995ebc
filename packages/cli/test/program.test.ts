import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { createProgram } from '../src/program.js';
import { BIN, directory, run } from './support/command.js';

/** A command and all below it, with their names from the first one on. */
function walk(command: Command, path: readonly string[] = []): [string[], Command][] {
  return [[[...path], command], ...command.commands.flatMap((each) => walk(each, [...path, each.name()]))];
}

const all = walk(createProgram('1.2.3'));

it('--version states the version', async () => {
  expect(await run(['--version'])).toMatchObject({ code: 0, out: '0.0.0\n' });
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

it('refuses an unknown command with the one that was probably meant', async () => {
  expect(await run(['cloudwach'])).toMatchObject({
    code: 2,
    error: expect.stringContaining("unknown command 'cloudwach'"),
  });
});

it('completes commands and flags in bash', async () => {
  const home = directory();
  mkdirSync(join(home, 'bin'));
  symlinkSync(BIN, join(home, 'bin', 'logferry'));
  const { out: script } = await run(['complete', 'bash']);
  writeFileSync(join(home, 'logferry.bash'), script);
  const complete = (...words: string[]): string[] => {
    const shell = `
      # Of bash-completion, and of a shell that completes.
      _get_comp_words_by_ref() { words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=\${words[cword]}; prev=\${words[cword - 1]}; }
      compopt() { :; }
      source "$HOME/logferry.bash"
      COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
      COMP_LINE='${words.join(' ')}'; COMP_POINT=\${#COMP_LINE}
      $(complete -p logferry | sed 's/.*-F \\([^ ]*\\).*/\\1/')
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = { PATH: `${join(home, 'bin')}:${process.env.PATH}`, HOME: home };
    return execFileSync('bash', ['-c', shell], { env, encoding: 'utf8' }).trim().split('\n');
  };
  expect(complete('logferry', 'clo')).toEqual(['cloudwatch']);
  expect(complete('logferry', 'run', '')).toEqual(expect.arrayContaining(['cloudwatch', 'log-service']));
  expect(complete('logferry', 'cloudwatch', '--log-g')).toEqual(['--log-group-name', '--log-group-class']);
});
