// One logged-in user: the client library on one side, the model and its storage on the other.
import { Client, CtrlType, HongyanError, groupOpOf } from 'hongyan-client';
import { Model } from './model.js';
import { Storage } from './storage.js';
import { textOf } from './text.js';

const BACKLOG = 1_000; // messages that a browser without memory fetches
const SEND_DEADLINE_MS = 120_000;
const SAVE_DELAY_MS = 30;
const SAVE_AGAIN_MS = 5_000;

/** A token of the demo. Errors: HongyanError; PERMISSION_DENIED and NOT_FOUND are final. */
export async function demoToken(uid) {
  const response = await fetch('/demo/token', {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ uid }),
  });
  if (response.status === 404) {
    throw new HongyanError('NOT_FOUND', 'This server has no demo login. It exists in development only.');
  }
  const answer = await response.json();
  if (response.ok) return answer;
  const code = response.status >= 500 ? 'UNAVAILABLE' : 'PERMISSION_DENIED';
  throw new HongyanError(code, answer.error?.message ?? `The server answered ${response.status}.`);
}

export class Chat extends EventTarget {
  model;
  state = 'stopped';
  reason = '';
  kick; // why it was sent away for good
  synced = false;
  #client;
  #storage;
  #saving;
  #asked = new Set(); // groups whose description is on its way

  /** Logs in as uid: answers once the token is there and what is held is loaded; the connection follows. */
  static async logIn(uid) {
    const { app_id: appId, uid: me } = await demoToken(uid);
    const chat = new Chat();
    chat.model = new Model(me);
    chat.#storage = await Storage.open(`hongyan ${appId} ${me}`);
    const kept = await chat.#storage.load();
    chat.model.load(kept);
    chat.#client = chat.#newClient(appId, kept.held);
    chat.model.addEventListener('change', () => chat.#changed());
    chat.start();
    return chat;
  }

  get me() {
    return this.model.me;
  }

  /** Whether messages outlive this page. */
  get keeps() {
    return this.#storage.keeps;
  }

  start() {
    this.kick = undefined;
    this.#client.start();
    for (const message of this.model.unanswered) this.#transmit(message);
  }

  async stop() {
    await this.#client.stop();
    await this.#save();
    this.#storage.close();
  }

  hurry() {
    this.#client.hurry();
  }

  send(conversationId, text) {
    // crypto.randomUUID() is for pages from a safe origin only; this needs no more than 122 random bits.
    const clientMsgId = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
    this.#transmit(this.model.compose(conversationId, text, clientMsgId, Date.now()));
  }

  /** Under the same id: what was stored after all is not stored twice. */
  sendAgain(message) {
    this.model.sendAgain(message);
    this.#transmit(message);
  }

  async createGroup(name, members) {
    const { result } = await this.#client.createGroup(name, members);
    this.model.setGroup(result.group);
    return result.group.groupId;
  }

  async joinGroup(groupId) {
    await this.#client.joinGroup(BigInt(groupId));
    await this.describeGroup(groupId);
  }

  /** operation: 'addMembers', 'removeMembers', 'renameGroup', 'announce', 'exitGroup', 'deleteGroup', 'transferGroup'. */
  async changeGroup(groupId, operation, ...args) {
    await this.#client[operation](BigInt(groupId), ...args);
    if (operation === 'exitGroup' || operation === 'deleteGroup') this.model.setGone(groupId);
    else await this.describeGroup(groupId);
  }

  async describeGroup(groupId) {
    const { result } = await this.#client.getGroup(BigInt(groupId));
    this.model.setGroup(result.group);
  }

  async members(groupId) {
    const members = [];
    for (;;) {
      const { result } = await this.#client.listMembers(BigInt(groupId), { offset: members.length, limit: 1_000 });
      members.push(...result.members);
      if (result.members.length === 0 || members.length >= (result.group?.memberCount ?? Infinity)) return members;
    }
  }

  #newClient(appId, held) {
    return new Client({
      uid: this.me,
      appId,
      iplist: [''],
      tokenSource: async () => (await demoToken(this.me)).token,
      // Of this page alone: pages with one device id would replace each other for ever.
      deviceId: `page-${crypto.getRandomValues(new Uint32Array(4)).join('-')}`,
      receiveSent: true,
      backlog: BACKLOG,
      sendDeadline: SEND_DEADLINE_MS,
      heldInbox: held?.inbox,
      heldOutbox: held?.outbox,
      heldGroups: held?.groups,
    }, {
      onMessage: (message) => this.#receive(message),
      onHeld: (moved) => {
        this.model.keep(moved);
        this.#changed();
      },
      onState: (state, reason) => this.#onState(state, reason),
      onKicked: (kick) => {
        if (!kick.willReconnect) this.kick = kick;
      },
      onSynced: () => {
        this.synced = true;
        this.#changed();
      },
    });
  }

