import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../tools/entry-points.js';

const at = (path: string): string => join(root, path);
const page = readFileSync(at('docs/security.md'), 'utf8');
const commands = [...page.matchAll(/npx logferry (doctor .+ --policy) json/g)].map(([, flags = '']) =>
  flags.split(' '),
);

describe('the page on security', () => {
  it('finds a command for each cloud', () => {
    expect(commands.map(([, cloud]) => cloud)).toEqual(['cloudwatch', 'log-service']);
  });

  it.each(
    commands.flatMap((flags) => ['json', 'terraform', 'cdk'].map((format) => ({ cloud: flags[1], flags, format }))),
  )('has the policy that the command prints: $cloud, $format', ({ flags, format }) => {
    const env = { ...process.env, ALIBABA_CLOUD_ACCESS_KEY_ID: 'id', ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'secret' };
    const output = execFileSync(process.execPath, [at('packages/cli/bin/logferry.js'), ...flags, format], { env });
    expect(page).toContain(`\n${output.toString().trimEnd()}\n\`\`\`\n`);
  });

  it('names the dependencies of each package', () => {
    for (const name of ['core', 'cloudwatch', 'log-service', 'winston', 'pino', 'bunyan', 'otel']) {
      const { dependencies = {}, scripts } = JSON.parse(readFileSync(at(`packages/${name}/package.json`), 'utf8'));
      const row = page.split('\n').find((line) => line.startsWith(`| \`@logferry/${name}\``));
      const others = Object.keys(dependencies).filter((each) => !each.startsWith('@logferry/'));
      expect(row, name).toContain(others.length ? `| ${others.map((each) => `\`${each}\``).join(', ')}` : '| nothing');
      expect(Object.keys(scripts).filter((each) => /install/.test(each))).toEqual([]);
    }
  });
});
