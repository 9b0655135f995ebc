import { isIndented, StackTraces } from './stack-traces.js';

/**
 * Which lines are joined to the record before them:
 *
 * - `auto`: indented lines and the lines of stack traces
 * - `indent`: lines that begin with a space or a tab
 * - `off`: none
 * - a regular expression: lines that it does not match. A line that it matches begins a record.
 *
 * No line is joined to a line of JSON, which is always a record of its own.
 */
export type MultilineRule = 'auto' | 'indent' | 'off' | RegExp;

/** Joins lines to records. The last one is held, since lines that belong to it may follow. */
export class LineJoiner {
  readonly #continuation: Continuation | undefined;
  readonly #onRecord: (text: string, endOffset: number, readAt: number) => void;
  #text = '';
  /** None: no record is held. */
  #lines = 0;
  #endOffset = 0;
  #readAt = 0;
  /** Blank lines behind the held record: they are a part of it if it goes on. */
  #blanks = '';
  #blankLines = 0;

  /** `onRecord` gets the end of the record's last line, and the time of reading of its first. */
  constructor(rule: MultilineRule, onRecord: (text: string, endOffset: number, readAt: number) => void) {
    this.#continuation = continuationOf(rule);
    this.#onRecord = onRecord;
  }

  get hasHeld(): boolean {
    return this.#lines > 0;
  }

  /** @param readAt epoch milliseconds */
  add(line: string, endOffset: number, readAt: number): void {
    if (isBlank(line)) {
      this.#addBlank(line);
    } else if (!this.#continuation || isJsonLine(line)) {
      this.release();
      this.#onRecord(line, endOffset, readAt);
    } else {
      const continues = this.#lines > 0 && this.#continuation.continues(line);
      if (continues && this.#hasRoom(line)) {
        this.#join(line, endOffset);
        return;
      }
      this.release();
      // The rest of a record that is too large goes on where it was, such as in a stack trace.
      if (!continues) this.#continuation.begin(line);
      this.#hold(line, endOffset, readAt);
    }
  }

  /** The held record is whole: nothing more is joined to it. */
  release(): void {
    if (this.#lines === 0) return;
    const text = this.#text;
    this.#text = '';
    this.#lines = 0;
    this.#forgetBlanks();
    this.#onRecord(text, this.#endOffset, this.#readAt);
  }

  #hold(line: string, endOffset: number, readAt: number): void {
    this.#text = line;
    this.#lines = 1;
    this.#endOffset = endOffset;
    this.#readAt = readAt;
  }

  #join(line: string, endOffset: number): void {
    this.#text += `${this.#blanks}\n${line}`;
    this.#lines += this.#blankLines + 1;
    this.#endOffset = endOffset;
    this.#forgetBlanks();
  }

  #addBlank(line: string): void {
    if (this.#lines === 0) return;
    if (!this.#hasRoom(line)) {
      this.release();
      return;
    }
    this.#blanks += `\n${line}`;
    this.#blankLines++;
  }

  #hasRoom(line: string): boolean {
    if (this.#lines + this.#blankLines >= MAX_RECORD_LINES) return false;
    return this.#text.length + this.#blanks.length + line.length < MAX_RECORD_CHARS;
  }

  #forgetBlanks(): void {
    this.#blanks = '';
    this.#blankLines = 0;
  }
}

/** A larger record ends, and its next line begins another. */
const MAX_RECORD_LINES = 1000;
const MAX_RECORD_CHARS = 256 * 1024;

interface Continuation {
  begin(line: string): void;
  /** Whether a line belongs to the record that began. */
  continues(line: string): boolean;
}

function continuationOf(rule: MultilineRule): Continuation | undefined {
  switch (rule) {
    case 'off':
      return undefined;
    case 'auto':
      return new StackTraces();
    case 'indent':
      return { begin: () => {}, continues: isIndented };
    default:
      return { begin: () => {}, continues: (line) => !rule.test(line) };
  }
}

function isBlank(line: string): boolean {
  return line.charCodeAt(0) > SPACE ? false : line.trim() === '';
}

const SPACE = 0x20;

const JSON_BEGINNING = /^\{\s*["}]/;

/** Not certainly JSON, but no line that goes on. */
function isJsonLine(line: string): boolean {
  return line.startsWith('{') && line.endsWith('}') && JSON_BEGINNING.test(line);
}
