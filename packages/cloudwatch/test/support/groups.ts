import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  ListTagsForResourceCommand,
  type LogGroup,
} from '@aws-sdk/client-cloudwatch-logs';
import type { Access } from './servers.js';

/** The only log group of the emulator, with its tags. */
export async function onlyGroup(access: Access): Promise<LogGroup & { readonly tags: unknown }> {
  const client = new CloudWatchLogsClient(access);
  const { logGroups: [group] = [] } = await client.send(new DescribeLogGroupsCommand({}));
  const { tags } = await client.send(new ListTagsForResourceCommand({ resourceArn: group?.logGroupArn }));
  return { ...group, tags };
}
