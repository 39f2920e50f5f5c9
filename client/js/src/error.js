/** What sends, pulls and token sources fail with. */
export class HongyanError extends Error {
  /**
   * @param {string} code a name of proto/client.proto's ErrorCode without its prefix: 'UNAVAILABLE'
   * @param {string} message
   * @param {number} [retryAfterMs] 0: not said
   */
  constructor(code, message, retryAfterMs = 0) {
    super(message || code);
    this.name = 'HongyanError';
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }

  /** @param {import('./wire.js').Failure} failure */
  static of(failure) {
    return new HongyanError(failure.code, failure.message, failure.retryAfterMs);
  }
}
