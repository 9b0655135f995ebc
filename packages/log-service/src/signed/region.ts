/**
 * The region that the host of an endpoint names, with or without a project before it: `cn-hangzhou` of
 * `cn-hangzhou-intranet.log.aliyuncs.com`. `undefined` for a domain of one's own, and for `log-global.aliyuncs.com`.
 *
 * @param host in lower case, without a port
 */
export function regionOf(host: string): string | undefined {
  return ENDPOINT.exec(host)?.[1];
}

/**
 * Region, network, and one of the two domains of the service.
 * https://help.aliyun.com/zh/sls/developer-reference/service-entrance
 * https://github.com/aliyun/aliyun-log-go-sdk/blob/210ae4b/util/region.go
 * https://github.com/aliyun/aliyun-log-go-sdk/blob/210ae4b/client_region_test.go
 */
const ENDPOINT =
  /(?:^|\.)([a-z\d]+(?:-[a-z\d]+)+?)(?:-(?:intranet|internal|share|vpc))?(?:\.dualstack)?\.(?:log|sls)\.aliyuncs\.com$/;
