// @ts-check

/** @typedef {'pino' | 'winston' | 'bunyan'} Framework */

/** @type {readonly Framework[]} */
export const FRAMEWORKS = ['pino', 'winston', 'bunyan'];

/**
 * A program that sends a first record, and the command that installs what it needs.
 *
 * @param {import('./state.js').Cloud} cloud
 * @param {Framework} framework
 * @returns {{ install: string, program: string, environment: string }}
 */
export function firstRecord(cloud, framework) {
  const isAws = cloud.name === 'cloudwatch';
  const packages = [framework, `@logferry/${framework}`, ...(isAws ? ['@aws-sdk/client-cloudwatch-logs'] : [])];
  return {
    install: `npm install ${packages.join(' ')}`,
    environment: Object.entries(cloud.env)
      .map(([name, value]) => `export ${name}=${value}`)
      .join('\n'),
    program: PROGRAMS[framework](cloud.name, optionsOf(cloud)),
  };
}

/**
 * How an application is started so that its ledger shows on the page, also that of its worker threads.
 *
 * @param {string} address
 */
export function reportCommand(address) {
  return `npm install --save-dev @logferry/emulators\nLOGFERRY_DEV=${address} node --import @logferry/emulators/report app.mjs`;
}

/** @type {Readonly<Record<Framework, (cloud: import('./state.js').Cloud['name'], options: string) => string>>} */
const PROGRAMS = {
  pino: (cloud, options) => `import pino from 'pino';

const options = ${options};
const logger = pino(pino.transport({ target: '@logferry/pino/${cloud}', options }));
logger.info({ orderId: 'A-17' }, 'order paid');
`,
  winston: (cloud, options) => {
    const transport = cloud === 'cloudwatch' ? 'CloudWatchTransport' : 'LogServiceTransport';
    return `import { ${transport} } from '@logferry/winston/${cloud}';
import winston from 'winston';

const options = ${options};
const logger = winston.createLogger({ transports: [new ${transport}(options)] });
logger.info('order paid', { orderId: 'A-17' });
`;
  },
  bunyan: (cloud, options) => {
    const stream = cloud === 'cloudwatch' ? 'cloudWatchStream' : 'logServiceStream';
    return `import { ${stream} } from '@logferry/bunyan/${cloud}';
import bunyan from 'bunyan';

const options = ${options};
const logger = bunyan.createLogger({ name: 'shop', streams: [${stream}(options)] });
logger.info({ orderId: 'A-17' }, 'order paid');
`;
  },
};

/** @param {import('./state.js').Cloud} cloud */
function optionsOf({ name, endpoint, region, env, target }) {
  const lines =
    name === 'cloudwatch'
      ? [
          `logGroupName: 'shop',`,
          `endpoint: '${endpoint}',`,
          `region: '${region}',`,
          `credentials: {`,
          `  accessKeyId: '${env.AWS_ACCESS_KEY_ID}',`,
          `  secretAccessKey: '${env.AWS_SECRET_ACCESS_KEY}',`,
          `},`,
        ]
      : [
          `endpoint: '${endpoint}',`,
          `project: '${target?.project}',`,
          `logstore: '${target?.logstore}',`,
          `credentials: {`,
          `  accessKeyId: '${env.ALIBABA_CLOUD_ACCESS_KEY_ID}',`,
          `  accessKeySecret: '${env.ALIBABA_CLOUD_ACCESS_KEY_SECRET}',`,
          `},`,
        ];
  return `{\n${lines.map((line) => `  ${line}\n`).join('')}}`;
}
