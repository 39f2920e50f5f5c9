// Ids on the wire are any bytes but NUL; here they are strings.
//
// Bytes that are UTF-8 become that text. A byte that is not part of UTF-8 becomes a lone surrogate, U+DC80 to
// U+DCFF (Python's "surrogateescape"), which goes back as the same byte. So two ids are equal as strings exactly
// when they are equal as bytes.

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/** @param {Uint8Array} bytes */
export function idFromBytes(bytes) {
  try {
    return strict.decode(bytes);
  } catch {
    return escaped(bytes);
  }
}

/** @param {Uint8Array} bytes */
function escaped(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const size = sequenceSize(bytes, at);
    if (size === 0) {
      text += String.fromCharCode(0xdc00 + bytes[at]);
      at += 1;
    } else {
      text += strict.decode(bytes.subarray(at, at + size));
      at += size;
    }
  }
  return text;
}

/**
 * Bytes of the well-formed character at `at`; 0 when there is none.
 * @param {Uint8Array} bytes
 * @param {number} at
 */
function sequenceSize(bytes, at) {
  const first = bytes[at];
  const size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (size === 0 || at + size > bytes.length) return 0;
  try {
    strict.decode(bytes.subarray(at, at + size));
    return size;
  } catch {
    return 0;
  }
}

/**
 * @param {string} id
 * @returns {Uint8Array}
 * @throws {RangeError} for a lone surrogate that stands for no byte
 */
export function idToBytes(id) {
  if (!LONE_SURROGATE.test(id)) return encoder.encode(id);
  /** @type {number[]} */
  const bytes = [];
  for (const character of id) {
    const code = /** @type {number} */ (character.codePointAt(0));
    if (code >= 0xdc80 && code <= 0xdcff) {
      bytes.push(code - 0xdc00);
    } else if (code >= 0xd800 && code <= 0xdfff) {
      throw new RangeError('an id holds a lone surrogate');
    } else {
      bytes.push(...encoder.encode(character));
    }
  }
  return Uint8Array.from(bytes);
}
