import { ConfigError } from '@logferry/core';
import { expect, it } from 'vitest';
import { parseMultiline } from '../../src/lines/line-options.js';

it('reads the names of the rules', () => {
  expect(['auto', 'off', 'indent'].map(parseMultiline)).toEqual(['auto', 'off', 'indent']);
});

it('reads a regular expression, which may have slashes and flags', () => {
  expect(parseMultiline('/^\\[/')).toEqual(/^\[/);
  expect(parseMultiline('/^a/b/i')).toEqual(/^a\/b/i);
});

it.each(['', 'on', '/', '//', '/a', 'a/', '/a/g', '/a/y'])('refuses "%s", and says what it expects', (text) => {
  expect(() => parseMultiline(text)).toThrow(ConfigError);
  expect(() => parseMultiline(text)).toThrow(/multiline: expected auto, off, indent or a regular expression .*, got "/);
});

it('says what is wrong with a regular expression', () => {
  expect(() => parseMultiline('/(/')).toThrow(ConfigError);
  expect(() => parseMultiline('/(/')).toThrow(/multiline: Invalid regular expression: .*Unterminated group/);
});
