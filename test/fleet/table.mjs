export const names = {
  logferry: 'Logferry',
  drops: 'winston-cloudwatch',
  keeps: 'fixed, keeps records',
};

const outages = { unavailable: '503', refused: 'connections refused', hangs: 'no response' };

/** Names of the fleets, for people. */
export function describeFleet({ processes, intervalMs, quotaPerSecond }) {
  const each = intervalMs === 1000 ? 'each second' : `each ${intervalMs / 1000} s`;
  return `${number(processes)} processes, a record ${each}, quota ${number(quotaPerSecond)}/s`;
}

const columns = {
  fleet: ({ scenario }) => `${describeFleet(scenario)}; ${outages[scenario.outage]}`,
  client: ({ client }) => names[client],
  'last process caught up': ({ findings }) => seconds(findings.lastCaughtUpMs),
  'slowest ÷ median': ({ findings }) =>
    findings.medianCaughtUpMs > 0 ? (findings.lastCaughtUpMs / findings.medianCaughtUpMs).toFixed(1) : '–',
  'requests in the outage': ({ findings }) => number(findings.failed),
  'throttled from its end on': ({ findings }) => percent(findings.wasted),
  'throttled before it': ({ findings }) => percent(findings.wastedSteady),
  'slowest end at the deploy': ({ findings }) => seconds(findings.slowestCloseMs),
  'records lost': ({ findings }) => number(findings.lost),
  'peak RSS': ({ findings }) => `${number(Math.round(findings.peakRssBytes / 2 ** 20))} MiB`,
};

export function tableOf(results) {
  const heads = Object.keys(columns);
  const rows = results.map((result) => Object.values(columns).map((cell) => cell(result)));
  const rule = heads.map((_, index) => (index < 2 ? '---' : '--:'));
  return [heads, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function seconds(ms) {
  return Number.isFinite(ms) ? `${(ms / 1000).toFixed(1)} s` : 'never';
}

function percent(part) {
  return `${(100 * part).toFixed(1)} %`;
}

function number(value) {
  return value.toLocaleString('en-US');
}
