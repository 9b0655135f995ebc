import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { errorFields, isError, stringify, toPrimitive } from '../src/index.js';

/** All ways in which an error is shipped, as objects. */
function shipped(error: Error): unknown[] {
  const all = [
    stringify(error),
    stringify({ error }),
    stringify({ list: [error], big: 1n }),
    String(toPrimitive(error, 1_000_000)),
    String(toPrimitive({ nested: { error } }, 1_000_000)),
    stringify(errorFields(error)),
  ].map((json) => JSON.parse(json));
  return all.map((value) => value.list?.[0] ?? value.nested?.error ?? value.error ?? value);
}

class HttpError extends Error {
  override name = 'HttpError';
  readonly status = 503;
}

it.each<[string, () => Error, object]>([
  ['an error', () => new TypeError('bad'), { name: 'TypeError', message: 'bad' }],
  ['an error of another realm', () => runInNewContext('new RangeError("far")'), { name: 'RangeError', message: 'far' }],
  ['an error with members', () => Object.assign(new Error('a'), { code: 'E_A' }), { message: 'a', code: 'E_A' }],
  ['an error of a class', () => new HttpError('down'), { name: 'HttpError', message: 'down', status: 503 }],
  ['a DOMException', () => AbortSignal.abort().reason, { name: 'AbortError', message: 'This operation was aborted' }],
  [
    'an error with causes',
    () => new Error('outer', { cause: new Error('inner', { cause: 'root' }) }),
    { message: 'outer', cause: { message: 'inner', stack: expect.any(String), cause: 'root' } },
  ],
  [
    'an AggregateError',
    () => new AggregateError([new Error('one'), 'two'], 'many'),
    { message: 'many', errors: [{ name: 'Error', message: 'one', stack: expect.any(String) }, 'two'] },
  ],
])('%s has the same content alone, in a field, in a list and nested', (_, make, expected) => {
  const error = make();
  expect(isError(error)).toBe(true);
  for (const each of shipped(error)) expect(each).toMatchObject({ ...expected, stack: error.stack });
});

it('a cause that is the error itself is a cycle', () => {
  const error: Error & { cause?: unknown } = new Error('x');
  error.cause = error;
  for (const each of shipped(error).slice(0, 5)) expect(each).toMatchObject({ message: 'x', cause: '[Circular]' });
});

it('a member that cannot be read does not hide the others', () => {
  const get = (): never => {
    throw new Error('no');
  };
  const error = Object.defineProperty(new Error('x'), 'stack', { get });
  for (const each of shipped(error)) expect(each).toMatchObject({ message: 'x', stack: '[Unreadable]' });
});

it('a chain of 100,000 causes ends after 100 levels', () => {
  let error = new Error('root');
  for (let i = 0; i < 100_000; i++) error = Object.assign(new Error('x'), { cause: error, stack: '' });
  for (const json of [stringify(error), String(toPrimitive(error, 1_000_000))])
    expect(json.split('"message":"x"').length - 1).toBe(100);
});

it.each([
  ['a plain object', { name: 'Error', message: 'x', stack: 'y' }],
  ['a text', 'Error: x'],
  ['null', null],
  ['a proxy that throws', new Proxy({}, { getPrototypeOf: () => never(), has: () => never() })],
])('isError is false for %s', (_, value) => {
  expect(isError(value)).toBe(false);
});

function never(): never {
  throw new Error('no');
}
