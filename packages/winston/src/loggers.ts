import { guarded } from '@logferry/core';
import type { Levels } from './record.js';

/** The members of a winston logger that its transport uses. */
export interface Logger extends NodeJS.ReadWriteStream {
  readonly level: string;
  readonly levels: Levels;
  readonly readableLength: number;
  readonly writableLength: number;
}

/** A transport, as far as this file knows it. */
type Target = NodeJS.WritableStream;

interface Attachment {
  readonly take: (info: unknown) => void;
  readonly leave: () => void;
  /** A logger pipes once for each time that the transport is added. */
  pipes: number;
}

/**
 * The loggers that a transport is added to. A pipe from a logger ends in `write`, which does not name the logger, and all pipes
 * end with one 'finish' or with the end of one logger. So the listeners of a pipe that do this are replaced.
 */
export class Loggers {
  readonly #target: Target;
  readonly #take: (info: unknown, logger: Logger) => void;
  readonly #attached = new Map<Logger, Attachment>();

  /** `take` is called with each record of a logger, and with the logger. It must not throw. */
  constructor(target: Target, take: (info: unknown, logger: Logger) => void) {
    this.#target = target;
    this.#take = take;
  }

  get all(): readonly Logger[] {
    return [...this.#attached.keys()];
  }

  /** The logger that was added first. */
  get first(): Logger | undefined {
    return this.#attached.keys().next().value;
  }

  /** Whether some loggers have ended, and others go on. */
  get arePartlyEnded(): boolean {
    const ended = this.all.filter(({ writable }) => !writable).length;
    return ended > 0 && ended < this.#attached.size;
  }

  /** Whether a logger keeps records back, since another transport of it is slow. */
  get holdRecords(): boolean {
    return this.all.some(({ readableLength, writableLength }) => readableLength + writableLength > 0);
  }

  /** Has to be called in the listener of 'pipe': the listeners of the new pipe are the last ones then. */
  attach(logger: Logger): void {
    removeLast(logger, 'data');
    removeLast(logger, 'end');
    removeLast(this.#target, 'finish');
    const known = this.#attached.get(logger);
    if (known) {
      known.pipes++;
      return;
    }
    const take = (info: unknown): void => this.#take(info, logger);
    const leave = guarded(() => void logger.unpipe(this.#target));
    logger.on('data', take).once('end', leave);
    this.#attached.set(logger, { take, leave, pipes: 1 });
  }

  /** Has to be called in the listener of 'unpipe'. @returns whether the logger has left */
  detach(logger: Logger): boolean {
    const attachment = this.#attached.get(logger);
    if (!attachment || --attachment.pipes > 0) return false;
    logger.off('data', attachment.take).off('end', attachment.leave);
    return this.#attached.delete(logger);
  }
}

/** Removes the listener that was added last, and returns it. */
export function removeLast(emitter: NodeJS.EventEmitter, event: string): (() => void) | undefined {
  const listener = emitter.listeners(event).at(-1) as (() => void) | undefined;
  if (listener) emitter.off(event, listener);
  return listener;
}
