// @ts-check

/** After a refusal. */
const RETRY_MS = 1000;

/**
 * Takes the server's messages into the state. The browser connects again by itself, and the server continues where it was; after a
 * restart of the server the state begins anew.
 *
 * @param {import('./state.js').State} state
 */
export function connect(state) {
  const source = new EventSource('/_logferry/stream');
  source.onmessage = ({ data }) => state.take(JSON.parse(data));
  source.onerror = () => {
    state.setConnected(false);
    // A browser gives up after a refusal, which another program on the port may have sent.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => connect(state), RETRY_MS);
  };
}

/**
 * Changes one fault switch of a cloud; without a change turns all of them off.
 *
 * @param {string} cloud
 * @param {Record<string, number | boolean>} [change]
 */
export async function changeFaults(cloud, change) {
  const response = await fetch('/_logferry/faults', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ cloud, change }),
  });
  if (!response.ok) throw new Error(await response.text());
}
