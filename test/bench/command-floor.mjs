// A process that only splits stdin into lines.
import { createInterface } from 'node:readline';

let bytes = 0;
for await (const line of createInterface({ input: process.stdin })) bytes += line.length;
process.exitCode = bytes > 0 ? 0 : 1;
