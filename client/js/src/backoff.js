// Exponential back-off with jitter. Randomness is given: a function to a number in [0, 1).

/**
 * Half to the whole of `ms`.
 * @param {number} ms
 * @param {() => number} random
 */
export function jittered(ms, random) {
  return Math.floor(ms * (0.5 + random() / 2));
}

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

  /** ms: half to the whole of min, then of twice that, … of max. */
  next() {
    const whole = Math.min(this.#max, this.#min * 2 ** Math.min(this.#step, 20));
    this.#step += 1;
    return jittered(whole, this.#random);
  }

  reset() {
    this.#step = 0;
  }
}
