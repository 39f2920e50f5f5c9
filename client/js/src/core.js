// The protocol of a client, without I/O and without a clock: packets, connection changes and the time go in, outputs
// come out (outputs.js). docs/protocol.md says why it does what it does.
import { Backoff } from './backoff.js';
import { idToBytes } from './ids.js';
import { Inbox } from './inbox.js';
import { Outputs } from './outputs.js';
import { Pace } from './pace.js';
import { encodeRequest } from './requests.js';
import { SendQueue } from './send_queue.js';
import {
  Command, KickReason, bigint, failure, failureOf, groupResultOf, int64, number, parse, wire,
} from './wire.js';

const LOGOUT_PATIENCE_MS = 1_000;
const PENALTY_MS = 1_000; // before coming back after having been told off
const DEFAULT_HEARTBEAT_MS = 270_000;
const MAX_REFUSED_TOKENS = 3;

/** @typedef {import('./wire.js').Failure} Failure */
/** @typedef {import('./outputs.js').State} State */

/** @typedef {import('./options.js').CoreOptions} CoreOptions */
/** @typedef {import('./options.js').NumberedOptions} NumberedOptions */

const OK = failure('OK', '');
const STOPPED = failure('OK', 'stopped');

// One user on one device. Connects (by its driver), authenticates, pulls, keeps alive, and connects again until
// stop(), a kick for good (OTHER_LOGIN, or ADMIN without a time to come back) or a refusal that no retry can change.
//
// The driver calls the inputs, does take() after each, and calls onTime() at nextWake(). Times are ms of a clock
// that does not go back.
export class ClientCore {
  #options;
  #outputs;
  #pace;
  #sends;
  #inbox;
  #backoff;
  #random;
  /** @type {State} */
  #state = 'stopped';
  #connection = false; // standing, or being made by the driver
  #stopping = false; // LOGOUT is on its way
  #sessionId = 0n;
  #acknowledged = 0;
  #refusedTokens = 0; // in a row
  #authSeq = 0; // of the AUTH in flight; 0: none
  #noopSeq = 0;
  #heartbeat = DEFAULT_HEARTBEAT_MS;
  #connectAt = Infinity;
  #heartbeatAt = Infinity;
  #stopAt = Infinity;
  /** @type {number | undefined} an answer is due and nothing came since */
  #silentSince;

  /** @param {CoreOptions} options @param {() => number} random in [0, 1) */
  constructor(options, random) {
    this.#options = options;
    this.#outputs = new Outputs(options.clientVersion);
    this.#pace = new Pace(options.requestTimeout);
    this.#sends = new SendQueue(options, this.#outputs, this.#pace, random);
    this.#inbox = new Inbox(options, this.#outputs, this.#pace, this.#sends, random);
    this.#backoff = new Backoff(options.backoffMin, options.backoffMax, random);
    this.#random = random;
  }

  get state() {
    return this.#state;
  }

  get held() {
    return this.#inbox.held;
  }

  get sessionId() {
    return this.#sessionId;
  }

  /** The inbox seq that this kind of device had acknowledged at the last login. */
  get acknowledged() {
    return this.#acknowledged;
  }

  get pendingSends() {
    return this.#sends.size;
  }

  take() {
    return this.#outputs.take();
  }

