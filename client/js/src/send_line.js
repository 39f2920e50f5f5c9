// What the refusals of some messages say about the others.
import { Backoff } from './backoff.js';

export const RETRY_MIN_MS = 100;
export const RETRY_MAX_MS = 3_000;
const WIDE = 512; // twice as many is no limit any more

// Messages that the same part of the service takes. A refusal may concern one message or conversation; a second in a
// row, of another conversation, means that this part is away or has too much to do. Then one message at a time asks
// whether it is back, after what the server and a back-off say, each time the one that waits longest, and all the
// others wait: however many there are, an outage costs the servers one attempt in that time. What is taken lets
// twice as many go, as in TCP's slow start (RFC 5681). Pure; lives in a SendQueue.
export class SendLine {
  #backoff;
  #window = Infinity;
  #inFlight = 0;
  #opensAt = -Infinity;
  /** @type {string | undefined} the conversation refused last, if nothing was taken since */
  #refused;
  /** @type {Set<number>} those that wait, by how long they do */
  #held = new Set();

  /** @param {() => number} random */
  constructor(random) {
    this.#backoff = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS, random);
  }

  /** @param {number} now */
  maySend(now) {
    return now >= this.#opensAt && this.#inFlight < this.#window;
  }

  /** Every message that went ends with landed(); what became of it is said before or after. */
  sent() {
    this.#inFlight += 1;
  }

  landed() {
    this.#inFlight -= 1;
  }

  taken() {
    this.#refused = undefined;
    this.#backoff.reset();
    this.#window = this.#window >= WIDE ? Infinity : this.#window * 2;
  }

  /** @param {string} conversation @param {number} retryAfter ms @param {number} now */
  refused(conversation, retryAfter, now) {
    const first = this.#refused === undefined;
    const another = this.#refused !== conversation;
    this.#refused = conversation;
    if (first || (!another && this.#window === Infinity)) return;
    this.#window = 1;
    // Of those that were in flight together one counts.
    if (now >= this.#opensAt) this.#opensAt = now + retryAfter + this.#backoff.next();
  }

  /** No answer, or one that leaves the outcome unknown: counts as a refusal while the line is limited.
   * @param {string} conversation @param {number} retryAfter ms @param {number} now
   */
  unanswered(conversation, retryAfter, now) {
    if (this.#window !== Infinity) this.refused(conversation, retryAfter, now);
  }

  /** The connection ended: nothing is in flight, or held, and the next one may lead elsewhere. */
  reset() {
    this.#backoff.reset();
    this.#window = Infinity;
    this.#inFlight = 0;
    this.#opensAt = -Infinity;
    this.#refused = undefined;
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

  /** The first of those that wait, held no longer. */
  takeHeld() {
    const [first] = this.#held;
    this.#held.delete(first);
    return first;
  }

  /** When maySend() will let one of them go; Infinity: not before an answer. */
  get nextWake() {
    return this.holds && this.#inFlight < this.#window ? this.#opensAt : Infinity;
  }
}
