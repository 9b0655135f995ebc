import { type DoctorTarget, runDoctor } from '../../../src/doctor/doctor.js';
import type { NamedFinding } from '../../../src/doctor/finding.js';

/** What the doctor found. */
export interface Diagnosis {
  readonly exitCode: number;
  readonly findings: readonly NamedFinding[];
  of(check: string): NamedFinding | undefined;
}

/** Runs the doctor with JSON as its output. */
export async function diagnose(
  target: DoctorTarget,
  { dry = false, limits = {} }: { readonly dry?: boolean; readonly limits?: Partial<typeof SHORT> } = {},
): Promise<Diagnosis> {
  const lines: string[] = [];
  const exitCode = await runDoctor(target, { dry, json: true }, outputTo(lines), { ...SHORT, ...limits });
  const findings: readonly NamedFinding[] = lines.map((line) => JSON.parse(line));
  return { exitCode, findings, of: (check) => findings.find((finding) => finding.check === check) };
}

/** Enough for each answer, and for several attempts of a write. */
const SHORT = { checkMs: 4000, runMs: 10_000, writeMs: 2000 };

/** Runs the doctor with its output for people. */
export async function humanOutput(
  target: DoctorTarget,
  { dry = false, hasColours = false }: { readonly dry?: boolean; readonly hasColours?: boolean } = {},
): Promise<string> {
  const texts: string[] = [];
  await runDoctor(target, { dry, json: false }, { ...outputTo(texts), hasColours });
  return texts.join('');
}

function outputTo(texts: string[]): Parameters<typeof runDoctor>[2] {
  return {
    async out(text) {
      texts.push(text);
    },
    hasColours: false,
  };
}
