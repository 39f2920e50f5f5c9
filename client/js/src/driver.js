// Drives ClientCore: connections, timers, handlers. Internal to the library.
import { ClientCore } from './core.js';
import { HongyanError } from './error.js';
import { GateList } from './gates.js';
import { decodePacket } from './packet.js';
import { failure } from './wire.js';

const MAX_UNSENT_BYTES = 32 << 20;
const MAX_TIMER_MS = 2 ** 31 - 1;
const TEMPORARY = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RATE_LIMITED', 'INTERNAL']);

/** @typedef {import('./outputs.js').Output} Output */
/** @typedef {import('./outputs.js').SendReceipt} SendReceipt */

/**
 * @typedef {object} Connection
 * @property {WebSocket | undefined} socket
 * @property {ReturnType<typeof setTimeout> | undefined} timer of the attempt to connect
 * @property {boolean} closed
 */

/**
 * @template T
 * @typedef {object} Waiter
 * @property {(value: T) => void} resolve
 * @property {(error: HongyanError) => void} reject
 */

export class Driver {
  #options;
  #handlers;
  #core;
  #gates;
  /** @type {Connection | undefined} */
  #connection;
  #draining = false;
  #lastSend = 0;
  /** @type {Map<number, Waiter<SendReceipt>>} */
  #sends = new Map();
  /** @type {Set<Waiter<void>>} for the output `synced` */
  #pulls = new Set();
  /** @type {(() => void)[]} */
  #stops = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {import('./options.js').CompleteOptions} options
   * @param {import('./client.js').Handlers} handlers
   */
  constructor(options, handlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#core = new ClientCore(options, options.random);
    this.#gates = new GateList(options);
  }

  get core() {
    return this.#core;
  }

  start() {
    this.#core.start(performance.now());
    this.#drain();
  }

  hurry() {
    this.#core.hurry(performance.now());
    this.#drain();
  }

  /** @returns {Promise<void>} */
  stop() {
    return new Promise((resolve) => {
      this.#stops.push(resolve);
      this.#core.stop(performance.now());
      this.#drain();
    });
  }

  /**
   * @param {import('./requests.js').Request} request
   * @param {import('./options.js').NumberedOptions} options
   * @returns {Promise<SendReceipt>}
   */
  send(request, options) {
    return new Promise((resolve, reject) => {
      this.#lastSend += 1;
      this.#sends.set(this.#lastSend, { resolve, reject });
      this.#core.send(this.#lastSend, request, options, performance.now());
      this.#drain();
    });
  }

