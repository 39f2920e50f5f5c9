import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { afterEach, beforeEach, test } from 'node:test';
import WebSocket from 'ws';
import { GateList, parseGates } from '../src/gates.js';
import { Client, HongyanError } from '../src/index.js';
import { completed } from '../src/options.js';
import { FakeGate } from './fake_gate.js';
import { SlowProxy } from './slow_proxy.js';

const text = (bytes) => new TextDecoder().decode(bytes);

let gate;
let people;
beforeEach(async () => {
  gate = await FakeGate.start();
  people = [];
});
afterEach(async () => {
  await Promise.all(people.map((person) => person.client.stop()));
  await gate.stop();
});

// A client that keeps what it hears; until(f) waits for the event that makes f true.
class Person {
  messages = [];
  states = [];
  kicks = [];
  #events = new EventEmitter();

  constructor(uid, options = {}) {
    const keep = (list) => (item) => {
      list.push(item);
      this.#events.emit('event');
    };
    this.client = new Client({
      uid, token: `token of ${uid}`, gates: [gate.url], webSocket: WebSocket, reconnectSpread: 5, backoffMin: 5, backoffMax: 50, ...options,
    }, {
      onMessage: keep(this.messages), onState: keep(this.states), onKicked: keep(this.kicks), onSynced: keep([]),
    });
    people.push(this);
    this.client.start();
  }

  get texts() {
    return this.messages.map((message) => text(message.content));
  }

