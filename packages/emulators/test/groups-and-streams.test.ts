import {
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteLogGroupCommand,
  DeleteLogStreamCommand,
  DeleteRetentionPolicyCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  ListTagsForResourceCommand,
  ListTagsLogGroupCommand,
  PutRetentionPolicyCommand,
  TagLogGroupCommand,
  TagResourceCommand,
  UntagLogGroupCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { event, GROUP, NOW, put, STREAM, setUp, setUpEmpty, TARGET } from './helpers.js';

const ARN = `arn:aws:logs:us-east-1:123456789012:log-group:${GROUP}`;
const KEY = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd';

describe('CreateLogGroup', () => {
  it('creates a group with its class, key and tags', async () => {
    const { client } = await setUpEmpty();
    await client.send(
      new CreateLogGroupCommand({
        logGroupName: GROUP,
        logGroupClass: 'INFREQUENT_ACCESS',
        kmsKeyId: KEY,
        tags: { team: 'shop' },
      }),
    );
    const { logGroups } = await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: GROUP }));
    expect(logGroups).toEqual([
      {
        logGroupName: GROUP,
        arn: `${ARN}:*`,
        logGroupArn: ARN,
        creationTime: NOW,
        logGroupClass: 'INFREQUENT_ACCESS',
        kmsKeyId: KEY,
        metricFilterCount: 0,
        storedBytes: 0,
      },
    ]);
    const { tags } = await client.send(new ListTagsForResourceCommand({ resourceArn: ARN }));
    expect(tags).toEqual({ team: 'shop' });
  });

  it('refuses an existing group with ResourceAlreadyExistsException, which is not a violation', async () => {
    const { emulator, client } = await setUp();
    await expect(client.send(new CreateLogGroupCommand({ logGroupName: GROUP }))).rejects.toMatchObject({
      name: 'ResourceAlreadyExistsException',
      message: 'The specified log group already exists',
    });
    expect(emulator.stats().violationCount).toBe(0);
  });

  it.each([
    ['a name that starts with aws/', { logGroupName: 'aws/shop' }],
    ['a name with a star', { logGroupName: 'a*b' }],
    ['an unknown class', { logGroupClass: 'CHEAP' as 'STANDARD' }],
    ['a key that is not an ARN', { kmsKeyId: 'alias/key' }],
    ['an empty tag map', { tags: {} }],
    ['51 tags', { tags: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, 'v'])) }],
    ['a tag key with a star', { tags: { 'a*b': 'v' } }],
    ['a reserved tag key', { tags: { 'aws:name': 'v' } }],
    ['a tag value of 257 characters', { tags: { key: 'v'.repeat(257) } }],
  ])('refuses %s', async (_, input) => {
    const { emulator, client } = await setUpEmpty();
    await expect(client.send(new CreateLogGroupCommand({ logGroupName: 'new', ...input }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
    expect(emulator.stats().violationCount).toBe(1);
  });

  it('accepts names such as /aws/lambda/shop_1.#', async () => {
    const { emulator, client } = await setUpEmpty();
    await client.send(new CreateLogGroupCommand({ logGroupName: '/aws/lambda/shop_1.#' }));
    expect(emulator.stats().violationCount).toBe(0);
  });
});

describe('retention and tags', () => {
  it('shows the retention of a group until the retention is deleted', async () => {
    const { client } = await setUp();
    const retention = async () =>
      (await client.send(new DescribeLogGroupsCommand({}))).logGroups?.map(({ retentionInDays }) => retentionInDays);
    expect(await retention()).toEqual([undefined]);
    await client.send(new PutRetentionPolicyCommand({ logGroupName: GROUP, retentionInDays: 30 }));
    expect(await retention()).toEqual([30]);
    await client.send(new DeleteRetentionPolicyCommand({ logGroupName: GROUP }));
    expect(await retention()).toEqual([undefined]);
  });

  it('refuses a retention that the service does not offer', async () => {
    const { client } = await setUp();
    await expect(
      client.send(new PutRetentionPolicyCommand({ logGroupName: GROUP, retentionInDays: 2 })),
    ).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringContaining("Value '2' at 'retentionInDays'"),
    });
  });

  it('merges tags and refuses more than 50', async () => {
    const { client } = await setUp();
    await client.send(new TagResourceCommand({ resourceArn: ARN, tags: { a: '1', b: '1' } }));
    await client.send(new TagResourceCommand({ resourceArn: ARN, tags: { b: '2' } }));
    const { tags } = await client.send(new ListTagsForResourceCommand({ resourceArn: ARN }));
    expect(tags).toEqual({ a: '1', b: '2' });
    const many = Object.fromEntries(Array.from({ length: 49 }, (_, i) => [`k${i}`, 'v']));
    await expect(client.send(new TagResourceCommand({ resourceArn: ARN, tags: many }))).rejects.toMatchObject({
      name: 'TooManyTagsException',
    });
  });

  it('loses tags, and ignores those that it does not have', async () => {
    const { client } = await setUp();
    await client.send(new TagResourceCommand({ resourceArn: ARN, tags: { a: '1', b: '2', c: '3' } }));
    await client.send(new UntagResourceCommand({ resourceArn: ARN, tagKeys: ['a', 'none'] }));
    await client.send(new UntagLogGroupCommand({ logGroupName: GROUP, tags: ['b'] }));
    const { tags } = await client.send(new ListTagsForResourceCommand({ resourceArn: ARN }));
    expect(tags).toEqual({ c: '3' });
  });

  it('has the same tags by the deprecated operations, which take its name', async () => {
    const { client } = await setUp();
    await client.send(new TagLogGroupCommand({ logGroupName: GROUP, tags: { a: '1' } }));
    await client.send(new TagResourceCommand({ resourceArn: ARN, tags: { b: '2' } }));
    const { tags } = await client.send(new ListTagsLogGroupCommand({ logGroupName: GROUP }));
    expect(tags).toEqual({ a: '1', b: '2' });
  });

  it.each([
    [
      'TagLogGroup without tags',
      new TagLogGroupCommand({ logGroupName: GROUP, tags: {} }),
      'InvalidParameterException',
    ],
    [
      'UntagLogGroup without tags',
      new UntagLogGroupCommand({ logGroupName: GROUP, tags: [] }),
      'InvalidParameterException',
    ],
    [
      'UntagResource with a tag that is no text',
      new UntagResourceCommand({ resourceArn: ARN, tagKeys: [1 as never] }),
      'SerializationException',
    ],
    [
      'ListTagsLogGroup of a missing group',
      new ListTagsLogGroupCommand({ logGroupName: 'none' }),
      'ResourceNotFoundException',
    ],
    [
      'UntagResource of a missing group',
      new UntagResourceCommand({ resourceArn: `${ARN}-2`, tagKeys: ['a'] }),
      'ResourceNotFoundException',
    ],
  ] as const)('refuses %s', async (_, command, name) => {
    const { client } = await setUp();
    await expect(client.send(command as TagLogGroupCommand)).rejects.toMatchObject({ name });
  });

  it('refuses a group ARN that ends in :*', async () => {
    const { client } = await setUp();
    const command = new TagResourceCommand({ resourceArn: `${ARN}:*`, tags: { a: '1' } });
    await expect(client.send(command)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  it.each([
    ['PutRetentionPolicy', new PutRetentionPolicyCommand({ logGroupName: 'none', retentionInDays: 1 })],
    ['CreateLogStream', new CreateLogStreamCommand({ logGroupName: 'none', logStreamName: STREAM })],
    ['DescribeLogStreams', new DescribeLogStreamsCommand({ logGroupName: 'none' })],
  ] as const)('%s refuses a missing group with ResourceNotFoundException', async (_, command) => {
    const { client } = await setUp();
    await expect(client.send(command as CreateLogStreamCommand)).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'The specified log group does not exist.',
    });
  });
});

