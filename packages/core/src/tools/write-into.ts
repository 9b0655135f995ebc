/** Writes text as UTF-8, or bytes as they are. Returns how many bytes that are. */
export function writeInto(buffer: Buffer, content: string | Uint8Array, at: number): number {
  if (typeof content === 'string') return buffer.write(content, at);
  buffer.set(content, at);
  return content.length;
}
