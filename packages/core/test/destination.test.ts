import { expect, it } from 'vitest';
import {
  createShipper,
  DeliveryError,
  type Destination,
  type Encoding,
  enclosePayloads,
  type LogRecord,
} from '../src/index.js';
import {
  accepted,
  encodeText,
  RecordingDestination,
  record,
  TogetherDestination,
} from './support/recording-destination.js';
import { start } from './support/start.js';

const limits = { maxEvents: 10, maxBytes: 10_000 };
const encode = ({ time }: { readonly time: number }): Encoding => ({ route: 'r', time, payload: 'x', bytes: 1 });
const send = async (): Promise<typeof accepted> => accepted;
const whole = { name: 'mine', reads: 'text', limits, encode, send };

it.each([
  ['destination', undefined, 'a Destination, got undefined'],
  ['destination', {}, 'a Destination, got an object'],
  ['destination.name', { ...whole, name: undefined }, 'a string, got undefined'],
  ['destination.reads', { ...whole, reads: undefined }, '"text" or "fields" or "both", got undefined'],
  ['destination.reads', { ...whole, reads: 'txt' }, '"text" or "fields" or "both", got "txt"'],
  ['destination.encode', { ...whole, encode: undefined }, 'a function, got undefined'],
  ['destination.send', { ...whole, send: undefined }, 'a function, got undefined'],
  ['destination.close', { ...whole, close: 1 }, 'a function, got 1'],
  ['destination.describe', { ...whole, describe: 'here' }, 'a function, got "here"'],
  ['destination.recipe', { ...whole, recipe: {} }, 'a function, got an object'],
  [
    'destination.limits.maxSpanMs',
    { ...whole, limits: { ...limits, maxSpanMs: 'x' } },
    'a number of at least 1, got "x"',
  ],
  ['destination.limits', { ...whole, limits: undefined }, 'an object, got undefined'],
  ['destination.limits.maxEvents', { ...whole, limits: { maxBytes: 1 } }, 'a number of at least 1, got undefined'],
  ['destination.limits.maxBytes', { ...whole, limits: { maxEvents: 1, maxBytes: 0 } }, 'a number of at least 1, got 0'],
  [
    'destination.limits.maxBytes',
    { ...whole, limits: { ...limits, maxBytes: Number.POSITIVE_INFINITY } },
    'a finite number, got Infinity',
  ],
  ['destination.limits.baseBytes', { ...whole, limits: { ...limits, baseBytes: 5 } }, 'a function, got 5'],
  ['destination.separator', { ...whole, separator: ';' }, '"," or "\\n" or "", got ";"'],
])('refuses at construction a destination without a proper %s', (option, destination, expected) => {
  const make = (): unknown => createShipper(destination as Destination);
  expect(make).toThrow(`[logferry] ${option}: expected ${expected}`);
  expect(make).toThrow(expect.objectContaining({ option, code: 'CONFIG' }));
});

it('needs no baseBytes', async () => {
  const shipper = createShipper(whole as Destination);
  shipper.accept(record('x'));
  expect(await shipper.close()).toMatchObject({ delivered: 1 });
});

it.each(['text', 'fields', 'both'] as const)(
  'passes to encode only the %s that the destination reads',
  async (reads) => {
    const read: object[] = [];
    const destination = {
      ...whole,
      reads,
      encode(given: LogRecord) {
        read.push(given);
        return encode(given);
      },
    } as Destination;
    const shipper = createShipper(destination);
    const getters = { text: 0, fields: 0 };
    shipper.accept({
      time: 5,
      level: 'warn',
      urgent: true,
      get text() {
        getters.text++;
        return 'a line';
      },
      get fields() {
        getters.fields++;
        return { a: 1 };
      },
    });
    await shipper.close();
    const content = {
      text: { text: 'a line' },
      fields: { fields: { a: 1 } },
      both: { text: 'a line', fields: { a: 1 } },
    };
    expect(read).toEqual([{ time: 5, level: 'warn', urgent: true, ...content[reads] }]);
    expect(getters).toEqual({ text: reads === 'fields' ? 0 : 1, fields: reads === 'text' ? 0 : 1 });
  },
);

it('passes the text and no fields to encodeAll, and to encode after it', async () => {
  const destination = new TogetherDestination();
  const read: object[] = [];
  destination.encodeAll = (records) => {
    read.push(...records);
    throw new Error('for the test');
  };
  destination.encode = (given) => {
    read.push(given);
    return encodeText(given, given.text);
  };
  const { shipper } = start({}, { destination });
  shipper.accept({ ...record('a'), fields: { secret: 1 } });
  await shipper.flush();
  expect(read).toHaveLength(2);
  for (const each of read) expect(Object.keys(each)).toEqual(['time', 'level', 'urgent', 'text']);
});

it.each([
  [',', 'a,b,c'],
  ['\n', 'a\nb\nc'],
  ['', 'abc'],
  [undefined, 'a,b,c'],
] as const)('joins payloads with the separator %j, also on a retry with another prefix', async (separator, joined) => {
  const bodies: string[] = [];
  const destination = Object.assign(new RecordingDestination(), { separator });
  destination.send = async (batch) => {
    bodies.push(Buffer.from(enclosePayloads(batch, '<', '>')).toString());
    bodies.push(Buffer.from(enclosePayloads(batch, '{', '}')).toString());
    bodies.push(
      Buffer.from(enclosePayloads({ ...batch, events: batch.events, separator: batch.separator }, '', '')).toString(),
    );
    return accepted;
  };
  const { shipper } = start({}, { destination });
  for (const text of ['a', 'b', 'c']) shipper.accept(record(text));
  await shipper.flush();
  expect(bodies).toEqual([`<${joined}>`, `{${joined}}`, joined]);
});

it('keeps newline-delimited payloads apart when batches are halved and events are evicted', async () => {
  const destination = Object.assign(new RecordingDestination(), { separator: '\n' as const });
  const bodies: string[] = [];
  destination.respond = (batch) => {
    if (batch.events.some(({ payload }) => payload === 'bad')) throw new DeliveryError('INVALID', 'for the test');
    bodies.push(Buffer.from(enclosePayloads(batch, '', '\n')).toString());
    return accepted;
  };
  // Room for four records of 1,000 bytes and their batch.
  const { shipper } = start({ maxBufferBytes: (4 * 1040 + 1536) / 0.8, overflow: 'drop-oldest' }, { destination });
  for (const letter of 'ab') shipper.accept(record(letter.repeat(1000)));
  shipper.accept(record('bad'));
  for (const letter of 'cde') shipper.accept(record(letter.repeat(1000)));
  await shipper.flush();
  const lines = bodies.join('').split('\n').sort();
  expect(lines).toEqual(['', ...[...'cde'].map((letter) => letter.repeat(1000))]);
});