describe('streams', () => {
  it('cannot be created twice: ResourceAlreadyExistsException', async () => {
    const { client } = await setUp();
    await expect(client.send(new CreateLogStreamCommand(TARGET))).rejects.toMatchObject({
      name: 'ResourceAlreadyExistsException',
      message: 'The specified log stream already exists',
    });
  });

  it('cannot have a colon in their name', async () => {
    const { client } = await setUp();
    const command = new CreateLogStreamCommand({ logGroupName: GROUP, logStreamName: 'a:b' });
    await expect(client.send(command)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  it('are described with the times of their events', async () => {
    const { client } = await setUp();
    await put(client, [event('a', NOW - 20), event('b', NOW - 10)]);
    await put(client, [event('c', NOW - 30)]);
    const { logStreams } = await client.send(new DescribeLogStreamsCommand({ logGroupName: GROUP }));
    expect(logStreams).toMatchObject([
      {
        logStreamName: STREAM,
        firstEventTimestamp: NOW - 30,
        lastEventTimestamp: NOW - 10,
        lastIngestionTime: NOW,
      },
    ]);
  });

  it('are listed by prefix, order and page', async () => {
    const { client } = await setUp();
    for (const name of ['b', 'web-2', 'a']) {
      await client.send(new CreateLogStreamCommand({ logGroupName: GROUP, logStreamName: name }));
    }
    const list = async (input: object) => {
      const output = await client.send(new DescribeLogStreamsCommand({ logGroupName: GROUP, ...input }));
      return { names: output.logStreams?.map(({ logStreamName }) => logStreamName), token: output.nextToken };
    };
    expect((await list({ logStreamNamePrefix: 'web' })).names).toEqual([STREAM, 'web-2']);
    expect((await list({ descending: true })).names).toEqual(['web-2', STREAM, 'b', 'a']);
    const { names, token } = await list({ limit: 3 });
    expect(names).toEqual(['a', 'b', STREAM]);
    expect(await list({ limit: 3, nextToken: token })).toEqual({ names: ['web-2'], token: undefined });
    await put(client, [event()], { logStreamName: 'b' });
    expect((await list({ orderBy: 'LastEventTime', descending: true, limit: 1 })).names).toEqual(['b']);
    await expect(list({ orderBy: 'LastEventTime', logStreamNamePrefix: 'w' })).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
  });

  it('can be deleted between two writes; events() keeps their events', async () => {
    const { emulator, client } = await setUp();
    await put(client, [event('before')]);
    await client.send(new DeleteLogStreamCommand(TARGET));
    await expect(put(client, [event()])).rejects.toThrow('The specified log stream does not exist.');
    await client.send(new CreateLogStreamCommand(TARGET));
    await put(client, [event('after')]);
    expect(emulator.events(TARGET).map(({ message }) => message)).toEqual(['before', 'after']);
    await client.send(new DeleteLogGroupCommand({ logGroupName: GROUP }));
    await expect(put(client, [event()])).rejects.toThrow('The specified log group does not exist.');
  });
});
