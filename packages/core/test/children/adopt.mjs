// A process that delivers what dead ones left, and prints it as JSON at the end of its input.
import { createShipper } from '@logferry/core';

const [directory] = process.argv.slice(2);
const texts = [];
const destination = {
  name: 'memory',
  identity: 'memory',
  reads: 'text',
  limits: { maxEvents: 1000, maxBytes: 1_000_000 },
  encode: ({ time, text }) => ({ route: 'memory', time, payload: text, bytes: text.length }),
  async send({ events }) {
    texts.push(...events.map(({ payload }) => payload));
    return { rejected: [], wireBytes: 0 };
  },
};
const shipper = createShipper(destination, { maxDelayMs: 0, spool: { directory } });
process.stdin.once('data', async () => {
  const { recovered } = await shipper.close();
  process.stdout.write(JSON.stringify({ texts, recovered }));
});
process.stderr.write('started\n');
