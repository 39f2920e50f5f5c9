// Bodies of packets: the generated classes, with ids as strings, 64-bit ids as BigInt, seqs and times as numbers.
import { hongyan } from '../generated/client.js';
import { idFromBytes } from './ids.js';

export const { Command, ErrorCode, DeviceType, KickReason, CtrlType } = hongyan.client;
const wire = hongyan.client;

/** @typedef {{low: number, high: number, unsigned: boolean}} Long */

/**
 * @param {bigint | number} value
 * @returns {any} what the generated encoders take for an int64
 */
export function int64(value) {
  const whole = BigInt(value);
  return {
    low: Number(BigInt.asIntN(32, whole)),
    high: Number(BigInt.asIntN(32, whole >> 32n)),
    unsigned: false,
  };
}

/** @param {Long | number} long */
export function bigint(long) {
  if (typeof long === 'number') return BigInt(long);
  return (BigInt(long.high) << 32n) | BigInt(long.low >>> 0);
}

/** @param {Long | number} long exact up to 2^53 */
export function number(long) {
  return typeof long === 'number' ? long : long.high * 2 ** 32 + (long.low >>> 0);
}

/**
 * @typedef {object} Failure
 * @property {string} code a name of proto/client.proto's ErrorCode without its prefix: 'UNAVAILABLE'; 'OK' when nothing is wrong
 * @property {string} message
 * @property {number} retryAfterMs
 */

/**
 * @param {string} code
 * @param {string} message
 * @returns {Failure}
 */
export function failure(code, message) {
  return { code, message, retryAfterMs: 0 };
}

/**
 * @param {InstanceType<typeof wire.Error> | import('../generated/client.js').hongyan.client.IError | null | undefined} error field 15 of a response
 * @returns {Failure}
 */
export function failureOf(error) {
  const name = ErrorCode[error?.code ?? 0] ?? 'ERROR_CODE_INTERNAL';
  return {
    code: name.replace('ERROR_CODE_', ''),
    message: error?.message ?? '',
    retryAfterMs: error?.retry_after_ms ?? 0,
  };
}

/**
 * A group as the server describes it.
 * @typedef {object} Group
 * @property {bigint} groupId
 * @property {string} name
 * @property {string} owner
 * @property {string} announcement
 * @property {string} createUser
 * @property {number} createTime ms since 1970
 * @property {number} memberCount
 * @property {boolean} large
 */

/**
 * @typedef {object} GroupResult
 * @property {Group | undefined} group
 * @property {string[]} members
 * @property {Group[]} groups
 */

/** @param {InstanceType<typeof wire.Group> | import('../generated/client.js').hongyan.client.IGroup} group @returns {Group} */
function groupOf(group) {
  const whole = /** @type {InstanceType<typeof wire.Group>} */ (group);
  return {
    groupId: bigint(whole.group_id),
    name: whole.name,
    owner: idFromBytes(whole.owner),
    announcement: whole.announcement,
    createUser: idFromBytes(whole.create_user),
    createTime: number(whole.create_time),
    memberCount: whole.member_count,
    large: whole.large,
  };
}

/**
 * @param {Uint8Array} bytes content of a CtrlSendResp
 * @returns {GroupResult}
 */
export function groupResultOf(bytes) {
  const result = wire.GroupOpResult.decode(bytes);
  return {
    group: result.group ? groupOf(result.group) : undefined,
    members: result.members.map(idFromBytes),
    groups: result.groups.map(groupOf),
  };
}

/**
 * What a control message asks for; absent fields are not set.
 * @typedef {object} GroupOp
 * @property {string} [name]
 * @property {string[]} [members]
 * @property {string} [announcement]
 * @property {string} [owner]
 * @property {number} [offset]
 * @property {number} [limit]
 * @property {number} [memberCount] how many joined or left, when members names only some of them; else 0
 */

/**
 * @param {Uint8Array} bytes content of a received control message (kind 'ctrl')
 * @returns {Required<GroupOp>}
 */
export function groupOpOf(bytes) {
  const op = wire.GroupOp.decode(bytes);
  return {
    name: op.name,
    members: op.members.map(idFromBytes),
    announcement: op.announcement,
    owner: idFromBytes(op.owner),
    offset: number(op.offset),
    limit: op.limit,
    memberCount: op.member_count,
  };
}

/**
 * Decodes; undefined when the bytes do not parse.
 * @template T
 * @param {{decode(bytes: Uint8Array): T}} type
 * @param {Uint8Array} bytes
 * @returns {T | undefined}
 */
export function parse(type, bytes) {
  try {
    return type.decode(bytes);
  } catch {
    return undefined;
  }
}

export { wire };
