// Messages on their way out: kept until answered, resent with the same client_msg_id.
import { backoff } from './backoff.js';
import { RETRY_MAX_MS, RETRY_MIN_MS, SendLine } from './send_line.js';
import { Command, failure } from './wire.js';

const ENTRY_BYTES = 200;

/** @typedef {import('./wire.js').Failure} Failure */
/** @typedef {import('./outputs.js').SendReceipt} SendReceipt */

/**
 * @typedef {object} SendRequest
 * @property {number} command
 * @property {string} conversation order is kept within it
 * @property {string} clientMsgId
 * @property {Uint8Array} body
 * @property {number} deadline ms
 */

/**
 * @typedef {object} Entry
 * @property {number} id
 * @property {SendRequest} request
 * @property {number} deadline
 * @property {number} wake
 * @property {'waiting' | 'held' | 'flight' | 'paused'} phase waiting: for its turn, or for a connection; held: by its line
 * @property {number} seq
 * @property {import('./pace.js').Mark} [written] in flight
 * @property {number} attempts
 * @property {number} refusals in a row, for the back-off
 * @property {boolean} unknown an attempt may have been stored
 */

/** @param {Entry} entry */
function cost(entry) {
  const { body, conversation, clientMsgId } = entry.request;
  return body.length + conversation.length + clientMsgId.length + ENTRY_BYTES;
}

/** @param {string} code */
function judge(code) {
  switch (code) {
    case 'UNAVAILABLE':
    case 'RATE_LIMITED':
      return 'tookNothing';
    case 'DEADLINE_EXCEEDED':
    case 'INTERNAL':
      return 'unknown';
    default:
      return 'final';
  }
}

// Life of a send: waiting (for its turn, for a connection) -> in flight -> answered, or back to waiting after
// UNAVAILABLE, RATE_LIMITED (took nothing), DEADLINE_EXCEEDED, INTERNAL, a time-out or a cut connection (outcome
// unknown); until its deadline, when it ends as DEADLINE_EXCEEDED. Other errors end it at once; when an earlier
// attempt had an unknown outcome, the result says DEADLINE_EXCEEDED, because that attempt may have been stored. A refused
// one tries again after its own pause; when refusals are many, SendLine decides who tries.
//
// Bounded by options.maxPending and maxPendingBytes. With options.strictOrder a conversation's next message waits for the
// answer to the one before: a refused one would lose its place. Pure.
export class SendQueue {
  #options;
  #outputs;
  #pace;
  #random;
  #messages; // the sender's shard takes them
  #uploads;
  #online = false;
  #bytes = 0;
  /** @type {Map<number, Entry>} by id, in the order of add() */
  #entries = new Map();
  /** @type {Map<number, number>} */
  #bySeq = new Map();
  /** @type {Map<string, number[]>} */
  #conversations = new Map();
  /** @type {Set<string>} */
  #idsInUse = new Set();

  /**
   * @param {{strictOrder: boolean, maxPending: number, maxPendingBytes: number}} options
   * @param {import('./outputs.js').Outputs} outputs
   * @param {import('./pace.js').Pace} pace
   * @param {() => number} random
   */
  constructor(options, outputs, pace, random) {
    this.#options = options;
    this.#outputs = outputs;
    this.#pace = pace;
    this.#random = random;
    this.#messages = new SendLine(random);
    this.#uploads = new SendLine(random);
  }

  /** The answer is an output `sendDone`, at once when the queue is full.
   * @param {number} id
   * @param {SendRequest} sent
   * @param {number} now
   */
  add(id, sent, now) {
    const request = this.#options.strictOrder ? sent : { ...sent, conversation: sent.clientMsgId };
    const deadline = now + request.deadline;
    /** @type {Entry} */
    const entry = {
      id, request, deadline, wake: deadline, phase: 'waiting', seq: 0, attempts: 0, refusals: 0, unknown: false,
    };
    if (this.#entries.size >= this.#options.maxPending
        || this.#bytes + cost(entry) > this.#options.maxPendingBytes) {
      return this.#fail(id, failure('UNAVAILABLE', 'too many messages wait for an answer'));
    }
    if (this.#idsInUse.has(request.clientMsgId)) {
      return this.#fail(id, failure('BAD_REQUEST', 'this client_msg_id is being sent already'));
    }
    this.#idsInUse.add(request.clientMsgId);
    this.#bytes += cost(entry);
    this.#entries.set(id, entry);
    const line = this.#conversations.get(request.conversation);
    if (line) line.push(id);
    else this.#conversations.set(request.conversation, [id]);
    this.#transmitIfItsTurn(entry, now);
  }

