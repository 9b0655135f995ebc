/**
 * Parses the JSON of an object, and keeps all that it says. Never throws: `undefined` for any other text.
 *
 * - A number that JavaScript cannot hold as it is written (`9007199254740993`, `-0`, `1.0`, `1E400`) is its text, and so is a
 *   list or an object with such a number.
 * - Of several members with one name the last has the name, the others have `name_`, `name_2` and so on. Of the names in
 *   `firstNames` the first member has the name.
 */
export function parseObject(text: string, firstNames: readonly string[] = []): Record<string, unknown> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const parsed = JSON.parse(text) as Record<string, unknown>;
    return isKept(text, parsed) ? parsed : parseMembers(text, firstNames);
  } catch {
    return undefined;
  }
}

/** Whether `parsed`, by `JSON.parse`, has all that the JSON of an object says. */
export function isKept(json: string, parsed: object): boolean {
  const members = Object.keys(parsed).length;
  return isCompactAndKept(json, members) || countMembers(json) === members;
}

const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPENING_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const LOWER_E = 0x65;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** Numbers with so many digits are different in JavaScript. */
const MAX_SAFE_DIGITS = 15;

/** For strings up to this length a loop is faster than `indexOf`. */
const NEAR_CHARS = 64;

/**
 * Whether parsing keeps all of an object without spaces. It looks only at the names and at what follows them, which takes half
 * the time of reading it all. False for an object that it cannot read like that.
 */
function isCompactAndKept(json: string, members: number): boolean {
  // Between a name and its colon may be these. Only a space may be in a string as well.
  if (json.includes('\t') || json.includes('\n') || json.includes('\r') || json.includes('" ')) return false;
  let names = 0;
  for (let quote = json.indexOf('":'); quote >= 0; names++) {
    const start = quote + 2;
    const code = json.charCodeAt(start);
    // The quote may be inside of a string, or begin one with a colon.
    if (mayPrecedeString(json.charCodeAt(quote - 1)) || code <= SPACE) return false;
    if ((isDigit(code) || code === MINUS) && !isNumberKept(json, start)) return false;
    const isContainer = code === OPENING_BRACE || code === OPENING_BRACKET;
    const end = isContainer ? endOfContainer(json, start) : start;
    if (end < 0) return false;
    quote = json.indexOf('":', end);
  }
  return names === members;
}

/** Whether a quote after this character may be another than the end of a name. */
function mayPrecedeString(code: number): boolean {
  return code === BACKSLASH || code === COLON || code === COMMA || code === OPENING_BRACE || code === OPENING_BRACKET;
}

/** Counts the members of an object, in valid JSON. `NaN` if a number, nested ones too, changes when it is parsed and written. */
function countMembers(json: string): number {
  const tally = { members: 0 };
  return endOfContainer(json, json.search(NO_SPACE), tally) < 0 ? Number.NaN : tally.members;
}

const NO_SPACE = /\S/;

/**
 * The index after the list or object that begins at `start`; -1 if a number in it, nested ones too, changes when it is parsed and
 * written. Adds its members to the tally.
 */
function endOfContainer(json: string, start: number, tally?: { members: number }): number {
  let depth = 0;
  for (let index = start; index < json.length; index++) {
    const code = json.charCodeAt(index);
    if (code === QUOTE) index = endOfString(json, index);
    else if (code === COLON) {
      if (tally && depth === 1) tally.members++;
    } else if (code <= NINE) {
      if (code < ZERO && code !== MINUS) continue;
      if (!isNumberKept(json, index)) return -1;
      index = endOfNumber(json, index) - 1;
    } else if (code === OPENING_BRACE || code === OPENING_BRACKET) depth++;
    else if (code === CLOSING_BRACE || code === CLOSING_BRACKET) {
      depth--;
      if (depth === 0) return index + 1;
    }
  }
  return json.length;
}

/** Parses the members one by one, since one of them is not kept by `JSON.parse`. */
function parseMembers(json: string, firstNames: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(membersOf(json, firstNames).map(({ name, source }) => [name, parseValue(source)]));
}

/** A member of an object, as its JSON has it. */
export interface SourceMember {
  /** A name that no other member has. */
  readonly name: string;
  /** The name in the JSON. */
  readonly ownName: string;
  /** The JSON of the value. */
  readonly source: string;
}

