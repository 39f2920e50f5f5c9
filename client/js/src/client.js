// The client that users of the library see; the package's README.md shows how it is used.
import { CtrlType } from './wire.js';
import { HongyanError } from './error.js';
import { completed } from './options.js';
import * as requests from './requests.js';
import { Driver } from './driver.js';
import { newUuid } from './uuid.js';

/** @typedef {import('./outputs.js').SendReceipt} SendReceipt */
/** @typedef {import('./options.js').SendOptions} SendOptions */
/** @typedef {import('./wire.js').GroupOp} GroupOp */

/**
 * Called one at a time; what they throw is logged. They may call the client.
 * @typedef {object} Handlers
 * @property {(message: import('./message.js').Message) => void} [onMessage]
 * @property {(state: import('./outputs.js').State, reason: import('./wire.js').Failure) => void} [onState] reason.code
 *   is 'OK' when nothing is wrong
 * @property {(kick: import('./outputs.js').Kick) => void} [onKicked]
 * @property {(held: import('./outputs.js').HeldSeqs) => void} [onHeld] the held seqs moved; the messages up to them
 *   were delivered before. Who stores both, in one transaction, and gives the seqs back as heldInbox, heldOutbox and
 *   heldGroups gets each message once, whatever happens in between
 * @property {() => void} [onSynced] everything that was stored has been received: after each login, and after pull()
 */

const encoder = new TextEncoder();

/** @typedef {string | ArrayBuffer | ArrayBufferView} Content bytes as they are, a string as UTF-8 */

/** @param {Content} content */
function bytesOf(content) {
  if (typeof content === 'string') return encoder.encode(content);
  if (content instanceof ArrayBuffer) return new Uint8Array(content);
  if (ArrayBuffer.isView(content)) return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  throw new HongyanError('BAD_REQUEST', 'a content is a string or bytes');
}

/** @template {SendOptions} T @param {T} options */
function numbered(options) {
  return { ...options, clientMsgId: options.clientMsgId ?? newUuid() };
}

/**
 * One user on one device. Connects, logs in, pulls what it missed, and stays connected until stop(), a kick by another
 * login, or a refusal that no retry can change. Every message comes exactly once and in order; every send ends with an
 * answer. It lives on one event loop, as everything in JavaScript does.
 */
export class Client {
  #driver;

  /**
   * @param {import('./options.js').ClientOptions} options
   * @param {Handlers} [handlers]
   */
  constructor(options, handlers = {}) {
    this.#driver = new Driver(completed(options), handlers);
  }

  /** @returns {import('./outputs.js').State} */
  get state() {
    return this.#driver.core.state;
  }

  /** What this device holds. */
  get held() {
    return this.#driver.core.held;
  }

  /** The inbox seq that this kind of device had acknowledged at the last login: with a backlog, what is up to it is not new. */
  get acknowledged() {
    return this.#driver.core.acknowledged;
  }

  /** Of the connection; 0n while there is none. */
  get sessionId() {
    return this.#driver.core.sessionId;
  }

  /** Begins to connect; again after the client stopped. Held seqs are kept between. */
  start() {
    this.#driver.start();
  }

  /** Ends when the server answered LOGOUT (so it has seen every acknowledgement), after a second at most. */
  stop() {
    return this.#driver.stop();
  }

  /** For a page that hears that the network is back, or the device woke up: connects soon when it waits for a later
   * attempt, and asks whether a connection that stands still lives. */
  hurry() {
    this.#driver.hurry();
  }

  /**
   * To a user. Ends when the server has stored the message, when it is refused for good, or at the deadline
   * (DEADLINE_EXCEEDED: it may have been stored; a later send with the same clientMsgId is safe). Resent until then.
   * UNAVAILABLE: stopped, or too many messages wait.
   * @param {string} to
   * @param {Content} content
   * @param {SendOptions} [options]
   * @returns {Promise<SendReceipt>}
   */
  async send(to, content, options = {}) {
    return this.#driver.send(requests.toUser(to, bytesOf(content), options), numbered(options));
  }

  /**
   * To a group; as send(). The sender, too, receives the message, in the group's order: by its msgId or clientMsgId it
   * is known again.
   * @param {bigint} groupId
   * @param {Content} content
   * @param {SendOptions} [options]
   * @returns {Promise<SendReceipt>}
   */
  async sendGroup(groupId, content, options = {}) {
    return this.#driver.send(requests.toGroup(groupId, bytesOf(content), options), numbered(options));
  }

