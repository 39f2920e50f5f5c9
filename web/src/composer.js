// Where one writes.
import { el, iconButton } from './dom.js';
import { MOST_BYTES, bytesIn, sizeOf } from './text.js';

const EMOJI = [...'😀😂🥰😊😉😍🤔🙄😎😢😭😡😱🥳🤗🙏👍👎👏🙌💪👋✌🤝❤🔥✨🎉🎁🌹🌻🍀🪿🐦🕊🐈🐕🐎🐉🐢🍜🥟🍵🍺🍰🍎🍉🧧🏮🎋⛩🏔🌊🌙☀⭐☔❄🚲🚄✈🏠💡📷📌✅❌❓💯'];
const TELL_BYTES = MOST_BYTES * 0.8;

export class Composer {
  element;
  #input = el('textarea', {
    rows: '1', placeholder: 'Write a message', 'aria-label': 'Message', dir: 'auto', enterkeyhint: 'send',
    oninput: () => this.#onInput(), onkeydown: (event) => this.#onKey(event),
  });
  #size = el('p', { class: 'size', role: 'status', hidden: true });
  #send = iconButton('send', 'Send', () => this.#submit(), { class: 'icon-button send' });
  #emoji;
  #picker;
  #drafts = new Map(); // conversation id to text
  #id;
  #done;

  /** done(text) */
  constructor(done) {
    this.#done = done;
    this.#picker = el('div', { class: 'picker', hidden: true, role: 'group', 'aria-label': 'Emoji', onkeydown: (event) => this.#onPickerKey(event) },
      ...EMOJI.map((emoji) => el('button', { type: 'button', onclick: () => this.#insert(emoji) }, emoji)));
    this.#emoji = iconButton('smile', 'Emoji', () => this.#toggle(), { 'aria-expanded': 'false' });
    this.element = el('form', {
      class: 'composer',
      onsubmit: (event) => {
        event.preventDefault();
        this.#submit();
      },
    }, this.#picker, this.#size, el('div', { class: 'composer-line' }, this.#emoji, this.#input, this.#send));
    document.addEventListener('pointerdown', (event) => {
      if (!this.#picker.hidden && !this.element.contains(event.target)) this.#toggle(false);
    });
  }

  begin(id) {
    if (this.#id !== undefined) this.#drafts.set(this.#id, this.#input.value);
    this.#id = id;
    this.#input.value = this.#drafts.get(id) ?? '';
    this.#toggle(false);
    this.#onInput();
  }

  allow(allowed) {
    this.element.hidden = !allowed;
  }

  focus() {
    this.#input.focus();
  }

  #submit() {
    const text = this.#input.value;
    if (text.trim() === '' || bytesIn(text) > MOST_BYTES) return;
    this.#input.value = '';
    this.#onInput();
    this.#toggle(false);
    this.#done(text);
    this.focus();
  }

  #onInput() {
    const bytes = bytesIn(this.#input.value);
    this.#size.hidden = bytes < TELL_BYTES;
    this.#size.textContent = bytes > MOST_BYTES ? `Too long: ${sizeOf(bytes)}. A message holds ${sizeOf(MOST_BYTES)}.`
      : `${sizeOf(bytes)} of ${sizeOf(MOST_BYTES)}`;
    this.#size.classList.toggle('problem', bytes > MOST_BYTES);
    this.#send.disabled = bytes > MOST_BYTES || this.#input.value.trim() === '';
    this.#input.style.height = 'auto';
    this.#input.style.height = `${Math.min(this.#input.scrollHeight, 160)}px`;
  }

  #onKey(event) {
    // While an input method composes, Enter is its own.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#submit();
  }

  #toggle(open = this.#picker.hidden) {
    this.#picker.hidden = !open;
    this.#emoji.setAttribute('aria-expanded', String(open));
    if (open) this.#picker.firstElementChild.focus();
  }

  #insert(emoji) {
    const { selectionStart, selectionEnd } = this.#input;
    this.#input.setRangeText(emoji, selectionStart, selectionEnd, 'end');
    this.#onInput();
    this.#toggle(false);
    this.focus();
  }

  #onPickerKey(event) {
    if (event.key === 'Escape') {
      event.stopPropagation();
      this.#toggle(false);
      this.#emoji.focus();
      return;
    }
    const columns = getComputedStyle(this.#picker).gridTemplateColumns.split(' ').length;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...this.#picker.children];
    buttons[buttons.indexOf(document.activeElement) + step]?.focus();
  }
}
