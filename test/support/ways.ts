import { full } from '../../forms.js';
import { type Cloud, clouds, signedLogService } from './clouds.js';
import { type Host, hosts } from './hosts.js';

/** One framework and one cloud. */
export interface Way {
  readonly host: Host;
  readonly cloud: Cloud;
  readonly name: string;
}

export const ways: readonly Way[] = waysTo(clouds);

/** The hosts of each cloud in the short form. */
const TURNS: readonly (readonly number[])[] = [
  [0, 3],
  [1, 4],
  [2, 5],
];

/** Each host with each cloud, and with signed writes to Log Service. In the short form each host has one of them. */
export const waysInTurns: readonly Way[] = [...ways, ...waysTo([signedLogService])].filter(
  (_, index) => full || TURNS[Math.floor(index / hosts.length)]?.includes(index % hosts.length),
);

function waysTo(targets: readonly Cloud[]): readonly Way[] {
  return targets.flatMap((cloud) => hosts.map((host) => ({ host, cloud, name: `${host.name} to ${cloud.label}` })));
}
