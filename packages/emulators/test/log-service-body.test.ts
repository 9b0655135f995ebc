import { describe, expect, it } from 'vitest';
import { bodyOf, log, logs, messagesIn, put, send, setUp } from './log-service-helpers.js';

const UNPARSABLE = 'Protobuffer content cannot be parsed.';
const WRONG_TYPE = 'wrong data type';

describe('a body', () => {
  it('keeps every character of a value', async () => {
    const emulator = await setUp();
    const message = 'ünï€😀 "quoted" \\ \\" \n\t\u0000 \u2028 订单';
    expect(await put(emulator, [log(message)])).toMatchObject({ status: 200 });
    expect(messagesIn(emulator)).toEqual([message]);
  });

  it('may have up to 4,096 logs', async () => {
    const emulator = await setUp();
    expect(await put(emulator, logs(4096))).toMatchObject({ status: 200 });
    expect(await put(emulator, logs(4097))).toMatchObject({
      status: 400,
      errorCode: 'PostBodyTooLarge',
      errorMessage: 'Logs must be less than or equal to 3 MB and 4096 entries.',
    });
    expect(emulator.stats()).toMatchObject({ storedLogs: 4096, largestBatch: { events: 4096 }, violationCount: 1 });
  });

  it.each([
    ['no topic', {}],
    ['an empty topic', { __topic__: '' }],
    ['a topic of 128 bytes', { __topic__: `${'€'.repeat(42)}xx` }],
    ['a source of 128 bytes', { __source__: `${'€'.repeat(42)}xx` }],
    ['an empty __tags__', { __tags__: {} }],
    ['tags', { __tags__: { env: 'test', region: '' } }],
  ])('may have %s', async (_, members) => {
    const emulator = await setUp();
    expect(await put(emulator, [log()], members)).toMatchObject({ status: 200 });
  });

  it.each([
    ['a key of 128 bytes', { [`${'€'.repeat(42)}xx`]: 'v' }],
    ['an empty value', { message: '' }],
    ['a value of 1 MiB', { message: 'x'.repeat(1024 * 1024) }],
    [
      'keys of any characters',
      { 'req.headers': 'v', 'user-agent': 'v', 键: 'v', ' ': 'v', __tag__: 'v', __proto: 'v' },
    ],
  ])('may have a log with %s', async (_, fields) => {
    const emulator = await setUp();
    expect(await put(emulator, [fields])).toMatchObject({ status: 200 });
    expect(emulator.events()).toMatchObject([{ fields }]);
  });

  it('may have a log with keys that objects inherit', async () => {
    const emulator = await setUp();
    await send(emulator, '{"__source__":"s","__logs__":[{"__proto__":"p","constructor":"c"}]}');
    expect(Object.entries(emulator.events()[0]?.fields ?? {})).toEqual([
      ['__proto__', 'p'],
      ['constructor', 'c'],
    ]);
  });
});

