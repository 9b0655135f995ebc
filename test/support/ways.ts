import { type Cloud, clouds } from './clouds.js';
import { type Host, hosts } from './hosts.js';

/** One framework and one cloud. */
export interface Way {
  readonly host: Host;
  readonly cloud: Cloud;
  readonly name: string;
}

export const ways: readonly Way[] = clouds.flatMap((cloud) =>
  hosts.map((host) => ({ host, cloud, name: `${host.name} to ${cloud.name}` })),
);