  /**
   * To a business service, by a destination that the app's configuration allows. As send(), with outboxSeq 0: once it
   * is in the service's topic, at least once.
   * @param {string} destination
   * @param {Content} content
   * @param {SendOptions} [options]
   * @returns {Promise<SendReceipt>}
   */
  async upload(destination, content, options = {}) {
    return this.#driver.send(requests.toService(destination, bytesOf(content)), numbered(options));
  }

  /**
   * Pulls all that the server has beyond what is held; ends when nothing is left. Messages go to onMessage.
   * @param {number} [timeout] ms
   */
  pull(timeout = 30_000) {
    return this.#driver.pull(timeout);
  }

  /** @param {string} name @param {string[]} members besides the creator @param {SendOptions} [options] */
  createGroup(name, members, options) {
    return this.#control(CtrlType.CTRL_TYPE_CREATE_GROUP, 0n, { name, members }, options);
  }

  /** @param {bigint} groupId @param {string[]} members @param {SendOptions} [options] */
  addMembers(groupId, members, options) {
    return this.#control(CtrlType.CTRL_TYPE_ADD_MEMBERS, groupId, { members }, options);
  }

  /** @param {bigint} groupId @param {string[]} members @param {SendOptions} [options] */
  removeMembers(groupId, members, options) {
    return this.#control(CtrlType.CTRL_TYPE_REMOVE_MEMBERS, groupId, { members }, options);
  }

  /** Accepts an invitation. @param {bigint} groupId @param {SendOptions} [options] */
  joinGroup(groupId, options) {
    return this.#control(CtrlType.CTRL_TYPE_JOIN_GROUP, groupId, {}, options);
  }

  /** @param {bigint} groupId @param {SendOptions} [options] */
  exitGroup(groupId, options) {
    return this.#control(CtrlType.CTRL_TYPE_EXIT_GROUP, groupId, {}, options);
  }

  /** @param {bigint} groupId @param {SendOptions} [options] */
  deleteGroup(groupId, options) {
    return this.#control(CtrlType.CTRL_TYPE_DELETE_GROUP, groupId, {}, options);
  }

  /** @param {bigint} groupId @param {string} name @param {SendOptions} [options] */
  renameGroup(groupId, name, options) {
    return this.#control(CtrlType.CTRL_TYPE_RENAME, groupId, { name }, options);
  }

  /** @param {bigint} groupId @param {string} announcement @param {SendOptions} [options] */
  announce(groupId, announcement, options) {
    return this.#control(CtrlType.CTRL_TYPE_MODIFY_ANNOUNCEMENT, groupId, { announcement }, options);
  }

  /** @param {bigint} groupId @param {string} owner @param {SendOptions} [options] */
  transferGroup(groupId, owner, options) {
    return this.#control(CtrlType.CTRL_TYPE_TRANSFER_OWNER, groupId, { owner }, options);
  }

  /** @param {bigint} groupId @param {SendOptions} [options] */
  getGroup(groupId, options) {
    return this.#control(CtrlType.CTRL_TYPE_GET_GROUP, groupId, {}, options);
  }

  /** @param {bigint} groupId @param {{offset?: number, limit?: number}} [page] @param {SendOptions} [options] */
  listMembers(groupId, page = {}, options) {
    return this.#control(CtrlType.CTRL_TYPE_LIST_MEMBERS, groupId, page, options);
  }

  /** @param {{offset?: number, limit?: number}} [page] @param {SendOptions} [options] */
  listMyGroups(page = {}, options) {
    return this.#control(CtrlType.CTRL_TYPE_LIST_MY_GROUPS, 0n, page, options);
  }

  /**
   * The receipt's `result` has what the server says of the group. Ends as send() does.
   * @param {number} type
   * @param {bigint} groupId
   * @param {GroupOp} op
   * @param {SendOptions} [options]
   */
  async #control(type, groupId, op, options = {}) {
    const receipt = await this.#driver.send(requests.control(type, groupId, op), numbered(options));
    return /** @type {SendReceipt & {result: import('./wire.js').GroupResult}} */ (receipt);
  }
}
