// Messages on their way in: what is held, the gap rule for pushes, pull until nothing is left.
import { Backoff } from './backoff.js';
import { idToBytes } from './ids.js';
import { LargeGroups } from './large_groups.js';
import { concernsMembershipOf, messageOf, parsePush } from './message.js';
import { PageSize } from './pace.js';
import { Command, bigint, failureOf, int64, number, parse, wire } from './wire.js';

const MAX_OWN_SENT = 4096;
const MAX_FRUITLESS = 8;
const PULL_RETRY_MIN_MS = 100;
const PULL_RETRY_MAX_MS = 5_000;

/** @typedef {import('./message.js').Message} Message */
/** @typedef {import('../generated/client.js').hongyan.client.PullResp} PullResp */

/** @param {PullResp} response */
function rowsOf(response) {
  return response.groups.reduce((rows, page) => rows + (page.msg?.length ?? 0), response.msg.length + response.sent.length);
}

// Subscribe (AUTH) first, then pull, and drop what overlaps. A push at or below what is held is acknowledged and
// discarded; the next one is delivered, then acknowledged; one above leaves a hole: it is not acknowledged, and a
// pull fetches the hole and the push. Pages of a pull are taken as they come: their jumps are what the server
// archived. Each pull's offset acknowledges what is held.
//
// With options.receiveSent the outbox is followed by the same rule; what this client sent itself only moves the
// held seq, and so do group messages, whose copy in the inbox is the one that is delivered. Pure.
export class Inbox {
  #options;
  #outputs;
  #pace;
  #sends;
  #backoff;
  #groups;
  #online = false;
  #synced = false;
  /** @type {number | undefined} held; absent until the first AUTH says where to begin */
  #inbox;
  /** @type {number | undefined} the same; followed only with receiveSent */
  #outbox;
  #headAtAuth = 0;
  #outboxHeadAtAuth = 0;
  /** @type {Set<number>} outbox seqs above #outbox that this client sent */
  #ownSent = new Set();
  /** @type {Set<bigint>} the newest msg_ids that this client sent to groups */
  #ownGroups = new Set();
  #fruitless = 0; // pulls in a row that did not fill a hole of a group
  #moves = 0; // of any held seq, counted
  #reported = 0;
  #seen = 0; // the highest inbox seq pushed on this connection
  #pullSeq = 0; // of the one pull in flight; 0: none
  #lateSeq = 0; // of one whose answer was overdue, and is welcome all the same
  #pullAgain = false; // something came since it was asked
  #pageSize;
  /** @type {import('./pace.js').Mark} */
  #pulled = { at: 0, ahead: 0, received: 0 };
  #pulledFrom = 0;
  /** @type {number | undefined} */
  #retryAt;

  /**
   * @param {import('./core.js').CoreOptions} options
   * @param {import('./outputs.js').Outputs} outputs
   * @param {import('./pace.js').Pace} pace
   * @param {import('./send_queue.js').SendQueue} sends
   * @param {() => number} random
   */
  constructor(options, outputs, pace, sends, random) {
    this.#options = options;
    this.#outputs = outputs;
    this.#pace = pace;
    this.#sends = sends;
    this.#pageSize = new PageSize(options.pullLimit, options.requestTimeout);
    this.#backoff = new Backoff(PULL_RETRY_MIN_MS, PULL_RETRY_MAX_MS, random);
    this.#inbox = options.heldInbox;
    this.#outbox = options.heldOutbox;
    this.#groups = new LargeGroups(options.heldGroups ?? []);
  }

