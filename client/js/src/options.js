// What users of the library may choose, and the defaults.
import { DeviceType } from './wire.js';

/**
 * @typedef {object} CoreOptions
 * @property {string} appId
 * @property {string} uid
 * @property {string} deviceId
 * @property {number} deviceType a DeviceType
 * @property {string} sdk
 * @property {number} clientVersion
 * @property {number} [heldInbox] where to go on; absent: see backlog
 * @property {number} [heldOutbox]
 * @property {Iterable<[bigint, number]>} [heldGroups]
 * @property {number} backlog with nothing held: begin so many messages before the inbox's and the outbox's end; 0: at
 *   what the server says this device class acknowledged last, and at the outbox's end
 * @property {boolean} receiveSent whether messages that this user sends from other devices are delivered too
 * @property {boolean} strictOrder a conversation's next message waits for the answer to the one before: a refused one
 *   would lose its place
 * @property {number} pullLimit messages a page, 1 to 200, at most: how many are asked for follows what the link carries
 * @property {number} maxPending sends not yet answered; beyond either limit a send fails at once with UNAVAILABLE
 * @property {number} maxPendingBytes
 * @property {number} maxBodyBytes the server's max_body_bytes: it closes the connection on larger packets, so they
 *   are refused here, as TOO_LARGE
 * @property {number} sendDeadline ms
 * @property {number} requestTimeout ms: a request without answer for so long is sent again; when nothing at all came
 *   meanwhile, the connection is dead. What a slow link needs for the bytes on their way is added (pace.js)
 * @property {number} reconnectSpread ms: a session that ends is followed by another after a random time up to this,
 *   because whatever ended it may have ended those of thousands of clients
 * @property {number} backoffMin ms between attempts to connect: doubled at each, with jitter
 * @property {number} backoffMax ms
 * @property {boolean} tokenRenewable a refused token is worth another try
 */

/**
 * @typedef {object} SendOptions
 * @property {string} [clientMsgId] absent: a new UUID. 1 to 64 bytes, never used by this user before
 * @property {number} [msgType]
 * @property {string[]} [mentions] uids; of group messages
 * @property {number} [deadline] ms for the whole of it, resends included; absent: the client's sendDeadline
 */

/** @typedef {SendOptions & {clientMsgId: string}} NumberedOptions */


/**
 * @typedef {object} ClientOnlyOptions
 * @property {string} token used when there is no tokenSource
 * @property {() => Promise<string> | string} [tokenSource] gives a token each time a connection is made. A temporary
 *   failure (a HongyanError UNAVAILABLE, DEADLINE_EXCEEDED, RATE_LIMITED, INTERNAL, or any other error) is tried
 *   again, another HongyanError stops the client
 * @property {string[]} gates URLs, "ws://host:port"; gone round from a random start; with an iplist: only while it
 *   does not answer
 * @property {string[]} iplist base URLs ("http://host:port"), asked in this order; "" is the page's own origin
 * @property {'ws' | 'wss'} transport what to ask iplist for; default: wss on a page that came by https, else ws
 * @property {WebSocketClass} webSocket default: the global one; Node.js 18 and 20 have none, the npm package ws does
 * @property {number} connectTimeout ms
 * @property {() => number} random for jitter
 */

/** @typedef {new (url: string) => WebSocket} WebSocketClass */

/** @typedef {Partial<CoreOptions & ClientOnlyOptions> & {uid: string}} ClientOptions */
/** @typedef {CoreOptions & ClientOnlyOptions} CompleteOptions */

export const CLIENT_VERSION = 200;

/** @type {Omit<CoreOptions, 'uid'>} */
export const CORE_DEFAULTS = {
  appId: 'default',
  deviceId: '',
  deviceType: DeviceType.DEVICE_TYPE_WEB,
  sdk: 'hongyan-js/0.2.0',
  clientVersion: CLIENT_VERSION,
  backlog: 0,
  receiveSent: false,
  strictOrder: true,
  pullLimit: 200,
  maxPending: 1024,
  maxPendingBytes: 8 << 20,
  maxBodyBytes: 64 << 10,
  sendDeadline: 30_000,
  requestTimeout: 8_000,
  reconnectSpread: 1_000,
  backoffMin: 100,
  backoffMax: 10_000,
  tokenRenewable: false,
};

/**
 * What is undefined is as if it were absent.
 * @param {ClientOptions} options
 * @returns {CompleteOptions}
 */
export function completed(options) {
  const page = /** @type {{location?: {protocol: string}}} */ (globalThis).location;
  return {
    ...CORE_DEFAULTS,
    token: '',
    gates: [],
    iplist: [],
    transport: page?.protocol === 'https:' ? 'wss' : 'ws',
    webSocket: globalThis.WebSocket,
    connectTimeout: 5_000,
    random: Math.random,
    .../** @type {ClientOptions} */ (Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))),
    tokenRenewable: options.tokenSource !== undefined,
  };
}
