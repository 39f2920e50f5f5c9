// Conversations and their messages, in memory. What changed is collected for the storage; views are told.
//
// A conversation: {id, kind: 'user' | 'group', peer | groupId (text), name, unread, last (time), read (whether its
// opening is known), group: {owner, announcement, memberCount, large, gone}}.
// A message: {key, conversation, from, mine, text, time, msgId (text), clientMsgId, state, why, order, system, event}.
// A system message tells of an event of its group: {type, name, members, …}.
// state of own messages: 'sending', 'stored', 'ordered' (it came back in the order of the inbox), 'failed', 'unknown'.

export const MOST_HELD = 2_000; // messages a conversation; the oldest go first

export const userConversation = (uid) => `u:${uid}`;
export const groupConversation = (groupId) => `g:${groupId}`;

export class Model extends EventTarget {
  me;
  active; // id of the conversation that is being read: open, and the page is seen
  current; // the one that is open
  #conversations = new Map();
  #messages = new Map(); // conversation id to messages, in order
  #byClientId = new Map(); // of own messages that are not settled
  #lastKey = 0;
  #changes = emptyChanges();

  constructor(me) {
    super();
    this.me = me;
  }

  load({ messages, conversations }) {
    for (const conversation of conversations) this.#conversations.set(conversation.id, conversation);
    messages.sort(byOrder);
    for (const message of messages) {
      this.#lastKey = Math.max(this.#lastKey, message.key);
      this.#list(message.conversation).push(message);
      if (isOpen(message)) this.#byClientId.set(message.clientMsgId, message);
    }
  }

