import { standardLevels, toEpochMs } from '@logferry/core';

/** A log as Log Service returns it: texts by name, with its own members among them. */
export type Log = Readonly<Record<string, string>>;

/** The time by which a log is found, and the time of the record in it. */
export function timesOfLog(log: Log): { readonly storedMs: number; readonly ownMs: number } {
  const { __time__: seconds = '', __time_ns_part__: nanoseconds = '' } = log;
  const storedMs = (Number(seconds) || 0) * 1000 + Math.floor((Number(nanoseconds) || 0) / 1e6);
  // Web tracking stores the time of receipt. The transports add their own, in a field of the default name.
  const { time = '' } = log;
  return { storedMs, ownMs: ISO_TIME.test(time) ? toEpochMs(time, storedMs) : storedMs };
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

/** The line that a logger wrote, as far as it can be told: Log Service keeps its fields, as texts. */
export function lineOfLog(log: Log, timeMs: number): string {
  const fields = Object.fromEntries(Object.entries(log).filter(([name]) => !SERVICE_FIELD.test(name)));
  // An agent that collects lines as they are has them in one field.
  if (Object.keys(fields).length === 1 && fields.content !== undefined) return fields.content;
  const record = Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, parseNested(text)]));
  return JSON.stringify(isFromPinoOrBunyan(fields) ? { ...record, ...numbersOf(fields, timeMs) } : record);
}

/** `__time__`, `__topic__`, `__tag__:host`, and others like these. */
const SERVICE_FIELD = /^__[a-z_]+__/;

/** Objects and lists are stored as JSON. */
function parseNested(text: string): unknown {
  if (!/^[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isFromPinoOrBunyan({ msg, pid, hostname, level = '' }: Log): boolean {
  return msg !== undefined && pid !== undefined && hostname !== undefined && standardLevels.has(level);
}

/** The fields by which a line of pino or bunyan is known. */
function numbersOf({ level = '', pid, v }: Log, timeMs: number): object {
  const common = { level: standardLevels.get(level), pid: Number(pid) };
  return v === undefined
    ? { ...common, time: timeMs }
    : { ...common, time: new Date(timeMs).toISOString(), v: Number(v) };
}
