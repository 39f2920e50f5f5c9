// Random bytes where there is a global crypto: browsers, Node.js 20 and later.

/** @param {Uint8Array} bytes filled with random */
export function fillRandom(bytes) {
  crypto.getRandomValues(bytes);
}
