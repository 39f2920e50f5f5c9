// Exponential back-off with jitter. Randomness is given: a function to a number in [0, 1).

/**
 * Half to the whole of `ms`.
 * @param {number} ms
 * @param {() => number} random
 */
export function jittered(ms, random) {
  return Math.floor(ms * (0.5 + random() / 2));
}

/**
 * The pause after `step` others, ms: half to the whole of min, of twice that, … of max.
 * @param {number} min ms
 * @param {number} max ms
 * @param {number} step
 * @param {() => number} random
 */
export function backoff(min, max, step, random) {
  return jittered(Math.min(max, min * 2 ** Math.min(step, 20)), random);
}

// Counts the steps.
export class Backoff {
  #min;
  #max;
  #random;
  #step = 0;

  /**
   * @param {number} min ms
   * @param {number} max ms
   * @param {() => number} random
   */
  constructor(min, max, random) {
    this.#min = min;
    this.#max = max;
    this.#random = random;
  }

  /** ms */
  next() {
    this.#step += 1;
    return backoff(this.#min, this.#max, this.#step - 1, this.#random);
  }

  reset() {
    this.#step = 0;
  }
}
