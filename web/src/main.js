// The page: login, then the chats.
import { Chat } from './chat.js';
import { aboutGroup, newChat, newGroup, sentAway } from './dialogs.js';
import { el, nameOf } from './dom.js';
import { loginView, remember } from './view_login.js';
import { ListView } from './view_list.js';
import { ThreadView } from './view_thread.js';

const root = document.getElementById('root');
const THEME = 'hongyan.theme';
const WHO = 'hongyan.uid';

function applyTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
}

function toggleTheme() {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  applyTheme(dark ? 'light' : 'dark');
  localStorage.setItem(THEME, dark ? 'light' : 'dark');
}

class Page {
  #chat;
  #list;
  #thread;
  #element;
  #current;
  #drawn = false;
  #kick;
  #ends = new AbortController();

  constructor(chat) {
    this.#chat = chat;
    const { model } = chat;
    this.#list = new ListView(chat, {
      open: (id) => this.open(id),
      newChat: () => newChat((uid) => this.open(model.openUser(uid).id)),
      newGroup: () => newGroup(async (name, members) => {
        const groupId = await chat.createGroup(name, members);
        this.open(model.openGroup(groupId).id);
      }),
      theme: toggleTheme,
      leave: () => this.leave(),
    });
    this.#thread = new ThreadView(chat, {
      back: () => this.open(undefined),
      info: (id) => this.#aboutGroup(id),
      join: (id) => this.#chat.joinGroup(this.#chat.model.conversation(id).groupId)
        .catch((error) => window.alert(error.message)),
    });
    this.#element = el('div', { class: 'chat' }, this.#list.element, this.#thread.element);
    root.replaceChildren(this.#element);
    const { signal } = this.#ends;
    chat.addEventListener('change', () => this.#draw(), { signal });
    addEventListener('online', () => chat.hurry(), { signal });
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') chat.hurry();
      this.#read();
    }, { signal });
    addEventListener('keydown', (event) => this.#onKey(event), { signal });
    this.open(undefined);
  }

  open(id) {
    this.#current = id;
    this.#chat.model.current = id;
    this.#read();
    this.#element.classList.toggle('open', id !== undefined);
    this.#thread.show(id);
    // On a phone that would open the keyboard over what is to be read.
    if (id !== undefined && !matchMedia('(pointer: coarse)').matches) this.#thread.focus();
    this.#draw();
  }

  async leave() {
    this.#ends.abort();
    sessionStorage.removeItem(WHO);
    document.title = 'Hongyan';
    root.replaceChildren(loginView(enter));
    await this.#chat.stop();
  }

  // What stands open before somebody's eyes is read.
  #read() {
    this.#chat.model.read(document.visibilityState === 'visible' ? this.#current : undefined);
  }

  #draw() {
    if (this.#drawn) return;
    this.#drawn = true;
    requestAnimationFrame(() => {
      this.#drawn = false;
      if (this.#ends.signal.aborted) return;
      this.#list.render();
      this.#thread.render();
      const { unread } = this.#chat.model;
      document.title = unread > 0 ? `(${unread}) Hongyan` : 'Hongyan';
      this.#tellKick();
    });
    // A page in the background draws nothing, but its title counts.
    if (document.visibilityState === 'hidden') {
      const { unread } = this.#chat.model;
      document.title = unread > 0 ? `(${unread}) Hongyan` : 'Hongyan';
    }
  }

  #tellKick() {
    const { state, kick, reason } = this.#chat;
    if (state !== 'stopped') {
      this.#kick = undefined;
      return;
    }
    if (this.#kick !== undefined) return;
    this.#kick = kick?.reason ?? 'refused';
    const texts = {
      OTHER_LOGIN: ['Logged in elsewhere', ['You logged in as ', nameOf(this.#chat.me), ' in another browser or tab. Messages go there now.'], 'Use it here'],
      ADMIN: ['Logged out by an administrator', [nameOf(kick?.message || 'No reason was given.')], 'Try again'],
    };
    const [title, text, action] = texts[this.#kick] ?? ['Disconnected', [nameOf(reason || 'The server refused the login.')], 'Try again'];
    // Another tab of this browser may have stored what this one does not know.
    const again = () => (this.#chat.keeps ? location.reload() : this.#chat.start());
    sentAway({ title, text, action, again, leave: () => this.leave() });
  }

  #aboutGroup(id) {
    const conversation = this.#chat.model.conversation(id);
    if (!conversation.group) return;
    aboutGroup({
      conversation,
      me: this.#chat.me,
      members: this.#chat.members(conversation.groupId),
      change: (operation, ...args) => this.#chat.changeGroup(conversation.groupId, operation, ...args),
    });
  }

  #onKey(event) {
    if (document.querySelector('dialog[open]')) return;
    if (event.key === 'Escape' && this.#current !== undefined) {
      this.open(undefined);
      this.#list.focusSearch();
    } else if (event.key === 'k' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.#list.focusSearch();
    }
  }
}

async function enter(uid) {
  const chat = await Chat.logIn(uid);
  remember(chat.me);
  sessionStorage.setItem(WHO, chat.me);
  new Page(chat);
}

applyTheme(localStorage.getItem(THEME));
const known = sessionStorage.getItem(WHO);
root.replaceChildren(loginView(enter));
if (known) enter(known).catch(() => {}); // the form is there
