import { BroadcastChannel } from 'node:worker_threads';
import { guarded } from '../tools/guarded.js';
import { sharedState } from '../tools/shared-state.js';
import { outsideContext } from '../tools/system-clock.js';

/** A broadcast channel, as one that has joined it sees it. */
export interface JoinedChannel {
  post(message: unknown): void;
  /** Hears nothing from now on. */
  leave(): void;
}

/**
 * Hears the messages of other threads on a broadcast channel, and holds the process, until it leaves. A thread opens a channel once, and
 * keeps it: Deno loses messages to one that is opened soon after another of the same name was closed.
 */
export function joinChannel(name: string, onMessage: (data: unknown) => void): JoinedChannel {
  const { channel, members } = channels.get(name) ?? open(name);
  const hear = guarded(onMessage);
  members.add(hear);
  channel.ref();
  return {
    post: (message) => channel.postMessage(message),
    leave() {
      members.delete(hear);
      if (members.size === 0) channel.unref();
    },
  };
}

interface OpenChannel {
  readonly channel: BroadcastChannel & { ref(): void; unref(): void };
  readonly members: Set<(data: unknown) => void>;
}

/** Of all copies of this package in this thread, by name. */
const channels = sharedState<Map<string, OpenChannel>>('channels', () => new Map());

function open(name: string): OpenChannel {
  const channel = outsideContext(() => new BroadcastChannel(name)) as OpenChannel['channel'];
  const opened: OpenChannel = { channel, members: new Set() };
  channel.onmessage = guarded((message: unknown): void => {
    for (const hear of [...opened.members]) hear((message as { readonly data: unknown }).data);
  });
  channels.set(name, opened);
  return opened;
}
