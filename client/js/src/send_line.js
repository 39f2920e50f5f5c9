// What the refusals of some messages say about the others.
import { Backoff } from './backoff.js';

export const RETRY_MIN_MS = 100;
export const RETRY_MAX_MS = 3_000;

// Messages that the same part of the service takes: those stored in its database, or uploads. One refusal may
// concern one message; a second in a row means that this part is away or has too much to do. Then one message at a
// time asks whether it is back, after what the server and a back-off say, each time another one, and all the others
// wait: however many there are, an outage costs the servers one attempt of each client. What is taken lets
// twice as many go, as in TCP's slow start (RFC 5681). Pure; lives in a SendQueue.
export class SendLine {
  #backoff;
  #window = Infinity;
  #inFlight = 0;
  #refusals = 0; // in a row
  #opensAt = -Infinity;
  /** @type {Set<number>} */
  #held = new Set();

  /** @param {() => number} random */
  constructor(random) {
    this.#backoff = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS, random);
  }

  /** @param {number} now */
  maySend(now) {
    return now >= this.#opensAt && this.#inFlight < this.#window;
  }

  /** @param {number} id */
  sent(id) {
    this.#held.delete(id);
    this.#inFlight += 1;
  }

  /** It was answered, or given up. */
  landed() {
    this.#inFlight -= 1;
  }

  worked() {
    this.#refusals = 0;
    this.#backoff.reset();
    this.#window *= 2;
  }

  /** @param {number} retryAfter ms @param {number} now */
  refused(retryAfter, now) {
    this.#refusals += 1;
    if (this.#refusals === 1) return;
    this.#window = 1;
    // Of those that were in flight together one counts.
    if (now >= this.#opensAt) this.#opensAt = now + retryAfter + this.#backoff.next();
  }

  /** The connection ended: nothing is in flight, or held, and the next one may lead elsewhere. */
  reset() {
    this.#backoff.reset();
    this.#window = Infinity;
    this.#inFlight = 0;
    this.#refusals = 0;
    this.#opensAt = -Infinity;
    this.#held.clear();
  }

  /** @param {number} id */
  hold(id) {
    this.#held.add(id);
  }

  /** @param {number} id */
  drop(id) {
    this.#held.delete(id);
  }

  get holds() {
    return this.#held.size > 0;
  }

  /**
   * The one that was held longest, if it may be sent.
   * @param {number} now
   * @returns {number | undefined}
   */
  next(now) {
    if (!this.holds || !this.maySend(now)) return undefined;
    const [longest] = this.#held; // in the order of hold()
    return longest;
  }

  /** When to ask for next(); Infinity: not before an answer. */
  get nextWake() {
    return this.holds && this.#inFlight < this.#window ? this.#opensAt : Infinity;
  }
}
