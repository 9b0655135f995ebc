// Preloaded by a command that has no option for its endpoint. Version 2 of the AWS SDK reads none from the environment.
const AWS = require('aws-sdk');

AWS.config.update({ cloudwatchlogs: { endpoint: process.env.AWS_ENDPOINT_URL_CLOUDWATCH_LOGS } });
