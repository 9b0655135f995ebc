import type { Context } from './context.js';
import type { Input } from './fields.js';
import {
  createLogGroup,
  deleteLogGroup,
  deleteRetentionPolicy,
  describeLogGroups,
  putRetentionPolicy,
} from './groups.js';
import { putLogEvents } from './put-log-events.js';
import { filterLogEvents, getLogEvents } from './read-events.js';
import { createLogStream, deleteLogStream, describeLogStreams } from './streams.js';
import {
  listTagsForResource,
  listTagsLogGroup,
  tagLogGroup,
  tagResource,
  untagLogGroup,
  untagResource,
} from './tags.js';

/** An operation of the service that the emulator supports. */
export type CloudWatchOperation =
  | 'CreateLogGroup'
  | 'CreateLogStream'
  | 'DeleteLogGroup'
  | 'DeleteLogStream'
  | 'DeleteRetentionPolicy'
  | 'DescribeLogGroups'
  | 'DescribeLogStreams'
  | 'FilterLogEvents'
  | 'GetLogEvents'
  | 'ListTagsForResource'
  | 'ListTagsLogGroup'
  | 'PutLogEvents'
  | 'PutRetentionPolicy'
  | 'TagLogGroup'
  | 'TagResource'
  | 'UntagLogGroup'
  | 'UntagResource';

/** Returns the body of the response; undefined for an empty one. Throws a ServiceError. */
type Operation = (input: Input, context: Context) => object | undefined;

/** The function of each operation. */
export const OPERATIONS: Readonly<Record<CloudWatchOperation, Operation>> = {
  CreateLogGroup: createLogGroup,
  CreateLogStream: createLogStream,
  DeleteLogGroup: deleteLogGroup,
  DeleteLogStream: deleteLogStream,
  DeleteRetentionPolicy: deleteRetentionPolicy,
  DescribeLogGroups: describeLogGroups,
  DescribeLogStreams: describeLogStreams,
  FilterLogEvents: filterLogEvents,
  GetLogEvents: getLogEvents,
  ListTagsForResource: listTagsForResource,
  ListTagsLogGroup: listTagsLogGroup,
  PutLogEvents: putLogEvents,
  PutRetentionPolicy: putRetentionPolicy,
  TagLogGroup: tagLogGroup,
  TagResource: tagResource,
  UntagLogGroup: untagLogGroup,
  UntagResource: untagResource,
};

/** Whether the emulator supports the operation. */
export function isOperation(name: string | undefined): name is CloudWatchOperation {
  return name !== undefined && Object.hasOwn(OPERATIONS, name);
}

/** Runs an operation. Returns the body of the response; undefined for an empty one. Throws a ServiceError. */
export function runOperation(name: CloudWatchOperation, input: Input, context: Context): object | undefined {
  return OPERATIONS[name](input, context);
}
