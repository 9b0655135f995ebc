import { Agent, request } from 'node:http';

const TIMEOUT_MS = 2000;

/** Returns a function that posts JSON, but for one while another is under way, unless it is the last. */
export function createPoster(url: URL): (body: string, isLast: boolean) => void {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  let underWay = 0;
  return (body, isLast) => {
    if (underWay > 0 && !isLast) return;
    underWay++;
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const posting = request(url, { method: 'POST', agent, headers, timeout: TIMEOUT_MS });
    posting.on('socket', (socket) => socket.unref());
    posting.on('response', (response) => response.resume());
    posting.on('timeout', () => posting.destroy());
    // The page is not there, or went: the next report tries again.
    posting.on('error', () => {});
    posting.on('close', () => {
      underWay--;
    });
    posting.end(body);
  };
}