  /** @param {number} timeout @returns {Promise<void>} */
  pull(timeout) {
    return new Promise((resolve, reject) => {
      if (this.#core.state === 'stopped') {
        reject(new HongyanError('UNAVAILABLE', 'the client is stopped'));
        return;
      }
      /** @type {Waiter<void>} */
      const waiter = {
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        this.#pulls.delete(waiter);
        reject(new HongyanError('DEADLINE_EXCEEDED', 'not everything was pulled in time'));
      }, timeout);
      this.#pulls.add(waiter);
      this.#core.pull(performance.now());
      this.#drain();
    });
  }

  #drain() {
    if (this.#draining) return;
    this.#draining = true;
    for (let outputs = this.#core.take(); outputs.length > 0; outputs = this.#core.take()) {
      for (const output of outputs) this.#perform(output);
    }
    this.#draining = false;
    if (this.#core.state === 'stopped') {
      for (const resolve of this.#stops.splice(0)) resolve();
    }
    this.#arm();
  }

  /** @param {Output} output */
  #perform(output) {
    const { onState, onMessage, onHeld, onKicked, onSynced } = this.#handlers;
    switch (output.kind) {
      case 'connect':
        this.#connection = { socket: undefined, timer: undefined, closed: false };
        this.#establish(this.#connection);
        return;
      case 'close':
        if (this.#connection) close(this.#connection);
        this.#connection = undefined;
        return;
      case 'write':
        this.#write(output.packet);
        return;
      case 'state':
        if (output.state === 'stopped') this.#failPulls(output.reason.message);
        call(() => onState?.(output.state, output.reason));
        return;
      case 'deliver':
        call(() => onMessage?.(output.message));
        return;
      case 'held':
        call(() => onHeld?.(output.held));
        return;
      case 'kicked':
        call(() => onKicked?.(output.kick));
        return;
      case 'synced': {
        call(() => onSynced?.());
        const waiting = [...this.#pulls];
        this.#pulls.clear();
        for (const waiter of waiting) waiter.resolve();
        return;
      }
      case 'sendDone': {
        const waiter = this.#sends.get(output.id);
        this.#sends.delete(output.id);
        if (output.receipt) waiter?.resolve(output.receipt);
        else if (output.failure) waiter?.reject(HongyanError.of(output.failure));
      }
    }
  }

  /** @param {string} why */
  #failPulls(why) {
    const waiting = [...this.#pulls];
    this.#pulls.clear();
    for (const waiter of waiting) waiter.reject(new HongyanError('UNAVAILABLE', `the client is stopped: ${why}`));
  }

  #arm() {
    clearTimeout(this.#timer);
    const wake = this.#core.nextWake();
    if (wake === Infinity) return;
    const delay = Math.min(Math.max(0, Math.ceil(wake - performance.now())), MAX_TIMER_MS);
    this.#timer = setTimeout(() => {
      this.#core.onTime(performance.now());
      this.#drain();
    }, delay);
  }

  /** @param {Uint8Array} packet */
  #write(packet) {
    const socket = this.#connection?.socket;
    if (!socket || socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > MAX_UNSENT_BYTES) {
      socket.close(); // the server does not read; the event of closing reports the loss
      return;
    }
    socket.send(/** @type {Uint8Array<ArrayBuffer>} */ (packet));
  }

  /** @param {Connection} connection */
  async #establish(connection) {
    const { token: fixed, tokenSource, webSocket: WebSocketClass, connectTimeout } = this.#options;
    let token = fixed;
    let url;
    try {
      if (tokenSource) token = await tokenSource();
      if (connection.closed) return;
      url = await this.#gates.next();
    } catch (error) {
      this.#notEstablished(connection, error);
      return;
    }
    if (connection.closed) return;
    let socket;
    try {
      socket = new WebSocketClass(url);
    } catch (error) {
      this.#lost(connection, failure('UNAVAILABLE', `${url}: ${/** @type {Error} */ (error).message}`));
      return;
    }
    connection.socket = socket;
    socket.binaryType = 'arraybuffer';
    connection.timer = setTimeout(
      () => this.#lost(connection, failure('UNAVAILABLE', `${url}: not connected in time`)), connectTimeout);
    socket.onopen = () => {
      clearTimeout(connection.timer);
      if (connection.closed) return;
      this.#core.connected(token, Date.now(), performance.now());
      this.#drain();
    };
    socket.onmessage = (event) => this.#receive(connection, event.data);
    socket.onerror = () => this.#lost(connection, failure('UNAVAILABLE', `${url}: the connection failed`));
    socket.onclose = (event) => this.#lost(connection, failure('UNAVAILABLE', `${url}: closed (${event.code})`));
  }

  /** @param {Connection} connection @param {unknown} error of a token source or of the list of gates */
  #notEstablished(connection, error) {
    if (connection.closed) return;
    const code = error instanceof HongyanError ? error.code : 'UNAVAILABLE';
    const reason = failure(code, error instanceof Error ? error.message : String(error));
    if (!TEMPORARY.has(code)) {
      this.#core.refuse(reason);
      this.#drain();
      return;
    }
    this.#lost(connection, reason);
  }

  /** @param {Connection} connection @param {unknown} data */
  #receive(connection, data) {
    if (connection.closed) return;
    if (data instanceof ArrayBuffer) this.#core.onBytes(data.byteLength, performance.now());
    const packet = data instanceof ArrayBuffer ? decodePacket(new Uint8Array(data)) : undefined;
    if (!packet) {
      this.#lost(connection, failure('INTERNAL', 'what came is not a packet'));
      return;
    }
    this.#core.onPacket(packet, performance.now());
    this.#drain();
  }

  /** @param {Connection} connection @param {import('./wire.js').Failure} reason */
  #lost(connection, reason) {
    if (connection.closed) return;
    close(connection);
    this.#connection = undefined;
    this.#core.disconnected(reason, performance.now());
    this.#drain();
  }
}

/** @param {Connection} connection */
function close(connection) {
  connection.closed = true;
  clearTimeout(connection.timer);
  connection.socket?.close();
}

/** @param {() => void} handler */
function call(handler) {
  try {
    handler();
  } catch (error) {
    console.error('hongyan: a handler threw', error);
  }
}
