import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertBalanced, type Encoding, type FieldsRecord, type LogRecord, type ShippedRecord } from '../src/index.js';
import { RecordingDestination, record, TogetherDestination } from './support/recording-destination.js';
import { start } from './support/start.js';

/** A record with a line of JSON. */
function line(fields: object, level = 'info'): LogRecord {
  return { ...record(JSON.stringify(fields), { level }), fields: fields as Record<string, unknown> };
}

/** A destination whose payloads are the JSON of the fields that it gets. */
function fieldsDestination(): RecordingDestination {
  const encode = ({ level, time, fields }: FieldsRecord): Encoding => {
    const payload = JSON.stringify(fields);
    return { route: level, time, payload, bytes: payload.length };
  };
  return Object.assign(new RecordingDestination(), { reads: 'fields' as never, encode: encode as never });
}

async function shipped(
  options: Parameters<typeof start>[0],
  records: readonly LogRecord[],
  destination?: RecordingDestination,
) {
  const started = start(options, destination && { destination });
  for (const each of records) started.shipper.accept(each);
  await started.shipper.flush();
  assertBalanced(started.shipper.stats());
  return { ...started, texts: started.destination.texts, stats: started.shipper.stats() };
}

describe('redact', () => {
  it.each<[paths: string[], before: object, after: object]>([
    [['password'], { password: 'x', user: 'u' }, { password: '[Redacted]', user: 'u' }],
    [
      ['req.headers.authorization'],
      { req: { headers: { authorization: 'x', host: 'h' } } },
      { req: { headers: { authorization: '[Redacted]', host: 'h' } } },
    ],
    [
      ['*.token'],
      { a: { token: 1, n: 1 }, b: { token: { deep: true } }, token: 'stays' },
      { a: { token: '[Redacted]', n: 1 }, b: { token: '[Redacted]' }, token: 'stays' },
    ],
    [
      ['items[*].key'],
      {
        items: [
          { key: 1, id: 1 },
          { key: 2, id: 2 },
        ],
      },
      {
        items: [
          { key: '[Redacted]', id: 1 },
          { key: '[Redacted]', id: 2 },
        ],
      },
    ],
    [['["a-b"].c'], { 'a-b': { c: 1 } }, { 'a-b': { c: '[Redacted]' } }],
    [
      ['a.b', '*.c', 'a.*.d'],
      { a: { b: 1, c: 2, e: { d: 3 } } },
      { a: { b: '[Redacted]', c: '[Redacted]', e: { d: '[Redacted]' } } },
    ],
    [
      ['x-a.b c', "['d.e']", 'f[0]', '$g', 'h["$"]', 'i[j]'],
      { 'x-a': { 'b c': 1 }, 'd.e': 1, f: [1, 2], $g: 1, h: { $: 1 }, i: { j: 1 } },
      {
        'x-a': { 'b c': '[Redacted]' },
        'd.e': '[Redacted]',
        f: ['[Redacted]', 2],
        $g: '[Redacted]',
        h: { $: '[Redacted]' },
        i: { j: '[Redacted]' },
      },
    ],
    [['absent.path'], { a: 1 }, { a: 1 }],
  ])('replaces the values at %j in a line of JSON, and in fields', async (redact, before, after) => {
    expect((await shipped({ redact }, [line(before)])).texts).toEqual([JSON.stringify(after)]);
    expect((await shipped({ redact }, [line(before)], fieldsDestination())).texts).toEqual([JSON.stringify(after)]);
  });

  it('leaves a destination that reads both the fields that the line lacks, redacted', async () => {
    const seen: unknown[] = [];
    const encode = ({ level, time, text, fields }: LogRecord): Encoding => {
      seen.push(fields);
      return { route: level, time, payload: text, bytes: text.length };
    };
    const destination = Object.assign(new RecordingDestination(), { reads: 'both' as never, encode: encode as never });
    const each = { ...record('{"m":"x","own":1}'), fields: { tenant: 'acme', password: 'S3CRET', own: 2 } };
    const { texts } = await shipped({ redact: ['password'] }, [each], destination);
    expect(texts).toEqual(['{"m":"x","own":1}']);
    expect(seen).toEqual([{ tenant: 'acme', password: '[Redacted]', m: 'x', own: 1 }]);
  });

  it('keeps a further member whose free name is __proto__', async () => {
    const text = '{"__proto_":{"x":1},"b":1,"__proto_":2}';
    const transform = (each: ShippedRecord): ShippedRecord => each;
    const { texts } = await shipped({ transform }, [record(text)]);
    expect(texts).toEqual(['{"b":1,"__proto_":2,"__proto__":{"x":1}}']);
  });

  it('takes another censor, and leaves members out with remove', async () => {
    const fields = { password: 'x', user: 'u' };
    expect((await shipped({ redact: { paths: ['password'], censor: '***' } }, [line(fields)])).texts).toEqual([
      '{"password":"***","user":"u"}',
    ]);
    expect((await shipped({ redact: { paths: ['password'], remove: true } }, [line(fields)])).texts).toEqual([
      '{"user":"u"}',
    ]);
  });

  it('keeps each digit of a line, and redacts beside numbers that JavaScript cannot hold', async () => {
    const text =
      '{"id":9007199254740993,"price":1.0,"big":1E400,"req":{"id":-0,"n":[12345678901234567890],"secret":"x"}}';
    const { texts } = await shipped({ redact: ['req.secret'] }, [record(text)]);
    expect(texts).toEqual([text.replace('"x"', '"[Redacted]"')]);
    const wildcards = await shipped({ redact: ['*.secret', 'id.x'] }, [record(text)]);
    expect(wildcards.texts).toEqual(texts);
  });

  it('redacts each of several members with one name', async () => {
    const text =
      '{"level":30,"password":"first","req":{"token":"a"},"password":"second","req":{"token":"b"},"level":"mine"}';
    const { texts } = await shipped({ redact: ['password', 'req.token'] }, [record(text)]);
    expect(JSON.parse(texts[0] as string)).toEqual({
      level: 30,
      password: '[Redacted]',
      req: { token: '[Redacted]' },
      password_: '[Redacted]',
      req_: { token: '[Redacted]' },
      level_: 'mine',
    });
    const removed = await shipped({ redact: { paths: ['password'], remove: true } }, [record(text)]);
    expect(removed.texts[0]).not.toMatch(/first|second|password/);
  });

  it('ships the JSON of the redacted fields in place of a line that is not the JSON of an object', async () => {
    const fields = { password: 'secret', user: 'u' };
    for (const text of ['user u, password secret', '["secret"]', '{"password":"secret"', '"secret"']) {
      const { texts } = await shipped({ redact: ['password'] }, [{ ...record(text), fields }]);
      expect(texts).toEqual(['{"password":"[Redacted]","user":"u"}']);
    }
  });

  it('drops a line that begins like the JSON of an object, and is none', async () => {
    for (const text of ['{"password":"SECRET","x', '{"password":"SECRET"}\n{"password":"SECRET"}']) {
      const each = { ...record(text), fields: { msg: text }, fieldsJson: text };
      for (const destination of [new RecordingDestination(), fieldsDestination()]) {
        const { texts, stats } = await shipped({ redact: ['password'] }, [each], destination);
        expect(texts).toEqual([]);
        expect(stats.dropped.unencodable).toBe(1);
      }
    }
  });

  it('drops a record that cannot be redacted, and says so', async () => {
    const unreadable = Object.defineProperty(record('secret'), 'fields', {
      get() {
        throw new Error('a getter');
      },
    });
    const { texts, drops, stats } = await shipped({ redact: ['password'] }, [
      record('secret'),
      unreadable,
      line({ a: 1 }),
    ]);
    expect(texts).toEqual(['{"a":1}']);
    expect(stats.dropped.unencodable).toBe(2);
    expect(drops).toMatchObject([
      { reason: 'unencodable', records: 2, cause: { message: expect.stringContaining('no fields') } },
    ]);
    expect(JSON.stringify(drops)).not.toContain('secret');
  });

  it('reaches into errors, maps and sets of fields, and changes none of them', async () => {
    const error = Object.assign(new Error('boom'), { token: 'secret' });
    const fields = {
      error,
      map: new Map<string, unknown>([['token', 'secret']]),
      set: new Set([{ token: 'secret' }]),
      big: 9007199254740993n,
      when: new Date(0),
      get broken(): never {
        throw new Error('a getter');
      },
    };
    const redact = ['*.token', '*[*].token'];
    for (const destination of [new RecordingDestination(), fieldsDestination()]) {
      const { texts } = await shipped({ redact }, [{ ...record('no JSON'), fields: frozen(fields) }], destination);
      expect(texts[0]).not.toContain('secret');
      const made = JSON.parse(texts[0] as string);
      expect(made.error).toMatchObject({ message: 'boom', token: '[Redacted]' });
      expect(made).toMatchObject({
        map: { token: '[Redacted]' },
        set: [{ token: '[Redacted]' }],
        when: '1970-01-01T00:00:00.000Z',
        broken: '[Unreadable]',
      });
      expect(texts[0]).toMatch(/"big":"?9007199254740993/);
    }
    expect(error.token).toBe('secret');
    expect(fields.map.get('token')).toBe('secret');
  });

  it('never ships a secret, whatever the record looks like', async () => {
    const secret = 'S3CRET';
    const place = fc.constantFrom('password', 'token', 'key');
    const hidden = fc.record({ password: fc.constant(secret) });
    const anything = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.jsonValue(),
        hidden,
        fc.dictionary(place, tie('value'), { noNullPrototype: true }),
        fc.array(tie('value')),
      ),
    })).value;
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), anything), fc.boolean(), async (fields, isLine) => {
        // A level deeper than the paths reach is the application's own business.
        const reach = {
          a: { password: secret },
          list: [{ password: secret }],
          password: secret,
          rest: Object.keys(fields).length,
        };
        const all = { ...fields, ...reach };
        const each = isLine ? line(all) : { ...record('plain'), fields: all };
        const { texts } = await shipped({ redact: ['password', '*.password', 'list[*].password'] }, [each]);
        const made = JSON.parse(texts[0] as string);
        expect([made.password, made.a, made.list]).toEqual([
          '[Redacted]',
          { password: '[Redacted]' },
          [{ password: '[Redacted]' }],
        ]);
        expect(Object.keys(made).sort()).toEqual(
          Object.keys(all)
            .filter((name) => name !== '__proto__')
            .sort(),
        );
      }),
      { numRuns: 200 },
    );
  });
});

