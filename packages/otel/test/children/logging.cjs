// Logs inside a span by all frameworks, to both clouds, and makes a request of its own of each instrumented kind.
const { once } = require('node:events');

/** `modules` are those of ES modules, or of CommonJS. */
exports.log = async ({ api, aws, bunyan, dns, http, ours, pino, winston }) => {
  const { CONTROL_URL, LOG_SERVICE } = process.env;
  const logService = JSON.parse(LOG_SERVICE);
  const closeTimeoutMs = 30_000;
  const names = (logStreamName) => ({ logGroupName: 'shop', logStreamName, closeTimeoutMs });
  const fields = (source) => ({ ...logService, source, closeTimeoutMs });
  const client = new aws.CloudWatchLogsClient();

  await api.trace.getTracer('app').startActiveSpan('request', async (span) => {
    const winstonLogger = winston.createLogger({
      transports: [
        new ours.CloudWatchTransport(names('winston')),
        new ours.CloudWatchTransport({ ...names('winston-client'), client }),
        new ours.CloudWatchTransport({ ...names('winston-thread'), thread: true }),
        new ours.LogServiceTransport({ ...fields('winston'), fetch }),
      ],
    });
    const bunyanStreams = [ours.cloudWatchStream(names('bunyan')), ours.logServiceStream(fields('bunyan'))];
    const bunyanLogger = bunyan.createLogger({ name: 'shop', streams: bunyanStreams });
    const targets = [
      { target: '@logferry/pino/cloudwatch', options: names('pino') },
      { target: '@logferry/pino/log-service', options: fields('pino') },
    ];
    const transport = pino.transport({ targets });
    const pinoLogger = pino(transport);
    for (const logger of [winstonLogger, bunyanLogger, pinoLogger]) logger.info('order paid');
    const ended = once(winstonLogger, 'finish');
    winstonLogger.end();
    await Promise.all([ended, ...bunyanStreams.map(({ stream }) => stream.close())]);
    const closed = once(transport, 'close');
    transport.end();
    // Nothing of pino's holds the process meanwhile.
    const hold = setInterval(() => {}, 1000);
    await closed;
    clearInterval(hold);

    await once(http.get(CONTROL_URL), 'close');
    await (await fetch(CONTROL_URL)).text();
    await client.send(new aws.DescribeLogGroupsCommand({}));
    await dns.promises.lookup('localhost');
    span.end();
  });
};
