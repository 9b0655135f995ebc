import { createLogService, type LogServiceOptions, logServiceOptionNames } from '@logferry/log-service';
import type { Target } from './target.js';

/** Alibaba Cloud Log Service. */
export const logServiceTarget: Target<LogServiceOptions> = {
  name: 'log-service',
  section: 'logService',
  title: 'Alibaba Cloud Log Service',
  required: ['endpoint', 'project', 'logstore'],
  optionNames: logServiceOptionNames,
  create: createLogService,
  specs: [
    {
      path: ['endpoint'],
      kind: 'text',
      value: 'host',
      description: 'endpoint of the region, such as cn-hangzhou.log.aliyuncs.com, or a URL',
    },
    { path: ['project'], kind: 'text', value: 'name', description: 'project' },
    { path: ['logstore'], kind: 'text', value: 'name', description: 'logstore; may be a template, as the topic' },
    {
      path: ['credentials'],
      kind: 'text',
      choices: ['env', 'none'],
      value: 'source',
      description: 'env: sign with ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET; none: web tracking',
    },
    {
      path: ['region'],
      kind: 'text',
      value: 'name',
      description: 'region, for signatures of version 4',
      defaultText: 'the one that the endpoint names',
    },
    {
      path: ['topic'],
      kind: 'text',
      value: 'text',
      description:
        'topic: a text, or a template of {hostname} {pid} {start} {uuid} {level} {date:yyyy-MM-dd} {field:a.b|none}',
    },
    {
      path: ['source'],
      kind: 'text',
      value: 'text',
      description: 'source of all logs',
      defaultText: "the host's name",
    },
    { path: ['tags'], kind: 'map', value: 'name=value', description: 'tag of all logs' },
    {
      path: ['createMissing'],
      kind: 'boolean',
      description: 'create the logstore if it does not exist; only with credentials',
      defaultText: 'false',
    },
    {
      path: ['retentionInDays'],
      kind: 'number',
      value: 'n',
      description: 'days that a logstore that is created keeps logs',
      defaultText: '30',
    },
    {
      path: ['shardCount'],
      kind: 'number',
      value: 'n',
      description: 'shards of a logstore that is created',
      defaultText: '2',
    },
    { path: ['index'], kind: 'boolean', description: 'a full-text index for a logstore that is created' },
    {
      path: ['compression'],
      kind: 'text',
      choices: ['lz4', 'deflate', 'zstd', 'none'],
      value: 'form',
      description: 'of request bodies: lz4, deflate, zstd or none',
      defaultText: 'lz4',
    },
    {
      path: ['timeField'],
      kind: 'text',
      value: 'name',
      description: 'field for the time of the event',
      defaultText: 'time; none with credentials',
    },
    {
      path: ['sequenceField'],
      kind: 'text',
      value: 'name',
      description: 'field for a number that counts the records',
      defaultText: 'seq; none with credentials',
    },
    {
      path: ['oversize'],
      kind: 'text',
      choices: ['truncate', 'split', 'drop'],
      value: 'rule',
      description: 'a record that is too large: truncate, split or drop',
      defaultText: 'truncate',
    },
    {
      path: ['proxy'],
      kind: 'text-or-off',
      value: 'url',
      description: 'HTTP proxy; --no-proxy uses none',
      defaultText: 'HTTPS_PROXY, NO_PROXY',
    },
  ],
};
