// Run by `npm run lambda` with the version and the folder of a runtime client: has it call wrapped handlers of each kind, and checks that
// each response, or error, is that of the handler, and that all records have arrived before it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startCloudWatch, startLogService } from '@logferry/emulators';
import { startRuntimeApi } from './runtime-api.mjs';

const [version, folder] = process.argv.slice(2);
const FUNCTION = fileURLToPath(new URL('function', import.meta.url));

/** Of an invocation, at each cloud: the function logs through four transports. */
const RECORDS_PER_CLOUD = 2;

/** Longer than it takes for the process to stand still. */
const FROZEN_MS = 200;

const response = (id) => ({ response: { id } });
const broken = (id) => ({ error: { errorType: 'TypeError', errorMessage: `broken ${id}` } });
const streamed = (id) => ({ response: `part of ${id}` });

/** The same for both clients. */
const anyClient = {
  asynchronous: response,
  rejecting: broken,
  throwing: broken,
  streaming: streamed,
  streamingInside: streamed,
  streamingBroken: broken,
};

/** By version of the client: how to start it, and what each handler gives. The newer one takes no callbacks. */
const clients = {
  '3.3.0': {
    args: (handler) => ['bin/index.mjs', handler],
    handlers: {
      ...anyClient,
      returning: () => ({ response: null }),
      callingBack: response,
      callingBackAtOnce: response,
      callingBackWithError: broken,
      succeeding: response,
      forgetful: () => ({ response: null }),
      neverResolving: () => ({ response: null }),
    },
  },
  '4.0.2': {
    args: () => ['index.mjs'],
    handlers: {
      ...anyClient,
      returning: response,
      callingBack: () => ({ initError: { errorType: 'Runtime.CallbackHandlerDeprecated' } }),
      callingBackUnwrapped: () => ({ initError: { errorType: 'Runtime.CallbackHandlerDeprecated' } }),
    },
  },
};

/** They end by a time-out of the platform, or do not run. */
const WITHOUT_RECORDS = ['neverResolving', 'callingBackUnwrapped', ...(version === '4.0.2' ? ['callingBack'] : [])];

/** Their response is sent as it is written; the invocation ends with their promise. */
const isStreaming = (handler) => handler.startsWith('streaming');

const cloudWatch = await startCloudWatch({ strict: true });
const logService = await startLogService({ strict: true });
const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = cloudWatch.env;
const options = {
  cloudWatch: {
    logGroupName: 'lambda',
    endpoint: cloudWatch.url,
    region,
    credentials: { accessKeyId, secretAccessKey },
  },
  logService: logService.target,
};

const { args, handlers } = clients[version];
for (const [handler, expected] of Object.entries(handlers)) {
  await check(handler, expected);
  console.log(`aws-lambda-ric ${version} on Node.js ${process.version}: ${handler}`);
}
for (const emulator of [cloudWatch, logService]) {
  assert.deepEqual(emulator.stats().violations, []);
  await emulator.close();
}

/** Two invocations, and the process is frozen after each. */
async function check(handler, expected) {
  const ids = [`${handler}1`, `${handler}2`];
  const arrived = new Map();
  let child;
  const api = await startRuntimeApi({
    ids,
    async beforeNext() {
      child.kill('SIGSTOP');
      await sleep(FROZEN_MS);
      for (const id of arrived.keys()) if (isStreaming(handler)) arrived.set(id, recordsOf(id));
      for (const emulator of [cloudWatch, logService]) emulator.closeIdleConnections();
      child.kill('SIGCONT');
    },
    onOutcome: (id) => arrived.set(id, recordsOf(id)),
  });
  child = spawn(process.execPath, args(`handlers.${handler}`).map(inClient), {
    cwd: FUNCTION,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      AWS_LAMBDA_RUNTIME_API: api.address,
      AWS_LAMBDA_FUNCTION_NAME: 'shop',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/shop',
      AWS_LAMBDA_LOG_STREAM_NAME: '2026/11/27/[$LATEST]1',
      LAMBDA_TASK_ROOT: FUNCTION,
      _HANDLER: `handlers.${handler}`,
      LOGFERRY_TEST_OPTIONS: JSON.stringify(options),
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the client has ended: ${code ?? signal}`);
  });
  ended.catch(() => {});
  try {
    for (const id of ids) {
      const outcome = await Promise.race([api.outcome(id), ended]);
      assertIncludes(outcome, expected(id), handler);
    }
    if (WITHOUT_RECORDS.includes(handler)) return;
    await Promise.race([api.idle, ended]);
    for (const id of ids) assert.deepEqual(arrived.get(id), [RECORDS_PER_CLOUD, RECORDS_PER_CLOUD], `records of ${id}`);
  } catch (error) {
    throw new Error(`${handler}: ${error.message}\n${output}`, { cause: error });
  } finally {
    child.kill('SIGKILL');
    api.close();
  }
}

/** The number of those that each cloud has stored. */
function recordsOf(id) {
  const texts = [
    cloudWatch.events().map(({ message }) => message),
    logService.events().map(({ fields }) => JSON.stringify(fields)),
  ];
  return texts.map((each) => each.filter((text) => text.includes(`#${id}#`)).length);
}

/** An error has a stack, too. */
function assertIncludes(outcome, expected, handler) {
  const [[kind, value]] = Object.entries(expected);
  if (kind === 'response') assert.deepEqual(outcome, expected, handler);
  else
    for (const [name, each] of Object.entries(value))
      assert.equal(outcome[kind]?.[name], each, JSON.stringify(outcome));
}

function inClient(arg) {
  return arg.includes('.mjs') ? join(folder, 'node_modules', 'aws-lambda-ric', arg) : arg;
}
