// The left side: who is logged in, the state of the connection, the conversations.
import { avatar, el, icon, iconButton, nameOf } from './dom.js';
import { systemText } from './system_text.js';
import { lineOf, whenOf } from './text.js';

const STATES = {
  online: ['online', 'Online'],
  connecting: ['trying', 'Connecting…'],
  waiting: ['trying', 'Offline. Trying again…'],
  stopped: ['off', 'Disconnected'],
};

export function stateOf(chat) {
  const [className, text] = STATES[chat.state];
  return chat.state === 'online' && !chat.synced ? ['trying', 'Catching up…'] : [className, text];
}

export function titleOf(conversation, me) {
  if (conversation.kind === 'group') return conversation.name || `Group ${conversation.groupId}`;
  return conversation.peer === me ? `${me} (notes to self)` : conversation.peer;
}

export class ListView {
  element;
  #chat;
  #list = el('ul', { class: 'conversations', 'aria-label': 'Conversations', onkeydown: (event) => this.#onKey(event) });
  #state = el('p', { class: 'state', role: 'status' });
  #search = el('input', {
    type: 'search', class: 'search', placeholder: 'Search', 'aria-label': 'Search conversations', dir: 'auto',
    oninput: () => this.render(),
  });
  #open;

  /** actions: {open(id), newChat(), newGroup(), theme(), leave()} */
  constructor(chat, actions) {
    this.#chat = chat;
    this.#open = actions.open;
    this.element = el('nav', { class: 'side', 'aria-label': 'Chats' },
      el('header', { class: 'bar' }, avatar(chat.me),
        el('div', { class: 'bar-text' }, nameOf(chat.me, 'title'), this.#state),
        iconButton('theme', 'Light or dark', actions.theme), iconButton('leave', 'Log out', actions.leave)),
      el('div', { class: 'tools' }, this.#search,
        iconButton('plus', 'New chat', actions.newChat), iconButton('group', 'New group', actions.newGroup)),
      this.#list);
    if (!chat.keeps) this.element.append(el('p', { class: 'note' }, 'This browser keeps nothing: messages are gone with the page.'));
  }

  focusSearch() {
    this.#search.focus();
  }

  render() {
    const [className, text] = stateOf(this.#chat);
    this.#state.className = `state ${className}`;
    this.#state.textContent = text;
    const wanted = this.#search.value.trim().toLowerCase();
    const { model } = this.#chat;
    const shown = model.conversations.filter(
      (conversation) => wanted === '' || titleOf(conversation, model.me).toLowerCase().includes(wanted));
    const active = /** @type {HTMLElement?} */ (document.activeElement);
    const focused = this.#list.contains(active) ? active.dataset.id : undefined;
    this.#list.replaceChildren(...shown.map((conversation) => this.#row(conversation)));
    if (shown.length === 0) {
      this.#list.append(el('li', { class: 'empty' }, wanted === '' ? 'No chats yet. Begin one with +.' : 'Nothing found.'));
    }
    if (focused) this.#list.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  }

  #row(conversation) {
    const { model } = this.#chat;
    const title = titleOf(conversation, model.me);
    const last = model.messages(conversation.id).at(-1);
    return el('li', {}, el('button', {
      type: 'button', class: 'conversation', 'data-id': conversation.id, 'aria-current': model.current === conversation.id && 'true',
      onclick: () => this.#open(conversation.id),
    }, avatar(title, conversation.kind === 'group'),
    el('span', { class: 'conversation-text' },
      el('span', { class: 'line' }, nameOf(title, 'title'),
        conversation.last > 0 && el('time', {}, whenOf(conversation.last))),
      el('span', { class: 'line' }, this.#preview(conversation, last),
        conversation.unread > 0 && el('span', { class: 'badge', 'aria-label': `${conversation.unread} unread` },
          conversation.unread > 99 ? '99+' : String(conversation.unread))))));
  }

  #preview(conversation, last) {
    if (!last) return el('span', { class: 'preview' });
    if (last.system) return el('span', { class: 'preview' }, ...systemText(last, this.#chat.me));
    const line = el('bdi', { dir: 'auto' }, lineOf(last.text));
    if (last.mine) {
      const mark = last.state === 'failed' || last.state === 'unknown' ? 'alert' : last.state === 'sending' ? 'clock' : 'tick';
      return el('span', { class: `preview ${last.state}` }, icon(mark), line);
    }
    return conversation.kind === 'group' ? el('span', { class: 'preview' }, nameOf(last.from), ': ', line)
      : el('span', { class: 'preview' }, line);
  }

  #onKey(event) {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    const rows = [...this.#list.querySelectorAll('.conversation')];
    const at = rows.indexOf(document.activeElement);
    const next = rows[at + (event.key === 'ArrowDown' ? 1 : -1)];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
}
