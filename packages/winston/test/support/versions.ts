import winston from 'winston';
import oldest from 'winston-3.2';

/** The oldest winston of the peer range, and the newest; the names are those of the packages. */
export const versions: readonly (readonly [name: string, winston: typeof import('winston')])[] = [
  ['winston-3.2', oldest as unknown as typeof winston],
  ['winston', winston],
];
