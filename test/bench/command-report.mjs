// Preloaded by the measured commands: tells at the end what the process took.
import { writeFileSync } from 'node:fs';

process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const cost = { cpuMs: (userCPUTime + systemCPUTime) / 1000, peakRssBytes: maxRSS * 1024 };
  writeFileSync(process.env.BENCH_REPORT, JSON.stringify(cost));
});
