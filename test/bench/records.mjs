/** Kinds of records. Each makes the text and the fields of a record from its number. Every record has its number as `id`. */
export const recordKinds = {
  /** Lines of about 230 bytes, with the fields of the framework. */
  order: (framework) => {
    const texts = Array.from({ length: 256 }, (_, index) => words(index, TEXT_LENGTH[framework]));
    return (id) => ({ text: texts[id % 256], fields: { id, status: 200, durationMs: id % 500 } });
  },
  /** The log of Fastify for each request: one line when it arrives, and one after its response. */
  request: () => (id) => {
    const reqId = `req-${(id >> 1).toString(36)}`;
    if (id % 2 === 1) {
      const responseTime = ((id * 7919) % 100_000) / 1000;
      return { text: 'request completed', fields: { id, reqId, res: { statusCode: 200 }, responseTime } };
    }
    const url = `/articles/${(id * 31) % 1000}`;
    const remotePort = 40_000 + ((id * 17) % 20_000);
    const req = { method: 'GET', url, host: 'shop.example.com', remoteAddress: '127.0.0.1', remotePort };
    return { text: 'incoming request', fields: { id, reqId, req } };
  },
};

/** The text's part of 230 bytes; without a framework that of 100 bytes. */
const TEXT_LENGTH = { winston: 160, pino: 112, bunyan: 82, none: 56 };

const WORDS =
  'order "A-17" placed by customer after payment was confirmed shipment to Zurich delayed, cache miss'.split(' ');

/** As varied as the texts of a program, with characters that JSON escapes. ASCII only, since a peer counts characters as bytes. */
function words(seed, length) {
  let text = '';
  for (let n = seed * 31 + 7; text.length < length; n = (n * 16_807) % 2_147_483_647) {
    text += `${WORDS[n % WORDS.length]} ${n % 10 === 0 ? n % 997 : ''}`;
  }
  return text.slice(0, length);
}
