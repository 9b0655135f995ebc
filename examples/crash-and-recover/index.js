// Starts shop.js, kills it with SIGKILL while all of its records wait, and starts it again: it delivers those of both.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

// In production this is a directory that outlives the process, and with it the container: a volume.
const directory = mkdtempSync(join(tmpdir(), 'logferry-crash-and-recover-'));
try {
  const killed = await runShop({ isKilled: true });
  const restarted = await runShop({ isKilled: false });
  console.log(JSON.stringify({ killed, restarted }));
} finally {
  rmSync(directory, { recursive: true });
}

/** Runs shop.js until it prints its counters, and to its end. Resolves with the counters. */
async function runShop({ isKilled }) {
  const args = [fileURLToPath(new URL('shop.js', import.meta.url)), directory, ...(isKilled ? ['--hang'] : [])];
  const shop = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(shop, 'close');
  let counters;
  for await (const line of createInterface({ input: shop.stdout })) {
    counters = JSON.parse(line);
    if (isKilled) shop.kill('SIGKILL');
  }
  const [code, signal] = await closed;
  const expected = isKilled ? 'SIGKILL' : 0;
  if (!counters || (signal ?? code) !== expected) throw new Error(`shop.js ended with ${signal ?? code}`);
  return counters;
}
