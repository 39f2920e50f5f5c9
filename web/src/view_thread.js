// The right side: one conversation.
import { Composer } from './composer.js';
import { avatar, el, icon, iconButton, nameOf } from './dom.js';
import { systemText } from './system_text.js';
import { beginningOf, clockOf, dayOf, isEmojiOnly, sizeOf, bytesIn } from './text.js';
import { titleOf } from './view_list.js';

const PAGE = 60; // messages shown at first, and more at each scroll to the top
const TOGETHER_MS = 5 * 60_000; // messages of one sender within it stand together
const NEAR_END_PX = 60;

const MARKS = {
  sending: ['clock', 'On its way'],
  stored: ['tick', 'Stored by the server, which keeps it until the receiver has it'],
  ordered: ['ticks', 'Distributed: it came back in the order that every member sees'],
  failed: ['alert', 'Not sent'],
  unknown: ['alert', 'No answer: it may have been stored'],
};

export class ThreadView {
  element;
  #chat;
  #id;
  #shown = PAGE;
  #expanded = new Set(); // keys of long messages that are shown whole
  #rows = new Map(); // key of a message to {signature, element}
  #header = el('header', { class: 'bar' });
  #announcement = el('p', { class: 'announcement', hidden: true });
  #log = el('div', { class: 'log', role: 'log', 'aria-label': 'Messages', tabindex: '0', onscroll: () => this.#onScroll() });
  #toEnd = el('button', { type: 'button', class: 'to-end', hidden: true, onclick: () => this.#scrollToEnd() });
  #composer;
  #actions;
  #missed = 0;
  #atEnd = true;
  #newest = 0;

