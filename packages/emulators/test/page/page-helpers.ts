import { once } from 'node:events';
import { get, request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { onTestFinished } from 'vitest';
import { type CloudWatchEmulator, type Dev, type DevOptions, startDev } from '../../src/index.js';
import type { CloudSettings, News } from '../../src/page/hub.js';

export const TARGET = { logGroupName: 'shop', logStreamName: 'web-1' };

/** Both servers with their page on free ports; they close after the test. */
export async function setUpDev(options: DevOptions = {}): Promise<Dev> {
  const dev = await startDev({ port: 0, ...options });
  onTestFinished(() => dev.close());
  return dev;
}

/** An SDK client that does not retry, with a group and a stream. */
export async function connect({ env }: Pick<CloudWatchEmulator, 'env'>): Promise<CloudWatchLogsClient> {
  const client = new CloudWatchLogsClient({
    endpoint: env.AWS_ENDPOINT_URL_CLOUDWATCH_LOGS,
    region: env.AWS_REGION,
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY },
    maxAttempts: 1,
  });
  onTestFinished(() => client.destroy());
  await client.send(new CreateLogGroupCommand({ logGroupName: TARGET.logGroupName }));
  await client.send(new CreateLogStreamCommand(TARGET));
  return client;
}

/** Writes messages in one request. Returns the name of the error that the server sent; undefined for none. */
export async function put(client: CloudWatchLogsClient, messages: readonly string[]): Promise<string | undefined> {
  const timestamp = Date.now();
  const logEvents = messages.map((message) => ({ timestamp, message }));
  return client.send(new PutLogEventsCommand({ ...TARGET, logEvents })).then(
    () => undefined,
    (error) => error.name,
  );
}

/** Writes logs by web tracking. */
export async function track(url: string, logstore: string, group: object): Promise<number> {
  const body = JSON.stringify({ __source__: 'host-1', ...group });
  const { status } = await fetch(`${url}/logstores/${logstore}/track`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-log-apiversion': '0.6.0',
      'x-log-bodyrawsize': String(Buffer.byteLength(body)),
    },
    body,
  });
  return status;
}

export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Sends a request with exactly these headers, also those that `fetch` sets itself. */
export async function ask(
  url: string,
  path: string,
  { method = 'GET', headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const request = httpRequest(url, { agent: false, method, path, headers });
  const responded = once(request, 'response');
  request.end(body);
  const [response] = (await responded) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

/** Changes a fault switch as the page does. */
export function changeFaults(url: string, cloud: string, change?: object | null): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  return ask(url, '/_logferry/faults', { method: 'POST', headers, body: JSON.stringify({ cloud, change }) });
}

interface Message extends News {
  readonly hello?: { readonly clouds: readonly CloudSettings[]; readonly isResumed: boolean };
}

/** A browser's side of the stream: all messages so far. */
export interface Stream {
  readonly status: number | undefined;
  readonly messages: Message[];
  /** The last event's id. */
  lastId(): string;
  /** The contents of all records so far. */
  contents(): unknown[];
  pause(): void;
  resume(): void;
  close(): void;
}

/** Opens the stream of a page. */
export async function openStream(url: string, lastEventId?: string): Promise<Stream> {
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const request = get(`${url}/_logferry/stream`, { agent: false, headers });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  onTestFinished(() => void request.destroy());
  response.on('error', () => {});
  const messages: Message[] = [];
  let [rest, lastId] = ['', ''];
  response.setEncoding('utf8').on('data', (chunk) => {
    const events = (rest + chunk).split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) {
      lastId = /^id: (.*)$/m.exec(event)?.[1] ?? lastId;
      messages.push(JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? '{}'));
    }
  });
  return {
    status: response.statusCode,
    messages,
    lastId: () => lastId,
    contents: () =>
      messages.flatMap(({ records = [] }) => records.flatMap(([, sent]) => sent.map(([, , , , , content]) => content))),
    pause: () => response.pause(),
    resume: () => response.resume(),
    close: () => request.destroy(),
  };
}

/** All members of one name in the messages, in order. */
export function all<Name extends keyof Message>(stream: Stream, name: Name): NonNullable<Message[Name]>[] {
  return stream.messages.flatMap(({ [name]: value }) =>
    value === undefined ? [] : [value as NonNullable<Message[Name]>],
  );
}
