// Runs one fleet in a process of its own, so that its memory can be measured: `node --import tsx run.ts large logferry`.
import { findingsOf } from './findings.js';
import { type ClientKind, runFleet } from './fleet.js';
import { fleets, scenarioOf } from './scenarios.js';

const [fleet = 'ample', client = 'logferry'] = process.argv.slice(2);
const scenario = scenarioOf(fleets[fleet as keyof typeof fleets], client as ClientKind);
const startedAtMs = performance.now();
const outcome = await runFleet(scenario);
const { seconds, backlog } = outcome;
const took = { tookMs: performance.now() - startedAtMs, cpuMs: process.cpuUsage().user / 1000 };
const result = { fleet, client, scenario, findings: findingsOf(scenario, outcome), seconds, backlog, ...took };
if (process.send) process.send(result);
else console.log({ ...result.findings, ...took });
