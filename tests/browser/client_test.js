// The client library in Node.js against a whole cluster.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { afterEach, test } from 'node:test';
import { Client, CtrlType, groupOpOf } from 'hongyan-client';
import WebSocket from 'ws';
import { Terminal, cluster, name } from './people.js';
import { tokenFor } from './token.js';

const PATIENCE_MS = 60_000;
const text = (bytes) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

const clients = [];
afterEach(() => Promise.all(clients.splice(0).map((client) => client.stop())));

class Person {
  messages = [];
  kicks = [];
  #events = new EventEmitter();

  constructor(uid, options = {}) {
    this.uid = uid;
    const keep = (list) => (item) => {
      list.push(item);
      this.#events.emit('event');
    };
    this.client = new Client({
      uid, appId: 'demo', tokenSource: () => tokenFor(uid), iplist: [process.env.HONGYAN_IPLIST], webSocket: WebSocket,
      deviceId: `${uid}-${Math.random()}`, ...options,
    }, { onMessage: keep(this.messages), onKicked: keep(this.kicks), onState: keep([]), onSynced: keep([]) });
    clients.push(this.client);
    this.client.start();
  }

  get texts() {
    return this.messages.filter((message) => message.kind !== 'ctrl').map((message) => text(message.content));
  }

  async until(condition) {
    while (!condition()) await once(this.#events, 'event', { signal: AbortSignal.timeout(PATIENCE_MS) });
  }

  online() {
    return this.until(() => this.client.state === 'online');
  }
}

test('messages arrive to the bit, and a second login of the same kind ends the first', async () => {
  const alice = new Person(name('alice'));
  const bob = new Person(name('bob'));
  await bob.online();
  const contents = ['hello', '', '鸿雁 🪿', '\0\ufeff', 'x'.repeat(60_000)];
  const receipts = [];
  for (const content of contents) receipts.push(await alice.client.send(bob.uid, content));
  await bob.until(() => bob.messages.length === contents.length);
  assert.deepEqual(bob.messages.map((message) => Buffer.from(message.content).toString('hex')),
    contents.map((content) => Buffer.from(content).toString('hex')));
  assert.deepEqual(bob.messages.map((message) => message.msgId), receipts.map((receipt) => receipt.msgId));
  assert.equal(typeof receipts[0].msgId, 'bigint');
  const again = await alice.client.send(bob.uid, 'hello', { clientMsgId: receipts[0].clientMsgId });
  assert.equal(again.msgId, receipts[0].msgId);

  const later = new Person(bob.uid);
  await bob.until(() => bob.client.state === 'stopped');
  assert.equal(bob.kicks[0].reason, 'OTHER_LOGIN');
  await later.online();
});

test('a uid that is not UTF-8 is taken; a note to self comes once', async () => {
  const self = new Person(name('self'));
  await self.client.send(`\udcff\udc80${name('odd')}`, 'to the bytes FF 80 …');
  const receipt = await self.client.send(self.uid, 'a note'); // acknowledged: it is in the outbox, the inbox comes after
  await self.until(() => self.messages.length > 0);
  await self.client.pull();
  assert.deepEqual(self.messages.map((message) => [message.from, message.msgId]), [[self.uid, receipt.msgId]]);
});

test('gates die and come back: everything arrives once, in order', async () => {
  const alice = new Person(name('alice'));
  const bob = new Person(name('bob'));
  await Promise.all([alice.online(), bob.online()]);
  const expected = Array.from({ length: 300 }, (_, number) => `m${number}`);
  const sends = [];
  for (const [number, content] of expected.entries()) {
    sends.push(alice.client.send(bob.uid, content, { deadline: 60_000 }));
    if (number === 100) {
      await sends[50];
      await cluster('kill', 'gate-1');
    }
  }
  await cluster('restart', 'gate-1');
  await Promise.all(sends);
  const mine = () => bob.messages.filter((message) => message.from === alice.uid).map((message) => text(message.content))
    .filter((content) => content.startsWith('m'));
  await bob.until(() => mine().length >= expected.length);
  assert.deepEqual(mine(), expected);
});

test('what is held and given back is where it goes on; a newcomer takes what it asks for', async () => {
  const alice = new Person(name('alice'));
  for (const content of ['one', 'two', 'three']) await alice.client.send(name('carol'), content);
  const carol = new Person(name('carol'), { heldInbox: 1 });
  await carol.until(() => carol.texts.length === 2);
  assert.deepEqual(carol.texts, ['two', 'three']);
  assert.equal(carol.client.held.inbox, 3);
  await carol.client.stop();
  const again = new Person(name('carol'));
  await again.client.pull();
  assert.deepEqual(again.texts, []);
  await again.client.stop();
  const newcomer = new Person(name('carol'), { backlog: 2 });
  await newcomer.client.pull();
  assert.deepEqual(newcomer.texts, ['two', 'three']);
  assert.equal(newcomer.client.acknowledged, 3);
});

test('groups', async () => {
  const [kim, lee] = [new Person(name('kim')), new Person(name('lee'))];
  await Promise.all([kim.online(), lee.online()]);
  const { result } = await kim.client.createGroup('雁', [lee.uid]);
  const { groupId } = result.group;
  assert.equal(typeof groupId, 'bigint');
  assert.ok(groupId > 2n ** 53n);
  assert.deepEqual([result.group.name, result.group.owner, result.group.memberCount], ['雁', kim.uid, 2]);

  const receipt = await kim.client.sendGroup(groupId, 'hello, all', { mentions: [lee.uid] });
  for (const person of [kim, lee]) await person.until(() => person.texts.length === 1);
  const [heard] = lee.messages.filter((message) => message.kind === 'c2g');
  assert.deepEqual([heard.groupId, heard.msgId, heard.mentions], [groupId, receipt.msgId, [lee.uid]]);
  const [own] = kim.messages.filter((message) => message.kind === 'c2g');
  assert.equal(own.clientMsgId, receipt.clientMsgId);

  const mia = name('mia');
  await lee.client.addMembers(groupId, [mia]);
  assert.deepEqual((await kim.client.listMembers(groupId)).result.members.sort(), [kim.uid, lee.uid, mia].sort());
  await assert.rejects(lee.client.removeMembers(groupId, [mia]), { code: 'PERMISSION_DENIED' });
  await kim.client.removeMembers(groupId, [mia]);
  await kim.client.renameGroup(groupId, '鸿雁');
  await kim.client.announce(groupId, 'south by autumn');
  await kim.client.transferGroup(groupId, lee.uid);
  const { group } = (await lee.client.getGroup(groupId)).result;
  assert.deepEqual([group.name, group.announcement, group.owner, group.memberCount], ['鸿雁', 'south by autumn', lee.uid, 2]);
  assert.deepEqual((await kim.client.listMyGroups()).result.groups.map((one) => one.groupId), [groupId]);
  await kim.client.exitGroup(groupId);
  await assert.rejects(kim.client.sendGroup(groupId, 'outside'), { code: 'PERMISSION_DENIED' });
  await lee.client.deleteGroup(groupId);
  await assert.rejects(lee.client.getGroup(groupId), (error) => ['FAILED_PRECONDITION', 'PERMISSION_DENIED'].includes(error.code));

  const types = () => lee.messages.filter((message) => message.kind === 'ctrl').map((message) => message.msgType);
  await lee.until(() => types().includes(CtrlType.CTRL_TYPE_DELETE_GROUP));
  assert.deepEqual(types(), ['CREATE_GROUP', 'ADD_MEMBERS', 'REMOVE_MEMBERS', 'RENAME', 'MODIFY_ANNOUNCEMENT', 'TRANSFER_OWNER',
    'EXIT_GROUP', 'DELETE_GROUP'].map((type) => CtrlType[`CTRL_TYPE_${type}`]));
  const renamed = lee.messages.find((message) => message.msgType === CtrlType.CTRL_TYPE_RENAME);
  assert.deepEqual([renamed.groupId, groupOpOf(renamed.content).name], [groupId, '鸿雁']);
});

test('it speaks with hongyan-chat', async () => {
  const page = new Person(name('js'));
  await page.online();
  const terminal = new Terminal(name('cpp'), '--wait', '60');
  await page.client.send(name('cpp'), 'from JavaScript');
  assert.equal((await terminal.message()).content, 'from JavaScript');
  terminal.close();
  await new Terminal(name('cpp'), '--send', page.uid, 'from C++').finish();
  await page.until(() => page.texts.includes('from C++'));
});