  /** @returns {number} when onTime() is due; Infinity: not */
  nextWake() {
    return Math.min(this.#connectAt, this.#heartbeatAt, this.#stopAt, this.#sends.nextWake(), this.#inbox.nextWake(),
      this.#deadAt);
  }

  /** @param {number} _now */
  start(_now) {
    if (this.#state !== 'stopped') return;
    this.#backoff.reset();
    this.#refusedTokens = 0;
    this.#connect();
  }

  /** Online: says LOGOUT and waits for its answer, at most a second. Sends not yet answered fail.
   * @param {number} now
   */
  stop(now) {
    if (this.#state === 'stopped' || this.#stopping) return;
    if (this.#state !== 'online') return this.#stopForGood(STOPPED);
    this.#stopping = true;
    this.#stopAt = now + LOGOUT_PATIENCE_MS;
    const request = { uid: idToBytes(this.#options.uid) };
    this.#outputs.write(Command.COMMAND_LOGOUT, wire.LogoutReq.encode(request).finish());
  }

  /** The network is said to be back, or the device woke up: tries at once what waits for a later attempt, and asks
   * whether a connection that stands still lives.
   * @param {number} now
   */
  hurry(now) {
    if (this.#state === 'online' && this.#noopSeq === 0) {
      this.#sayNoop(now);
      this.#watch(false, now);
    }
    if (this.#state !== 'waiting') return;
    this.#backoff.reset();
    this.#connectAt = Math.min(this.#connectAt, now + this.#backoff.next());
  }

  /** A connection stands: AUTH is sent.
   * @param {string} token
   * @param {number} wallMs for the server's information
   * @param {number} now
   */
  connected(token, wallMs, now) {
    if (this.#state !== 'connecting' || this.#authSeq !== 0) return;
    const options = this.#options;
    const request = {
      token: idToBytes(token),
      uid: idToBytes(options.uid),
      timestamp: int64(wallMs),
      app_id: idToBytes(options.appId),
      device_type: options.deviceType,
      device_id: idToBytes(options.deviceId),
      sdk: idToBytes(options.sdk),
    };
    const body = wire.AuthReq.encode(request).finish();
    this.#authSeq = this.#outputs.write(Command.COMMAND_AUTH, body);
    this.#pace.wrote(this.#authSeq, body.length, now);
    this.#watch(false, now);
  }

  /** The connection, or the attempt to make one, failed. Not after an output `close`.
   * @param {Failure} reason
   * @param {number} now
   */
  disconnected(reason, now) {
    if (!this.#connection) return;
    this.#connection = false;
    if (this.#stopping) return this.#stopForGood(STOPPED);
    this.#reconnectLater(0, reason, now);
  }

  /** A token could not be had, and never will.
   * @param {Failure} reason
   */
  refuse(reason) {
    if (this.#state !== 'stopped') this.#stopForGood(reason);
  }

  /** Bytes came, whole packets or not: a sign of life. Before the packets in them.
   * @param {number} bytes
   * @param {number} now
   */
  onBytes(bytes, now) {
    if (!this.#connection) return;
    this.#pace.received(bytes);
    this.#watch(true, now);
  }

  /** @param {import('./packet.js').Packet} packet @param {number} now */
  onPacket(packet, now) {
    if (!this.#connection) return;
    if (packet.seq !== 0) this.#pace.answered(packet.seq);
    this.#dispatch(packet, now);
    if (this.#connection) this.#watch(true, now);
  }

  /** @param {number} now */
  onTime(now) {
    if (this.#stopAt <= now) return this.#stopForGood(STOPPED);
    if (this.#connectAt <= now) return this.#connect();
    if (this.#deadAt <= now) {
      this.#inbox.pageDidNotCome();
      this.#reconnectLater(0, failure('UNAVAILABLE', 'the server does not answer'), now);
    }
    this.#sends.onTime(now);
    this.#inbox.onTime(now);
    if (this.#heartbeatAt <= now) this.#sayNoop(now);
    this.#watch(false, now);
  }

  /** Sends; the answer is an output `sendDone` with this id. Ids grow.
   * @param {number} id
   * @param {import('./requests.js').Request} request
   * @param {NumberedOptions} options
   * @param {number} now
   */
  send(id, request, options, now) {
    if (this.#state === 'stopped' || this.#stopping) {
      return this.#refuseSend(id, failure('UNAVAILABLE', 'the client is stopped'));
    }
    const body = encodeRequest(request, this.#options.uid, options.clientMsgId);
    if (!(body instanceof Uint8Array)) return this.#refuseSend(id, body);
    if (body.length > this.#options.maxBodyBytes) {
      return this.#refuseSend(id, failure('TOO_LARGE', 'the message is too large'));
    }
    const { command, conversation } = request;
    const deadline = options.deadline ?? this.#options.sendDeadline;
    this.#sends.add(id, { command, conversation, clientMsgId: options.clientMsgId, body, deadline }, now);
    this.#watch(false, now);
  }

  /** Pulls from what is held; an output `synced` follows, perhaps after a reconnect.
   * @param {number} now
   */
  pull(now) {
    this.#inbox.pull(now);
    this.#watch(false, now);
  }

  /** @param {number} id @param {Failure} why */
  #refuseSend(id, why) {
    this.#outputs.put({ kind: 'sendDone', id, failure: why });
  }

  /** @param {import('./packet.js').Packet} packet @param {number} now */
  #dispatch({ command, seq, body }, now) {
    switch (command) {
      case Command.COMMAND_AUTH:
        if (this.#authSeq !== 0 && seq === this.#authSeq) this.#onAuthResponse(body, now);
        return;
      case Command.COMMAND_KICKOUT:
        return this.#onKickout(body, now);
      case Command.COMMAND_LOGOUT:
        if (this.#stopping) this.#stopForGood(STOPPED);
        return;
      case Command.COMMAND_NOOP:
        this.#noopSeq = 0;
        return;
    }
    if (this.#state !== 'online') return;
    switch (command) {
      case Command.COMMAND_C2S:
      case Command.COMMAND_C2C_SEND:
      case Command.COMMAND_C2G_SEND:
        return this.#onSendResponse(command, seq, body, now);
      case Command.COMMAND_CTRL_SEND:
        return this.#onControlResponse(seq, body, now);
      case Command.COMMAND_PULL:
        return this.#onPullResponse(seq, body, now);
      case Command.COMMAND_SYNC_NOTIFY:
        if (!parse(wire.SyncNotify, body)) return this.#protocolError('a SYNC_NOTIFY does not parse', now);
        // Even when nothing is missing: the server may lack the acknowledgement, which a pull's offset is.
        return this.#inbox.pull(now);
      case Command.COMMAND_C2C_PUSH:
      case Command.COMMAND_C2G_PUSH:
      case Command.COMMAND_S2C:
      case Command.COMMAND_CTRL_PUSH:
      case Command.COMMAND_SENT_PUSH:
        // With a seq it is an error answering an acknowledgement.
        if (seq === 0 && !this.#inbox.onPush(command, body, now)) this.#protocolError('a push does not parse', now);
    }
  }

  /** @param {Uint8Array} body @param {number} now */
  #onAuthResponse(body, now) {
    const response = parse(wire.AuthResp, body);
    if (!response) return this.#protocolError('an AUTH response does not parse', now);
    this.#authSeq = 0;
    const error = failureOf(response.error);
    if (error.code !== 'OK') return this.#onAuthRefused(error, now);
    this.#refusedTokens = 0;
    this.#sessionId = BigInt.asUintN(64, bigint(response.session_id));
    this.#acknowledged = number(response.acked_inbox_seq);
    this.#heartbeat = response.heartbeat_seconds > 0 ? 1_000 * response.heartbeat_seconds : DEFAULT_HEARTBEAT_MS;
    this.#heartbeatAt = now + this.#heartbeat;
    this.#setState('online', OK);
    this.#inbox.onOnline(response, now);
    this.#sends.onOnline(now);
  }

  /** @param {Failure} error @param {number} now */
  #onAuthRefused(error, now) {
    switch (error.code) {
      case 'UNAVAILABLE':
      case 'RATE_LIMITED':
      case 'DEADLINE_EXCEEDED':
      case 'INTERNAL':
        return this.#reconnectLater(error.retryAfterMs, error, now);
      case 'UNAUTHENTICATED':
        this.#refusedTokens += 1;
        if (this.#options.tokenRenewable && this.#refusedTokens < MAX_REFUSED_TOKENS) {
          return this.#reconnectLater(0, error, now);
        }
    }
    this.#stopForGood(error);
  }

  /** @param {Uint8Array} body @param {number} now */
  #onKickout(body, now) {
    const kickout = parse(wire.Kickout, body);
    if (!kickout) return this.#protocolError('a KICKOUT does not parse', now);
    const kick = {
      reason: (KickReason[kickout.reason] ?? `${kickout.reason}`).replace('KICK_REASON_', ''),
      message: kickout.message,
      reconnectAfterMs: kickout.reconnect_after_ms,
      willReconnect: true,
    };
    let atLeast = kick.reconnectAfterMs;
    switch (kickout.reason) {
      case KickReason.KICK_REASON_OTHER_LOGIN:
        kick.willReconnect = false;
        break;
      case KickReason.KICK_REASON_ADMIN:
        kick.willReconnect = kick.reconnectAfterMs > 0;
        break;
      case KickReason.KICK_REASON_TOKEN_EXPIRED:
        kick.willReconnect = this.#options.tokenRenewable;
        break;
      case KickReason.KICK_REASON_SERVER_DRAIN:
        break;
      default:
        atLeast = Math.max(atLeast, PENALTY_MS);
    }
    if (this.#stopping) kick.willReconnect = false;
    const reason = failure(kick.willReconnect ? 'UNAVAILABLE' : 'UNAUTHENTICATED', `kicked: ${kick.reason}`);
    this.#outputs.put({ kind: 'kicked', kick });
    if (kick.willReconnect) this.#reconnectLater(atLeast, reason, now);
    else this.#stopForGood(reason);
  }

  /** C2S and C2G_SEND have the same form.
   * @param {number} command
   * @param {number} seq
   * @param {Uint8Array} body
   * @param {number} now
   */
  #onSendResponse(command, seq, body, now) {
    const response = parse(wire.C2CSendResp, body);
    if (!response) return this.#protocolError('a response does not parse', now);
    const answer = {
      msgId: bigint(response.msg_id), time: number(response.timestamp), outboxSeq: number(response.outbox_seq),
    };
    const error = failureOf(response.error);
    if (error.code === 'OK') this.#inbox.onSent(command, answer, now);
    this.#sends.onResponse(seq, answer, error, now);
  }

  /** @param {number} seq @param {Uint8Array} body @param {number} now */
  #onControlResponse(seq, body, now) {
    const response = parse(wire.CtrlSendResp, body);
    if (!response) return this.#protocolError('a response does not parse', now);
    let result;
    try {
      result = groupResultOf(response.content);
    } catch {
      return this.#protocolError('the result of a group operation does not parse', now);
    }
    const answer = { msgId: bigint(response.msg_id), time: number(response.timestamp), outboxSeq: 0, result };
    this.#sends.onResponse(seq, answer, failureOf(response.error), now);
  }

  /** @param {number} seq @param {Uint8Array} body @param {number} now */
  #onPullResponse(seq, body, now) {
    const response = parse(wire.PullResp, body);
    if (!response) return this.#protocolError('a PULL response does not parse', now);
    this.#inbox.onPullResponse(seq, response, now);
    // A connection counts as a success only now: one that is cut after each AUTH must not be made again in a hurry.
    if (this.#inbox.synced) this.#backoff.reset();
  }

  #connect() {
    this.#connectAt = Infinity;
    this.#connection = true;
    this.#setState('connecting', OK);
    this.#outputs.put({ kind: 'connect' });
  }

  #leaveConnection() {
    if (this.#connection) this.#outputs.put({ kind: 'close' });
    this.#connection = false;
    this.#authSeq = 0;
    this.#noopSeq = 0;
    this.#sessionId = 0n;
    this.#heartbeatAt = Infinity;
    this.#silentSince = undefined;
    this.#inbox.onOffline();
    this.#sends.onOffline();
    this.#pace.reset();
  }

  /** @param {number} atLeast ms @param {Failure} reason @param {number} now */
  #reconnectLater(atLeast, reason, now) {
    const spread = this.#state === 'online' && atLeast === 0 ? this.#options.reconnectSpread * this.#random() : 0;
    this.#leaveConnection();
    this.#connectAt = now + atLeast + Math.floor(spread) + this.#backoff.next();
    this.#setState('waiting', reason);
  }

  /** @param {Failure} reason */
  #stopForGood(reason) {
    this.#leaveConnection();
    this.#stopping = false;
    this.#connectAt = Infinity;
    this.#stopAt = Infinity;
    this.#sends.failAll(reason.message || 'the client is stopped');
    this.#setState('stopped', reason);
  }

  /** @param {State} state @param {Failure} reason */
  #setState(state, reason) {
    if (state === this.#state) return;
    this.#state = state;
    this.#outputs.put({ kind: 'state', state, reason });
  }

  /** @param {string} what @param {number} now */
  #protocolError(what, now) {
    this.#reconnectLater(PENALTY_MS, failure('INTERNAL', what), now);
  }

  /** @param {number} now */
  #sayNoop(now) {
    this.#noopSeq = this.#outputs.write(Command.COMMAND_NOOP, new Uint8Array(0));
    this.#pace.wrote(this.#noopSeq, 0, now);
    this.#heartbeatAt = now + this.#heartbeat;
  }

  get #deadAt() {
    if (this.#silentSince === undefined) return Infinity;
    return this.#silentSince + Math.max(this.#pace.silence, this.#inbox.pagePatience);
  }

  /** @param {boolean} received @param {number} now */
  #watch(received, now) {
    const expecting = this.#authSeq !== 0 || this.#noopSeq !== 0 || this.#inbox.pullInFlight
      || this.#sends.inFlight > 0;
    if (!expecting) this.#silentSince = undefined;
    else if (received || this.#silentSince === undefined) this.#silentSince = now;
  }
}