describe('a body is refused', () => {
  it.each([
    ['that is empty', '', UNPARSABLE],
    ['that is not JSON', '{"__logs__":', UNPARSABLE],
    ['that starts with a byte order mark', `\ufeff${bodyOf([log()])}`, UNPARSABLE],
    ['that is a list', '[]', WRONG_TYPE],
    ['with an unknown member', bodyOf([log()], { __tag__: {} }), UNPARSABLE],
    ['with the same key twice in a log', '{"__source__":"s","__logs__":[{"a":"1","a":"2"}]}', UNPARSABLE],
    ['with the same member twice', '{"__source__":"s","__source__":"t","__logs__":[{"a":"1"}]}', UNPARSABLE],
    [
      'with the same tag twice',
      '{"__source__":"s","__logs__":[{"a":"\\\\"}],"__tags__":{"b":"1","b":"1"}}',
      UNPARSABLE,
    ],
    ['without __logs__', '{"__source__":"s"}', WRONG_TYPE],
    ['with __logs__ that is not a list', bodyOf({}), WRONG_TYPE],
    ['with an empty __logs__', bodyOf([]), WRONG_TYPE],
    ['with an empty log', bodyOf([log(), {}]), WRONG_TYPE],
    ['with a log that is null', bodyOf([null]), WRONG_TYPE],
    ['with a log that is a list', bodyOf([['message']]), WRONG_TYPE],
    ['with a log that is text', bodyOf(['message']), WRONG_TYPE],
    ['with a number as value', bodyOf([log(), { n: 1 }]), WRONG_TYPE],
    ['with null as value', bodyOf([{ n: null }]), WRONG_TYPE],
    ['with true as value', bodyOf([{ n: true }]), WRONG_TYPE],
    ['with an object as value', bodyOf([{ n: {} }]), WRONG_TYPE],
    ['with a value of 1 MiB and a byte', bodyOf([log(`${'x'.repeat(1024 * 1024 - 2)}€`)]), WRONG_TYPE],
    ['without a source', bodyOf([log()], { __source__: undefined }), WRONG_TYPE],
    ['with an empty source', bodyOf([log()], { __source__: '' }), WRONG_TYPE],
    ['with a source that is null', bodyOf([log()], { __source__: null }), WRONG_TYPE],
    ['with a source of 129 bytes', bodyOf([log()], { __source__: '€'.repeat(43) }), WRONG_TYPE],
    ['with a topic that is null', bodyOf([log()], { __topic__: null }), WRONG_TYPE],
    ['with a topic of 129 bytes', bodyOf([log()], { __topic__: '€'.repeat(43) }), WRONG_TYPE],
    ['with tags that are a list', bodyOf([log()], { __tags__: [{ env: 'test' }] }), WRONG_TYPE],
    ['with tags that are null', bodyOf([log()], { __tags__: null }), WRONG_TYPE],
    ['with a tag that is a number', bodyOf([log()], { __tags__: { pid: 1 } }), WRONG_TYPE],
  ])('%s', async (_, body, errorMessage) => {
    const emulator = await setUp();
    expect(await send(emulator, body)).toMatchObject({ status: 400, errorCode: 'PostBodyInvalid', errorMessage });
    expect(emulator.stats()).toMatchObject({ storedLogs: 0, violationCount: 1 });
  });

  it.each([
    '',
    'x'.repeat(129),
    '€'.repeat(43),
    '__time__',
    '__source__',
    '__topic__',
    '__partition_time__',
    '_extract_others_',
    '__extract_others__',
    '__tag__:env',
  ])('with the key "%s"', async (key) => {
    const emulator = await setUp();
    const error = { status: 400, errorCode: 'InvalidKey', errorMessage: 'Invalid keys are in logs.' };
    expect(await put(emulator, [log(), { [key]: 'v' }])).toMatchObject(error);
    expect(await put(emulator, [log()], { __tags__: { [key]: 'v' } })).toMatchObject(error);
    expect(emulator.stats()).toMatchObject({ storedLogs: 0, violationCount: 2 });
  });

  it.each([
    ['that is not UTF-8', Buffer.from(bodyOf([log('caf\u00e9')]), 'latin1')],
    ['with a raw lone surrogate', Buffer.from(bodyOf([log('<*>')]).replace('<*>', '\u00ed\u00a0\u0080'), 'latin1')],
    ['with an escaped lone surrogate in a value', bodyOf([log('\ud83d')])],
    ['with an escaped lone surrogate in a key', bodyOf([{ '\ude00': 'v' }])],
    ['with an escaped lone surrogate in a tag', bodyOf([log()], { __tags__: { env: '\ud83d' } })],
    ['with an escaped lone surrogate in the topic', bodyOf([log()], { __topic__: '\ud83d' })],
    ['with an escaped lone surrogate in the source', bodyOf([log()], { __source__: '\ud83d' })],
  ])('%s', async (_, body) => {
    const emulator = await setUp();
    expect(await send(emulator, body)).toMatchObject({
      status: 400,
      errorCode: 'InvalidEncoding',
      errorMessage: 'Non-UTF8 characters are in logs.',
    });
    expect(emulator.stats()).toMatchObject({ storedLogs: 0, violationCount: 1 });
  });

  it('with a violation that names the place of the fault', async () => {
    const emulator = await setUp();
    await put(emulator, [log(), { level: 30 }]);
    await put(emulator, [{ ok: '1', '': '2' }]);
    expect(emulator.stats().violations).toEqual([
      { logstore: 'logs', error: 'PostBodyInvalid', message: 'wrong data type: __logs__[1].level is of type number' },
      {
        logstore: 'logs',
        error: 'InvalidKey',
        message: 'Invalid keys are in logs.: a key in __logs__[0] has 0 bytes, not 1 to 128',
      },
    ]);
  });
});
