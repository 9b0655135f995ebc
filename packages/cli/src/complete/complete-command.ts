import { script } from '@bomb.sh/tab';
import { Argument, type Command } from 'commander';
import { UsageError } from '../usage-error.js';
import { BASH_SCRIPT } from './bash-script.js';
import { suggest } from './suggest.js';

const SHELLS: readonly string[] = ['bash', 'zsh', 'fish', 'powershell'];

/** `logferry complete bash`: prints the script of a shell. It calls `logferry complete -- WORDS`, which `completionsOf` answers. */
export function addCompleteCommand(program: Command): void {
  const shell = new Argument('<shell>', SHELLS.join(', '));
  shell.argChoices = [...SHELLS];
  program
    .command('complete')
    .summary('completion for bash, zsh, fish and PowerShell')
    .description(
      'Prints the completion script of a shell, for a logferry that is installed (npm install --global logferry). bash: eval "$(logferry complete bash)" in ~/.bashrc; zsh: source <(logferry complete zsh) in ~/.zshrc, after compinit.',
    )
    .addArgument(shell)
    .action((name: string) => {
      if (!SHELLS.includes(name))
        throw new UsageError(`complete: expected ${SHELLS.join(' or ')}, got ${JSON.stringify(name)}`);
      if (name === 'bash') process.stdout.write(BASH_SCRIPT);
      else script(name, 'logferry', 'logferry');
    });
}

/** The completions of the last word in the form of the scripts: one a line, and at the end whether names of files fit. */
export function completionsOf(program: Command, words: readonly string[]): string {
  const { words: found, files } = suggest(program, words);
  return [...found.map(({ text, description }) => `${text}\t${description}`), files ? ':0' : ':4', ''].join('\n');
}
