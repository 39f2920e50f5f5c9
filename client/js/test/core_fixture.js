// Plays the server's side of a ClientCore, packet by packet, with a clock that the test moves.
import assert from 'node:assert/strict';
import { ClientCore } from '../src/core.js';
import { CORE_DEFAULTS } from '../src/options.js';
import { decodePacket } from '../src/packet.js';
import { toUser } from '../src/requests.js';
import { Command, ErrorCode, failure, int64, wire } from '../src/wire.js';

export const bytes = (text) => new TextEncoder().encode(text);
export const text = (content) => new TextDecoder().decode(content);
// Stands for a body of field 15 alone.
export const refusal = (code, retryAfterMs = 0) => wire.ErrorOnly.encode({
  error: { code: ErrorCode[`ERROR_CODE_${code}`], retry_after_ms: retryAfterMs },
}).finish();

export class CoreFixture {
  now = 3_600_000;
  sent = [];
  outputs = [];
  messages = [];
  states = [];
  kicks = [];
  held = [];
  done = new Map();
  connects = 0;
  closes = 0;
  syncs = 0;
  #lastSend = 0;

  constructor(options = {}) {
    this.core = new ClientCore({ ...CORE_DEFAULTS, uid: 'alice', deviceId: 'd1', ...options }, () => 0.5);
  }

  settle() {
    for (const output of this.core.take()) {
      this.outputs.push(output.kind);
      if (output.kind === 'write') this.sent.push(decodePacket(output.packet));
      if (output.kind === 'sendDone') this.done.set(output.id, output);
      if (output.kind === 'deliver') this.messages.push(output.message);
      if (output.kind === 'state') this.states.push(output.state);
      if (output.kind === 'kicked') this.kicks.push(output.kick);
      if (output.kind === 'held') this.held.push(output.held);
      this.connects += output.kind === 'connect' ? 1 : 0;
      this.closes += output.kind === 'close' ? 1 : 0;
      this.syncs += output.kind === 'synced' ? 1 : 0;
    }
  }

  // The packets written since the last call, of one command.
  taken(command) {
    const found = this.sent.filter((packet) => packet.command === command);
    this.sent = this.sent.filter((packet) => packet.command !== command);
    return found;
  }

  one(command, type) {
    const packets = this.taken(command);
    assert.equal(packets.length, 1, `packets of command ${command}`);
    return { ...packets[0], fields: type?.decode(packets[0].body) };
  }

  pulled() {
    return this.one(Command.COMMAND_PULL, wire.PullReq);
  }

  answer(command, seq, body) {
    this.core.onPacket({ command, seq, body }, this.now);
    this.settle();
  }

  refuse(request, code, retryAfterMs) {
    this.answer(request.command, request.seq, refusal(code, retryAfterMs));
  }

  accept(request, msgId = 1n, outboxSeq = 1) {
    this.answer(request.command, request.seq, wire.C2CSendResp.encode({
      msg_id: int64(msgId), timestamp: int64(1_700_000_000_000), outbox_seq: int64(outboxSeq),
    }).finish());
  }

  push(seq) {
    this.answer(Command.COMMAND_C2C_PUSH, 0, wire.C2CPush.encode({
      from: bytes('bob'), content: bytes(`m${seq}`), seq: int64(seq), msg_id: int64(1000 + seq),
    }).finish());
  }

  static rows(first, last) {
    const rows = [];
    for (let seq = first; seq <= last; seq += 1) {
      rows.push({
        from: bytes('bob'), content: bytes(`m${seq}`), seq: int64(seq), msg_id: int64(1000 + seq),
        cmd_id: Command.COMMAND_C2C_SEND,
      });
    }
    return rows;
  }

  answerPull(fields) {
    const { head = 0, ...rest } = fields;
    const { seq } = this.pulled();
    this.answer(Command.COMMAND_PULL, seq, wire.PullResp.encode({ inbox_seq: int64(head), ...rest }).finish());
  }

  // A page of inbox rows; first > last: an empty one.
  page(first, last, head) {
    this.answerPull({ msg: CoreFixture.rows(first, last), head });
  }

  authenticate(head = 0, acked = 0, outboxHead = 0) {
    if (this.core.state === 'stopped') this.core.start(this.now);
    this.settle();
    this.core.connected('token', 1, this.now);
    this.settle();
    this.answer(Command.COMMAND_AUTH, this.one(Command.COMMAND_AUTH).seq, wire.AuthResp.encode({
      session_id: int64(7), heartbeat_seconds: 270, inbox_seq: int64(head), acked_inbox_seq: int64(acked),
      outbox_seq: int64(outboxHead),
    }).finish());
  }

  logIn(held = 0) {
    this.authenticate(held, held);
    this.page(1, 0, held);
  }

  send(to, clientMsgId, options = {}) {
    return this.request(toUser(to, bytes('hello'), options), clientMsgId, options);
  }

  request(request, clientMsgId, options = {}) {
    this.#lastSend += 1;
    this.core.send(this.#lastSend, request, { clientMsgId, ...options }, this.now);
    this.settle();
    return this.#lastSend;
  }

  advance(ms) {
    this.now += ms;
    this.core.onTime(this.now);
    this.settle();
  }

  // To when the core next wants to be called.
  advanceToWake() {
    assert.notEqual(this.core.nextWake(), Infinity);
    this.now = Math.max(this.now, this.core.nextWake());
    this.core.onTime(this.now);
    this.settle();
  }

  cut() {
    this.core.disconnected(failure('UNAVAILABLE', 'cut'), this.now);
    this.settle();
  }

  get seqs() {
    return this.messages.map((message) => message.seq);
  }
}
