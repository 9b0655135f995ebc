import { expect, it } from 'vitest';
import { regionOf } from '../../src/signed/region.js';

/** https://help.aliyun.com/zh/sls/developer-reference/service-entrance, and the tests of Alibaba Cloud's SDKs for Go and Java. */
it.each([
  ['cn-hangzhou.log.aliyuncs.com', 'cn-hangzhou'],
  ['cn-shanghai-intranet.log.aliyuncs.com', 'cn-shanghai'],
  ['cn-shanghai-share.log.aliyuncs.com', 'cn-shanghai'],
  ['cn-hangzhou-internal.log.aliyuncs.com', 'cn-hangzhou'],
  ['cn-hangzhou-acdr-ut-1-vpc.sls.aliyuncs.com', 'cn-hangzhou-acdr-ut-1'],
  ['cn-hangzhou-acdr-ut-1.sls.aliyuncs.com', 'cn-hangzhou-acdr-ut-1'],
  ['cn-hangzhou-acdr-ut-1-intranet-share.sls.aliyuncs.com', 'cn-hangzhou-acdr-ut-1-intranet'],
  ['cn-hangzhou.dualstack.log.aliyuncs.com', 'cn-hangzhou'],
  ['ap-southeast-1.dualstack.log.aliyuncs.com', 'ap-southeast-1'],
  ['me-east-1-intranet.log.aliyuncs.com', 'me-east-1'],
  ['cn-hangzhou-finance-intranet.log.aliyuncs.com', 'cn-hangzhou-finance'],
  ['cn-shenzhen-finance-1-intranet.log.aliyuncs.com', 'cn-shenzhen-finance-1'],
  ['cn-north-2-gov-1.log.aliyuncs.com', 'cn-north-2-gov-1'],
  ['cn-shanghai-corp.sls.aliyuncs.com', 'cn-shanghai-corp'],
  ['shop.cn-hangzhou-intranet.log.aliyuncs.com', 'cn-hangzhou'],
  ['cn-beijing.cn-hangzhou.log.aliyuncs.com', 'cn-hangzhou'],
])('%s is in the region %s', (host, region) => {
  expect(regionOf(host)).toBe(region);
});

it.each([
  'log-global.aliyuncs.com',
  'shop.log-global.aliyuncs.com',
  'log.aliyuncs.com',
  'sls.aliyuncs.com',
  'cn-hangzhou.oss.aliyuncs.com',
  'cn-hangzhou.log.aliyuncs.com.cn',
  'cn-hangzhou.log.aliyuncs.com.example.com',
  'cn-hangzhou.log.example.com',
  'cn-hangzhou.blog.aliyuncs.com',
  'cn_hangzhou.log.aliyuncs.com',
  'my_cn-hangzhou.log.aliyuncs.com',
  'logs.example.com',
  'cn-hangzhou',
  '127.0.0.1',
  '',
])('%j names no region', (host) => {
  expect(regionOf(host)).toBeUndefined();
});
