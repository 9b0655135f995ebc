import { setTimeout } from 'node:timers/promises';
import type { CloudWatchOptions } from '@logferry/cloudwatch';
import { ConfigError, DeliveryError, systemClock } from '@logferry/core';
import type { LogServiceOptions } from '@logferry/log-service';
import type { Output } from '../stdout.js';
import type { Check, Context, Limits } from './check.js';
import { credentials, region } from './checks/account.js';
import { node, packages } from './checks/environment.js';
import { clock, connection, dns, proxy, service } from './checks/network.js';
import { quotas } from './checks/quotas.js';
import { access, target } from './checks/target.js';
import { write } from './checks/write.js';
import type { Cloud } from './clouds/cloud.js';
import { cloudWatch } from './clouds/cloudwatch.js';
import { logService } from './clouds/log-service.js';
import { type Finding, failed, type NamedFinding, skipped } from './finding.js';
import { Network } from './network.js';
import { humanText, jsonText } from './print.js';

/** The destination of a transport. */
export type DoctorTarget =
  | { readonly cloud: 'cloudwatch'; readonly options: CloudWatchOptions }
  | { readonly cloud: 'log-service'; readonly options: LogServiceOptions };

/** How the doctor checks, and prints. */
export interface DoctorSettings {
  /** True: writes and creates nothing. */
  readonly dry: boolean;
  /** True: prints one JSON object a check. */
  readonly json: boolean;
}

/**
 * Checks, one by one, what a transport with these options needs, and prints each finding with its remedy.
 *
 * @returns the exit code: 0 if a record arrives, or with `dry` if every check passes that does not write; else 1
 */
export async function runDoctor(
  doctorTarget: DoctorTarget,
  { dry, json }: DoctorSettings,
  output: Pick<Output, 'out' | 'hasColours'>,
  limits: Limits = LIMITS,
): Promise<number> {
  const findings: NamedFinding[] = [];
  const tell = async (finding: NamedFinding): Promise<void> => {
    findings.push(finding);
    await output.out(json ? jsonText(finding) : humanText(finding, output.hasColours));
  };
  const cloud = createCloud(doctorTarget);
  if ('status' in cloud) await tell({ check: 'options', ...cloud });
  else
    await runChecks(
      { cloud, network: new Network(cloud), dry, limits, endMs: systemClock.monotonic() + limits.runMs },
      tell,
    );
  const failures = findings.filter(({ status }) => status === 'failed');
  if (!json) await output.out(summaryOf(failures, dry));
  return failures.length === 0 ? 0 : 1;
}

/** In the order of the way of a record: each failure is told where it begins. */
const CHECKS: readonly Check[] = [
  ...[node, packages, region, credentials],
  ...[dns, proxy, connection, service, clock],
  ...[access, target, write, quotas],
];

const LIMITS: Limits = { checkMs: 10_000, runMs: 30_000, writeMs: 8000 };

function createCloud({ cloud, options }: DoctorTarget): Cloud | Finding {
  try {
    return cloud === 'cloudwatch' ? cloudWatch(options) : logService(options);
  } catch (error) {
    if (!ConfigError.is(error)) throw error;
    return failed(error.message.replace(/^\[logferry\] /, ''), `correct the option "${error.option}"`);
  }
}

async function runChecks(context: Context, tell: (finding: NamedFinding) => Promise<void>): Promise<void> {
  /** The check that failed, by each that failed or was skipped for it. */
  const blockers = new Map<string, string>();
  try {
    for (const check of CHECKS) {
      const blocker = check.needs.map((name) => blockers.get(name)).find((name) => name !== undefined);
      const timeoutMs = Math.min(context.limits.checkMs, context.endMs - systemClock.monotonic());
      const finding =
        blocker === undefined
          ? await runOne(check, context, timeoutMs)
          : skipped(`not checked, since ${blocker} failed`);
      if (blocker !== undefined) blockers.set(check.name, blocker);
      else if (finding.status === 'failed') blockers.set(check.name, check.name);
      await tell({ check: check.name, ...finding });
    }
  } finally {
    context.network.close();
    await context.cloud.close();
  }
}

/** The timer keeps the process alive, which the requests do not. */
async function runOne(check: Check, context: Context, timeoutMs: number): Promise<Finding> {
  const ended = new AbortController();
  const limit = new AbortController();
  const late = setTimeout(Math.max(1, timeoutMs), LATE, { signal: ended.signal });
  try {
    return await Promise.race([check.run(context, limit.signal), late]);
  } catch (error) {
    return failureOf(error, context.cloud);
  } finally {
    ended.abort();
    limit.abort();
  }
}

const LATE: Finding = failed(
  'no answer in time',
  'try again, and check what the connection goes through: proxy, firewall, VPN',
);

function failureOf(error: unknown, cloud: Cloud): Finding {
  if (DeliveryError.is(error)) return failed(causeOf(error.message), cloud.remedyOf(error));
  const text = String((error as Error | undefined)?.message ?? error).replace(/\s+/g, ' ');
  return failed(text, 'correct the options that the cause names');
}

/** Leaves out the advice that such messages end with: the remedy says it. */
function causeOf(message: string): string {
  return message.replace(
    /^(no (?:valid AWS region|(?:AWS|Alibaba Cloud) credentials).*\)): (?:set|the|check) .*$/,
    '$1',
  );
}

function summaryOf(failures: readonly NamedFinding[], dry: boolean): string {
  if (failures.length > 0) return `\nRecords do not arrive: ${failures.map(({ check }) => check).join(', ')} failed.\n`;
  return dry
    ? '\nNothing was written: that records arrive is not proven. Run it again without --dry.\n'
    : '\nRecords arrive.\n';
}