  async until(condition) {
    while (!condition()) await once(this.#events, 'event', { signal: AbortSignal.timeout(10_000) });
  }

  online() {
    return this.until(() => this.client.state === 'online');
  }
}

test('messages arrive once, in order, to the bit, 64-bit ids whole', async () => {
  const bob = new Person('bob');
  const alice = new Person('alice');
  const contents = ['hello', '', '鸿雁 🪿', '\0\ufeff', 'x'.repeat(60_000)];
  const receipts = await Promise.all(contents.map((content) => alice.client.send('bob', content)));
  await bob.until(() => bob.messages.length === contents.length);
  assert.deepEqual(bob.messages.map((message) => Buffer.from(message.content).toString('hex')),
    contents.map((content) => Buffer.from(content).toString('hex')));
  assert.deepEqual(bob.messages.map((message) => message.msgId), receipts.map((receipt) => receipt.msgId));
  assert.ok(receipts[0].msgId > 2n ** 60n);
  assert.equal(bob.client.sessionId, 2n ** 63n + 5n);
});

test('bytes go out in whatever they come; what is neither bytes nor text is refused', async () => {
  const bob = new Person('bob');
  const alice = new Person('alice');
  const bytes = Uint8Array.of(0, 1, 2, 3, 255, 6);
  const views = [bytes, bytes.buffer, new DataView(bytes.buffer, 2, 3), new Uint16Array(bytes.buffer, 2, 2), Buffer.from(bytes)];
  for (const view of views) await alice.client.send('bob', view);
  await bob.until(() => bob.messages.length === views.length);
  assert.deepEqual(bob.messages.map((message) => Buffer.from(message.content).toString('hex')),
    ['00010203ff06', '00010203ff06', '0203ff', '0203ff06', '00010203ff06']);
  for (const bad of [undefined, null, 5, {}, [1], new Blob(['x']), new String('abcd')]) {
    await assert.rejects(alice.client.send('bob', bad), { name: 'HongyanError', code: 'BAD_REQUEST' });
  }
  for (const msgType of [1.5, '1', NaN, 2 ** 31]) {
    await assert.rejects(alice.client.send('bob', 'x', { msgType }), { code: 'BAD_REQUEST' });
  }
  for (const group of [5, '5', -5n, undefined]) {
    await assert.rejects(alice.client.getGroup(group), { code: 'BAD_REQUEST' });
    await assert.rejects(alice.client.sendGroup(group, 'x'), { code: 'BAD_REQUEST' });
  }
});

test('an option that is undefined is as if it were absent', () => {
  const options = completed({ uid: 'a', requestTimeout: undefined, backoffMin: undefined, random: undefined });
  assert.equal(options.requestTimeout, 8_000);
  assert.equal(options.backoffMin, 100);
  assert.equal(options.random, Math.random);
});

test('what came while away is pulled', async () => {
  const alice = new Person('alice');
  for (let number = 0; number < 5; number += 1) await alice.client.send('bob', `m${number}`);
  const bob = new Person('bob', { pullLimit: 2 });
  await bob.online();
  await bob.client.pull();
  assert.deepEqual(bob.texts, ['m0', 'm1', 'm2', 'm3', 'm4']);
  assert.equal(gate.acknowledged.get('bob'), 5);
});

test('cut connections and lost answers: everything arrives, nothing twice', async () => {
  const alice = new Person('alice');
  const bob = new Person('bob');
  const expected = [];
  for (let number = 0; number < 30; number += 1) {
    if (number % 7 === 3) gate.loseAnswers = 1;
    if (number % 5 === 4) gate.cut();
    expected.push(`m${number}`);
    await alice.client.send('bob', `m${number}`);
  }
  await bob.until(() => bob.messages.length >= expected.length);
  assert.deepEqual(bob.texts, expected);
  assert.ok(gate.logins > 4);
});

test('a kick by another login ends the client', async () => {
  const alice = new Person('alice');
  await alice.online();
  gate.kick('alice', 'OTHER_LOGIN');
  await alice.until(() => alice.client.state === 'stopped');
  assert.equal(alice.kicks[0].reason, 'OTHER_LOGIN');
  await assert.rejects(alice.client.send('bob', 'x'), { name: 'HongyanError', code: 'UNAVAILABLE' });
  assert.equal(gate.logins, 1);
});

test('a wrong token ends the client', async () => {
  const alice = new Person('alice', { token: 'wrong' });
  await alice.until(() => alice.client.state === 'stopped');
  assert.equal(gate.logins, 1);
});

test('tokens come from a source: temporary failures are tried again, others end the client', async () => {
  let asked = 0;
  const alice = new Person('alice', {
    tokenSource: async () => {
      asked += 1;
      if (asked === 1) throw new TypeError('the network is away');
      return 'token of alice';
    },
  });
  await alice.online();
  assert.equal(asked, 2);
  const bob = new Person('bob', {
    tokenSource: () => {
      throw new HongyanError('PERMISSION_DENIED', 'no');
    },
  });
  await bob.until(() => bob.client.state === 'stopped');
});

test('what is not a packet ends the connection, not the client', async () => {
  const alice = new Person('alice');
  await alice.online();
  gate.sendText('alice');
  await alice.until(() => alice.states.includes('waiting') && alice.client.state === 'online');
  assert.equal(gate.logins, 2);
});

test('a handler that throws harms nobody', async (t) => {
  const logged = t.mock.method(console, 'error', () => {});
  const alice = new Person('alice');
  const client = new Client(
    { uid: 'bob', token: 'token of bob', gates: [gate.url], webSocket: WebSocket },
    { onMessage: () => { throw new Error('oops'); } });
  people.push({ client });
  client.start();
  await alice.client.send('bob', 'one');
  await client.pull();
  assert.equal(client.held.inbox, 1);
  assert.equal(logged.mock.callCount(), 1);
});

test('gates come from an iplist; an unreachable one is passed over', async () => {
  const alice = new Person('alice', { gates: [], iplist: ['http://127.0.0.1:1', gate.base] });
  await alice.online();
});

test('with no iplist reachable the fixed list serves', async () => {
  const list = new GateList(completed({ uid: 'a', gates: ['ws://a/', 'ws://b/'], iplist: ['http://127.0.0.1:1'],
    random: () => 0 }));
  assert.deepEqual([await list.next(), await list.next(), await list.next()], ['ws://a/', 'ws://b/', 'ws://a/']);
});

test('answers of an iplist that make no sense are refused', () => {
  const good = { gates: [{ host: '::1', port: 7001, transport: 'ws' }], ttl_seconds: 9 };
  assert.deepEqual(parseGates(good, 'ws'), { gates: ['ws://[::1]:7001/'], ttlMs: 9_000 });
  for (const bad of [null, {}, { gates: [] }, { gates: [{ host: 'a/b', port: 1 }] }, { gates: [{ host: 'a', port: 0 }] },
    { gates: [{ host: 'a', port: 70_000 }] }, { gates: [{ port: 1 }] }]) {
    assert.throws(() => parseGates(bad, 'ws'), { code: 'UNAVAILABLE' });
  }
});

test('a pull that does not end in time fails', async () => {
  const alice = new Person('alice', { gates: ['ws://127.0.0.1:1/'] });
  await assert.rejects(alice.client.pull(30), { code: 'DEADLINE_EXCEEDED' });
});

const PATIENCE = { timeout: 20_000 };

// 20 kbit/s and a time-out of 8 s, ten times as fast.
async function onASlowLink(t, options = {}) {
  const link = await SlowProxy.start(gate.port, 25_000);
  t.after(() => link.stop());
  return new Person('bob', { gates: [link.url], requestTimeout: 800, ...options });
}

test('a slow link catches up with one login', PATIENCE, async (t) => {
  const alice = new Person('alice');
  const texts = Array.from({ length: 200 }, (_, number) => `${number} ${'x'.repeat(100)}`);
  await Promise.all(texts.map((content) => alice.client.send('bob', content)));
  const before = gate.logins;
  const bob = await onASlowLink(t);
  await bob.until(() => bob.messages.length >= texts.length);
  assert.deepEqual(bob.texts, texts);
  assert.equal(gate.logins - before, 1);
});

test('a message that takes longer than the time-out arrives, after few logins', PATIENCE, async (t) => {
  const alice = new Person('alice');
  const texts = Array.from({ length: 2 }, (_, number) => `${number} ${'x'.repeat(30_000)}`);
  await Promise.all(texts.map((content) => alice.client.send('bob', content)));
  const before = gate.logins;
  const bob = await onASlowLink(t);
  await bob.until(() => bob.messages.length >= texts.length);
  assert.deepEqual(bob.texts, texts);
  assert.ok(gate.logins - before <= 4, `${gate.logins - before} logins`);
});

test('many sends at once on a slow link are each sent once', PATIENCE, async (t) => {
  const bob = await onASlowLink(t);
  await bob.online();
  const receipts = await Promise.all(Array.from({ length: 20 }, (_, number) => (
    bob.client.send(`user ${number}`, 'x'.repeat(2_500)))));
  assert.deepEqual(receipts.map((receipt) => receipt.attempts), receipts.map(() => 1));
  assert.equal(gate.logins, 1);
});
