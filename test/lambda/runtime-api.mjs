// The part of Lambda's Runtime API that a runtime client calls: a server for the invocations of one process.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

const ROOT = '/2018-06-01/runtime';

/** How long an invocation may take, in milliseconds. */
const TIMEOUT_MS = 20_000;

/**
 * Starts the server. It calls `beforeNext` when the client asks for an invocation, which is where Lambda freezes the process, and then
 * gives it `{ id }` for the next of `ids`. `outcome(id)` resolves to `{ response }`, `{ error }` or, for a process that did not start,
 * `{ initError }`, as they were sent; `onOutcome(id)` is called before.
 */
export async function startRuntimeApi({ ids, beforeNext, onOutcome }) {
  const left = [...ids];
  const outcomes = new Map(ids.map((id) => [id, Promise.withResolvers()]));
  const idle = Promise.withResolvers();
  const server = createServer((request, response) => {
    react(request, response).catch((error) => {
      for (const { reject } of [...outcomes.values(), idle]) reject(error);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${server.address().port}`,
    outcome: (id) => outcomes.get(id).promise,
    /** Resolves when the client asks for an invocation after the last one. */
    idle: idle.promise,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };

  async function react(request, response) {
    const path = request.url.slice(ROOT.length);
    if (request.method === 'GET' && path === '/invocation/next') return next(response);
    const body = await text(request);
    const value = body === '' ? undefined : JSON.parse(body);
    const [, id, what] = /^\/invocation\/(\w+)\/(response|error)$/.exec(path) ?? [];
    const brokenAs = request.trailers['lambda-runtime-function-error-type'];
    if (path === '/init/error') for (const each of ids) end(each, { initError: value });
    else if (what === 'error') end(id, { error: value });
    else if (brokenAs) end(id, { error: readTrailers(request.trailers) });
    else if (what === 'response') end(id, { response: value });
    else throw new Error(`unknown: ${request.method} ${request.url}`);
    response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"OK"}');
  }

  function end(id, outcome) {
    onOutcome(id);
    outcomes.get(id).resolve(outcome);
  }

  async function next(response) {
    await beforeNext();
    const id = left.shift();
    // As Lambda lets a client wait.
    if (id === undefined) return idle.resolve();
    response.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': id,
      'lambda-runtime-deadline-ms': String(Date.now() + TIMEOUT_MS),
      'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:us-east-1:123456789012:function:shop',
      'lambda-runtime-trace-id': 'Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0',
    });
    response.end(JSON.stringify({ id }));
  }
}

function readTrailers(trailers) {
  const body = Buffer.from(trailers['lambda-runtime-function-error-body'], 'base64').toString();
  return JSON.parse(body);
}
