import type { Destination } from '../contract/destination.js';
import type { LogRecord } from '../contract/record.js';
import type { ResolvedShaping, ShippedRecord } from '../options/shaping-options.js';
import { runDecision } from '../process/feedback.js';
import { exactJson, parseMarked, reviveNumbers, unmark } from '../tools/exact-json.js';
import { isThenable } from '../tools/is-thenable.js';
import { parseObject } from '../tools/parse-object.js';

/** Why a record is left out, which is no loss. */
export type LeftOut = 'sampled' | 'filtered';

const UNREADABLE = 'the fields of the record cannot be read';
const NO_JSON = 'the line begins like the JSON of an object, and is none: its fields cannot be redacted';

/** The frameworks write theirs first: later members with these names are the application's. */
const FIRST_NAMES = ['level', 'time'];

/** Does what the options want with a record before it is encoded: `sample`, then `transform`, then `redact`, which has the last word. */
export class Shaper {
  readonly #shaping: ResolvedShaping;
  readonly #reads: Destination['reads'];
  readonly #random: () => number;

  /** `random`: from 0 up to, but not including, 1. */
  constructor(shaping: ResolvedShaping, reads: Destination['reads'], random: () => number) {
    this.#shaping = shaping;
    this.#reads = reads;
    this.#random = random;
  }

  /** The record that ships. Throws if there is none: for what the record's getters or the function throw, and if nothing can be redacted. */
  shape(record: LogRecord): LogRecord | LeftOut {
    const { sample, transform, redact } = this.#shaping;
    const { level } = record;
    const part = sample.get(level) ?? 1;
    if (part < 1 && this.#random() >= part) return 'sampled';
    if (!transform && !redact) return record;
    const { time, urgent } = record;
    const content = this.#contentOf(record);
    if (!transform) {
      // The line may lack a field by which the record is routed.
      const hasOthers = this.#reads === 'both' && content.text === undefined && record.fieldsJson !== record.text;
      const others = hasOthers ? (): LogRecord['fields'] => this.#redactedFieldsOf(record) : undefined;
      return new ShapedRecord({ time, level, urgent }, this.#write(content), others);
    }
    const text = redact ? undefined : content.text;
    const made = this.#transform({ time, level, text, fields: reviveNumbers(content.members) as Content['members'] });
    if (!made) return 'filtered';
    const changed = { time: made.time, level: made.level, urgent };
    return new ShapedRecord(changed, this.#write({ text: made.text, members: membersOf(exactJson(made.fields)) }));
  }

  /** Of a line of JSON the members of the line, which ship, and no text. */
  #contentOf(record: LogRecord): Content {
    const text = this.#reads === 'fields' ? undefined : record.text;
    const line = text === undefined ? undefined : this.#parse(text);
    return line ? { text: undefined, members: line } : { text, members: this.#fieldsOf(record) };
  }

  #fieldsOf(record: LogRecord): Content['members'] {
    const { fieldsJson } = record;
    const parsed = fieldsJson && this.#parse(fieldsJson);
    // The adapter took it for plain text, which has no field of that name.
    if (fieldsJson && !parsed && this.#shaping.redact) throw new TypeError(NO_JSON);
    const members = parsed || this.#parse(exactJson(record.fields));
    if (!members) throw new TypeError(UNREADABLE);
    return members;
  }

  #redactedFieldsOf(record: LogRecord): LogRecord['fields'] {
    const { fieldsJson } = this.#write({ text: undefined, members: this.#fieldsOf(record) });
    return fieldsOf(fieldsJson);
  }

  /** The members of an object in JSON. Those that share a name are redacted by it before each gets a name of its own. */
  #parse(json: string): Content['members'] | undefined {
    if (typeof json !== 'string') throw new TypeError('the text of a record must be a string');
    const parsed = parseMarked(json, FIRST_NAMES);
    if (!parsed) return undefined;
    const { redact } = this.#shaping;
    for (const { freeName, member } of parsed.repeated) {
      const redacted = redact ? JSON.parse(redact(member)) : member;
      // The name may be `__proto__`.
      for (const value of Object.values(redacted))
        Object.defineProperty(parsed.members, freeName, {
          value,
          enumerable: true,
          configurable: true,
          writable: true,
        });
    }
    return parsed.members;
  }

  /** Calls the function. `undefined` if it leaves the record out. */
  #transform(record: ShippedRecord): ShippedRecord | undefined {
    const made: unknown = runDecision(() => this.#shaping.transform?.(record));
    if (made === null) return undefined;
    if (isThenable(made)) {
      made.then(undefined, () => {});
      throw new TypeError('transform() must be synchronous');
    }
    const { time, level, text, fields } = Object(made) as Partial<ShippedRecord>;
    const isText = text === undefined || typeof text === 'string';
    if (typeof time !== 'number' || typeof level !== 'string' || !isText || Object(fields) !== fields)
      throw new TypeError('transform() must return a record with time, level and fields, or null');
    return { time, level, text, fields: fields as ShippedRecord['fields'] };
  }

  /** Writes the line, and the JSON of the fields; of a redacted record both are the same. */
  #write({ text, members }: Content): Written {
    const { redact } = this.#shaping;
    if (!redact) {
      const json = unmark(JSON.stringify(members));
      return { text: text === undefined ? json : unmark(text), fieldsJson: json };
    }
    const line = text === undefined ? undefined : this.#parse(text);
    if (text !== undefined && !line && Object.keys(members).length === 0)
      throw new TypeError('the line is not the JSON of an object, and the record has no fields that could be redacted');
    const json = unmark(redact(line ?? members));
    return { text: json, fieldsJson: json };
  }
}

/** What ships of a record. Its members are plain data of our own. */
interface Content {
  /** A line that is not the JSON of an object. */
  readonly text: string | undefined;
  readonly members: Record<string, unknown>;
}

interface Written {
  readonly text: string;
  readonly fieldsJson: string;
}

class ShapedRecord implements LogRecord {
  readonly time: number;
  readonly level: string;
  readonly urgent: boolean;
  readonly text: string;
  readonly fieldsJson: string;
  readonly #otherFields: (() => LogRecord['fields']) | undefined;

  /** `otherFields` are those that the line may lack. */
  constructor(
    { time, level, urgent }: Pick<LogRecord, 'time' | 'level' | 'urgent'>,
    { text, fieldsJson }: Written,
    otherFields?: () => LogRecord['fields'],
  ) {
    this.time = time;
    this.level = level;
    this.urgent = urgent;
    this.text = text;
    this.fieldsJson = fieldsJson;
    this.#otherFields = otherFields;
  }

  get fields(): LogRecord['fields'] {
    return { ...this.#otherFields?.(), ...fieldsOf(this.fieldsJson) };
  }
}

function membersOf(json: string): Content['members'] {
  const parsed = parseMarked(json, []);
  if (!parsed) throw new TypeError(UNREADABLE);
  return parsed.members;
}

function fieldsOf(json: string): LogRecord['fields'] {
  const fields = parseObject(json);
  if (!fields) throw new TypeError(UNREADABLE);
  return fields;
}
