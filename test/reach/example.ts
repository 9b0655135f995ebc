import { cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ReachContext } from './row.js';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));

/** Makes the row's folder a copy of an example, with its packages. */
export async function installExample({ folder, install }: ReachContext, example: string): Promise<void> {
  cpSync(`${examples}${example}`, folder, { recursive: true });
  await install();
}
