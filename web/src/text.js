// Bytes to what people read, and what they read about it.

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const segmenter = typeof Intl.Segmenter === 'function' ? new Intl.Segmenter() : undefined;

// What a message may hold: the server's default max_body_bytes, less room for the ids in it.
export const MOST_BYTES = 63 * 1024;
const LONG_TEXT = 1_200; // characters; longer ones are shown in part
const LONG_LINES = 24;
const BEGINNING = 600;
const BEGINNING_LINES = 12;

/** The text of a message, or a word about bytes that are none. */
export function textOf(content) {
  try {
    return decoder.decode(content);
  } catch {
    return `[${sizeOf(content.length)} that are no text]`;
  }
}

export function bytesIn(text) {
  return encoder.encode(text).length;
}

export function sizeOf(bytes) {
  return bytes < 1024 ? `${bytes} bytes` : `${(bytes / 1024).toFixed(1)} KB`;
}

/** The first part of a long text, or undefined when it is short enough to be shown whole. */
export function beginningOf(text) {
  const lines = text.split('\n', LONG_LINES + 1);
  if (text.length <= LONG_TEXT && lines.length <= LONG_LINES) return undefined;
  const most = Math.min(lines.slice(0, BEGINNING_LINES).join('\n').length, BEGINNING);
  const end = text.charCodeAt(most - 1) >= 0xd800 && text.charCodeAt(most - 1) <= 0xdbff ? most - 1 : most;
  return text.slice(0, end);
}

/** One line for a list: no line breaks, not long. */
export function lineOf(text) {
  return text.slice(0, 200).replace(/\s+/g, ' ');
}

/** What stands in a round picture: the first character that is seen, in capitals. */
export function initialOf(name) {
  const [first] = segmenter ? segmenter.segment(name) : name;
  const character = first?.segment ?? first ?? '?';
  return /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(character) ? character.toUpperCase() : '#';
}

/** A colour for a name: the hue, 0 to 359. */
export function hueOf(name) {
  let hash = 7;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)) % 3_600_000;
  return hash % 360;
}

/** A few emoji and nothing else are shown large. */
export function isEmojiOnly(text) {
  return text.length <= 24 && /^(\p{Extended_Pictographic}[\p{Emoji_Modifier}\ufe0f\u200d]*|\p{Regional_Indicator}{2})+$/u.test(text);
}

const DAY_MS = 86_400_000;
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long' });
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const shortDate = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

function daysAgo(time, now) {
  const midnight = (ms) => new Date(ms).setHours(0, 0, 0, 0);
  return Math.round((midnight(now) - midnight(time)) / DAY_MS);
}

export function clockOf(time) {
  return clock.format(time);
}

export function dayOf(time, now = Date.now()) {
  const days = daysAgo(time, now);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return days > 1 && days < 7 ? weekday.format(time) : date.format(time);
}

/** For the list of conversations. */
export function whenOf(time, now = Date.now()) {
  const days = daysAgo(time, now);
  if (days === 0) return clock.format(time);
  if (days === 1) return 'Yesterday';
  return shortDate.format(time);
}

/** Names as people separate them: by commas, semicolons or blanks; each once. */
export function namesIn(text) {
  return [...new Set(text.split(/[,;\s]+/).filter((name) => name !== ''))];
}
