import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idFromBytes, idToBytes } from '../src/ids.js';

test('text comes back as it was', () => {
  for (const id of ['', 'alice', '鸿雁', '🪿', '\ufeffalice', 'e\u0301', 'a\u202eb']) {
    assert.equal(idFromBytes(idToBytes(id)), id);
  }
});

test('bytes that are no UTF-8 come back as they were, and stay different from each other', () => {
  const samples = [
    [0xff], [0xfe, 0xff], [0x80], [0x61, 0xc3], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf5, 0x80, 0x80, 0x80],
    [0xe9, 0xb4, 0xbf, 0xff, 0x61], [0xf0, 0x9f, 0xaa], [0xef, 0xbf, 0xbd],
  ];
  const texts = new Set();
  for (const sample of samples) {
    const id = idFromBytes(Uint8Array.from(sample));
    assert.deepEqual([...idToBytes(id)], sample);
    texts.add(id);
  }
  assert.equal(texts.size, samples.length);
});

test('every pair of bytes survives', () => {
  for (let first = 0; first < 256; first += 1) {
    for (let second = 0; second < 256; second += 1) {
      assert.deepEqual([...idToBytes(idFromBytes(Uint8Array.of(first, second)))], [first, second]);
    }
  }
});

test('a lone surrogate that stands for no byte is refused', () => {
  assert.throws(() => idToBytes('a\ud800b'), RangeError);
  assert.throws(() => idToBytes('a\udc00'), RangeError);
});
