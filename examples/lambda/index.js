// Plays the runtime of Lambda on this machine: calls the handler for one event after another. After each response it shows what is
// delivered: in Lambda the process would be frozen there.
import { cloud, handler } from './handler.js';

const TIMEOUT_MS = 30_000;

const letters = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const events = [
  { letters: letters(1, 80) },
  { letters: letters(81, 160), queued: 12 },
  { letters: letters(161, 201), fails: true },
];
for (const [index, event] of events.entries()) {
  const deadlineMs = Date.now() + TIMEOUT_MS;
  const context = { awsRequestId: String(index + 1), getRemainingTimeInMillis: () => deadlineMs - Date.now() };
  const response = await handler(event, context).catch((error) => ({ error: error.message }));
  const { received, delivered } = cloud.stats();
  console.log(`${JSON.stringify(response)}: ${delivered} of ${received} records are delivered`);
}
console.log(JSON.stringify(cloud.stats()));
