const { log } = require('./logging.cjs');

log({
  api: require('@opentelemetry/api'),
  aws: require('@aws-sdk/client-cloudwatch-logs'),
  bunyan: require('bunyan'),
  dns: require('node:dns'),
  http: require('node:http'),
  ours: {
    ...require('@logferry/bunyan/cloudwatch'),
    ...require('@logferry/bunyan/log-service'),
    ...require('@logferry/winston/cloudwatch'),
    ...require('@logferry/winston/log-service'),
  },
  pino: require('pino'),
  winston: require('winston'),
});
