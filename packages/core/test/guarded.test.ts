import { once } from 'node:events';
import { expect, it, vi } from 'vitest';
import { guarded, inBackground, sharedState, systemClock } from '../src/index.js';

const bug = (): never => {
  throw new Error('a bug');
};

it.each<[string, () => unknown]>([
  ['a listener that throws', () => guarded(bug)()],
  ['a listener that rejects', () => guarded(async () => bug())()],
  ['a promise that nobody waits for', () => inBackground(Promise.reject(new Error('a bug')))],
  ['a timer', () => systemClock.setTimer(bug, 0)],
  ['the end of the turn', () => systemClock.defer(bug)],
])('an error of %s becomes one warning of the process', async (_where, act) => {
  const warned = once(process, 'warning');
  expect(act).not.toThrow();
  const [warning] = await warned;
  expect(warning).toMatchObject({ name: 'LogferryWarning', message: expect.stringContaining('Error: a bug') });
});

it('an error that comes again is told once, and one that cannot be read not at all', () => {
  const emitWarning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const error = new Error('again');
  const again = guarded(() => {
    throw error;
  });
  again();
  again();
  const hostile = new Proxy({}, { get: bug });
  expect(() =>
    guarded(() => {
      throw hostile;
    })(),
  ).not.toThrow();
  expect(emitWarning).toHaveBeenCalledTimes(1);
  emitWarning.mockRestore();
});

it('state of a name is made once, for all copies of a package', () => {
  const made = sharedState('test.state', () => ({ count: 1 }));
  expect(sharedState('test.state', () => ({ count: 2 }))).toBe(made);
  expect(Object.getOwnPropertySymbols(globalThis)).toContain(Symbol.for('logferry.test.state'));
});
