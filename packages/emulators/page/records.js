// @ts-check

/**
 * @typedef {string | Readonly<Record<string, string>>} Content A message, or fields.
 * @typedef {[parent: string, child: string, time: number, arrivalTime: number, requestId: string, content: Content,
 *   shared?: Readonly<Record<string, unknown>>]} SentRecord As the server sends it.
 * @typedef {object} LogRecord
 * @property {number} id
 * @property {number} place
 * @property {number} level
 * @property {number} time
 * @property {number} arrivalTime
 * @property {string} requestId
 * @property {Content} content
 * @property {Readonly<Record<string, unknown>> | undefined} shared
 */

const CAPACITY = 200_000;
/** Of all kept records: large ones are fewer. */
const MAX_CHARACTERS = 200_000_000;

/** The last records. Numbers are kept in typed arrays, which take a fifth of the memory of objects. Each record has an id: 0, 1, 2, … */
export class Records {
  count = 0;
  /** The id of the oldest kept record. */
  oldest = 0;
  #characters = 0;
  #places = new Uint32Array(CAPACITY);
  #levels = new Uint8Array(CAPACITY);
  #times = new Float64Array(CAPACITY);
  #arrivalTimes = new Float64Array(CAPACITY);
  /** @type {string[]} */
  #requestIds = [];
  /** @type {Content[]} */
  #contents = [];
  /** @type {(Readonly<Record<string, unknown>> | undefined)[]} */
  #shared = [];

  /**
   * @param {SentRecord} record
   * @param {number} place
   * @param {number} level
   */
  add([, , time, arrivalTime, requestId, content, shared], place, level) {
    this.#characters += lengthOf(content);
    while (this.count - this.oldest >= CAPACITY || (this.#characters > MAX_CHARACTERS && this.oldest < this.count))
      this.#dropOldest();
    const slot = this.count++ % CAPACITY;
    this.#places[slot] = place;
    this.#levels[slot] = level;
    this.#times[slot] = time;
    this.#arrivalTimes[slot] = arrivalTime;
    this.#requestIds[slot] = requestId;
    this.#contents[slot] = content;
    this.#shared[slot] = shared;
  }

  /**
   * @param {number} id
   * @returns {LogRecord | undefined} undefined if the record is no longer kept
   */
  get(id) {
    if (id < this.oldest || id >= this.count) return undefined;
    const slot = id % CAPACITY;
    return {
      id,
      place: this.#places[slot] ?? 0,
      level: this.#levels[slot] ?? 0,
      time: this.#times[slot] ?? 0,
      arrivalTime: this.#arrivalTimes[slot] ?? 0,
      requestId: this.#requestIds[slot] ?? '',
      content: this.#contents[slot] ?? '',
      shared: this.#shared[slot],
    };
  }

  #dropOldest() {
    const slot = this.oldest++ % CAPACITY;
    this.#characters -= lengthOf(this.#contents[slot] ?? '');
    this.#contents[slot] = '';
    this.#shared[slot] = undefined;
  }

  clear() {
    this.count = 0;
    this.oldest = 0;
    this.#characters = 0;
    this.#contents = [];
    this.#requestIds = [];
    this.#shared = [];
  }
}

/** The ids of the records that pass a filter, in a ring of the same capacity. */
export class Matches {
  #ids = new Uint32Array(CAPACITY);
  #first = 0;
  length = 0;

  /** @param {number} id */
  push(id) {
    this.#ids[(this.#first + this.length) % CAPACITY] = id;
    this.length++;
  }

  /**
   * @param {number} index
   * @returns {number} -1 outside of the list
   */
  at(index) {
    if (index < 0 || index >= this.length) return -1;
    return this.#ids[(this.#first + index) % CAPACITY] ?? -1;
  }

  /**
   * Removes the ids before this one.
   *
   * @param {number} id
   */
  dropBefore(id) {
    while (this.length > 0 && this.at(0) < id) {
      this.#first = (this.#first + 1) % CAPACITY;
      this.length--;
    }
  }

  clear() {
    this.length = 0;
  }

  /**
   * The index of an id, or of the next one after it.
   *
   * @param {number} id
   */
  indexOf(id) {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.at(middle) < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Number of characters.
 *
 * @param {Content} content
 */
export function lengthOf(content) {
  if (typeof content === 'string') return content.length;
  let length = 0;
  for (const key in content) length += key.length + (content[key]?.length ?? 0);
  return length;
}
