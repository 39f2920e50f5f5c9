// Which gate to try next.
import { HongyanError } from './error.js';
import { idToBytes } from './ids.js';

const IPLIST_TIMEOUT_MS = 3_000;
const WANTED = 5;
const MAX_TTL_SECONDS = 3_600;

/** @param {string} id */
function percentEncoded(id) {
  return Array.from(idToBytes(id), (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9\-._~]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

/**
 * The answer of GET /v1/gates.
 * @param {any} answer
 * @param {string} transport
 * @returns {{gates: string[], ttlMs: number}}
 * @throws {HongyanError}
 */
export function parseGates(answer, transport) {
  if (!Array.isArray(answer?.gates) || answer.gates.length === 0) {
    throw new HongyanError('UNAVAILABLE', 'the iplist knows no gate');
  }
  const gates = answer.gates.map((/** @type {any} */ gate) => {
    const { host, port } = gate ?? {};
    if (typeof host !== 'string' || !/^[A-Za-z0-9.:_-]+$/.test(host) || !Number.isInteger(port) || port < 1
        || port > 65_535) {
      throw new HongyanError('UNAVAILABLE', "the iplist's answer is not understood");
    }
    return `${transport}://${host.includes(':') ? `[${host}]` : host}:${port}/`;
  });
  const ttl = Number.isFinite(answer.ttl_seconds) ? answer.ttl_seconds : 0;
  return { gates, ttlMs: 1_000 * Math.min(Math.max(ttl, 0), MAX_TTL_SECONDS) };
}

// Goes round a list: the fixed one, from a random start, or what an iplist answered, best first, asked again when it
// is used up or older than the iplist said. With no iplist reachable the last list stands, at first the fixed one.
export class GateList {
  #options;
  /** @type {string[]} */
  #list;
  #next = 0;
  #expires = -Infinity;

  /** @param {import('./options.js').CompleteOptions} options */
  constructor(options) {
    this.#options = options;
    this.#list = options.gates;
    if (this.#list.length > 0) this.#next = Math.floor(options.random() * this.#list.length);
  }

  /** @returns {Promise<string>} a URL */
  async next() {
    if (this.#options.iplist.length > 0
        && (this.#next >= this.#list.length || performance.now() >= this.#expires)) {
      try {
        await this.#refresh();
        this.#next = 0;
      } catch (error) {
        if (this.#list.length === 0) throw error;
      }
    }
    if (this.#list.length === 0) throw new HongyanError('UNAVAILABLE', 'neither a gate nor an iplist is configured');
    if (this.#next >= this.#list.length) this.#next = 0;
    const gate = this.#list[this.#next];
    this.#next += 1;
    return gate;
  }

  async #refresh() {
    let last;
    for (const base of this.#options.iplist) {
      try {
        const { gates, ttlMs } = await this.#ask(base);
        this.#list = gates;
        this.#expires = performance.now() + ttlMs;
        return;
      } catch (error) {
        last = new HongyanError('UNAVAILABLE', `iplist ${base}: ${/** @type {Error} */ (error).message}`);
      }
    }
    throw last;
  }

  /** @param {string} base */
  async #ask(base) {
    const { appId, uid, transport } = this.#options;
    const query = `app_id=${percentEncoded(appId)}&uid=${percentEncoded(uid)}&transport=${transport}&limit=${WANTED}`;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), IPLIST_TIMEOUT_MS);
    try {
      const response = await fetch(`${base}/v1/gates?${query}`, { signal: abort.signal });
      if (!response.ok) throw new HongyanError('UNAVAILABLE', `answered ${response.status}`);
      return parseGates(await response.json(), transport);
    } finally {
      clearTimeout(timer);
    }
  }
}
