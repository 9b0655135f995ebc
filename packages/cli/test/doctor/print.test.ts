import { createServer } from 'node:http';
import { stripVTControlCharacters } from 'node:util';
import { beforeEach, expect, it } from 'vitest';
import { nodeFinding } from '../../src/doctor/checks/environment.js';
import { maskedKey } from '../../src/doctor/clouds/identity.js';
import { isolate } from './support/environment.js';
import { humanOutput } from './support/run.js';
import { listen, startAlibaba, startAws } from './support/servers.js';

beforeEach(isolate);

it('prints one aligned line a check, and a last line that says whether records arrive', async () => {
  const { target } = await startAws();
  const lines = (await humanOutput(target())).split('\n');
  expect(lines.slice(0, 4)).toEqual([
    `✓ node         Node.js ${process.versions.node}`,
    '✓ packages     @aws-sdk/client-cloudwatch-logs is installed',
    '✓ region       us-east-1 (option "region")',
    '✓ credentials  the keys of the option "credentials", key AKIA…ATOR',
  ]);
  expect(lines).toContain('✓ write        a record with "logferry":"doctor" arrived in log group "shop", stream "web"');
  expect(lines.slice(-3)).toEqual(['', 'Records arrive.', '']);
});

it('prints the remedy below the failure, and names what failed at the end', async () => {
  const { target } = await startAlibaba({ webTrackingOff: ['off'] });
  const text = await humanOutput(target({ logstore: 'off' }));
  expect(text).toMatch(/^✗ write {8}PutWebTracking to .*\n {15}-> switch web tracking on/m);
  expect(text).toMatch(/\n\nRecords do not arrive: write failed\.\n$/);
});

it('a dry run ends with what it did not prove', async () => {
  const { target } = await startAws();
  expect(await humanOutput(target(), { dry: true })).toMatch(/\n\nNothing was written: .* not proven\. .*--dry\.\n$/);
});

it('lets no control character of a server through', async () => {
  const port = await listen(createServer((_, response) => response.writeHead(500).end('a\x1b]0;b\x9b2J\u202ec')));
  const { target } = await startAws();
  const text = await humanOutput(target({ endpoint: `http://127.0.0.1:${port}` }), { dry: true });
  expect(text).toContain('HTTP 500: a');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]|\p{Cf}/u);
});

it('has colours only where the output does', async () => {
  const { target } = await startAws();
  const plain = await humanOutput(target(), { dry: true });
  expect(plain).toBe(stripVTControlCharacters(plain));
  const coloured = await humanOutput(target(), { dry: true, hasColours: true });
  expect(coloured).toContain('\u001b[32m✓\u001b[0m node');
});

it.each([
  ['20.18.1', 'warning'],
  ['20.19.0', 'ok'],
  ['21.7.3', 'warning'],
  ['22.0.0', 'ok'],
  ['23.1.0', 'warning'],
  ['24.0.0', 'ok'],
  ['26.12.0', 'ok'],
])('Node.js %s: %s', (version, status) => {
  expect(nodeFinding(version)).toMatchObject({ status });
});

it('shows four characters of each end of a key, and nothing of a short one', () => {
  expect(maskedKey('AKIAIOSFODNN7EXAMPLE')).toBe('AKIA…MPLE');
  expect(maskedKey('short-key')).toBe('…');
});
