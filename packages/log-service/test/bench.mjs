// `npm run bench`, after a build: speed and ratio of our LZ4 against deflate level 1 and lz4-napi, on bodies of JSON logs.
// Prints medians of several rounds, and their ratios: these hardly depend on the machine.
import { createRequire } from 'node:module';
import { deflateSync } from 'node:zlib';
import { buildSync } from 'esbuild';
import { compressSync } from 'lz4-napi';

const ROUNDS = 15;
const SIZES = [16_000, 250_000, 1_000_000, 3_000_000];

const { lz4 } = loadLz4();

const ways = {
  lz4,
  'deflate 1': (raw) => deflateSync(raw, { level: 1 }),
  'lz4-napi': (raw) => compressSync(raw).subarray(4),
};

const rows = {};
for (const size of SIZES) {
  const raw = makeBody(size);
  const repeats = Math.max(1, Math.round(2_000_000 / size));
  const speeds = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  const ratios = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, compress] of Object.entries(ways)) {
      const startMs = performance.now();
      for (let i = 0; i < repeats; i++) ratios[name] = raw.length / (await compress(raw)).length;
      speeds[name].push((raw.length * repeats) / 1000 / (performance.now() - startMs));
    }
  }
  const ours = median(speeds.lz4);
  rows[`${size / 1000} KB`] = Object.fromEntries(
    Object.keys(ways).flatMap((name) => [
      [`${name} MB/s`, Math.round(median(speeds[name]))],
      [`${name} speed`, (median(speeds[name]) / ours).toFixed(2)],
      [`${name} ratio`, ratios[name].toFixed(1)],
    ]),
  );
}
console.table(rows);

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

/** A body of request logs. */
function makeBody(size) {
  const logs = [];
  for (let bytes = 0, index = 0; bytes < size; index++) {
    const id = (Math.imul(index + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0');
    const log = JSON.stringify({
      time: new Date(1_700_000_000_000 + index * 7).toISOString(),
      seq: String(index).padStart(12, '0'),
      level: index % 17 === 0 ? 'warn' : 'info',
      msg: ['request completed', 'order placed', 'cache miss', '订单已发货'][index % 4],
      reqId: `${id}-${(index * 7919) % 65_536}`,
      req: JSON.stringify({
        method: 'GET',
        url: `/orders/${id.slice(3)}?page=${index % 9}`,
        remotePort: 40_000 + ((index * 31) % 20_000),
      }),
      responseTime: String((index * 37) % 1000),
    });
    logs.push(log);
    bytes += Buffer.byteLength(log) + 1;
  }
  return Buffer.from(`{"__source__":"web-1","__logs__":[${logs.join(',')}]}`);
}

/** The package exports no compression. */
function loadLz4() {
  const outfile = 'test-results/lz4.cjs';
  buildSync({ entryPoints: ['src/send/lz4.ts'], outfile, bundle: true, platform: 'node', packages: 'external' });
  return createRequire(import.meta.url)(`../${outfile}`);
}