  /** @param {number} now */
  onOnline(now) {
    this.#online = true;
    for (const entry of this.#entries.values()) this.#transmitIfItsTurn(entry, now);
  }

  onOffline() {
    this.#online = false;
    this.#bySeq.clear();
    this.#messages.reset();
    this.#uploads.reset();
    for (const entry of this.#entries.values()) {
      if (entry.phase === 'flight') entry.unknown = true;
      // A pause asked for by the server ends with its connection: the next one may lead elsewhere.
      entry.phase = 'waiting';
      entry.wake = entry.deadline;
    }
  }

  /**
   * The answer to a send.
   * @param {number} seq
   * @param {Omit<SendReceipt, 'clientMsgId' | 'attempts'>} answer when there was no error
   * @param {Failure} error code 'OK': none
   * @param {number} now
   * @returns {boolean} false when nobody waits for it
   */
  onResponse(seq, answer, error, now) {
    const id = this.#bySeq.get(seq);
    const entry = id === undefined ? undefined : this.#entries.get(id);
    if (!entry) return false;
    this.#leaveFlight(entry);
    const line = this.#lineOf(entry);
    this.#judged(entry, line, answer, error, now);
    this.#transmitHeld(line, now);
    return true;
  }

  /** @param {number} now */
  onTime(now) {
    for (const entry of [...this.#entries.values()]) {
      if (entry.wake > now || !this.#entries.has(entry.id)) continue;
      if (entry.deadline <= now) {
        const why = entry.unknown || entry.phase === 'flight'
          ? 'no answer in time: it may have been stored' : 'not accepted in time: nothing was stored';
        if (entry.phase === 'flight') this.#tellLine(entry, false, 0, now);
        this.#finish(entry, { failure: failure('DEADLINE_EXCEEDED', why) }, now);
        continue;
      }
      if (entry.phase === 'flight') {
        const overdue = entry.written ? this.#pace.overdueAt(entry.written) : now;
        if (overdue > now) {
          entry.wake = Math.min(entry.deadline, overdue);
          continue;
        }
        entry.unknown = true;
        this.#tellLine(entry, false, 0, now);
      }
      this.#leaveFlight(entry);
      entry.wake = entry.deadline;
      this.#transmitIfItsTurn(entry, now);
    }
    this.#transmitHeld(this.#messages, now);
    this.#transmitHeld(this.#uploads, now);
  }

  /** Ends everything: UNAVAILABLE what surely was not stored, DEADLINE_EXCEEDED the rest.
   * @param {string} why
   */
  failAll(why) {
    const entries = [...this.#entries.values()];
    this.#online = false;
    this.#bytes = 0;
    this.#entries.clear();
    this.#bySeq.clear();
    this.#messages.reset();
    this.#uploads.reset();
    this.#conversations.clear();
    this.#idsInUse.clear();
    for (const entry of entries) {
      const unknown = entry.unknown || entry.phase === 'flight';
      this.#fail(entry.id, failure(unknown ? 'DEADLINE_EXCEEDED' : 'UNAVAILABLE', why));
    }
  }

  /** @returns {number} Infinity: none */
  nextWake() {
    let wake = Math.min(this.#messages.nextWake, this.#uploads.nextWake);
    for (const entry of this.#entries.values()) wake = Math.min(wake, entry.wake);
    return wake;
  }

  get inFlight() {
    return this.#bySeq.size;
  }

  get size() {
    return this.#entries.size;
  }

  /** @param {string} clientMsgId */
  pending(clientMsgId) {
    return this.#idsInUse.has(clientMsgId);
  }

  /**
   * @param {number} id
   * @param {Failure} why
   */
  #fail(id, why) {
    this.#outputs.put({ kind: 'sendDone', id, failure: why });
  }

  /** @param {Entry} entry */
  #lineOf(entry) {
    return entry.request.command === Command.COMMAND_C2S ? this.#uploads : this.#messages;
  }

  /**
   * Tells an entry's line of an answer that took nothing, or that there is none.
   * @param {Entry} entry
   * @param {boolean} refused
   * @param {number} retryAfter ms
   * @param {number} now
   */
  #tellLine(entry, refused, retryAfter, now) {
    const { command, conversation } = entry.request;
    const line = this.#lineOf(entry);
    // A command asks its group's owner, too: while all goes well its refusal says nothing of others.
    if (refused && command !== Command.COMMAND_CTRL_SEND) line.refused(conversation, retryAfter, now);
    else line.unanswered(conversation, retryAfter, now);
  }

  /**
   * @param {Entry} entry
   * @param {SendLine} line
   * @param {Omit<SendReceipt, 'clientMsgId' | 'attempts'>} answer
   * @param {Failure} error
   * @param {number} now
   */
  #judged(entry, line, answer, error, now) {
    if (error.code === 'OK') {
      const { clientMsgId } = entry.request;
      line.taken();
      this.#finish(entry, { receipt: { ...answer, clientMsgId, attempts: entry.attempts } }, now);
      return;
    }
    const verdict = judge(error.code);
    if (verdict === 'final') {
      const message = `refused after an attempt of unknown outcome: ${error.message}`;
      this.#finish(entry, { failure: entry.unknown ? failure('DEADLINE_EXCEEDED', message) : error }, now);
      return;
    }
    if (verdict === 'unknown') entry.unknown = true;
    this.#tellLine(entry, verdict !== 'unknown', error.retryAfterMs, now);
    this.#pause(entry, error.retryAfterMs, now);
  }

  /** @param {Entry} entry @param {number} now */
  #transmitIfItsTurn(entry, now) {
    if (!this.#online || entry.phase !== 'waiting') return;
    if (this.#conversations.get(entry.request.conversation)?.[0] !== entry.id) return;
    const line = this.#lineOf(entry);
    if (line.maySend(now) && !line.holds) {
      this.#transmit(entry, now);
    } else {
      entry.phase = 'held';
      line.hold(entry.id);
      this.#transmitHeld(line, now);
    }
  }

  /** @param {SendLine} line @param {number} now */
  #transmitHeld(line, now) {
    while (line.holds && line.maySend(now)) {
      const entry = this.#entries.get(line.takeHeld());
      if (!entry) continue;
      entry.phase = 'waiting';
      if (entry.deadline > now) this.#transmit(entry, now); // else onTime() ends it
    }
  }

  /** @param {Entry} entry @param {number} now */
  #transmit(entry, now) {
    entry.seq = this.#outputs.write(entry.request.command, entry.request.body);
    this.#bySeq.set(entry.seq, entry.id);
    entry.phase = 'flight';
    entry.attempts += 1;
    entry.written = this.#pace.wrote(entry.seq, entry.request.body.length, now);
    entry.wake = Math.min(entry.deadline, this.#pace.overdueAt(entry.written));
    this.#lineOf(entry).sent();
  }

  /** @param {Entry} entry */
  #leaveFlight(entry) {
    if (entry.phase === 'flight') {
      this.#bySeq.delete(entry.seq);
      this.#lineOf(entry).landed();
    }
    entry.phase = 'waiting';
  }

  /** @param {Entry} entry @param {number} atLeast @param {number} now */
  #pause(entry, atLeast, now) {
    entry.phase = 'paused';
    const own = backoff(RETRY_MIN_MS, RETRY_MAX_MS, entry.refusals, this.#random);
    entry.refusals += 1;
    entry.wake = Math.min(entry.deadline, now + atLeast + own);
  }

  /** @param {Entry} entry @param {{receipt?: SendReceipt, failure?: Failure}} result @param {number} now */
  #finish(entry, result, now) {
    this.#leaveFlight(entry);
    this.#lineOf(entry).drop(entry.id);
    this.#bytes -= cost(entry);
    this.#idsInUse.delete(entry.request.clientMsgId);
    this.#entries.delete(entry.id);
    this.#outputs.put({ kind: 'sendDone', id: entry.id, ...result });
    const { conversation } = entry.request;
    const line = (this.#conversations.get(conversation) ?? []).filter((id) => id !== entry.id);
    if (line.length === 0) {
      this.#conversations.delete(conversation);
      return;
    }
    this.#conversations.set(conversation, line);
    const next = this.#entries.get(line[0]);
    if (next) this.#transmitIfItsTurn(next, now);
  }
}
