import { spawnSync } from 'node:child_process';
import { parse as parseHcl } from '@cdktf/hcl2json';
import { validate } from 'dockerfile-utils';
import { transform } from 'esbuild';
import { parseAllDocuments } from 'yaml';

/** For each language that a block may have, a function that throws if the code is not well-formed. */
export const parsers: Readonly<Record<string, (code: string) => unknown>> = {
  js: parseScript,
  // NestJS has decorators of parameters.
  ts: (code) => transform(code, { loader: 'ts', tsconfigRaw: { compilerOptions: { experimentalDecorators: true } } }),
  json: JSON.parse,
  yaml: parseYaml,
  sh: parseShell,
  hcl: (code) => parseHcl('block.tf', code),
  dockerfile: parseDockerfile,
  // Queries of services, and output.
  sql: () => undefined,
  promql: () => undefined,
  '': () => undefined,
};

/** A fragment is a module, or the body of a function. */
async function parseScript(code: string): Promise<void> {
  await transform(code, { loader: 'js', format: 'esm' }).catch(() =>
    transform(`async function body() {\n${code}\n}`, { loader: 'js' }),
  );
}

function parseYaml(code: string): void {
  for (const { errors } of parseAllDocuments(code)) if (errors[0]) throw errors[0];
}

function parseShell(code: string): void {
  const { status, stderr } = spawnSync('bash', ['-n'], { input: code, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

function parseDockerfile(code: string): void {
  const [problem] = validate(code);
  if (problem) throw new Error(String(problem.message));
}
