const KEY_NAMES = ['Type', 'ResourceType', 'Identifier', 'Name', 'Environment'];
const TYPE_VALUES = ['Service', 'RemoteService', 'AWS::Service', 'Resource', 'AWS::Resource'];

/**
 * The service's error type for an invalid entity; undefined for a valid one. An invalid entity does not stop the events
 * from being stored.
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Entity.html
 */
export function rejectionOfEntity(entity: unknown): string | undefined {
  if (entity === undefined) return undefined;
  if (!isMap(entity)) return 'InvalidEntity';
  const { keyAttributes, attributes = {} } = entity;
  if (keyAttributes === undefined) return 'MissingRequiredFields';
  if (!isTextMap(keyAttributes, 32, 512)) return 'InvalidKeyAttributes';
  const keys = Object.keys(keyAttributes);
  if (keys.length < 2 || keys.length > 4 || !keys.every((key) => KEY_NAMES.includes(key)))
    return 'InvalidKeyAttributes';
  if (keyAttributes.Type === undefined) return 'MissingRequiredFields';
  if (!TYPE_VALUES.includes(keyAttributes.Type)) return 'InvalidTypeValue';
  if (!isTextMap(attributes, 256, 512) || Object.keys(attributes).length > 10) return 'InvalidAttributes';
  return undefined;
}

function isTextMap(value: unknown, maxKey: number, maxValue: number): value is Record<string, string> {
  return (
    isMap(value) &&
    Object.entries(value).every(
      ([key, text]) =>
        key.length >= 1 &&
        key.length <= maxKey &&
        typeof text === 'string' &&
        text.length >= 1 &&
        text.length <= maxValue,
    )
  );
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
