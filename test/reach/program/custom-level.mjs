// Logs one record of a level of its own through pino's worker thread. With REACH_LEVELS the worker knows the level from its start.
import pino from 'pino';

const { SLS_ENDPOINT: endpoint, SLS_PROJECT: project, SLS_LOGSTORE: logstore, REACH_LEVELS } = process.env;
const customLevels = { audit: 35 };
const transport = pino.transport({
  target: '@logferry/pino/log-service',
  options: { endpoint, project, logstore },
  ...(REACH_LEVELS && { levels: customLevels }),
});
pino({ customLevels }, transport).audit('custom level');
