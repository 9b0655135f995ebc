import * as dns from 'node:dns';
import * as http from 'node:http';
import * as aws from '@aws-sdk/client-cloudwatch-logs';
import { cloudWatchStream } from '@logferry/bunyan/cloudwatch';
import { logServiceStream } from '@logferry/bunyan/log-service';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { LogServiceTransport } from '@logferry/winston/log-service';
import * as api from '@opentelemetry/api';
import bunyan from 'bunyan';
import pino from 'pino';
import winston from 'winston';
import { log } from './logging.cjs';

const ours = { CloudWatchTransport, LogServiceTransport, cloudWatchStream, logServiceStream };
await log({ api, aws, bunyan, dns, http, ours, pino, winston });
