import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseObject } from '../src/index.js';

describe('parseObject', () => {
  it('keeps the digits beside strings that begin with a colon', () => {
    for (const value of [':', ':{', ':[1,'])
      expect(parseObject(`{"c":":","a":"${value}","n":9007199254740993,"b":"}"}`)?.n).toBe('9007199254740993');
    expect(parseObject('{":{":1,"n":9007199254740993,"b":"}","c":":"}')?.n).toBe('9007199254740993');
  });

  it.each(['9007199254740993', '-0', '1.0', '1E400', '1e3', '-0.0', '12345678901234567890', '0.1000'])(
    'keeps the digits of %s, alone, in a list and in an object',
    (digits) => {
      const parsed = parseObject(`{"a":1,"n":${digits},"list":[1, ${digits}],"object":{"b":{"c":${digits}}},"z":"x"}`);
      expect(parsed).toEqual({
        a: 1,
        n: digits,
        list: `[1, ${digits}]`,
        object: `{"b":{"c":${digits}}}`,
        z: 'x',
      });
    },
  );

  it('parses numbers that JavaScript writes in the same way', () => {
    expect(parseObject('{"a":0,"b":-1.5,"c":9007199254740991,"d":1e+21,"e":[7,{"f":0.1}]}')).toEqual({
      a: 0,
      b: -1.5,
      c: 9007199254740991,
      d: 1e21,
      e: [7, { f: 0.1 }],
    });
  });

  it('reads no number, name or bracket in a string', () => {
    const text = '9007199254740993 "-0": {[1.0]} \\';
    const line = JSON.stringify({ [text]: text, b: [text], c: { [text]: text } });
    expect(parseObject(line)).toEqual(JSON.parse(line));
    const doubled = `${line.slice(0, -1)},"b"  \t:  ${JSON.stringify(text)} }`;
    expect(parseObject(doubled)).toEqual({ ...JSON.parse(line), b: text, b_: [text] });
  });

  it('keeps all members of one name: the last has the name, or the first if that is asked for', () => {
    const line = '{"a":1,"level":30,"a":2,"a_":0,"level":7,"a":3,"\\u0061":{"b":[4]}}';
    expect(parseObject(line, ['level'])).toEqual({
      a: { b: [4] },
      a_2: 1,
      a_: 0,
      a_3: 2,
      a_4: 3,
      level: 30,
      level_: 7,
    });
  });

  it('keeps a member that is named like the prototype', () => {
    const parsed = parseObject('{"__proto__":1.0,"a":1}') ?? {};
    expect(Object.entries(parsed)).toEqual([
      ['__proto__', '1.0'],
      ['a', 1],
    ]);
  });

  it.each(['', '[1]', '7', 'null', '{', '{"a":1,}', '{"a":01}', '{"a":"b"c"}'])('is undefined for %j', (text) => {
    expect(parseObject(text)).toBeUndefined();
  });

  it('returns what JSON.parse returns for JSON that JavaScript wrote', () => {
    const objects = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(objects, fc.constantFrom(undefined, 1), (object, space) => {
        const json = JSON.stringify(object, null, space);
        expect(parseObject(json)).toEqual(JSON.parse(json));
      }),
    );
  });

  it('keeps every member of any object, whatever its name and value look like', () => {
    const name = fc.constantFrom('a', 'b', '"', '\\', '":', 'a":1,"b', '{', '1.0');
    const plain = fc.constantFrom(
      '1',
      '"x"',
      '"\\":1.0"',
      '"\\\\"',
      'null',
      '{}',
      '{"a":1}',
      '["a",1]',
      '-1.5',
      '"[{"',
      '10.25',
    );
    const lossy = fc.constantFrom('1.0', '-0', '1E400', '9007199254740993', '{"a":[1.0]}', '[-0]', '{"":{"a":1e3}}');
    const colon = fc.constantFrom(':', ':', ' :', ': ');
    const member = fc.tuple(name, fc.oneof(plain, lossy), colon);
    fc.assert(
      fc.property(fc.array(member, { maxLength: 8 }), (members) => {
        const texts = members.map(([key, source, between]) => `${JSON.stringify(key)}${between}${source}`);
        const kept = Object.values(parseObject(`{${texts.join(',')}}`) ?? {});
        const written = kept.map((value) => JSON.stringify(value)).sort();
        const isLossy = (source: string): boolean => JSON.stringify(JSON.parse(source)) !== source;
        const expected = members.map(([, source]) => (isLossy(source) ? JSON.stringify(source) : source));
        expect(written).toEqual(expected.sort());
      }),
      { numRuns: 5000 },
    );
  });
});
