// How long an answer may take, and how many messages to ask for at once, on a link whose speed nobody tells.
import { HEADER_BYTES } from './packet.js';

const SLOWEST_BYTES = 2_000; // a second: 20 kbit/s with their overhead
const MOST_TIMEOUTS = 16; // what comes in buys at most so many: the answer may be lost, and the link just busy
const FIRST_PAGE = 10; // the protocol's default
const STEP = 4;
const MOST_PAGE_TIMEOUTS = 8;

/** @param {number} bytes @returns {number} ms */
function timeFor(bytes) {
  return Math.floor(bytes * 1_000 / SLOWEST_BYTES);
}

/**
 * What is known of a request when it is written.
 * @typedef {object} Mark
 * @property {number} at
 * @property {number} ahead bytes that go out before it is there, its own included
 * @property {number} received bytes that had come
 */

// Time-outs are meant for servers that do not answer, not for links that are slow. So what goes out before an answer can
// be given, and what comes in while it is awaited, buys the time that the slowest link worth keeping needs for it.
// Whatever comes is a sign of life. Pure; lives in ClientCore.
export class Pace {
  #timeout;
  /** @type {{seq: number, bytes: number}[]} as written; not those before one that was answered */
  #unanswered = [];
  #received = 0;

  /** @param {number} timeout ms */
  constructor(timeout) {
    this.#timeout = timeout;
  }

  /** A request is written; it needs an answer.
   * @param {number} seq grows
   * @param {number} bodyBytes
   * @param {number} now
   * @returns {Mark}
   */
  wrote(seq, bodyBytes, now) {
    this.#unanswered.push({ seq, bytes: HEADER_BYTES + bodyBytes });
    const ahead = this.#unanswered.reduce((sum, request) => sum + request.bytes, 0);
    return { at: now, ahead, received: this.#received };
  }

  /** Something answers it: it has been carried, and all that was written before.
   * @param {number} seq
   */
  answered(seq) {
    // The difference, for seqs begin again after the last one.
    while (this.#unanswered.length > 0 && ((this.#unanswered[0].seq - seq) | 0) <= 0) this.#unanswered.shift();
  }

  /** @param {number} bytes */
  received(bytes) {
    this.#received += bytes;
  }

  /** Another connection. */
  reset() {
    this.#unanswered = [];
  }

  /** When an answer is overdue, if nothing comes until then.
   * @param {Mark} mark
   */
  overdueAt(mark) {
    const carried = Math.min(timeFor(this.#received - mark.received), MOST_TIMEOUTS * this.#timeout);
    return mark.at + this.#timeout + timeFor(mark.ahead) + carried;
  }

  /** ms: for how long nothing at all may come while an answer is due. */
  get silence() {
    return this.#timeout + timeFor(this.#unanswered[0]?.bytes ?? 0);
  }
}

// Pages of a pull grow as TCP's window does, to what the link brings in a fraction of the time-out, and shrink when one
// takes long or does not come at all: WebSocket shows nothing of a page before it is whole. What waits behind a page
// waits no longer than that. Pure; lives in Inbox.
export class PageSize {
  #most;
  #timeout;
  #limit;
  #patience;

  /** @param {number} most @param {number} timeout ms */
  constructor(most, timeout) {
    this.#most = most;
    this.#timeout = timeout;
    this.#limit = Math.min(most, FIRST_PAGE);
    this.#patience = timeout;
  }

  get limit() {
    return this.#limit;
  }

  /** ms: how long to wait for a page of which nothing is seen. */
  get patience() {
    return this.#patience;
  }

  /** @param {number} rows @param {number} took ms */
  came(rows, took) {
    this.#patience = Math.min(Math.max(2 * took, this.#timeout), MOST_PAGE_TIMEOUTS * this.#timeout);
    if (rows === 0) return;
    const good = this.#timeout / 4;
    const fits = Math.floor(rows * good / Math.max(took, 1));
    if (took <= good) {
      this.#limit = Math.max(this.#limit, Math.min(fits, this.#limit * STEP, this.#most));
    } else if (took > this.#timeout / 2) {
      this.#limit = Math.max(Math.min(fits, this.#limit), Math.floor(this.#limit / STEP), 1);
    }
  }

  didNotCome() {
    this.#limit = Math.max(Math.floor(this.#limit / STEP), 1);
    this.#patience = Math.min(2 * this.#patience, MOST_PAGE_TIMEOUTS * this.#timeout);
  }
}
