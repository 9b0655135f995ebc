import type { Group, Row } from '../row.js';
import { copyProgram, expectSixWays, hosts, ours, sdk } from '../six-ways.js';

const npm: Row = {
  name: 'npm',
  short: false,
  async run(context) {
    const { folder, install } = context;
    const command = ['node', copyProgram('six-ways.mjs', folder)] as const;
    await install([...ours, ...hosts]);
    const clouds = ['log-service'] as const;
    const withoutSdk = await expectSixWays(context, command, { mode: 'process', clouds });
    await install([sdk]);
    return {
      'Log Service without the AWS SDK': withoutSdk,
      'in process': await expectSixWays(context, command, { mode: 'process' }),
      'worker thread': await expectSixWays(context, command, { mode: 'thread' }),
    };
  },
};

export const managers: Group = {
  name: 'package managers',
  columns: ['Log Service without the AWS SDK', 'in process', 'worker thread'],
  rows: [npm],
};
