// What the protocol logic wants done, in order. The driver (driver.js) does it; tests look at it.
import { encodePacket } from './packet.js';

/** @typedef {import('./message.js').Message} Message */
/** @typedef {import('./wire.js').Failure} Failure */

/** @typedef {'stopped' | 'waiting' | 'connecting' | 'online'} State */

/**
 * What this device holds: every message up to here was delivered to the user of the library.
 * @typedef {object} HeldSeqs
 * @property {number} inbox
 * @property {number} outbox
 * @property {ReadonlyMap<bigint, number>} groups large groups: group id to group seq
 */

/**
 * @typedef {object} Kick
 * @property {string} reason a name of KickReason without its prefix: 'OTHER_LOGIN'
 * @property {string} message
 * @property {number} reconnectAfterMs
 * @property {boolean} willReconnect
 */

/**
 * @typedef {object} SendReceipt
 * @property {bigint} msgId
 * @property {number} time ms since 1970
 * @property {number} outboxSeq
 * @property {string} clientMsgId
 * @property {number} attempts packets written for it; above 1: resent
 * @property {import('./wire.js').GroupResult} [result] of group operations
 */

/**
 * connect: get a token, choose a gate, connect; answered with connected() or disconnected().
 * close: drop the connection, or the attempt; not answered.
 * synced: the pull that follows AUTH, or that was asked for, has come to the end.
 * @typedef {{kind: 'connect'} | {kind: 'close'} | {kind: 'write', packet: Uint8Array}
 *   | {kind: 'state', state: State, reason: Failure} | {kind: 'deliver', message: Message}
 *   | {kind: 'held', held: HeldSeqs} | {kind: 'kicked', kick: Kick} | {kind: 'synced'}
 *   | {kind: 'sendDone', id: number, receipt?: SendReceipt, failure?: Failure}} Output
 */

// Collects outputs and numbers requests. A write comes after what was put before it: what a PushAck acknowledges
// was delivered, and its `held` was seen.
export class Outputs {
  #clientVersion;
  #lastSeq = 0;
  /** @type {Output[]} */
  #list = [];

  /** @param {number} clientVersion */
  constructor(clientVersion) {
    this.#clientVersion = clientVersion;
  }

  /** @param {Output} output */
  put(output) {
    this.#list.push(output);
  }

  /**
   * Writes one packet.
   * @param {number} command
   * @param {Uint8Array} body
   * @returns {number} its seq, which is never 0
   */
  write(command, body) {
    this.#lastSeq = this.#lastSeq >= 0xffffffff ? 1 : this.#lastSeq + 1;
    this.put({ kind: 'write', packet: encodePacket(this.#clientVersion, command, this.#lastSeq, body) });
    return this.#lastSeq;
  }

  take() {
    const list = this.#list;
    this.#list = [];
    return list;
  }
}