  /** Newest first. */
  get conversations() {
    return [...this.#conversations.values()].sort((a, b) => b.last - a.last || (a.id < b.id ? -1 : 1));
  }

  get unread() {
    let count = 0;
    for (const conversation of this.#conversations.values()) count += conversation.unread;
    return count;
  }

  conversation(id) {
    return this.#conversations.get(id);
  }

  /** In order; not to be changed. */
  messages(id) {
    return this.#messages.get(id) ?? [];
  }

  /** Own messages that nobody has answered for: of an earlier visit, too. */
  get unanswered() {
    return [...this.#byClientId.values()].filter((message) => message.state === 'sending');
  }

  openUser(uid) {
    return this.#open(userConversation(uid), { kind: 'user', peer: uid, name: uid });
  }

  openGroup(groupId) {
    return this.#open(groupConversation(groupId), { kind: 'group', groupId: String(groupId), name: '' });
  }

  /** What the server says of a group. */
  setGroup(group) {
    const conversation = this.openGroup(group.groupId);
    conversation.name = group.name;
    conversation.group = {
      owner: group.owner, announcement: group.announcement, memberCount: group.memberCount, large: group.large,
      gone: false,
    };
    if (conversation.last === 0) conversation.last = group.createTime;
    this.#touch(conversation);
  }

  setGone(groupId) {
    const conversation = this.openGroup(groupId);
    conversation.group = { ...conversation.group, gone: true };
    this.#touch(conversation);
  }

  /** Somebody asked this user to join. */
  setInvited(groupId) {
    const conversation = this.openGroup(groupId);
    conversation.group = { ...conversation.group, gone: true, invited: true };
    this.#touch(conversation);
  }

  /** Makes it the one that is read. */
  read(id) {
    this.active = id;
    const conversation = this.#conversations.get(id);
    if (conversation && conversation.unread > 0) {
      conversation.unread = 0;
      this.#touch(conversation);
    }
  }

  /** One that this user wrote, on its way. */
  compose(conversationId, text, clientMsgId, now) {
    const message = {
      key: this.#nextKey(), conversation: conversationId, from: this.me, mine: true, text, time: now, msgId: '',
      clientMsgId, state: 'sending', why: '', order: Infinity, system: false,
    };
    this.#byClientId.set(clientMsgId, message);
    this.#insert(message);
    return message;
  }

  /** The server has it. */
  stored(message, receipt) {
    if (message.state === 'ordered') return;
    message.state = 'stored';
    message.why = '';
    message.msgId = String(receipt.msgId);
    message.time = receipt.time;
    const { kind } = this.#conversations.get(message.conversation);
    if (kind === 'user') {
      this.#byClientId.delete(message.clientMsgId);
      message.order = receipt.time;
    }
    this.#move(message);
  }

  /** state: 'failed' (not stored) or 'unknown'. */
  failed(message, state, why) {
    if (message.state === 'ordered') return;
    message.state = state;
    message.why = why;
    this.#move(message);
  }

  sendAgain(message) {
    message.state = 'sending';
    message.why = '';
    this.#move(message);
  }

  /** One that came. old: it was acknowledged on an earlier visit, so it is not news. */
  receive(conversationId, fields, { old = false, system = false } = {}) {
    const mine = fields.from === this.me && !system;
    const known = mine ? this.#byClientId.get(fields.clientMsgId) ?? this.#sameId(conversationId, fields.msgId) : undefined;
    if (known) {
      known.state = fields.sent ? 'stored' : 'ordered';
      known.why = '';
      known.msgId = fields.msgId;
      known.time = fields.time;
      this.#byClientId.delete(known.clientMsgId);
      known.order = this.#orderOf(conversationId, fields.time);
      this.#move(known);
      return known;
    }
    const message = {
      key: this.#nextKey(), conversation: conversationId, from: fields.from, mine, text: fields.text, time: fields.time,
      msgId: fields.msgId, clientMsgId: fields.clientMsgId, state: fields.sent ? 'stored' : 'ordered', why: '',
      order: this.#orderOf(conversationId, fields.time), system, event: fields.event,
    };
    if (!mine && !old && !system && this.active !== conversationId) {
      this.#conversations.get(conversationId).unread += 1;
    }
    this.#insert(message);
    return message;
  }

  keep(held) {
    this.#changes.held = held;
  }

  /** What is to be stored since the last call. */
  takeChanges() {
    const changes = this.#changes;
    this.#changes = emptyChanges();
    return {
      messages: [...changes.messages], deleted: [...changes.deleted], conversations: [...changes.conversations],
      held: changes.held,
    };
  }

  /** They could not be stored. */
  putBackChanges(changes) {
    const later = this.#changes;
    later.deleted = new Set([...changes.deleted, ...later.deleted]);
    later.messages = new Set([...changes.messages, ...later.messages].filter(({ key }) => !later.deleted.has(key)));
    later.conversations = new Set([...changes.conversations, ...later.conversations]);
    later.held ??= changes.held;
  }

  /** To a user by the server's time: what came and what went have two sequences. In a group as it came: that is its order. */
  #orderOf(conversationId, time) {
    return this.#conversations.get(conversationId).kind === 'user' ? time : this.#nextKey();
  }

  #sameId(conversationId, msgId) {
    return this.messages(conversationId).findLast((message) => message.mine && message.msgId === msgId);
  }

  #open(id, fields) {
    let conversation = this.#conversations.get(id);
    if (!conversation) {
      conversation = { id, unread: 0, last: 0, group: undefined, ...fields };
      this.#conversations.set(id, conversation);
      this.#touch(conversation);
    }
    return conversation;
  }

  #list(id) {
    if (!this.#messages.has(id)) this.#messages.set(id, []);
    return this.#messages.get(id);
  }

  #insert(message) {
    const list = this.#list(message.conversation);
    let at = list.length;
    while (at > 0 && byOrder(list[at - 1], message) > 0) at -= 1;
    list.splice(at, 0, message);
    const conversation = this.#conversations.get(message.conversation);
    conversation.last = Math.max(conversation.last, message.time);
    this.#changes.messages.add(message);
    while (list.length > MOST_HELD) {
      const [oldest] = list.splice(0, 1);
      this.#changes.messages.delete(oldest);
      this.#changes.deleted.add(oldest.key);
    }
    this.#touch(conversation);
  }

  #move(message) {
    const list = this.#list(message.conversation);
    list.splice(list.indexOf(message), 1);
    this.#insert(message);
  }

  #touch(conversation) {
    this.#changes.conversations.add(conversation);
    this.dispatchEvent(new Event('change'));
  }

  #nextKey() {
    this.#lastKey += 1;
    return this.#lastKey;
  }
}

function emptyChanges() {
  return { messages: new Set(), deleted: new Set(), conversations: new Set(), held: undefined };
}

function byOrder(a, b) {
  if (a.order !== b.order) return a.order < b.order ? -1 : 1;
  return a.key - b.key;
}

function isOpen(message) {
  return message.mine && (message.state === 'sending' || message.state === 'unknown' || message.state === 'failed'
    || (message.state === 'stored' && message.conversation.startsWith('g:')));
}