  /** actions: {back(), info(id)} */
  constructor(chat, actions) {
    this.#chat = chat;
    this.#actions = actions;
    this.#composer = new Composer((text) => {
      chat.send(this.#id, text);
      this.#scrollToEnd();
    });
    this.element = el('main', { class: 'thread' });
  }

  show(id) {
    this.#id = id;
    this.#shown = PAGE;
    this.#rows.clear();
    this.#log.replaceChildren();
    this.#expanded.clear();
    this.#missed = 0;
    this.#atEnd = true;
    this.#newest = 0;
    if (id === undefined) {
      this.element.replaceChildren(el('div', { class: 'nothing' }, el('img', { src: '/icon.svg', alt: '', width: '72', height: '72' }),
        el('p', {}, 'Choose a chat, or begin one.')));
      return;
    }
    this.element.replaceChildren(this.#header, this.#announcement, this.#log, this.#toEnd, this.#composer.element);
    this.#composer.begin(id);
    this.render();
    this.#scrollToEnd();
  }

  focus() {
    this.#composer.focus();
  }

  render() {
    if (this.#id === undefined) return;
    const { model } = this.#chat;
    const conversation = model.conversation(this.#id);
    this.#renderHeader(conversation);
    const messages = model.messages(this.#id);
    const fresh = messages.filter((message) => message.key > this.#newest && !message.mine && !message.system).length;
    const wasAtEnd = this.#atEnd;
    if (!wasAtEnd && this.#newest > 0) this.#missed += fresh;
    this.#newest = messages.reduce((newest, message) => Math.max(newest, message.key), this.#newest);
    this.#renderLog(messages, conversation);
    if (wasAtEnd) this.#scrollToEnd();
    this.#renderToEnd();
    this.#composer.allow(!conversation.group?.gone);
  }

  #renderHeader(conversation) {
    const title = titleOf(conversation, this.#chat.me);
    const isGroup = conversation.kind === 'group';
    const { memberCount, gone, invited, large, announcement } = conversation.group ?? {};
    const about = !isGroup ? '' : invited ? 'You are invited' : gone ? 'You are no member any more' : memberCount
      ? `${memberCount} member${memberCount === 1 ? '' : 's'}${large ? ', a large group' : ''}` : '';
    const signature = JSON.stringify([title, about, announcement, invited]);
    if (this.#header.dataset.signature === signature) return;
    this.#header.dataset.signature = signature;
    this.#header.replaceChildren(
      iconButton('back', 'Back to the chats', this.#actions.back, { class: 'icon-button back' }), avatar(title, isGroup),
      el('div', { class: 'bar-text' }, nameOf(title, 'title'), about && el('p', { class: 'state' }, about)),
      invited ? el('button', { type: 'button', onclick: () => this.#actions.join(this.#id) }, 'Join') : '',
      isGroup && !gone ? iconButton('info', 'About the group', () => this.#actions.info(this.#id)) : '');
    this.#announcement.hidden = !announcement;
    this.#announcement.replaceChildren(el('bdi', { dir: 'auto' }, announcement ?? ''));
  }

  #renderLog(messages, conversation) {
    const shown = messages.slice(-this.#shown);
    const wanted = [];
    if (shown.length < messages.length) wanted.push(this.#row('earlier', '', () => el('p', { class: 'day' }, 'Earlier messages above')));
    let before;
    for (const message of shown) {
      const day = dayOf(message.time);
      if (!before || dayOf(before.time) !== day) {
        wanted.push(this.#row(`day ${message.key}`, day, () => el('p', { class: 'day' }, day)));
        before = undefined;
      }
      const first = !before || before.system || before.from !== message.from || message.time - before.time > TOGETHER_MS;
      const signature = [message.state, message.why, message.time, first, this.#expanded.has(message.key)].join();
      wanted.push(this.#row(message.key, signature, () => (message.system
        ? el('p', { class: 'event' }, ...systemText(message, this.#chat.me)) : this.#bubble(message, first, conversation))));
      before = message;
    }
    if (shown.length === 0) wanted.push(this.#row('none', '', () => el('p', { class: 'day' }, 'No messages yet. Say hello!')));
    const kept = new Set(wanted);
    for (const child of [...this.#log.children]) if (!kept.has(child)) child.remove();
    wanted.forEach((element, index) => {
      if (this.#log.children[index] !== element) this.#log.insertBefore(element, this.#log.children[index] ?? null);
    });
  }

  // The element made earlier when nothing about it has changed.
  #row(key, signature, make) {
    const known = this.#rows.get(key);
    if (known?.signature === signature) return known.element;
    const element = make();
    this.#rows.set(key, { signature, element });
    return element;
  }

  #bubble(message, first, conversation) {
    const isGroup = conversation.kind === 'group';
    const classes = ['message', message.mine ? 'mine' : 'theirs', first && 'first', isEmojiOnly(message.text) && 'emoji', message.state];
    return el('div', { class: classes.filter(Boolean).join(' ') },
      isGroup && !message.mine && (first ? avatar(message.from) : el('span', { class: 'avatar-space' })),
      el('div', { class: 'bubble' },
        isGroup && !message.mine && first && nameOf(message.from, 'sender'),
        this.#content(message),
        el('span', { class: 'meta' }, el('time', { datetime: new Date(message.time).toISOString() }, clockOf(message.time)),
          message.mine && this.#mark(message)),
        (message.state === 'failed' || message.state === 'unknown') && el('p', { class: 'why' },
          `${MARKS[message.state][1]}${message.why ? `: ${message.why}` : ''}. `,
          el('button', { type: 'button', class: 'link', onclick: () => this.#chat.sendAgain(message) }, 'Send again'))));
  }

  #content(message) {
    const beginning = this.#expanded.has(message.key) ? undefined : beginningOf(message.text);
    if (beginning === undefined) return el('div', { class: 'text', dir: 'auto' }, message.text);
    return el('div', {}, el('div', { class: 'text', dir: 'auto' }, `${beginning}…`),
      el('button', {
        type: 'button', class: 'link', onclick: () => {
          this.#expanded.add(message.key);
          this.#atEnd = false;
          this.render();
        },
      }, `Show all (${sizeOf(bytesIn(message.text))})`));
  }

  #mark(message) {
    const [name, label] = MARKS[message.state];
    const mark = el('span', { class: 'mark', title: label }, icon(name, label));
    return mark;
  }

  #onScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.#log;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    if (this.#atEnd) this.#missed = 0;
    this.#renderToEnd();
    const held = this.#chat.model.messages(this.#id).length;
    if (scrollTop > 80 || this.#shown >= held || clientHeight === 0) return;
    this.#shown = Math.min(this.#shown + PAGE, held);
    this.render();
    this.#log.scrollTop = scrollTop + this.#log.scrollHeight - scrollHeight;
  }

  #scrollToEnd() {
    this.#atEnd = true;
    this.#missed = 0;
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#renderToEnd();
  }

  #renderToEnd() {
    this.#toEnd.hidden = this.#atEnd;
    this.#toEnd.replaceChildren(icon('down'), this.#missed > 0 ? `${this.#missed} new` : 'Newest');
  }
}
