import type { Argument, Command, Option } from 'commander';

/** What a shell may offer for the last word. */
export interface Suggestions {
  readonly words: readonly { readonly text: string; readonly description: string }[];
  /** Whether names of files fit, too. */
  readonly files: boolean;
}

const NONE: Suggestions = { words: [], files: false };
const FILES: Suggestions = { words: [], files: true };

/** What may stand for the last of the words that follow the name of the program. */
export function suggest(program: Command, words: readonly string[]): Suggestions {
  // Some shells cut --flag=value into three words.
  const all = words
    .flatMap((word) => /^(--[^=]+)=(.*)$/s.exec(word)?.slice(1) ?? [word])
    .filter((word) => word !== '=');
  const last = words.at(-1) === '=' ? '' : (all.pop() ?? '');
  let command = program;
  let waiting: Option | undefined;
  let operands = 0;
  for (const word of all) {
    if (waiting) waiting = undefined;
    else if (word === '--') return operandsOf(command);
    else if (word.startsWith('-')) waiting = takesValue(optionOf(command, word));
    else {
      const next: Command | undefined = command.commands.find((each) => each.name() === word);
      if (next) command = next;
      // What follows the program of `run` is its own.
      else if (++operands > 0 && takesProgram(command)) return FILES;
    }
  }
  return startingWith(last, waiting ? valuesOf(waiting) : wordsOf(command, last, operands));
}

function wordsOf(command: Command, last: string, operands: number): Suggestions {
  if (last.startsWith('-')) return { words: flagsOf(command), files: false };
  if (command.commands.length === 0) return operandsOf(command, operands);
  const visible = command.createHelp().visibleCommands(command);
  return {
    words: visible.map((each) => ({ text: each.name(), description: each.summary() || each.description() })),
    files: false,
  };
}

function flagsOf(command: Command): Suggestions['words'] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap((option) => namesOf(option).map((text) => ({ text, description: option.description })));
}

function operandsOf({ registeredArguments }: Command, index = 0): Suggestions {
  const argument = registeredArguments[index] ?? registeredArguments.findLast(({ variadic }) => variadic);
  return argument ? valuesOf(argument) : NONE;
}

/** The values of a flag or an operand; what is named a file, a directory or a program is one. */
function valuesOf(of: Option | Argument): Suggestions {
  const placeholder = 'flags' in of ? of.flags : of.name();
  if (of.argChoices) return { words: of.argChoices.map((text) => ({ text, description: '' })), files: false };
  return /<(file|dir)>$|^(files|directory|program|arguments)$/.test(placeholder) ? FILES : NONE;
}

function optionOf({ options }: Command, word: string): Option | undefined {
  return options.find((option) => namesOf(option).includes(word));
}

/** The long names: a second one stands where the parser expects a short one. */
function namesOf({ short, long }: Option): string[] {
  return [short, long].filter((name): name is string => name?.startsWith('--') === true);
}

function takesValue(option: Option | undefined): Option | undefined {
  return option?.required ? option : undefined;
}

function takesProgram({ registeredArguments }: Command): boolean {
  return registeredArguments[0]?.name() === 'program';
}

function startingWith(start: string, { words, files }: Suggestions): Suggestions {
  return { words: words.filter(({ text }) => text.startsWith(start)), files };
}
