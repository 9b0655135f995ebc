// A process that writes records to a spool without end: its service is away. With `bytes` each payload is bytes that are no UTF-8.
import { createShipper, DeliveryError } from '@logferry/core';

const [directory, form] = process.argv.slice(2);
const toPayload = (text) => (form === 'bytes' ? Uint8Array.of(0xff, ...Buffer.from(text), 0x80) : text);
const destination = {
  name: 'memory',
  identity: 'memory',
  reads: 'text',
  limits: { maxEvents: 1000, maxBytes: 1_000_000 },
  encode: ({ time, text }) => ({ route: 'memory', time, payload: toPayload(text), bytes: text.length }),
  async send() {
    throw new DeliveryError('UNAVAILABLE', 'away');
  },
};
const shipper = createShipper(destination, { maxBufferBytes: 1024 * 1024, onError: () => {}, spool: { directory } });
let number = 0;
setInterval(() => {
  for (let n = 0; n < 20; n++) {
    const text = `${number} ${'x'.repeat(100 * (number % 50))}`;
    number++;
    shipper.accept({ time: Date.now(), level: 'info', urgent: false, text, fields: {} });
  }
}, 2);
process.stdout.write('started\n');
