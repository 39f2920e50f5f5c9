// Random bytes in Node.js, whose version 18 has no global crypto.
import { webcrypto } from 'node:crypto';

/** @param {Uint8Array} bytes filled with random */
export function fillRandom(bytes) {
  webcrypto.getRandomValues(bytes);
}
