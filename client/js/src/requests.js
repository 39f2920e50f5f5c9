// What a user sends: bodies of requests that go through the send queue.
import { idToBytes } from './ids.js';
import { Command, CtrlType, failure, int64, wire } from './wire.js';

const OF_NO_GROUP = new Set([CtrlType.CTRL_TYPE_CREATE_GROUP, CtrlType.CTRL_TYPE_LIST_MY_GROUPS]);
const MAX_UID_BYTES = 128;
const MAX_DESTINATION_BYTES = 64;
const MAX_CLIENT_MSG_ID_BYTES = 64;

/**
 * A request without what every request has: the sender and the client_msg_id.
 * @typedef {object} Request
 * @property {number} command
 * @property {string} conversation order is kept within it
 * @property {(from: Uint8Array, clientMsgId: Uint8Array) => Uint8Array} encode throws RangeError with what is wrong
 */

/**
 * @param {string} id
 * @param {number} most bytes
 * @param {string} what
 */
function checked(id, most, what) {
  const bytes = idToBytes(id);
  if (bytes.length === 0 || bytes.length > most || bytes.includes(0)) {
    throw new RangeError(`${what} is 1 to ${most} bytes without NUL`);
  }
  return bytes;
}

/** @param {bigint} groupId */
function checkedGroup(groupId) {
  if (typeof groupId !== 'bigint' || groupId <= 0n) throw new RangeError('a group\'s id is a BigInt above 0');
  return groupId;
}

/** @param {number} [msgType] */
function checkedType(msgType) {
  if (msgType !== undefined && msgType !== (msgType | 0)) throw new RangeError('a msgType is a whole number of 32 bits');
  return msgType;
}

/** @param {readonly string[]} uids */
function users(uids) {
  return uids.map((uid) => checked(uid, MAX_UID_BYTES, 'a user'));
}

/**
 * @param {string} to
 * @param {Uint8Array} content
 * @param {import('./options.js').SendOptions} options
 * @returns {Request}
 */
export function toUser(to, content, options) {
  return {
    command: Command.COMMAND_C2C_SEND,
    conversation: `u${to}`,
    encode: (from, client_msg_id) => wire.C2CSendReq.encode({
      from, client_msg_id, to: checked(to, MAX_UID_BYTES, 'a receiver'), content, msg_type: checkedType(options.msgType),
    }).finish(),
  };
}

/**
 * @param {bigint} groupId
 * @param {Uint8Array} content
 * @param {import('./options.js').SendOptions} options
 * @returns {Request}
 */
export function toGroup(groupId, content, options) {
  return {
    command: Command.COMMAND_C2G_SEND,
    conversation: `g${groupId}`,
    encode: (from, client_msg_id) => wire.C2GSendReq.encode({
      from, client_msg_id, group_id: int64(checkedGroup(groupId)), content, msg_type: checkedType(options.msgType),
      mentions: users(options.mentions ?? []),
    }).finish(),
  };
}

/**
 * @param {number} type a CtrlType
 * @param {bigint} groupId 0n: of no group
 * @param {import('./wire.js').GroupOp} op
 * @returns {Request}
 */
export function control(type, groupId, op) {
  const to = groupId === 0n ? '' : `${groupId}`;
  return {
    command: Command.COMMAND_CTRL_SEND,
    // In order with its messages: who is added first gets what is sent next.
    conversation: groupId === 0n ? 'c' : `g${to}`,
    encode: (from, client_msg_id) => {
      if (OF_NO_GROUP.has(type) ? groupId !== 0n : !checkedGroup(groupId)) throw new RangeError('this is of no group');
      const content = wire.GroupOp.encode({
        name: op.name,
        members: users(op.members ?? []),
        announcement: op.announcement,
        owner: op.owner === undefined ? undefined : checked(op.owner, MAX_UID_BYTES, 'an owner'),
        offset: int64(op.offset ?? 0),
        limit: op.limit,
      }).finish();
      return wire.CtrlSendReq.encode({ from, client_msg_id, type, to: idToBytes(to), content }).finish();
    },
  };
}

/**
 * @param {string} destination
 * @param {Uint8Array} content
 * @returns {Request}
 */
export function toService(destination, content) {
  return {
    command: Command.COMMAND_C2S,
    conversation: `s${destination}`,
    encode: (_from, client_msg_id) => wire.C2SReq.encode({
      client_msg_id, destination: checked(destination, MAX_DESTINATION_BYTES, 'a destination'), content,
    }).finish(),
  };
}

/**
 * @param {Request} request
 * @param {string} uid
 * @param {string} clientMsgId
 * @returns {Uint8Array | import('./wire.js').Failure} the body, or why it cannot be
 */
export function encodeRequest(request, uid, clientMsgId) {
  try {
    return request.encode(idToBytes(uid), checked(clientMsgId, MAX_CLIENT_MSG_ID_BYTES, 'a client_msg_id'));
  } catch (error) {
    if (error instanceof RangeError) return failure('BAD_REQUEST', error.message);
    throw error;
  }
}