/** The members of an object, in valid JSON; of several with one name, one has the name, and the others have names of their own. */
export function membersOf(json: string, firstNames: readonly string[]): SourceMember[] {
  const members = sourcesOf(json);
  const owners = new Map<string, number>();
  members.forEach(([name], index) => {
    if (!owners.has(name) || !firstNames.includes(name)) owners.set(name, index);
  });
  const taken = new Set(owners.keys());
  const repeated = new Map<string, number>();
  const rename = (name: string): string => {
    for (let count = (repeated.get(name) ?? 0) + 1; ; count++) {
      const other = count === 1 ? `${name}_` : `${name}_${count}`;
      repeated.set(name, count);
      if (taken.has(other)) continue;
      taken.add(other);
      return other;
    }
  };
  return members.map(([ownName, source], index) => {
    const name = owners.get(ownName) === index ? ownName : rename(ownName);
    return { name, ownName, source };
  });
}

/** Replaces the numbers, in valid JSON, that change when they are parsed and written. */
export function replaceInexactNumbers(json: string, replacementOf: (source: string) => string): string {
  let replaced = '';
  let from = 0;
  for (let index = 0; index < json.length; index++) {
    const code = json.charCodeAt(index);
    if (code === QUOTE) index = endOfString(json, index);
    else if (isDigit(code) || code === MINUS) {
      const end = endOfNumber(json, index);
      if (!isNumberKept(json, index)) {
        replaced += json.slice(from, index) + replacementOf(json.slice(index, end));
        from = end;
      }
      index = end - 1;
    }
  }
  return replaced + json.slice(from);
}

/** The value of a member; its text if `JSON.parse` does not keep it. */
function parseValue(source: string): unknown {
  return Number.isNaN(countMembers(source)) ? source : JSON.parse(source);
}

/** The names of an object's members, with the text of their values. */
function sourcesOf(json: string): [name: string, source: string][] {
  const members: [string, string][] = [];
  let depth = 0;
  let text = '';
  let name = '';
  let valueStart = 0;
  const add = (end: number): void => {
    if (valueStart > 0) members.push([JSON.parse(name), json.slice(valueStart, end).trim()]);
  };
  for (let index = 0; index < json.length; index++) {
    const code = json.charCodeAt(index);
    if (code === QUOTE) {
      const start = index;
      index = endOfString(json, index);
      if (depth === 1) text = json.slice(start, index + 1);
    } else if (code === COLON && depth === 1) {
      name = text;
      valueStart = index + 1;
    } else if (code === COMMA && depth === 1) add(index);
    else {
      depth += depthChange(code);
      if (depth === 0) add(index);
    }
  }
  return members;
}

/** The index of the quote that ends a string, which begins at `start`. */
function endOfString(json: string, start: number): number {
  const near = start + NEAR_CHARS;
  for (let index = start + 1; index < near; index++) {
    const code = json.charCodeAt(index);
    if (code === QUOTE) return index;
    if (code === BACKSLASH) index++;
  }
  let end = json.indexOf('"', near);
  while (json.charCodeAt(end - 1) === BACKSLASH && isEscaped(json, end)) end = json.indexOf('"', end + 1);
  return end;
}

/** Whether an odd number of backslashes is before the character. */
function isEscaped(json: string, index: number): boolean {
  let first = index;
  while (json.charCodeAt(first - 1) === BACKSLASH) first--;
  return (index - first) % 2 === 1;
}

/** Whether JavaScript writes the number that begins at `start` as the JSON has it. */
function isNumberKept(json: string, start: number): boolean {
  let end = endOfDigits(json, start);
  const isFraction = json.charCodeAt(start) !== ZERO && json.charCodeAt(end) === POINT;
  if (isFraction) end = endOfDigits(json, end + 1);
  const isSimple = isDigit(json.charCodeAt(start)) && !isInNumber(json.charCodeAt(end));
  if (isSimple && end - start <= MAX_SAFE_DIGITS && !(isFraction && json.charCodeAt(end - 1) === ZERO)) return true;
  const source = json.slice(start, endOfNumber(json, start));
  return String(Number(source)) === source;
}

function endOfDigits(json: string, start: number): number {
  let end = start;
  while (isDigit(json.charCodeAt(end))) end++;
  return end;
}

/** The index after a number, which begins at `start`. */
function endOfNumber(json: string, start: number): number {
  let end = start + 1;
  while (isInNumber(json.charCodeAt(end))) end++;
  return end;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/** Whether a character is a digit, or one of `+-.eE`. */
function isInNumber(code: number): boolean {
  return isDigit(code) || code === POINT || code === MINUS || code === PLUS || (code | 0x20) === LOWER_E;
}

/** 1 for a bracket that opens, -1 for one that closes. */
function depthChange(code: number): number {
  if (code === OPENING_BRACE || code === OPENING_BRACKET) return 1;
  return code === CLOSING_BRACE || code === CLOSING_BRACKET ? -1 : 0;
}
