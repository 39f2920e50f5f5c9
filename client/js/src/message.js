// Messages out of packets.
import { idFromBytes } from './ids.js';
import { Command, CtrlType, bigint, groupOpOf, number, parse, wire } from './wire.js';

/**
 * A message as it was received: by a push or by a pull, each exactly once and in the order of seq.
 * @typedef {object} Message
 * @property {'c2c' | 'c2g' | 's2c' | 'ctrl' | 'unknown'} kind
 * @property {string} from
 * @property {string} to of sent messages and of control messages; else ''
 * @property {bigint} groupId 0n: not of a group
 * @property {Uint8Array} content any bytes; of a control message a GroupOp (groupOpOf reads it)
 * @property {bigint} msgId
 * @property {number} time ms since 1970, by the server
 * @property {number} seq in the inbox; for `sent` in the outbox; 0: not stored there
 * @property {number} groupSeq
 * @property {number} msgType of a control message its CtrlType
 * @property {string} clientMsgId
 * @property {string[]} mentions
 * @property {boolean} sent this user sent it, from another device
 * @property {boolean} own a group message that this client sent: a group's messages come to their sender too, because
 *   only there they have the order that all members see. The receipt has the same msgId
 */

/** @type {Record<number, Message['kind']>} */
const KINDS = {
  [Command.COMMAND_C2C_SEND]: 'c2c',
  [Command.COMMAND_C2G_SEND]: 'c2g',
  [Command.COMMAND_S2C]: 's2c',
  [Command.COMMAND_CTRL_SEND]: 'ctrl',
};

/** The group that a control message names, in decimal. @param {string} to @returns {bigint} 0n: none */
function groupOf(to) {
  return /^[1-9][0-9]{0,18}$/.test(to) ? BigInt(to) : 0n;
}

/** @param {import('../generated/client.js').hongyan.client.IPullMsg} row @returns {Message} */
export function messageOf(row) {
  const whole = /** @type {InstanceType<typeof wire.PullMsg>} */ (row);
  const kind = KINDS[whole.cmd_id] ?? 'unknown';
  const groupId = bigint(whole.group_id);
  const to = idFromBytes(whole.to);
  return {
    kind,
    from: idFromBytes(whole.from),
    to,
    groupId: kind === 'ctrl' && groupId === 0n ? groupOf(to) : groupId,
    content: new Uint8Array(whole.content), // not a view into the packet
    msgId: bigint(whole.msg_id),
    time: number(whole.send_time),
    seq: number(whole.seq),
    groupSeq: number(whole.group_seq),
    msgType: whole.msg_type,
    clientMsgId: idFromBytes(whole.client_msg_id),
    mentions: whole.mentions.map(idFromBytes),
    sent: false,
    own: false,
  };
}

/**
 * The fields that all pushes share.
 * @param {Message['kind']} kind
 * @param {{from: Uint8Array, content: Uint8Array, msg_id: any, timestamp: any, seq: any}} push
 * @returns {Message}
 */
function messageOfPush(kind, push) {
  return {
    kind,
    from: idFromBytes(push.from),
    to: '',
    groupId: 0n,
    content: new Uint8Array(push.content),
    msgId: bigint(push.msg_id),
    time: number(push.timestamp),
    seq: number(push.seq),
    groupSeq: 0,
    msgType: 0,
    clientMsgId: '',
    mentions: [],
    sent: false,
    own: false,
  };
}

/**
 * The body of a C2C_PUSH, C2G_PUSH, S2C or CTRL_PUSH; undefined when it does not parse, or is of no group or numbers
 * that no server gives.
 * @param {number} command
 * @param {Uint8Array} body
 * @returns {Message | undefined}
 */
export function parsePush(command, body) {
  const message = anyPush(command, body);
  return message && message.seq >= 0 ? message : undefined;
}

/** @param {number} command @param {Uint8Array} body @returns {Message | undefined} */
function anyPush(command, body) {
  switch (command) {
    case Command.COMMAND_C2C_PUSH: {
      const push = parse(wire.C2CPush, body);
      return push && {
        ...messageOfPush('c2c', push), msgType: push.msg_type, clientMsgId: idFromBytes(push.client_msg_id),
      };
    }
    case Command.COMMAND_C2G_PUSH: {
      const push = parse(wire.C2GPush, body);
      if (!push || bigint(push.group_id) <= 0n || (number(push.seq) === 0 && number(push.group_seq) <= 0)) return undefined;
      return {
        ...messageOfPush('c2g', push),
        groupId: bigint(push.group_id),
        groupSeq: number(push.group_seq),
        msgType: push.msg_type,
        clientMsgId: idFromBytes(push.client_msg_id),
        mentions: push.mentions.map(idFromBytes),
      };
    }
    case Command.COMMAND_S2C: {
      const push = parse(wire.S2CPush, body);
      return push && { ...messageOfPush('s2c', push), msgType: push.msg_type };
    }
    default: {
      const push = parse(wire.CtrlPush, body);
      if (!push) return undefined;
      const to = idFromBytes(push.to);
      const groupId = groupOf(to);
      const groupSeq = number(push.group_seq);
      if (groupId === 0n && groupSeq !== 0) return undefined;
      return { ...messageOfPush('ctrl', push), to, groupId, groupSeq, msgType: push.type };
    }
  }
}

/**
 * Whether a control message changes this user's own part in the group: joining, leaving, the group's end. Such a
 * message comes by the inbox in every group; of a large group all others come by the group.
 * @param {Message} message
 * @param {string} uid
 */
export function concernsMembershipOf(message, uid) {
  if (message.kind !== 'ctrl') return false;
  if (message.msgType === CtrlType.CTRL_TYPE_DELETE_GROUP) return true;
  try {
    return groupOpOf(message.content).members.includes(uid);
  } catch {
    return false;
  }
}
