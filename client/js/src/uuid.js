// Random identifiers. crypto.randomUUID() is missing on pages that came by plain HTTP from another machine.
import { fillRandom } from '#random';

/** @returns {string} a UUID of version 4 */
export function newUuid() {
  const b = new Uint8Array(16);
  fillRandom(b);
  b[6] = (b[6] & 0x0f) | 0x40;
  b[8] = (b[8] & 0x3f) | 0x80;
  const hex = Array.from(b, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
