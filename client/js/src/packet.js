// The packet codec: a header of 20 bytes (that of Tencent Mars' long link) and a body. On WebSocket one binary
// message is one packet.

export const HEADER_BYTES = 20;
const MAX_HEADER_BYTES = 64;

/**
 * @typedef {object} Packet
 * @property {number} command
 * @property {number} seq
 * @property {Uint8Array} body
 */

/**
 * @param {number} clientVersion
 * @param {number} command
 * @param {number} seq
 * @param {Uint8Array} body
 */
export function encodePacket(clientVersion, command, seq, body) {
  const bytes = new Uint8Array(HEADER_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, HEADER_BYTES);
  view.setUint32(4, clientVersion);
  view.setUint32(8, command);
  view.setUint32(12, seq);
  view.setUint32(16, body.length);
  bytes.set(body, HEADER_BYTES);
  return bytes;
}

/**
 * @param {Uint8Array} bytes one whole message
 * @returns {Packet | undefined} undefined when it is not exactly one packet
 */
export function decodePacket(bytes) {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = view.getUint32(0);
  const bodyBytes = view.getUint32(16);
  if (headerBytes < HEADER_BYTES || headerBytes > MAX_HEADER_BYTES || headerBytes + bodyBytes !== bytes.length) {
    return undefined;
  }
  return { command: view.getUint32(8), seq: view.getUint32(12), body: bytes.subarray(headerBytes) };
}
