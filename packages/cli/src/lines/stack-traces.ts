import { isDigit } from './char-codes.js';
import { textTime } from './text-time.js';

/** Knows which lines belong to the record before them, by what programs write: indented lines and the lines of stack traces. */
export class StackTraces {
  #block: Block = 'none';

  /** A line begins a record. */
  begin(line: string): void {
    this.#block = blockOf(line);
  }

  /** Whether a line, which is not blank, belongs to the record that began. */
  continues(line: string): boolean {
    if (this.#block !== 'none' && this.#continuesBlock(line)) return true;
    if (isIndented(line)) {
      if (PYTHON_FRAME.test(line)) this.#block = 'python';
      return true;
    }
    if (isDigit(line.charCodeAt(0)) || !CONTINUATION.test(line)) return false;
    this.#block = blockOf(line);
    return true;
  }

  #continuesBlock(line: string): boolean {
    switch (this.#block) {
      case 'python':
        return this.#continuesPython(line);
      case 'go':
        return GO_FRAME.test(line);
      case 'node-place':
        this.#block = 'node-source';
        return textTime(line, 0) === undefined;
      case 'node-source':
        this.#block = CARETS.test(line) ? 'node-message' : 'none';
        return this.#block !== 'none';
      case 'node-message':
        return this.#continuesNodeMessage(line);
      default:
        return false;
    }
  }

  /** The exception comes after the frames, which are indented. */
  #continuesPython(line: string): boolean {
    if (isIndented(line)) return true;
    this.#block = 'none';
    return PYTHON_EXCEPTION.test(line);
  }

  /** The message may have any lines, up to the first frame or the version of Node.js. */
  #continuesNodeMessage(line: string): boolean {
    if (NODE_FRAME.test(line) || NODE_VERSION.test(line)) {
      this.#block = 'none';
      return true;
    }
    return textTime(line, 0) === undefined;
  }
}

/** The stack trace that a record is in: what may come next depends on it. */
type Block = 'none' | 'python' | 'go' | 'node-place' | 'node-source' | 'node-message';

function blockOf(line: string): Block {
  if (line.startsWith('Traceback (most recent call last)')) return 'python';
  if (line.startsWith('goroutine ')) return 'go';
  return isDigit(line.charCodeAt(line.length - 1)) && NODE_PLACE.test(line) ? 'node-place' : 'none';
}

export function isIndented(line: string): boolean {
  return line.startsWith(' ') || line.startsWith('\t');
}

/** What begins a line that no record begins with. */
const CONTINUATION = new RegExp(
  `^(?:${[
    // Java
    'Caused by: ',
    'Suppressed: ',
    '\\.\\.\\. \\d+ (?:more|common frames)',
    '(?:[a-z_][\\w$]*\\.)+[A-Z][\\w$.]*(?:Exception|Error|Throwable)(?::|$)',
    // Python
    'Traceback \\(most recent call last\\)',
    'During handling of the above exception',
    'The above exception was the direct cause',
    // Go
    'goroutine \\d+ \\[',
    '\\[signal SIG',
    // Node.js: the end of a util.inspect dump, and of an uncaught exception
    '[}\\])]',
    'Node\\.js v\\d',
    // .NET, PHP
    '--- End of ',
    'Stack trace:',
    '#\\d+ [/{[]',
  ].join('|')})`,
);

const PYTHON_FRAME = /^ +File "/;
const PYTHON_EXCEPTION = /^[A-Za-z_][\w.]*(?::|$)/;
const GO_FRAME = /^(?:[^\s(]+\(.*\)$|created by |\.\.\.)/;
/** `/srv/app.js:10`, `node:internal/modules/cjs/loader:1143`, `file:///srv/app.mjs:3`, `C:\app.js:10`, `[eval]:1` */
const NODE_PLACE = /^(?:\/|node:|file:|[A-Z]:\\|\[eval\]).*:\d+$/;
const CARETS = /^\s*\^+\s*$/;
const NODE_FRAME = /^ {4}at /;
const NODE_VERSION = /^Node\.js v\d/;
