import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodePacket, encodePacket } from '../src/packet.js';

test('the header is five numbers in network byte order', () => {
  const packet = encodePacket(200, 30, 0xfffffffe, Uint8Array.of(1, 2, 3));
  assert.deepEqual([...packet], [
    0, 0, 0, 20, 0, 0, 0, 200, 0, 0, 0, 30, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 3, 1, 2, 3,
  ]);
  assert.deepEqual(decodePacket(packet), { command: 30, seq: 0xfffffffe, body: Uint8Array.of(1, 2, 3) });
});

test('what lies past byte 20 of the header is skipped', () => {
  const packet = new Uint8Array(26);
  const view = new DataView(packet.buffer);
  [24, 200, 6, 1, 2].forEach((value, index) => view.setUint32(4 * index, value));
  packet.set([8, 9], 24);
  assert.deepEqual(decodePacket(packet)?.body, Uint8Array.of(8, 9));
});

test('what is not one whole packet is refused', () => {
  const packet = encodePacket(200, 6, 1, Uint8Array.of(1));
  assert.equal(decodePacket(packet.subarray(0, 19)), undefined);
  assert.equal(decodePacket(packet.subarray(0, 20)), undefined);
  assert.equal(decodePacket(Uint8Array.of(...packet, 0)), undefined);
  for (const size of [19, 65]) {
    const broken = new Uint8Array(100);
    const view = new DataView(broken.buffer);
    view.setUint32(0, size);
    view.setUint32(16, 100 - size);
    assert.equal(decodePacket(broken), undefined);
  }
});
