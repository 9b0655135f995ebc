// Fills the budget of a destination that is down, and prints the ratio of the memory that its records hold
// to the bytes of the budget in use.
// Runs with --expose-gc. Arguments: cloud, length of a text, script.
import { setTimeout as delay } from 'node:timers/promises';
import { createCloudWatch } from '@logferry/cloudwatch';
import { createShipper } from '@logferry/core';
import { createLogService } from '@logferry/log-service';

const [cloud, length, script] = process.argv.slice(2);
const filler = { ascii: 'x', chinese: '世' }[script];
const endpoint = 'http://127.0.0.1:1';
const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' };
const destination =
  cloud === 'cloudwatch'
    ? createCloudWatch({ logGroupName: 'shop', endpoint, region: 'us-east-1', credentials })
    : createLogService({ endpoint, project: 'shop', logstore: 'web' });
const options = { maxBufferBytes: 64 * 1024 * 1024, maxDelayMs: 100, dropNotice: false, onError() {}, onDrop() {} };
const shipper = createShipper(destination, options);

// The first records load and compile all code.
for (let index = 0; index < 20; index++) shipper.accept(record(index));
await delay(500);
const before = await measure();
for (let index = 0, refused = 0; refused < 1000; index++) {
  if (!shipper.accept(record(index))) refused++;
  if (index % 1000 === 0) await new Promise(setImmediate);
}
const after = await measure();
console.log((after.heldBytes - before.heldBytes) / (after.bufferBytes - before.bufferBytes));
process.exit();

function record(index) {
  const text = `${index} `.padEnd(Number(length), filler);
  return { time: Date.now(), level: 'info', urgent: false, text, fields: { msg: text } };
}

async function measure() {
  // Waits until the last batch is sealed and garbage of several generations is collected.
  for (let round = 0; round < 4; round++) {
    await delay(50);
    globalThis.gc();
  }
  const { heapUsed, external } = process.memoryUsage();
  return { heldBytes: heapUsed + external, bufferBytes: shipper.stats().bufferBytes };
}
