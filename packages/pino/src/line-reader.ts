import { constants } from 'node:buffer';
import { StringDecoder } from 'node:string_decoder';

interface LineEvents {
  /** A line, without its end. */
  onLine(line: string): void;
  /** The beginning of a line that is too long. The rest is not kept. */
  onTooLong(head: string): void;
}

/** Puts chunks of a log together to lines, without their ends. Empty lines are left out. */
export class LineReader {
  readonly #events: LineEvents;
  readonly #maxChars: number;
  /** A character may be in two chunks. */
  readonly #decoder = new StringDecoder('utf8');
  /** The beginning of a line whose end has not come. */
  #open = '';
  /** The line that began is too long: its rest is thrown away. */
  #isDiscarding = false;

  constructor(maxChars: number, events: LineEvents) {
    this.#maxChars = Math.min(maxChars, constants.MAX_STRING_LENGTH);
    this.#events = events;
  }

  read(chunk: string | Uint8Array): void {
    const text = typeof chunk === 'string' ? chunk : this.#decoder.write(chunk);
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      this.#append(text, start, end);
      this.#endLine();
      start = end + 1;
    }
    this.#append(text, start, text.length);
  }

  /** Nothing more comes: a line without its end is a line. */
  end(): void {
    const rest = this.#decoder.end();
    this.#append(rest, 0, rest.length);
    this.#endLine();
  }

  #append(text: string, start: number, end: number): void {
    if (this.#isDiscarding || start === end) return;
    if (this.#open.length + end - start <= this.#maxChars) {
      this.#open += text.slice(start, end);
      return;
    }
    this.#isDiscarding = true;
    const head = (this.#open + text.slice(start, start + HEAD_CHARS)).slice(0, HEAD_CHARS);
    this.#open = '';
    this.#events.onTooLong(head);
  }

  #endLine(): void {
    const line = this.#open;
    const isWhole = !this.#isDiscarding;
    this.#open = '';
    this.#isDiscarding = false;
    if (isWhole && line !== '') this.#events.onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
  }
}

/** pino writes level and time first. */
const HEAD_CHARS = 1000;
