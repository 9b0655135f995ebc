import { expect } from 'vitest';
import { textOf } from '../clouds.js';
import { installExample } from '../example.js';
import type { Group, Row } from '../row.js';
import { REQUEST_ID, startServer } from '../server.js';
import { nextRow } from './nextjs.js';
import { clusterRow, containerRow, pm2Row } from './processes.js';

/** An example with a server: the requests to it, and the records that it makes of them. */
interface Shop {
  readonly name: string;
  readonly example: string;
  readonly command: readonly [string, ...string[]];
  /** Builds with the package's own compiler. @default false */
  readonly isTypeScript?: boolean;
  /** Texts of all records from the start to the end, with PORT for the port. */
  readonly texts: readonly string[];
  /** The member that has the id of a request, in the record of an order. @default none */
  readonly requestId?: string;
  /** @default exit code 0 */
  readonly exit?: NodeJS.Signals;
  readonly short?: boolean;
}

const requests = { '/health': 200, '/orders/7': 200, '/orders/2000': 500, '/nowhere': 404 } as const;
const nestStart = ['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication'];

const shops: readonly Shop[] = [
  {
    name: 'Express 5, winston and morgan',
    example: 'frameworks/express-winston',
    command: ['node', 'server.js'],
    texts: ['shop opens', 'order read', ...completed(3), 'there is no order 2000', 'shop closes'],
    short: true,
  },
  {
    name: 'Fastify 5 and pino',
    example: 'frameworks/fastify-pino',
    command: ['node', 'server.js'],
    texts: [
      'Server listening at http://127.0.0.1:PORT',
      ...Array(3).fill('incoming request'),
      ...['order read', ...completed(3), 'there is no order 2000', 'Route GET:/nowhere not found', 'shop closes'],
    ],
    requestId: 'reqId',
  },
  {
    name: 'Koa 3 and bunyan',
    example: 'frameworks/koa-bunyan',
    command: ['node', 'server.js'],
    texts: ['shop opens', 'order read', ...completed(3), 'there is no order 2000', 'shop closes'],
    requestId: 'requestId',
  },
  {
    name: 'NestJS 12 and nest-winston',
    example: 'frameworks/nestjs-winston',
    command: ['node', 'dist/main.js'],
    isTypeScript: true,
    texts: ['shop opens', 'order read', ...completed(3), 'there is no order 2000', 'shop closes'],
    exit: 'SIGTERM',
  },
  {
    name: 'NestJS 12 and nestjs-pino',
    example: 'frameworks/nestjs-pino',
    command: ['node', 'dist/main.js'],
    isTypeScript: true,
    texts: [
      ...['shop opens at http://[::1]:PORT', 'order read', ...completed(2), 'request errored'],
      ...['there is no order 2000', 'shop closes'],
    ],
    exit: 'SIGTERM',
  },
];

/** The runtime is that of the example: it calls the handler, and shows what is delivered after each response. */
const lambdaRow: Row = {
  name: 'a handler of AWS Lambda, and winston',
  short: false,
  async run(context) {
    await installExample(context, 'lambda');
    const { stdout, stderr, exit } = await context.exec('node', ['index.js']);
    const counts = [...stdout.matchAll(/: (\d+) of (\d+) records are delivered/g)].map((match) => match.slice(1));
    expect({ counts, stderr, exit }).toEqual({
      counts: [
        ['80', '80'],
        ['161', '161'],
        ['202', '202'],
      ],
      stderr: '',
      exit: 0,
    });
    expect(context.clouds.take()).toHaveLength(202);
    return { 'CloudWatch Logs': '202 of 202', 'Log Service': '–', 'at the end': 'delivered before each response' };
  },
};

export const frameworks: Group = {
  name: 'frameworks',
  columns: ['CloudWatch Logs', 'Log Service', 'at the end'],
  rows: [...shops.map(shopRow), nextRow, lambdaRow, clusterRow, pm2Row, containerRow],
};

function completed(count: number): string[] {
  return Array(count).fill('request completed');
}

function shopRow({ name, example, command, isTypeScript, texts, requestId, exit, short = false }: Shop): Row {
  return {
    name,
    short,
    async run(context) {
      await installExample(context, example);
      if (isTypeScript) expect(await context.exec('tsc', [])).toMatchObject({ stdout: '', exit: 0 });
      const delivered = async (cloud: 'cloudwatch' | 'log-service'): Promise<string> => {
        const server = await startServer(context, command, { env: { CLOUD: cloud } });
        for (const [path, status] of Object.entries(requests)) expect(await server.get(path), path).toBe(status);
        expect(await server.end('SIGTERM')).toMatchObject({ exit: exit ?? 0, stderr: '' });
        const records = context.clouds.takeRecords().filter(({ context: part }) => !nestStart.includes(String(part)));
        expect(records.map(textOf).map(withoutPort).sort()).toEqual([...texts].sort());
        const order = records.find((record) => textOf(record) === 'order read');
        expect(order).toMatchObject({ order: cloud === 'cloudwatch' ? 7 : '7' });
        if (requestId) expect(order).toMatchObject({ [requestId]: REQUEST_ID });
        return `${records.length} of ${texts.length}`;
      };
      return {
        'CloudWatch Logs': await delivered('cloudwatch'),
        'Log Service': await delivered('log-service'),
        'at the end': exit ? `SIGTERM; ends by ${exit}` : 'SIGTERM; exit code 0',
      };
    },
  };
}

function withoutPort(text: string): string {
  return text.replace(/:\d+$/, ':PORT');
}
