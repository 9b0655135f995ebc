import { describe, expect, it } from 'vitest';
import { event, messagesIn, put, setUp } from './helpers.js';

const OLD_SERVICE = { sequenceTokens: 'required' } as const;

describe('a service that requires sequence tokens', () => {
  it('expects no token for the first batch, and then the token of the previous batch', async () => {
    const { emulator, client } = await setUp(OLD_SERVICE);
    const first = await put(client, [event('a')]);
    const second = await put(client, [event('b')], { sequenceToken: first.nextSequenceToken });
    expect(second.nextSequenceToken).toMatch(/^\d{56}$/);
    expect(second.nextSequenceToken).not.toBe(first.nextSequenceToken);
    expect(messagesIn(emulator)).toEqual(['a', 'b']);
  });

  it('refuses a missing or wrong token and names the expected one', async () => {
    const { emulator, client } = await setUp(OLD_SERVICE);
    const { nextSequenceToken } = await put(client, [event('a')]);
    for (const sequenceToken of [undefined, '1']) {
      await expect(put(client, [event('b')], { sequenceToken })).rejects.toMatchObject({
        name: 'InvalidSequenceTokenException',
        message: `The given sequenceToken is invalid. The next expected sequenceToken is: ${nextSequenceToken}`,
        expectedSequenceToken: nextSequenceToken,
      });
    }
    expect(messagesIn(emulator)).toEqual(['a']);
    expect(emulator.stats().violationCount).toBe(0);
  });

  it('recognizes a repetition of the last batch', async () => {
    const { emulator, client } = await setUp(OLD_SERVICE);
    const { nextSequenceToken } = await put(client, [event('a')]);
    await expect(put(client, [event('a')])).rejects.toMatchObject({
      name: 'DataAlreadyAcceptedException',
      expectedSequenceToken: nextSequenceToken,
    });
    expect(messagesIn(emulator)).toEqual(['a']);
  });
});
