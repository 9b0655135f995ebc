import { cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { ReachContext } from './row.js';
import type { Server } from './server.js';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));

/** Makes the row's folder a copy of an example, with its packages. */
export async function installExample({ folder, install }: ReachContext, example: string): Promise<void> {
  cpSync(`${examples}${example}`, folder, { recursive: true });
  await install();
}

/** Each example with a shop answers these paths so. */
const ANSWERS = { '/health': 200, '/orders/7': 200, '/orders/2000': 500, '/nowhere': 404 };

export async function requestAll(server: Server): Promise<void> {
  for (const [path, status] of Object.entries(ANSWERS)) expect(await server.get(path), path).toBe(status);
}
