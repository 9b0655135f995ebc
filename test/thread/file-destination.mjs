// Destinations of a third party with a recipe. They append payloads to a file, and to the file `lives` that a worker has made
// or closed them. A request waits until the file `gate` is there. Some texts stop or block the
// thread.
import { appendFileSync, existsSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { enclosePayloads } from '@logferry/core';

export function createFileDestination(options) {
  const { file, down = false, gate, delayMs = 0, lives, environment } = options;
  const isInWorker = !isMainThread;
  if (lives && isInWorker) appendFileSync(lives, 'made\n');
  return {
    name: 'file',
    identity: file,
    reads: 'text',
    limits: { maxEvents: 1000, maxBytes: 10_000_000 },
    encode({ time, level, text }) {
      if (text.includes('<exit>')) process.exit(0);
      if (text.includes('<throw>')) queueMicrotask(() => Promise.reject(new Error('a bug')));
      if (text.includes('<refuse>')) return { refused: 'invalid' };
      if (text.includes('<block>')) for (;;);
      if (text.includes('<memory>')) for (const all = []; ; ) all.push(new Array(100_000).fill(all));
      const payload = environment ? `${text} ${process.env[environment]}` : text;
      return { route: level, time, payload, bytes: payload.length };
    },
    async send({ events, bytes }, signal) {
      if (down) throw Object.assign(new Error('down'), { code: 'ECONNREFUSED' });
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      while (gate && !existsSync(gate) && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, 10));
      if (signal.aborted) throw new Error('aborted');
      appendFileSync(file, events.map(({ payload }) => `${payload}\n`).join(''));
      return { rejected: [], wireBytes: bytes };
    },
    async close() {
      if (lives && isInWorker) appendFileSync(lives, 'closed\n');
    },
    recipe: () => ({ module: import.meta.url, factory: 'createFileDestination', options }),
  };
}

/** Its payloads are the records that `encode` gets, as JSON. */
export function createRecordDestination(options) {
  const destination = createFileDestination(options);
  return {
    ...destination,
    reads: options.reads,
    encode(record) {
      const payload = JSON.stringify(record);
      return { route: 'all', time: record.time, payload, bytes: payload.length };
    },
    recipe: () => ({ ...destination.recipe(), factory: 'createRecordDestination' }),
  };
}

/** Its payloads are bytes that are no UTF-8, with nothing in between. */
export function createBytesDestination(options) {
  const destination = createFileDestination(options);
  return {
    ...destination,
    separator: '',
    encode({ time, text }) {
      const payload = Buffer.from(text, 'utf16le').map((byte) => ~byte);
      return { route: 'all', time, payload, bytes: payload.length };
    },
    async send(batch) {
      appendFileSync(options.file, enclosePayloads(batch, '', ''));
      return { rejected: [], wireBytes: batch.bytes };
    },
    recipe: () => ({ ...destination.recipe(), factory: 'createBytesDestination' }),
  };
}