  /** @returns {import('./outputs.js').HeldSeqs} */
  get held() {
    return { inbox: this.#inbox ?? 0, outbox: this.#outbox ?? 0, groups: this.#groups.held };
  }

  get pullInFlight() {
    return this.#pullSeq !== 0;
  }

  get synced() {
    return this.#synced;
  }

  /**
   * @param {import('../generated/client.js').hongyan.client.AuthResp} auth
   * @param {number} now
   */
  onOnline(auth, now) {
    this.#online = true;
    this.#headAtAuth = number(auth.inbox_seq);
    this.#outboxHeadAtAuth = number(auth.outbox_seq);
    const { backlog } = this.#options;
    if (this.#inbox === undefined) {
      const acked = number(auth.acked_inbox_seq);
      this.#inbox = backlog > 0 ? Math.max(0, Math.min(acked, this.#headAtAuth - backlog)) : acked;
    }
    this.#outbox ??= Math.max(0, this.#outboxHeadAtAuth - backlog);
    this.#moves += 1;
    this.#reportMove();
    this.pull(now);
  }

  onOffline() {
    this.#online = false;
    this.#synced = false;
    this.#pullSeq = 0;
    this.#lateSeq = 0;
    this.#pullAgain = false;
    this.#retryAt = undefined;
    this.#backoff.reset();
    this.#seen = 0;
    this.#fruitless = 0;
    this.#groups.forgetHoles();
  }

  /** ms: for how long nothing may be seen of the page that is awaited; 0: of none. */
  get pagePatience() {
    return this.#pullSeq !== 0 ? this.#pageSize.patience : 0;
  }

  /** That time is over. */
  pageDidNotCome() {
    if (this.#pullSeq !== 0) this.#pageSize.didNotCome();
  }

  /** Pulls once more; an output `synced` follows.
   * @param {number} now
   */
  pull(now) {
    this.#synced = false;
    if (!this.#online) return;
    if (this.#pullSeq !== 0) {
      this.#pullAgain = true;
      return;
    }
    if (this.#retryAt !== undefined && now < this.#retryAt) return;
    this.#retryAt = undefined;
    this.#pullAgain = false;
    this.#pulledFrom = this.#moves;
    const request = {
      uid: idToBytes(this.#options.uid),
      offset: int64(this.#inbox ?? 0),
      limit: this.#pageSize.limit,
      outbox_offset: int64(this.#options.receiveSent ? this.#outbox ?? 0 : -1),
      groups: this.#groups.list(),
    };
    const body = wire.PullReq.encode(request).finish();
    this.#pullSeq = this.#outputs.write(Command.COMMAND_PULL, body);
    this.#pulled = this.#pace.wrote(this.#pullSeq, body.length, now);
  }

  /**
   * @param {number} command
   * @param {Uint8Array} body
   * @param {number} now
   * @returns {boolean} false when the body does not parse
   */
  onPush(command, body, now) {
    if (command === Command.COMMAND_SENT_PUSH) {
      const row = parse(wire.PullMsg, body);
      if (!row) return false;
      if (this.#options.receiveSent) this.#takeSent(messageOf(row), now);
      return true;
    }
    const message = parsePush(command, body);
    if (!message) return false;
    if (message.seq > 0) {
      this.#takeStored(message, command, now);
    } else if (message.groupSeq > 0) {
      this.#takeLargeGroup(message, command, now);
    } else {
      this.#deliver(message);
      this.#acknowledge(command, { msg_id: int64(message.msgId) });
    }
    return true;
  }

  /**
   * @param {number} seq
   * @param {PullResp} response
   * @param {number} now
   * @returns {boolean} false when nobody waits for it
   */
  onPullResponse(seq, response, now) {
    const error = failureOf(response.error);
    if (this.#lateSeq !== 0 && seq === this.#lateSeq) {
      if (error.code === 'OK') this.#takeLatePage(response);
      return true;
    }
    if (this.#pullSeq === 0 || seq !== this.#pullSeq) return false;
    this.#pullSeq = 0;
    if (error.code === 'FAILED_PRECONDITION') {
      this.#resetToHead(response);
      this.#retryPull(0, now);
    } else if (error.code !== 'OK') {
      this.#retryPull(error.retryAfterMs, now);
    } else {
      const rows = this.#takePage(response);
      this.#pageSize.came(rowsOf(response), now - this.#pulled.at);
      this.#reportMove();
      this.#finishPage(response, rows === 0, now);
    }
    return true;
  }

  /** An own send was stored.
   * @param {number} command
   * @param {{msgId: bigint, outboxSeq: number}} receipt
   * @param {number} now
   */
  onSent(command, { msgId, outboxSeq }, now) {
    if (command === Command.COMMAND_C2G_SEND) {
      this.#ownGroups.add(msgId);
      if (this.#ownGroups.size > MAX_OWN_SENT) this.#ownGroups.delete([...this.#ownGroups][0]);
    }
    if (!this.#options.receiveSent || this.#outbox === undefined || outboxSeq <= this.#outbox) return;
    this.#ownSent.add(outboxSeq);
    if (this.#ownSent.size > MAX_OWN_SENT) this.#ownSent.delete(Math.min(...this.#ownSent));
    this.#skipOwnSent();
    this.#reportMove();
    if (this.#ownSent.size > 0) this.pull(now);
  }

  /** @returns {number} Infinity: none */
  nextWake() {
    if (this.#pullSeq !== 0) {
      return Math.max(this.#pace.overdueAt(this.#pulled), this.#pulled.at + this.#pageSize.patience);
    }
    return this.#retryAt ?? Infinity;
  }

  /** @param {number} now */
  onTime(now) {
    if (this.nextWake() > now) return;
    if (this.#pullSeq !== 0) {
      this.#lateSeq = this.#pullSeq;
      this.#pullSeq = 0;
      this.#pageSize.didNotCome();
    }
    this.#retryAt = undefined;
    this.pull(now);
  }

  /** @param {Message} message @param {number} command @param {number} now */
  #takeStored(message, command, now) {
    const held = this.#inbox ?? 0;
    this.#seen = Math.max(this.#seen, message.seq);
    if (message.seq > held + 1) return this.pull(now);
    if (message.seq === held + 1) {
      this.#inbox = message.seq;
      this.#moves += 1;
      this.#deliver(message);
      this.#reportMove();
    }
    this.#acknowledge(command, { msg_id: int64(message.msgId), seq: int64(this.#inbox ?? 0) });
  }

  /** @param {Message} message @param {number} command @param {number} now */
  #takeLargeGroup(message, command, now) {
    const verdict = this.#groups.onPush(message.groupId, message.groupSeq);
    if (verdict === 'hole') return this.pull(now);
    if (verdict === 'next') {
      this.#moves += 1;
      this.#deliverOfGroup(message);
      this.#reportMove();
    }
    this.#acknowledge(command, {
      msg_id: int64(message.msgId),
      group_id: int64(message.groupId),
      group_seq: int64(this.#groups.heldOf(message.groupId)),
    });
  }

  /** @param {Message} message */
  #deliver(message) {
    const own = message.kind === 'c2g' && message.from === this.#options.uid
      && (this.#ownGroups.has(message.msgId) || this.#sends.pending(message.clientMsgId));
    this.#outputs.put({ kind: 'deliver', message: { ...message, own } });
  }

  /** @param {Message} message */
  #deliverOfGroup(message) {
    if (!concernsMembershipOf(message, this.#options.uid)) this.#deliver(message); // else it comes by the inbox
  }

  /** @param {Message} message @param {number} now */
  #takeSent(message, now) {
    const held = this.#outbox ?? 0;
    if (message.seq > held + 1) return this.pull(now);
    if (message.seq === held + 1) {
      this.#outbox = message.seq;
      this.#moves += 1;
      if (!this.#sends.pending(message.clientMsgId)) this.#deliverSent(message);
      this.#skipOwnSent();
      this.#reportMove();
    }
    this.#acknowledge(Command.COMMAND_SENT_PUSH, {
      msg_id: int64(message.msgId), outbox_seq: int64(this.#outbox ?? 0),
    });
  }

  /** @param {Message} message */
  #deliverSent(message) {
    if (message.kind === 'c2g' || message.kind === 'ctrl') return;
    this.#outputs.put({ kind: 'deliver', message: { ...message, sent: true } });
  }

  /** What it brings is not to come twice; the pull that followed it goes on from there.
   * @param {PullResp} response
   */
  #takeLatePage(response) {
    this.#lateSeq = 0;
    this.#takePage(response);
    this.#reportMove();
  }

  /** @param {PullResp} response @returns {number} rows in it */
  #takePage(response) {
    let rows = response.msg.length + response.sent.length;
    for (const row of response.msg) {
      const message = messageOf(row);
      if (message.seq <= (this.#inbox ?? 0)) continue;
      this.#inbox = message.seq;
      this.#moves += 1;
      this.#deliver(message);
    }
    if (this.#options.receiveSent) {
      for (const row of response.sent) {
        const message = messageOf(row);
        if (message.seq <= (this.#outbox ?? 0)) continue;
        this.#outbox = message.seq;
        this.#moves += 1;
        const own = this.#ownSent.delete(message.seq) || this.#sends.pending(message.clientMsgId);
        if (!own) this.#deliverSent(message);
      }
      this.#skipOwnSent();
    }
    // What came of a group before it was large stands in the inbox, and goes before.
    const inboxToCome = Math.max(number(response.inbox_seq), this.#seen) > (this.#inbox ?? 0);
    for (const page of response.groups) {
      const begins = !this.#groups.holds(bigint(page.group_id ?? 0));
      if (!begins || !inboxToCome) rows += this.#takeGroupPage(page);
    }
    return rows;
  }

  /** @param {import('../generated/client.js').hongyan.client.IGroupPage} page @returns {number} rows in it */
  #takeGroupPage(page) {
    const whole = /** @type {InstanceType<typeof wire.GroupPage>} */ (page);
    const groupId = bigint(whole.group_id);
    let news = false;
    for (const row of whole.msg) {
      const message = messageOf(row);
      if (!this.#groups.onRow(groupId, message.seq)) continue;
      news = true;
      this.#moves += 1;
      this.#deliverOfGroup({ ...message, groupId, groupSeq: message.seq, seq: 0 });
    }
    const last = whole.msg.at(-1);
    const held = this.#groups.heldOf(groupId);
    if (!news && last && held > 0) {
      // The server does not know it: the pull did not list the group.
      this.#acknowledge(Command.COMMAND_C2G_PUSH, {
        msg_id: last.msg_id, group_id: int64(groupId), group_seq: int64(held),
      });
    }
    this.#takeHead(page);
    return whole.msg.length;
  }

  /** @param {import('../generated/client.js').hongyan.client.IGroupPage} page */
  #takeHead(page) {
    if (this.#groups.onHead(bigint(page.group_id ?? 0), number(page.head_seq ?? 0))) this.#moves += 1;
  }

  /** @param {PullResp} response @param {boolean} empty @param {number} now */
  #finishPage(response, empty, now) {
    const progress = !empty && this.#moves !== this.#pulledFrom;
    this.#fruitless = this.#groups.hasHole && !progress ? this.#fruitless + 1 : 0;
    if (this.#fruitless > MAX_FRUITLESS) this.#groups.forgetHoles(); // what was pushed is not to be pulled
    const hole = Math.max(number(response.inbox_seq), this.#seen) > (this.#inbox ?? 0) || this.#groups.hasHole;
    if (progress) {
      this.#backoff.reset();
      this.pull(now);
    } else if (!empty || hole) {
      // Asked again, it would say the same: not in a hurry.
      this.#retryPull(0, now);
    } else if (this.#pullAgain) {
      this.pull(now);
    } else {
      this.#backoff.reset();
      this.#synced = true;
      this.#outputs.put({ kind: 'synced' });
    }
  }

  /** This device holds more than the server has. @param {PullResp} response */
  #resetToHead(response) {
    const head = Math.max(number(response.inbox_seq), this.#headAtAuth);
    const outboxHead = Math.max(number(response.outbox_seq), this.#outboxHeadAtAuth);
    this.#inbox = Math.min(this.#inbox ?? 0, head);
    this.#outbox = Math.min(this.#outbox ?? 0, outboxHead);
    this.#moves += 1;
    this.#seen = 0;
    this.#lateSeq = 0;
    this.#ownSent.clear();
    for (const page of response.groups) this.#takeHead(page);
    this.#reportMove();
  }

  /** @param {number} atLeast @param {number} now */
  #retryPull(atLeast, now) {
    this.#retryAt = now + atLeast + this.#backoff.next();
  }

  #skipOwnSent() {
    const own = [...this.#ownSent].sort((a, b) => a - b);
    for (const seq of own) {
      if (seq > (this.#outbox ?? 0) + 1) return;
      this.#outbox = Math.max(this.#outbox ?? 0, seq);
      this.#moves += 1;
      this.#ownSent.delete(seq);
    }
  }

  #reportMove() {
    if (this.#moves === this.#reported) return;
    this.#reported = this.#moves;
    this.#outputs.put({ kind: 'held', held: this.held });
  }

  /** @param {number} command @param {import('../generated/client.js').hongyan.client.IPushAck} ack */
  #acknowledge(command, ack) {
    this.#outputs.write(command, wire.PushAck.encode(ack).finish());
  }
}
