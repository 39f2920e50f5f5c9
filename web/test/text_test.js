import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginningOf, dayOf, hueOf, initialOf, isEmojiOnly, lineOf, namesIn, textOf } from '../src/text.js';

const bytes = (text) => new TextEncoder().encode(text);

test('text is what the bytes say; other bytes are named as such', () => {
  assert.equal(textOf(bytes('\ufeff鸿雁 🪿\0')), '\ufeff鸿雁 🪿\0');
  assert.equal(textOf(Uint8Array.of(0xff, 0xfe)), '[2 bytes that are no text]');
});

test('a long text has a beginning, which never ends inside a character', () => {
  assert.equal(beginningOf('short'), undefined);
  assert.equal(beginningOf('x'.repeat(60_000)), 'x'.repeat(600));
  const geese = beginningOf(`x${'🪿'.repeat(2_000)}`);
  assert.ok(geese.isWellFormed?.() ?? true);
  assert.ok(geese.endsWith('🪿'));
  assert.equal(beginningOf(Array(40).fill('line').join('\n')).split('\n').length, 12);
});

test('a line has no breaks', () => {
  assert.equal(lineOf('a\n\n b\tc'), 'a b c');
  assert.ok(lineOf('x'.repeat(60_000)).length <= 200);
});

test('a picture shows the first character', () => {
  assert.equal(initialOf('alice'), 'A');
  assert.equal(initialOf('鸿雁'), '鸿');
  assert.equal(initialOf('👩‍🚀x'), '👩‍🚀');
  assert.equal(initialOf('\u202ealice'), '#');
  assert.equal(initialOf(''), '#');
  assert.equal(hueOf('alice'), hueOf('alice'));
});

test('emoji alone are told from text', () => {
  assert.ok(isEmojiOnly('🪿'));
  assert.ok(isEmojiOnly('👍🏽❤️🇨🇳'));
  assert.ok(!isEmojiOnly('🪿!'));
  assert.ok(!isEmojiOnly('12'));
  assert.ok(!isEmojiOnly(''));
});

test('days are called as people call them', () => {
  const noon = new Date(2026, 4, 20, 12).getTime();
  const hour = 3_600_000;
  assert.equal(dayOf(noon - 2 * hour, noon), 'Today');
  assert.equal(dayOf(noon - 13 * hour, noon), 'Yesterday');
  assert.match(dayOf(noon - 24 * 30 * hour, noon), /2026/);
});

test('names are separated as people separate them', () => {
  assert.deepEqual(namesIn(' bob, carol;dave\n bob '), ['bob', 'carol', 'dave']);
  assert.deepEqual(namesIn(' ,'), []);
});
