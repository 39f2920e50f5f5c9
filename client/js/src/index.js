// hongyan-client: the client library of Hongyan for browsers and Node.js.
export { Client } from './client.js';
export { HongyanError } from './error.js';
export { idFromBytes, idToBytes } from './ids.js';
export { CtrlType, DeviceType, groupOpOf } from './wire.js';

/** @typedef {import('./options.js').ClientOptions} ClientOptions */
/** @typedef {import('./options.js').SendOptions} SendOptions */
/** @typedef {import('./client.js').Handlers} Handlers */
/** @typedef {import('./message.js').Message} Message */
/** @typedef {import('./outputs.js').SendReceipt} SendReceipt */
/** @typedef {import('./outputs.js').HeldSeqs} HeldSeqs */
/** @typedef {import('./outputs.js').State} State */
/** @typedef {import('./outputs.js').Kick} Kick */
/** @typedef {import('./wire.js').Failure} Failure */
/** @typedef {import('./wire.js').Group} Group */
/** @typedef {import('./wire.js').GroupOp} GroupOp */
/** @typedef {import('./wire.js').GroupResult} GroupResult */
