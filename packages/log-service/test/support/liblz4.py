"""Decodes LZ4 blocks with the C library, into buffers of exactly their size.

Reads blocks from stdin, each after its raw size and its own size (32 bits, little-endian); writes 1 and the CRC-32 of what
it decoded for each, or 0 and 0 if liblz4 refuses it (8 bits and 32 bits).
"""

import ctypes
import struct
import sys
import zlib

liblz4 = ctypes.CDLL("liblz4.so.1")
while header := sys.stdin.buffer.read(8):
    raw_size, size = struct.unpack("<II", header)
    block = sys.stdin.buffer.read(size)
    raw = ctypes.create_string_buffer(raw_size)
    decoded = liblz4.LZ4_decompress_safe(block, raw, size, raw_size)
    ok = decoded == raw_size
    sys.stdout.buffer.write(struct.pack("<BI", ok, zlib.crc32(raw.raw) if ok else 0))
