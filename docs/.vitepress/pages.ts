/** A group of the sidebar. A page is its path without `.md`, and its text there. */
export interface Group {
  readonly title: string;
  readonly pages: readonly (readonly [path: string, text: string])[];
}

/** All pages in the order of the sidebar, of llms.txt and of llms-full.txt. */
export const groups: readonly Group[] = [
  {
    title: 'Start',
    pages: [
      ['start/winston', 'winston'],
      ['start/pino', 'pino'],
      ['start/bunyan', 'bunyan'],
      ['start/express', 'Express'],
      ['start/fastify', 'Fastify'],
      ['start/koa', 'Koa'],
      ['start/nestjs', 'NestJS'],
      ['start/nextjs', 'Next.js'],
      ['start/command-line', 'Any program'],
    ],
  },
  {
    title: 'Understand',
    pages: [
      ['modes', 'Choosing a mode'],
      ['ends', 'The end of a process'],
      ['order-and-duplicates', 'Order and duplicates'],
      ['spool', 'Records on disk'],
      ['cost-and-quotas', 'Cost and quotas'],
      ['security', 'Security'],
    ],
  },
  {
    title: 'Operate',
    pages: [
      ['lambda', 'AWS Lambda'],
      ['containers', 'Containers'],
      ['routing', 'Routing'],
      ['redaction', 'Redaction'],
      ['traces-and-metrics', 'Traces and metrics'],
      ['queries', 'Queries, dashboards, alarms'],
      ['tuning', 'Tuning'],
      ['troubleshooting', 'Troubleshooting'],
    ],
  },
  {
    title: 'Extend',
    pages: [
      ['testing', 'Testing'],
      ['writing-a-destination', 'Writing a destination'],
      ['writing-an-adapter', 'Writing an adapter'],
    ],
  },
  {
    title: 'Move here',
    pages: [
      ['moving/winston-cloudwatch', 'from winston-cloudwatch'],
      ['moving/winston-aws-cloudwatch', 'from winston-aws-cloudwatch'],
      ['moving/serdnam-pino-cloudwatch-transport', 'from @serdnam/pino-cloudwatch-transport'],
      ['moving/pino-cloudwatch', 'from pino-cloudwatch'],
      ['moving/bunyan-cloudwatch', 'from bunyan-cloudwatch'],
      ['moving/aliyun-sdk', 'from the SDKs of Alibaba Cloud'],
    ],
  },
  {
    title: 'Reference',
    pages: [
      ['options/delivery', 'Options of delivery'],
      ['options/cloudwatch', 'Options of CloudWatch Logs'],
      ['options/log-service', 'Options of Log Service'],
      ['options/winston', 'Options of winston'],
      ['options/pino', 'Options of pino'],
      ['options/bunyan', 'Options of bunyan'],
      ['api/index', 'API'],
    ],
  },
  {
    title: 'Measured',
    pages: [
      ['reach', 'Where it runs'],
      ['fleet', 'A fleet'],
      ['measured', 'Benchmark'],
    ],
  },
];
