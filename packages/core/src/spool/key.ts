import { createHash } from 'node:crypto';

/** `cloudwatch-3f0c9a1be2d4`: what the name of a destination has that a file's name should not is replaced. */
const NAME = /^[\w.-]{0,100}-[0-9a-f]{12}$/;

/**
 * The name of the directory of a destination, below that of the option `spool`. The key names all that decides where records belong and
 * what they look like.
 */
export function keyDirectoryOf(destination: string, key: string): string {
  return `${destination.replace(/[^\w.-]/g, '_').slice(0, 100)}-${hashOf(key)}`;
}

/** Whether a directory of this name is that of a destination. */
export function isKeyDirectory(name: string): boolean {
  return NAME.test(name);
}

/** Whether records with this key belong into a directory of this name. */
export function belongsTo(name: string, key: string): boolean {
  return name.endsWith(`-${hashOf(key)}`);
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 12);
}
