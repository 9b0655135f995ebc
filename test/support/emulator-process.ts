import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CloudWatchEmulator, CloudWatchEvent, CloudWatchFaultPlan, CloudWatchStats } from '@logferry/emulators';

export interface EmulatorProcess {
  readonly url: string;
  readonly env: CloudWatchEmulator['env'];
  events(): Promise<readonly CloudWatchEvent[]>;
  stats(): Promise<CloudWatchStats>;
  faults(plan?: Omit<CloudWatchFaultPlan, 'poison'>): Promise<void>;
  close(): Promise<void>;
}

/** Starts the emulator in a process of its own. */
export async function startEmulatorProcess(): Promise<EmulatorProcess> {
  const child = fork(fileURLToPath(new URL('emulator-child.js', import.meta.url)), { serialization: 'advanced' });
  const [{ url, env }] = (await once(child, 'message')) as [Pick<EmulatorProcess, 'url' | 'env'>];
  let lastId = 0;
  const ask = async (call: string, argument?: unknown): Promise<unknown> => {
    const id = ++lastId;
    child.send({ id, call, argument });
    for (;;) {
      const [answer] = (await once(child, 'message')) as [{ id: number; result: unknown }];
      if (answer.id === id) return answer.result;
    }
  };
  return {
    url,
    env,
    events: () => ask('events') as Promise<readonly CloudWatchEvent[]>,
    stats: () => ask('stats') as Promise<CloudWatchStats>,
    faults: (plan) => ask('faults', plan) as Promise<void>,
    async close() {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}
