import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startCloudWatch } from '@logferry/emulators';
import { expect, it } from 'vitest';
import { root } from '../tools/entry-points.js';

const page = readFileSync(join(root, 'docs/queries.md'), 'utf8');

it('the log call of the page on queries arrives as the event in embedded metric format that the page shows', async () => {
  const [, code = ''] = /```js\n([\s\S]*?)```/.exec(page) ?? [];
  const [, shown = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  const server = await startCloudWatch({ strict: true });
  const env = { ...process.env, ...server.env };
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: join(root, 'test'),
    env,
  });
  const events = server.events();
  await server.close();
  expect(events).toHaveLength(1);
  const event = JSON.parse(events[0]?.message ?? '');
  const expected = JSON.parse(shown);
  expect(event._aws.Timestamp).toBeGreaterThan(Date.now() - 60_000);
  expect({ ...event, _aws: { ...event._aws, Timestamp: expected._aws.Timestamp } }).toEqual(expected);
});
