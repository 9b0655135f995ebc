// A process whose disk fails in the middle. Prints what became of its records as JSON.
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createShipper, DeliveryError } from '@logferry/core';

const [directory, trouble, waits] = process.argv.slice(2);

const opened = [];
const troubles = {
  // The disk is full sooner or later.
  full: [() => {}, () => {}],
  // It is so from the start: a volume with open files cannot become read-only by a command.
  'read-only': [() => {}, () => execFileSync('mount', ['-o', 'remount,rw', directory])],
  'no descriptors': [exhaustDescriptors, closeAll],
  removed: [() => rmSync(directory, { recursive: true }), () => {}],
};

function exhaustDescriptors() {
  try {
    for (;;) opened.push(openSync('/dev/null', 'r'));
  } catch {
    // This was the last one.
  }
}

function closeAll() {
  for (const file of opened) closeSync(file);
}

let isAway = true;
const destination = {
  name: 'memory',
  identity: 'memory',
  reads: 'text',
  limits: { maxEvents: 1000, maxBytes: 1_000_000 },
  encode: ({ time, text }) => ({ route: 'memory', time, payload: text, bytes: text.length }),
  async send({ events }) {
    if (isAway) throw new DeliveryError('UNAVAILABLE', 'away');
    for (const { payload } of events) stored.push(Number(payload.slice(0, 10)));
    return { rejected: [], wireBytes: 0 };
  },
};
const stored = [];
const told = [];
const result = { accepted: 0, longestCallMs: 0 };
const shipper = createShipper(destination, {
  maxDelayMs: 0,
  retry: { baseMs: 10, capMs: 20 },
  spool: { directory, maxBytes: 16 * 1024 * 1024 },
  onError: ({ message }) => message.startsWith('spool: ') && told.push(message),
});

function accept(count) {
  for (let n = 0; n < count; n++) {
    const text = String(result.accepted).padEnd(1000, ' ');
    const startedMs = performance.now();
    if (shipper.accept({ time: Date.now(), level: 'info', urgent: false, text, fields: {} })) result.accepted++;
    result.longestCallMs = Math.max(result.longestCallMs, performance.now() - startedMs);
  }
}

const [begin, end] = troubles[trouble];
accept(100);
result.before = shipper.stats();
begin();
accept(4000);
await sleep(10);
result.during = shipper.stats();
end();
isAway = false;
result.after = await shipper.flush();
if (waits) {
  isAway = true;
  for (let n = 0; n < 100 && shipper.stats().spool.segments === 0; n++) {
    accept(1);
    await sleep(100);
  }
  result.again = shipper.stats();
  isAway = false;
}
const { spool } = shipper.stats();
result.end = { ...(await shipper.close()), spool };
result.missing = result.accepted - new Set(stored).size;
process.stdout.write(JSON.stringify({ ...result, told }));
