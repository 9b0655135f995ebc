import { once } from 'node:events';

/** Of a program that SIGPIPE ends: the reader of its output wants no more, as `head` does. */
const PIPE_CLOSED = 141;

/** Where a command prints its results. */
export interface Output {
  /** Resolves when there is room for more. */
  out(text: string): Promise<void>;
  error(text: string): void;
  readonly hasColours: boolean;
  readonly isTerminal: boolean;
}

/** Opens stdout for results. The process ends when their reader wants no more. Once `ended` is aborted, no reader is waited for. */
export function openOutput(ended: AbortSignal = new AbortController().signal): Output {
  const { stdout, stderr } = process;
  stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') process.exit(PIPE_CLOSED);
    stderr.write(`logferry: stdout cannot be written: ${message}\n`, () => process.exit(1));
  });
  return {
    out: async (text) => {
      if (!stdout.write(text)) await once(stdout, 'drain', { signal: ended }).catch(() => {});
    },
    error: (text) => void stderr.write(text.endsWith('\n') ? text : `${text}\n`),
    hasColours: stdout.isTTY === true && stdout.hasColors(),
    isTerminal: stdout.isTTY === true,
  };
}
