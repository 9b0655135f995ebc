import { hostname } from 'node:os';
import { expect, it } from 'vitest';
import { createCloudWatch } from '../src/index.js';
import { encoded } from './support/events.js';

/** A function that returns the stream of the next event. */
function namer(logStreamName?: string): (time?: number, level?: string) => string {
  const destination = createCloudWatch({ logGroupName: 'shop', logStreamName });
  return (time = Date.now(), level = 'info') => {
    const [event] = encoded(destination, 'x', { time, level });
    return (event?.route ?? '').replace(/^shop:/, '');
  };
}

const time = Date.UTC(2026, 0, 9, 23, 5, 59, 999);

it('is unique to the process by default, the same for all events and without a colon', () => {
  const nameOf = namer();
  const [host, pid, start] = nameOf().split('/');
  expect(host).toBe(hostname());
  expect(pid).toBe(String(process.pid));
  expect(start).toMatch(/^\d{8}T\d{6}Z$/);
  expect(nameOf(0, 'fatal')).toBe(nameOf());
});

it('keeps a plain name as it is', () => {
  expect(namer('web [1] $LATEST/ä')()).toBe('web [1] $LATEST/ä');
});

it('writes the date of the event in UTC', () => {
  const nameOf = namer('{date:yyyy-MM-dd}/{date:HH.mm}');
  expect(nameOf(time)).toBe('2026-01-09/23.05');
  expect(nameOf(time + 1)).toBe('2026-01-09/23.06');
  expect(nameOf(time - 60_000)).toBe('2026-01-09/23.04');
  expect(nameOf(0)).toBe('1970-01-01/00.00');
});

it('writes the level of the event', () => {
  const nameOf = namer('{level}/{date:yyyy}');
  expect(nameOf(time, 'info')).toBe('info/2026');
  expect(nameOf(time, 'error')).toBe('error/2026');
  expect(nameOf(time, 'info')).toBe('info/2026');
});

it('makes a new {uuid} for each destination', () => {
  const nameOf = namer('{uuid}');
  expect(nameOf()).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
  expect(nameOf()).toBe(nameOf());
  expect(nameOf()).not.toBe(namer('{uuid}')());
});

it('replaces characters that a name cannot have in values from outside', () => {
  const nameOf = namer('{level}');
  expect(nameOf(time, 'a:b*c')).toBe('a-b-c');
  expect(nameOf(time, '')).toBe('-');
  expect(nameOf(time, 'x'.repeat(600))).toHaveLength(512);
  expect(nameOf(time, `${'x'.repeat(511)}😀`).isWellFormed()).toBe(true);
});

it('names streams for any number of levels', () => {
  const nameOf = namer('{level}');
  for (let level = 0; level < 1000; level++) expect(nameOf(time, `level${level}`)).toBe(`level${level}`);
});
