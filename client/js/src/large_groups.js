// What is held of each large group.
import { int64 } from './wire.js';

const MOST_LISTED = 2_000; // in one pull, so that it fits into a body; of the others the server uses its own cursor
const MOST_HOLES = 1_000; // of more groups pushed at once one hole is as good as all

// A large group's messages stand in the group alone, numbered by group_seq, and not in inboxes. So each such group
// has a held seq and the gap rule of its own: at or below it: known; the next one: taken; above: a hole, which a
// pull fills. Pages jump over what was never a message, or archived.
//
// A group of which nothing is held begins with the first row that a page brings: unasked, the server starts at the
// cursor of this device, which nobody but the server knows. A push alone begins nothing, because what comes before
// it may have been missed; and it begins only once the inbox is held to its end, because what was said before the
// group was large stands there. Pure.
export class LargeGroups {
  /** @type {Map<bigint, number>} */
  #held;
  /** @type {Map<bigint, number>} the highest pushed, where it is above what is held */
  #seen = new Map();
  /** @type {Map<bigint, number>} */
  #asked = new Map();

  /** @param {Iterable<[bigint, number]>} held */
  constructor(held) {
    this.#held = new Map(held);
  }

  /**
   * @param {bigint} groupId
   * @param {number} seq above 0
   * @returns {'next' | 'known' | 'hole'} next: taken
   */
  onPush(groupId, seq) {
    const held = this.#held.get(groupId);
    if (held !== undefined && seq <= held) return 'known';
    if (held !== undefined && seq === held + 1) {
      this.#take(groupId, seq);
      return 'next';
    }
    if (this.#seen.has(groupId) || this.#seen.size < MOST_HOLES) {
      this.#seen.set(groupId, Math.max(this.#seen.get(groupId) ?? 0, seq));
    }
    return 'hole';
  }

  /**
   * A row of a page.
   * @param {bigint} groupId
   * @param {number} seq
   * @returns {boolean} true when it is new
   */
  onRow(groupId, seq) {
    if (groupId <= 0n || seq <= this.heldOf(groupId)) return false;
    this.#take(groupId, seq);
    return true;
  }

  /** The server's end of a group, as an answer to a pull names it; 0: it does not.
   * @param {bigint} groupId
   * @param {number} head
   * @returns {boolean} true: it is below what was asked for, because the server lost something, and is what counts now
   */
  onHead(groupId, head) {
    const asked = this.#asked.get(groupId);
    if (asked === undefined || head <= 0 || head >= asked || head >= this.heldOf(groupId)) return false;
    this.#held.set(groupId, head);
    this.#seen.delete(groupId);
    return true;
  }

  /** @param {bigint} groupId */
  holds(groupId) {
    return this.#held.has(groupId);
  }

  /** @param {bigint} groupId @returns {number} 0: nothing */
  heldOf(groupId) {
    return this.#held.get(groupId) ?? 0;
  }

  get held() {
    return new Map(this.#held);
  }

  /** The offsets of a pull, the newest groups first. */
  list() {
    const newest = [...this.#held].sort(([a], [b]) => (a < b ? 1 : -1)).slice(0, MOST_LISTED);
    this.#asked = new Map(newest);
    return newest.map(([groupId, offset]) => ({ group_id: int64(groupId), offset: int64(offset) }));
  }

  /** Something was pushed that is not held yet. */
  get hasHole() {
    return this.#seen.size > 0;
  }

  forgetHoles() {
    this.#seen.clear();
  }

  /** @param {bigint} groupId @param {number} seq */
  #take(groupId, seq) {
    this.#held.set(groupId, seq);
    if ((this.#seen.get(groupId) ?? Infinity) <= seq) this.#seen.delete(groupId);
  }
}
