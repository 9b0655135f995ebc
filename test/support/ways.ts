import { type Cloud, clouds, signedLogService } from './clouds.js';
import { type Host, hosts } from './hosts.js';

/** One framework and one cloud. */
export interface Way {
  readonly host: Host;
  readonly cloud: Cloud;
  readonly name: string;
}

export const ways: readonly Way[] = waysTo(clouds);

/** With the signed writes to Log Service. */
export const allWays: readonly Way[] = [...ways, ...waysTo([signedLogService])];

function waysTo(targets: readonly Cloud[]): readonly Way[] {
  return targets.flatMap((cloud) => hosts.map((host) => ({ host, cloud, name: `${host.name} to ${cloud.label}` })));
}
