// Logs one record of a level of its own through pino's worker thread, and calls that worker. With REACH_LEVELS the worker knows the
// level from its start.
import { close, flush, stats } from '@logferry/pino';
import pino from 'pino';

const { SLS_ENDPOINT: endpoint, SLS_PROJECT: project, SLS_LOGSTORE: logstore, REACH_LEVELS } = process.env;
const customLevels = { audit: 35 };
const transport = pino.transport({
  target: '@logferry/pino/log-service',
  options: { endpoint, project, logstore },
  ...(REACH_LEVELS && { levels: customLevels }),
});
pino({ customLevels }, transport).audit('custom level');
await flush(transport);
// Twice, since a reply to the second call is not a matter of course everywhere.
await stats(transport);
const { received, delivered } = await stats(transport);
const report = await close(transport);
console.log(JSON.stringify({ received, delivered, pending: report.pending }));
