// @ts-check
import { lengthOf } from './records.js';

/**
 * @typedef {object} Summary
 * @property {string} message
 * @property {readonly (readonly [key: string, value: string])[]} fields
 * @property {boolean} isMetric Whether the record is in CloudWatch's embedded metric format.
 *
 * @typedef {object} Metric
 * @property {string} namespace
 * @property {string} name
 * @property {string} value
 * @property {string} unit
 * @property {string} dimensions
 */

/** Members that the row shows elsewhere, or that are the same in each record of a process. */
const HIDDEN = new Set(['level', 'severity', 'time', 'timestamp', 'pid', 'hostname', 'v', 'seq', '_aws']);
const MESSAGE_MEMBERS = ['msg', 'message', 'event'];
const MAX_VALUE_LENGTH = 200;
const MAX_MESSAGE_LENGTH = 1000;
/** A row is made again with each batch: a longer record is not parsed for it. */
const MAX_PARSED_LENGTH = 50_000;
/** No row is wider. */
const MAX_FIELDS = 50;

/**
 * What a row shows of a record.
 *
 * @param {import('./records.js').Content} content
 * @returns {Summary}
 */
export function summarize(content) {
  const value = lengthOf(content) > MAX_PARSED_LENGTH ? content : parse(content);
  if (!isObject(value)) return { message: String(content).slice(0, MAX_MESSAGE_LENGTH), fields: [], isMetric: false };
  const member = MESSAGE_MEMBERS.find((name) => typeof value[name] === 'string');
  const fields = Object.entries(value)
    .filter(([key]) => key !== member && !HIDDEN.has(key))
    .slice(0, MAX_FIELDS)
    .map(([key, each]) => /** @type {const} */ ([key, short(each)]));
  return {
    message: member === undefined ? '' : String(value[member]).slice(0, MAX_MESSAGE_LENGTH),
    fields,
    isMetric: metricsOf(value).length > 0,
  };
}

/**
 * The record as a value: a JSON text as what it means, also within a field.
 *
 * @param {import('./records.js').Content} content
 * @returns {unknown}
 */
export function parse(content) {
  if (typeof content === 'string') return parseJson(content);
  return Object.fromEntries(Object.entries(content).map(([key, text]) => [key, parseJson(text)]));
}

/**
 * The metrics of a record in the embedded metric format.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 *
 * @param {unknown} value
 * @returns {Metric[]}
 */
export function metricsOf(value) {
  if (!isObject(value) || !isObject(value._aws)) return [];
  return listOf(value._aws.CloudWatchMetrics).flatMap((directive) =>
    listOf(directive.Metrics).map((metric) => ({
      namespace: short(directive.Namespace ?? ''),
      name: short(metric.Name ?? ''),
      value: short(value[short(metric.Name)]),
      unit: short(metric.Unit ?? ''),
      dimensions: listOf(directive.Dimensions)
        .flat()
        .map((name) => `${short(name)}=${short(value[short(name)])}`)
        .join(', '),
    })),
  );
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, any>}
 */
export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * @param {unknown} value
 * @returns {any[]}
 */
function listOf(value) {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'object' && each !== null) : [];
}

/** @param {string} text */
function parseJson(text) {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * A value in a row. `String()` would call the `toString` that a record may bring.
 *
 * @param {unknown} value
 */
function short(value) {
  const text = typeof value === 'string' ? value : inJson(value);
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text;
}

/** @param {unknown} value */
function inJson(value) {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    // A value that is nested thousands deep.
    return '…';
  }
}