describe('transform', () => {
  it('changes what ships, and not what was logged', async () => {
    const fields = { user: 'u', nested: { n: 1 } };
    const transform = (each: ShippedRecord): ShippedRecord => {
      (each.fields.nested as { n: number }).n++;
      each.fields.added = new Map([['k', [1n]]]);
      return { ...each, level: 'debug', time: 42 };
    };
    const { destination } = await shipped({ transform }, [line(fields)]);
    expect(destination.stored).toMatchObject([{ route: 'debug', time: 42 }]);
    expect(destination.texts).toEqual(['{"user":"u","nested":{"n":2},"added":{"k":[1]}}']);
    expect(fields).toEqual({ user: 'u', nested: { n: 1 } });
    expect((await shipped({ transform }, [line(fields)], fieldsDestination())).texts).toEqual(destination.texts);
  });

  it('sees a line that is no JSON as text, and ships what it makes of it', async () => {
    const seen: ShippedRecord[] = [];
    const transform = (each: ShippedRecord): ShippedRecord => {
      seen.push({ ...each });
      return { ...each, text: each.fields.keep ? each.text?.toUpperCase() : undefined };
    };
    const records = [true, false].map((keep) => ({ ...record('plain'), fields: { keep } }));
    expect((await shipped({ transform }, records)).texts).toEqual(['PLAIN', '{"keep":false}']);
    expect(seen).toMatchObject([{ text: 'plain', fields: { keep: true } }, { text: 'plain' }]);
    await shipped({ transform }, [line({ a: 1 })]);
    expect(seen[2]).toMatchObject({ text: undefined, fields: { a: 1 } });
  });

  it('keeps the digits of numbers that JavaScript cannot hold', async () => {
    const text = '{"id":9007199254740993,"price":1.50,"list":[{"id":-0}]}';
    let seen: unknown;
    const transform = (each: ShippedRecord): ShippedRecord => {
      seen = [String(each.fields.id), Number(each.fields.price)];
      return each;
    };
    expect((await shipped({ transform }, [record(text)])).texts).toEqual([text]);
    expect(seen).toEqual(['9007199254740993', 1.5]);
  });

  it('ships the digits of numbers in a line that it makes of the fields', async () => {
    const text = '{"id":9007199254740993}';
    const transform = (each: ShippedRecord): ShippedRecord => ({ ...each, text: `is ${JSON.stringify(each.fields)}` });
    expect((await shipped({ transform }, [record(text)])).texts).toEqual([`is ${text}`]);
  });

  it.each<[what: string, makes: (fields: Record<string, unknown>) => string, ships: string]>([
    ['JSON', (fields) => JSON.stringify(fields), '{"id":9007199254740993,"n":[1.50]}'],
    [
      'JSON in JSON',
      (fields) => JSON.stringify({ in: JSON.stringify(fields) }),
      '{"in":"{\\"id\\":9007199254740993,\\"n\\":[1.50]}"}',
    ],
    ['the beginning of JSON', (fields) => JSON.stringify(fields).slice(0, 60), '{"id":"9007199254740993'],
  ])('may put %s into a field: its digits stay, and the record stays whole', async (_what, makes, ships) => {
    const transform = (each: ShippedRecord): ShippedRecord => {
      each.fields.raw = makes(each.fields);
      return each;
    };
    const text = '{"id":9007199254740993,"n":[1.50]}';
    for (const redact of [undefined, ['password']]) {
      const [inText] = (await shipped({ transform, redact }, [record(text)])).texts;
      expect(String(inText)).toMatch(/^\{"id":9007199254740993,"n":\[1\.50\],"raw":/);
      expect(JSON.parse(String(inText)).raw.startsWith(ships)).toBe(true);
      const [inFields] = (await shipped({ transform, redact }, [line(JSON.parse(text))], fieldsDestination())).texts;
      expect(JSON.parse(String(inFields)).raw).toMatch(/^\{"(id|in)":/);
    }
  });

  it('leaves a record out that it returns null for, which is counted and no loss', async () => {
    const transform = (each: ShippedRecord): ShippedRecord | null => (each.fields.path === '/health' ? null : each);
    const started = start({ transform, dropNotice: true });
    expect(started.shipper.accept(line({ path: '/health' }))).toBe(true);
    expect(started.shipper.accept(line({ path: '/' }))).toBe(true);
    const report = await started.shipper.close();
    expect(report).toMatchObject({ received: 2, delivered: 1, dropped: { filtered: 1 }, pending: 0 });
    expect(started.destination.texts).toEqual(['{"path":"/"}']);
    expect(started.drops).toEqual([]);
    assertBalanced(started.shipper.stats());
  });

  it('comes before redact, which has the last word', async () => {
    const transform = (each: ShippedRecord): ShippedRecord => {
      const { text, fields } = each;
      return {
        ...each,
        text: fields.line ? '{"password":"of the line","n":1.0}' : text,
        fields: { ...fields, password: 'new', map: new Map([['password', 1]]) },
      };
    };
    const redact = ['password', '*.password'];
    expect((await shipped({ transform, redact }, [line({ a: 1 })])).texts).toEqual([
      '{"a":1,"password":"[Redacted]","map":{"password":"[Redacted]"}}',
    ]);
    expect((await shipped({ transform, redact }, [line({ line: true })])).texts).toEqual([
      '{"password":"[Redacted]","n":1.0}',
    ]);
  });

  it.each<[name: string, returned: () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['returns nothing', () => undefined],
    ['returns a promise', async () => Promise.reject(new Error('mine'))],
    ['returns a record without fields', () => ({ time: 1, level: 'info' })],
    ['returns a time that is none', () => ({ time: '1', level: 'info', fields: {} })],
    ['returns a text that is none', () => ({ time: 1, level: 'info', text: 7, fields: {} })],
    ['returns a string', () => 'record'],
  ])('that %s costs the record, and is said', async (_name, returned) => {
    const { texts, drops, stats } = await shipped({ transform: returned as never }, [line({ a: 1 })]);
    expect(texts).toEqual([]);
    expect(stats.dropped.unencodable).toBe(1);
    expect(drops).toMatchObject([{ reason: 'unencodable', records: 1, cause: expect.any(Error) }]);
  });

  it('counts a record that it logs itself, and does not call itself again', async () => {
    let calls = 0;
    const transform = (each: ShippedRecord): ShippedRecord => {
      calls++;
      started.shipper.accept(line({ inner: true }));
      return each;
    };
    const started = start({ transform });
    started.shipper.accept(line({ outer: true }));
    await started.shipper.flush();
    expect(calls).toBe(1);
    expect(started.shipper.stats()).toMatchObject({ received: 2, delivered: 1, dropped: { feedback: 1 } });
  });
});

describe('sample', () => {
  it('ships the part of a level that it states, and counts the rest, which is no loss', async () => {
    let number = 0;
    const random = (): number => (number++ % 10) / 10;
    const started = start({ sample: { debug: 0.3, trace: 0, warn: 1 } }, { random });
    for (const level of ['debug', 'trace', 'warn', 'info'])
      for (let i = 0; i < 100; i++) expect(started.shipper.accept(line({ i }, level))).toBe(true);
    await started.shipper.close();
    const routes = started.destination.stored.map(({ route }) => route);
    expect(['debug', 'trace', 'warn', 'info'].map((level) => routes.filter((each) => each === level).length)).toEqual([
      30, 0, 100, 100,
    ]);
    expect(started.shipper.stats()).toMatchObject({ received: 400, delivered: 230, dropped: { sampled: 170 } });
    expect(started.drops).toEqual([]);
    assertBalanced(started.shipper.stats());
  });

  it('reads neither text nor fields of a record that it leaves out', () => {
    const { shipper } = start({ sample: { debug: 0 }, redact: ['a'] });
    const unread = (): never => {
      throw new Error('read');
    };
    const each = Object.defineProperties(
      { ...record('', { level: 'debug' }) },
      { text: { get: unread }, fields: { get: unread } },
    );
    expect(shipper.accept(each)).toBe(true);
    expect(shipper.stats().dropped).toMatchObject({ sampled: 1, unencodable: 0 });
  });
});

it('reads no fields for a destination of texts while nothing is to be shaped, and still encodes a turn together when it is', async () => {
  const unread = Object.defineProperty(record('text'), 'fields', {
    get: (): never => {
      throw new Error('read');
    },
  });
  expect((await shipped({}, [unread])).texts).toEqual(['text']);
  const destination = new TogetherDestination();
  await shipped({ redact: ['a'] }, [line({ a: 1 }), line({ a: 2 })], destination);
  expect(destination.together).toEqual([['{"a":"[Redacted]"}', '{"a":"[Redacted]"}']]);
});

it.each<[wrong: object, option: string, text: string]>([
  [{ redact: 'password' }, 'redact', 'expected an array of paths, or an object with paths, got "password"'],
  ...['a..b', '**.a', 'a.**', '$.a', '$["a"]', ' a', 'a. b', '"a"', 'a[]', 'a["b]c"]', 'a.', '', 'a*'].map(
    (path): [object, string, string] => [{ redact: [path] }, 'redact[0]', 'a path such as'],
  ),
  [{ redact: ['a', 7] }, 'redact[1]', 'got 7'],
  [{ redact: { paths: ['a['] } }, 'redact.paths[0]', 'got "a["'],
  [{ redact: { path: ['a'] } }, 'redact.path', 'did you mean "redact.paths"'],
  [{ redact: { paths: ['a'], censor: () => 'x' } }, 'redact.censor', 'a string, got a function'],
  [{ redact: { paths: ['a'], remove: 'yes' } }, 'redact.remove', 'true or false'],
  [{ transform: 'drop' }, 'transform', 'a function'],
  [{ sample: 0.1 }, 'sample', 'an object'],
  [{ sample: { debug: 10 } }, 'sample.debug', 'a number from 0 to 1, got 10'],
])('refuses %j', (wrong, option, text) => {
  expect(() => start(wrong)).toThrow(
    expect.objectContaining({ code: 'CONFIG', option, message: expect.stringContaining(text) }),
  );
});

function frozen<T extends object>(value: T): T {
  return Object.freeze(value);
}
