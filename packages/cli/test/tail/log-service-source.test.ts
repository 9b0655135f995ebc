import type { LogServiceEmulator } from '@logferry/emulators';
import { expect, it } from 'vitest';
import { createLogServiceSource } from '../../src/tail/log-service-source.js';
import type { TailEvent, TailSource } from '../../src/tail/source.js';
import { looks, startLogstore } from './support.js';

const { signal } = new AbortController();
const messageOf = ({ raw }: TailEvent): string => JSON.parse(raw).msg;
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Reads pages up to the end of a look. */
async function look(source: TailSource): Promise<string[]> {
  const texts: string[] = [];
  while (true) {
    const { events, isLast } = await source.nextPage(signal);
    texts.push(...events.map(messageOf));
    if (isLast) return texts;
  }
}

/** Stores logs that are equal: those of the transports never are. */
async function store({ url }: LogServiceEmulator, messages: readonly string[]): Promise<void> {
  const body = JSON.stringify({ __source__: 'agent', __logs__: messages.map((msg) => ({ msg })) });
  const headers = {
    'x-log-apiversion': '0.6.0',
    'x-log-bodyrawsize': `${body.length}`,
    'content-type': 'application/json',
  };
  await fetch(`${url}/logstores/web/track`, { method: 'POST', headers, body });
}

it('gives a log once that another one moves from one page to the next', async () => {
  const { target, ship } = await startLogstore();
  const now = Date.now();
  await ship(numbers(150).map((index) => ({ time: now - 5000 + index, fields: { msg: `log ${index}` } })));
  const source = createLogServiceSource(target, now - 600_000);
  const first = await source.nextPage(signal);
  await ship([{ time: now - 5000, fields: { msg: 'between' } }]);
  const given = [...first.events.map(messageOf), ...(await look(source)), ...(await look(source))];
  expect(given.toSorted()).toEqual([...numbers(150).map((index) => `log ${index}`), 'between'].toSorted());
  await source.close();
});

it('gives equal logs of several pages as often as they are stored, in the first look', async () => {
  const now = Date.now();
  const { emulator, target } = await startLogstore({ clock: () => now });
  await store(
    emulator,
    Array.from({ length: 250 }, () => 'same'),
  );
  const source = createLogServiceSource(target, now - 600_000);
  expect(await look(source)).toHaveLength(250);
  expect(await look(source)).toEqual([]);
  await source.close();
});

it('reads some seconds of a busy logstore each time, and in turn those in which late logs may be', async () => {
  const { emulator, target, ship } = await startLogstore();
  const startMs = Date.now() - 30_000;
  const time = (index: number): number => startMs + index * 15;
  await ship(numbers(2000).map((index) => ({ time: time(index), fields: { msg: `log ${index}` } })));
  const source = createLogServiceSource(target, startMs - 600_000);
  const given = await look(source);
  expect(given).toHaveLength(2000);
  const before = looks(emulator);
  expect(await look(source)).toEqual([]);
  expect(looks(emulator) - before).toBeLessThanOrEqual(10);
  const late = [29_000, 15_000, 7000, 1000].map((ageMs) => ({
    time: startMs + 30_000 - ageMs,
    fields: { msg: `late ${ageMs}` },
  }));
  await ship(late);
  const found: string[] = [];
  for (let count = 0; count < 12; count++) found.push(...(await look(source)));
  expect(found.toSorted()).toEqual(['late 1000', 'late 15000', 'late 29000', 'late 7000']);
  await source.close();
});

it('finds a late log also where many seconds pass between two looks at a busy logstore', async () => {
  const { target, ship } = await startLogstore();
  let newestMs = Date.now() - 350_000;
  const startMs = newestMs - 30_000;
  await ship(numbers(2000).map((index) => ({ time: startMs + index * 15, fields: { msg: `log ${index}` } })));
  const source = createLogServiceSource(target, startMs - 600_000);
  const given = await look(source);
  const late: string[] = [];
  for (let count = 0; count < 40; count++) {
    newestMs += 8000;
    const fromMs = newestMs - 7900;
    await ship(numbers(400).map((index) => ({ time: fromMs + index * 19, fields: { msg: `log ${count}/${index}` } })));
    if (count < 6) {
      late.push(`late ${count}`);
      await ship([{ time: newestMs - 26_000, fields: { msg: `late ${count}` } }]);
    }
    given.push(...(await look(source)));
  }
  expect(new Set(given).size).toBe(given.length);
  expect(given.filter((text) => text.startsWith('late')).toSorted()).toEqual(late);
  await source.close();
});