  #onState(state, reason) {
    this.state = state;
    this.reason = reason.message;
    this.synced = false;
    if (state === 'online') this.#describeGroups();
    this.#changed();
  }

  async #describeGroups() {
    try {
      for (let offset = 0; ;) {
        const { result } = await this.#client.listMyGroups({ offset, limit: 100 });
        if (result.groups.length === 0) return;
        for (const group of result.groups) this.model.setGroup(group);
        offset += result.groups.length;
      }
    } catch (error) {
      console.warn('the list of groups did not come', error);
    }
  }

  async #describe(groupId) {
    if (this.#asked.has(groupId)) return;
    this.#asked.add(groupId);
    try {
      await this.describeGroup(groupId);
    } catch (error) {
      // Who is no member any more is told so.
      if (['NOT_FOUND', 'PERMISSION_DENIED', 'FAILED_PRECONDITION'].includes(error.code)) this.model.setGone(groupId);
    } finally {
      this.#asked.delete(groupId);
    }
  }

  async #transmit(message) {
    const { kind, peer, groupId } = this.model.conversation(message.conversation);
    const options = { clientMsgId: message.clientMsgId };
    try {
      const receipt = kind === 'group'
        ? await this.#client.sendGroup(BigInt(groupId), message.text, options)
        : await this.#client.send(peer, message.text, options);
      this.model.stored(message, receipt);
    } catch (error) {
      // A page that was sent away keeps what was not answered for the next start.
      if (this.state === 'stopped' && ['UNAVAILABLE', 'DEADLINE_EXCEEDED'].includes(error.code)) return;
      this.model.failed(message, error.code === 'DEADLINE_EXCEEDED' ? 'unknown' : 'failed', error.message);
    }
  }

  #receive(message) {
    if (message.kind === 'ctrl') return this.#receiveControl(message);
    const conversation = message.kind === 'c2g' ? this.#openGroup(message.groupId)
      : this.model.openUser(message.sent ? message.to : message.from);
    this.model.receive(conversation.id, {
      from: message.from, text: textOf(message.content), time: message.time, msgId: String(message.msgId),
      clientMsgId: message.clientMsgId, sent: message.sent,
    }, { old: this.#isOld(message) });
  }

  #receiveControl(message) {
    const groupId = String(message.groupId || message.msgId);
    const conversation = this.#openGroup(groupId);
    let op;
    try {
      op = groupOpOf(message.content);
    } catch {
      return;
    }
    const event = { type: message.msgType, ...op };
    const type = message.msgType;
    const lost = type === CtrlType.CTRL_TYPE_DELETE_GROUP
      || (type === CtrlType.CTRL_TYPE_EXIT_GROUP && message.from === this.me)
      || (type === CtrlType.CTRL_TYPE_REMOVE_MEMBERS && op.members.includes(this.me));
    const invited = type === CtrlType.CTRL_TYPE_INVITE_MEMBERS && op.members.includes(this.me);
    if ((invited || type === CtrlType.CTRL_TYPE_CREATE_GROUP) && conversation.name === '') conversation.name = op.name;
    this.model.receive(conversation.id, {
      from: message.from, text: '', event, time: message.time, msgId: String(message.msgId), clientMsgId: '', sent: false,
    }, { system: true });
    if (lost) this.model.setGone(groupId);
    else if (invited) this.model.setInvited(groupId);
    else this.#describe(groupId);
  }

  #openGroup(groupId) {
    const conversation = this.model.openGroup(groupId);
    if (!conversation.group) this.#describe(String(groupId));
    return conversation;
  }

  #isOld(message) {
    return message.seq > 0 && message.seq <= this.#client.acknowledged;
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
    this.#saving ??= setTimeout(() => this.#save(), SAVE_DELAY_MS);
  }

  async #save() {
    clearTimeout(this.#saving);
    this.#saving = undefined;
    const changes = this.model.takeChanges();
    try {
      await this.#storage.save(changes);
    } catch (error) {
      console.warn('what came is not kept yet', error);
      this.model.putBackChanges(changes); // with the next: `held` must not be kept without what came before it
      this.#saving ??= setTimeout(() => this.#save(), SAVE_AGAIN_MS);
    }
  }
}
