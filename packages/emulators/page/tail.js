// @ts-check
import { Matches } from './records.js';

/**
 * @typedef {object} Selection What the tree has selected: everything, a cloud, a group, or a stream.
 * @property {number} [cloud]
 * @property {string} [parent]
 * @property {string} [child]
 */

/** The records of the tail: those that pass the filter, up to the moment of a pause. */
export class Tail {
  matches = new Matches();
  /** @type {Selection} */
  selection = {};
  minLevel = 0;
  search = '';
  isPaused = false;
  #records;
  #places;
  /** The records up to here have been tried. */
  #tried = 0;
  /** @type {RegExp | undefined} */
  #pattern;

  /**
   * @param {import('./records.js').Records} records
   * @param {readonly import('./state.js').Place[]} places
   */
  constructor(records, places) {
    this.#records = records;
    this.#places = places;
  }

  /** Number of records that wait for the end of the pause. */
  get waiting() {
    return this.#records.count - this.#tried;
  }

  /** Tries the records that came since, unless paused. */
  advance() {
    this.matches.dropBefore(this.#records.oldest);
    if (!this.isPaused) this.#tryUntil(this.#records.count);
  }

  /** @param {Partial<Pick<Tail, 'selection' | 'minLevel' | 'search'>>} filter */
  filter(filter) {
    Object.assign(this, filter);
    // The same text in any case.
    const literal = this.search.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    this.#pattern = literal === '' ? undefined : new RegExp(literal, 'i');
    const tried = this.isPaused ? this.#tried : this.#records.count;
    this.matches.clear();
    this.#tried = this.#records.oldest;
    this.#tryUntil(tried);
  }

  /** @param {boolean} isPaused */
  pause(isPaused) {
    this.isPaused = isPaused;
    this.advance();
  }

  clear() {
    this.matches.clear();
    this.#tried = 0;
  }

  /** @param {number} end */
  #tryUntil(end) {
    for (let id = Math.max(this.#tried, this.#records.oldest); id < end; id++)
      if (this.#passes(id)) this.matches.push(id);
    this.#tried = Math.max(end, this.#tried);
  }

  /** @param {number} id */
  #passes(id) {
    const record = this.#records.get(id);
    if (!record || record.level < this.minLevel) return false;
    const { cloud, parent, child } = this.selection;
    const place = this.#places[record.place];
    if (cloud !== undefined && place?.cloud !== cloud) return false;
    if (parent !== undefined && place?.parent !== parent) return false;
    if (child !== undefined && place?.child !== child) return false;
    return this.#pattern === undefined || this.#pattern.test(textOf(record.content));
  }
}

/** @param {import('./records.js').Content} content */
function textOf(content) {
  if (typeof content === 'string') return content;
  return Object.entries(content)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}
