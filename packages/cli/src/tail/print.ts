import { Colour, type Paint, painter } from '../colour.js';
import type { RecognisedLine } from '../lines/recognise.js';
import { safeLines, safeText } from '../safe-text.js';
import { rankOfLevel } from './level-rank.js';
import { memberTexts, type Stack, stacksOf } from './members.js';
import type { TailEvent } from './source.js';

/** How records are printed. */
export interface PrintSettings {
  readonly hasColours: boolean;
  /** Epoch milliseconds: a time of another day has its date. */
  readonly nowMs: number;
}

/**
 * Prints a record for people: time, level, message, further members, and the stacks of errors on lines of their own. Whatever it holds,
 * nothing but text reaches the terminal, and only its first line begins at the margin.
 */
export function printEvent(event: TailEvent, line: RecognisedLine, settings: PrintSettings): string {
  const paint = painter(settings.hasColours);
  const { fields } = line;
  const stacks = stacksOf(line);
  const [message = '', ...rest] = safeLines(messageOf(line));
  const members = memberTexts(line, stacks).map(([name, value]) => `${paint(Colour.dim, `${name}=`)}${value}`);
  const origin = event.origin === undefined ? [] : [paint(Colour.dim, `[${safeText(event.origin)}]`)];
  const title = titleOf(fields, message, paint);
  const level = levelText(line.level, paint, title === '' ? 0 : LEVEL_CHARS);
  const head = `${timeText(event.timeMs, settings.nowMs)} ${level}${title && ` ${title}`}`;
  const first = [head, ...members, ...origin].join('  ');
  const stackLines = stacks.flatMap((stack) => linesOfStack(stack, stacks.length > 1));
  return [first, ...[...rest, ...stackLines].map((text) => INDENT + text)].join('\n');
}

const INDENT = '    ';

/** Empty if a JSON line has none: then its members say it all. */
function messageOf({ message, text, format }: RecognisedLine): string {
  return format !== 'text' && message === text ? '' : message;
}

/** A record of metrics has a namespace, and mostly no message. */
function titleOf(fields: RecognisedLine['fields'], message: string, paint: Paint): string {
  const namespaces = metricNamespaces(fields);
  if (namespaces.length === 0) return message;
  const title = paint(Colour.cyan, `metrics ${namespaces.map(safeText).join(', ')}`);
  return message === '' ? title : `${title} ${message}`;
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
function metricNamespaces({ _aws: metadata }: RecognisedLine['fields']): string[] {
  const directives = (metadata as { CloudWatchMetrics?: unknown } | null | undefined)?.CloudWatchMetrics;
  if (!Array.isArray(directives)) return [];
  const names = directives.map((directive) => (directive as { Namespace?: unknown } | null)?.Namespace);
  return [...new Set(names.filter((name) => typeof name === 'string'))];
}

function timeText(timeMs: number, nowMs: number): string {
  const time = new Date(timeMs);
  const digits = (value: number, length = 2): string => String(value).padStart(length, '0');
  const clock = `${digits(time.getHours())}:${digits(time.getMinutes())}:${digits(time.getSeconds())}.${digits(time.getMilliseconds(), 3)}`;
  if (time.toDateString() === new Date(nowMs).toDateString()) return clock;
  return `${time.getFullYear()}-${digits(time.getMonth() + 1)}-${digits(time.getDate())} ${clock}`;
}

function levelText(level: string, paint: Paint, minChars: number): string {
  const label = safeText(level).toUpperCase().slice(0, MAX_LEVEL_CHARS).padEnd(minChars);
  return paint(colourOfLevel(rankOfLevel(level) ?? 30), label);
}

/** Messages stand below one another. */
const LEVEL_CHARS = 5;
const MAX_LEVEL_CHARS = 20;

function colourOfLevel(rank: number): Colour {
  if (rank < 30) return Colour.dim;
  if (rank < 40) return Colour.green;
  if (rank < 50) return Colour.yellow;
  return rank < 60 ? Colour.red : Colour.boldRed;
}

function linesOfStack({ name, text }: Stack, isNamed: boolean): string[] {
  return [...(isNamed ? [`${safeText(name)}:`] : []), ...safeLines(text.trimEnd())];
}
