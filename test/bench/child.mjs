// One measurement: a fresh process that logs to one contender, and reports the costs to its parent.
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { contenders } from './contenders.mjs';
import { recordKinds } from './records.mjs';

/** Shapes of the load. Each returns the milliseconds spent in log calls. */
const loads = {
  /** As fast as the event loop allows. */
  async burst({ records, perTurn }, logRange) {
    let ms = 0;
    for (let from = 0; from < records; from += perTurn) {
      ms += logRange(from, Math.min(from + perTurn, records));
      await nextTurn();
    }
    return ms;
  },
  async steady({ records, perSecond }, logRange) {
    let ms = 0;
    const startMs = performance.now();
    for (let done = 0; done < records; ) {
      const due = Math.min(records, Math.ceil(((performance.now() - startMs) / 1000) * perSecond));
      ms += logRange(done, due);
      done = due;
      await delay(5);
    }
    return ms;
  },
};

// This listener keeps the process alive while only a worker is busy.
process.on('message', async (job) => {
  const directory = mkdtempSync(join(tmpdir(), 'logferry-bench-'));
  if (job.options?.spool) job.options.spool.directory = directory;
  const file = job.writes ? openSync(join(directory, 'file'), 'wx') : undefined;
  process.send(await measure(job, file));
  if (file !== undefined) closeSync(file);
  rmSync(directory, { recursive: true });
  process.disconnect();
});

/** A line of 230 bytes in a frame of the spool, with the names of its group and stream. */
const FRAME = Buffer.alloc(330, 'x');

/** `file`: each log call also writes a frame to it. */
async function measure({ contender: name, options, service, load, recordKind, isColdStart, isWarm }, file) {
  const { framework, start, preload } = contenders[name];
  const idleRssBytes = process.memoryUsage.rss();
  const startMs = performance.now();
  const host = await start(service, options);
  const startupMs = performance.now() - startMs;
  const startupRssBytes = process.memoryUsage.rss() - idleRssBytes;
  if (!isColdStart) await preload?.(service);
  if (isWarm) await host.warmUp();

  const recordOf = recordKinds[recordKind](framework);
  const logRange = (from, to) => {
    const beforeMs = performance.now();
    for (let id = from; id < to; id++) {
      const { text, fields } = recordOf(id);
      host.log(text, fields);
      if (file !== undefined) writeSync(file, FRAME, 0, FRAME.length, id * FRAME.length);
    }
    return performance.now() - beforeMs;
  };
  const loopDelay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  const cpu = process.cpuUsage();
  loopDelay.enable();
  const startedAt = Date.now();
  const callMs = await loads[load.shape](load, logRange);
  const loggedAt = Date.now();
  // Some throw at a timeout. The records that arrived still count.
  const endError = await host.end().then(
    () => undefined,
    (error) => error.message,
  );
  const endedAt = Date.now();
  loopDelay.disable();
  const { user, system } = process.cpuUsage(cpu);
  return {
    startupMs,
    startupRssBytes,
    sinceProcessStartMs: performance.now(),
    startedAt,
    loggedAt,
    endedAt,
    endError,
    callMs,
    cpuMs: (user + system) / 1000,
    // Samples include the sampling interval.
    loopDelayP99Ms: loopDelay.percentile(99) / 1e6 - LOOP_RESOLUTION_MS,
    loopDelayMaxMs: loopDelay.max / 1e6 - LOOP_RESOLUTION_MS,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  };
}

const LOOP_RESOLUTION_MS = 1;
