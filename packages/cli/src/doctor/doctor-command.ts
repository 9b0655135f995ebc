import { splitOptions } from '@logferry/core';
import type { Command } from 'commander';
import { DELIVERY_OFFERED } from '../options/delivery-specs.js';
import type { OptionSpec } from '../options/option.js';
import { addFlags, readOptions } from '../options/read-options.js';
import { openOutput } from '../stdout.js';
import { addConfigFlag, readConfig } from '../targets/read-config.js';
import { readTargetOptions, withSources } from '../targets/target-options.js';
import type { AnyTarget } from '../targets/targets.js';
import { UsageError } from '../usage-error.js';
import { type DoctorTarget, runDoctor } from './doctor.js';
import { type PolicyFormat, policyOf, withFoundRegion } from './policy.js';

const FORMATS: readonly PolicyFormat[] = ['json', 'terraform', 'cdk'];

const specs: readonly OptionSpec[] = [
  { path: ['dry'], kind: 'boolean', description: 'write and create nothing' },
  { path: ['json'], kind: 'boolean', description: 'print one JSON object a check' },
  {
    path: ['policy'],
    kind: 'text',
    choices: FORMATS,
    value: 'format',
    description: `print the least rights that these options need, and check nothing: ${FORMATS.join(', ')}`,
  },
];

/** `logferry doctor cloudwatch`: says why records do not arrive. */
export function addDoctorCommand(doctor: Command, target: AnyTarget): void {
  const command = doctor
    .command(target.name)
    .summary(`check whether records arrive at ${target.title}`)
    .description(
      [
        `Checks, one by one, what records need to arrive at ${target.title}, and writes a marked record. Each failure comes with its`,
        'remedy. Exit code 0: a record arrives; with --dry: every check that does not write passes. Exit code 1: it does not.',
      ].join(' '),
    )
    .action(async (flags: Readonly<Record<string, unknown>>) => {
      process.exitCode = await check(target, flags);
    });
  addConfigFlag(command, target);
  addFlags(command, specs, 'Checks:');
  addFlags(command, target.specs, `${target.title}:`);
}

async function check(target: AnyTarget, flags: Readonly<Record<string, unknown>>): Promise<number> {
  const { dry, json, policy } = readOptions(specs, flags, process.env, undefined).values;
  const options = readTargetOptions(target, flags, await readConfig(flags), target.specs);
  const [own] = withSources(options, () => splitOptions(options.values, target.optionNames, DELIVERY_OFFERED));
  const doctorTarget = { cloud: target.name, options: own } as unknown as DoctorTarget;
  const output = openOutput();
  if (policy === undefined) return runDoctor(doctorTarget, { dry: dry === true, json: json === true }, output);
  const format = FORMATS.find((each) => each === policy);
  if (!format) throw new UsageError(`--policy: expected ${FORMATS.join(' or ')}, got ${JSON.stringify(policy)}`);
  const text = withSources(options, () => policyOf(doctorTarget, format));
  const found = await withFoundRegion(doctorTarget, new AbortController().signal);
  await output.out(found === doctorTarget ? text : policyOf(found, format));
  return 0;
}
