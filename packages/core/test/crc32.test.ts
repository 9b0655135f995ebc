import { randomBytes } from 'node:crypto';
import zlib from 'node:zlib';
import { expect, it } from 'vitest';
import { crc32ByTable } from '../src/tools/crc32.js';

it('gives the checksum of the standard', () => {
  // https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-32-iso-hdlc
  expect(crc32ByTable(Buffer.from('123456789'))).toBe(0xcbf43926);
});

it('gives the same as Node.js, from any start', () => {
  for (let length = 1; length < 500; length++) {
    const bytes = randomBytes(length);
    const start = randomBytes(4).readUInt32LE();
    expect(crc32ByTable(bytes, start)).toBe(zlib.crc32(bytes, start));
  }
});
