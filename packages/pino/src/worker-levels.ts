import type { EventEmitter } from 'node:events';
import { MessagePort, parentPort, receiveMessageOnPort } from 'node:worker_threads';
import { guarded, nextTick, sharedState } from '@logferry/core';
import { Levels } from './levels.js';
import { levelsOfTransport } from './worker.js';

/** The levels of the loggers whose lines come to this worker. All Logferry streams of the worker share them. */
class WorkerLevels extends Levels {
  #isListening = false;

  /** Starts to listen to pino's messages. Another target may have heard the first before: the option `levels` is known nevertheless. */
  listen(): void {
    if (this.#isListening || !parentPort) return;
    this.#isListening = true;
    this.add(levelsOfTransport());
    // The port of Deno is of another kind: it tells no listeners, cannot be read here, and is started already.
    if (parentPort instanceof MessagePort) hear(parentPort, (message) => this.learn(message));
    else
      (parentPort as EventEmitter).on(
        'message',
        guarded((message: unknown) => this.learn(message)),
      );
  }

  /**
   * Reads the messages that have come. pino sends that of a logger before the first line of it, but lines are read in a turn of the
   * event loop that may be earlier than the turn of the message.
   */
  catchUp(): void {
    if (!(parentPort instanceof MessagePort)) return;
    for (let next = receiveMessageOnPort(parentPort); next; next = receiveMessageOnPort(parentPort))
      emitMessage(parentPort, next.message);
  }
}

/**
 * Listens to a port. The first listener starts it: a message to a target that does not listen yet would be lost. So a message that
 * nobody else has heard is kept, and emitted again once somebody else listens.
 */
function hear(port: MessagePort, onMessage: (message: unknown) => void): void {
  const unheard: unknown[] = [];
  let hasOthers = port.listenerCount('message') > 0;
  port.on(
    'message',
    guarded((message: unknown) => {
      onMessage(message);
      if (!hasOthers) unheard.push(message);
    }),
  );
  const { addEventListener } = port;
  port.addEventListener = function listen(this: MessagePort, ...args: Parameters<typeof addEventListener>) {
    addEventListener.apply(this, args);
    if (args[0] !== 'message') return;
    hasOthers = true;
    for (const message of unheard.splice(0)) nextTick(() => emitMessage(port, message));
  };
}

/** `emit` of Bun takes no message, and `dispatchEvent` of Node.js gives the event itself to those that listen by `on`. */
function emitMessage(port: MessagePort, message: unknown): void {
  if (process.versions.bun) port.dispatchEvent(new MessageEvent('message', { data: message }));
  else port.emit('message', message);
}

/** The levels that are told in this worker. */
const workerLevels: WorkerLevels = sharedState('pino.levels', () => new WorkerLevels());

export { workerLevels };
