// A process of `moving.mjs` that logs to one contender, and ends in one way.
import { setTimeout as delay } from 'node:timers/promises';
import { contenders } from './contenders.mjs';

const [name, ending, records, url] = process.argv.slice(2);
const toStdout = {
  async start() {
    const { default: pino } = await import('pino');
    const logger = pino();
    return { log: (text, fields) => logger.info(fields, text), end: () => {} };
  },
};
const { log, end } = await (contenders[name] ?? toStdout).start({ url }, {});
for (let number = 0; number < Number(records); number++) {
  log(`record ${number} `, { number });
  if (ending === 'bursts' && (number + 1) % 100 === 0) await delay(1200);
}
if (ending === 'exit') process.exit();
if (ending !== 'natural') {
  // pino's worker does not keep the process alive.
  setInterval(() => {}, 1000);
  await end();
  process.exit();
}
