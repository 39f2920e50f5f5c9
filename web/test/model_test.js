import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST_HELD, Model } from '../src/model.js';

const came = (from, text, time, more = {}) => ({ from, text, time, msgId: `${time}`, clientMsgId: `${from}-${time}`, ...more });
const texts = (model, id) => model.messages(id).map((message) => message.text);
const withBob = () => {
  const model = new Model('alice');
  return { model, id: model.openUser('bob').id };
};

test('what came and what went stand by the server\'s time, what waits at the end', () => {
  const { model, id } = withBob();
  const waiting = model.compose(id, 'mine', 'c1', 50);
  model.receive(id, came('bob', 'second', 200));
  model.receive(id, came('bob', 'first', 100));
  assert.deepEqual(texts(model, id), ['first', 'second', 'mine']);
  model.stored(waiting, { msgId: 9n, time: 150 });
  assert.deepEqual(texts(model, id), ['first', 'mine', 'second']);
  assert.equal(waiting.state, 'stored');
});

test('a group has the order in which it came; an own message takes its place when it comes back', () => {
  const model = new Model('alice');
  const { id } = model.openGroup('77');
  const mine = model.compose(id, 'mine', 'c1', 10);
  model.receive(id, came('bob', 'later clock', 300));
  model.stored(mine, { msgId: 9n, time: 200 });
  assert.equal(mine.state, 'stored');
  assert.equal(model.receive(id, came('alice', 'mine', 200, { msgId: '9', clientMsgId: 'c1' })), mine);
  model.receive(id, came('carol', 'earlier clock', 100));
  assert.deepEqual(texts(model, id), ['later clock', 'mine', 'earlier clock']);
  assert.equal(mine.state, 'ordered');
});

test('an own group message may come back before it is acknowledged', () => {
  const model = new Model('alice');
  const { id } = model.openGroup('77');
  const mine = model.compose(id, 'mine', 'c1', 10);
  model.receive(id, came('alice', 'mine', 200, { msgId: '9', clientMsgId: 'c1' }));
  model.stored(mine, { msgId: 9n, time: 200 });
  assert.equal(mine.state, 'ordered');
  assert.equal(model.messages(id).length, 1);
});

test('a note to self is one message, whichever comes first', () => {
  for (const pushFirst of [true, false]) {
    const model = new Model('alice');
    const { id } = model.openUser('alice');
    const note = model.compose(id, 'note', 'c1', 10);
    const push = () => model.receive(id, came('alice', 'note', 20, { msgId: '9', clientMsgId: 'c1' }));
    if (pushFirst) push();
    model.stored(note, { msgId: 9n, time: 20 });
    if (!pushFirst) push();
    assert.equal(model.messages(id).length, 1);
    assert.equal(note.state, 'ordered');
    assert.equal(model.unread, 0);
  }
});

test('unread: what came, is new, and was not before anybody\'s eyes', () => {
  const { model, id } = withBob();
  model.receive(id, came('bob', 'old', 1), { old: true });
  model.receive(id, came('bob', 'new', 2));
  model.receive(id, came('alice', 'from another device', 3, { sent: true }));
  model.receive(id, { ...came('bob', '', 4), event: {} }, { system: true });
  assert.equal(model.unread, 1);
  model.read(id);
  assert.equal(model.unread, 0);
  model.receive(id, came('bob', 'seen', 5));
  assert.equal(model.unread, 0);
  model.read(undefined);
  model.receive(id, came('bob', 'unseen', 6));
  assert.equal(model.conversation(id).unread, 1);
});

test('what failed can be sent again under the same id', () => {
  const { model, id } = withBob();
  const message = model.compose(id, 'x', 'c1', 1);
  model.failed(message, 'unknown', 'no answer');
  assert.deepEqual(model.unanswered, []);
  model.sendAgain(message);
  assert.deepEqual(model.unanswered, [message]);
  assert.equal(message.clientMsgId, 'c1');
});

test('kept and loaded, it is the same, and what waits still waits', () => {
  const { model, id } = withBob();
  model.receive(id, came('bob', 'one', 10));
  model.compose(id, 'waiting', 'c1', 20);
  const kept = structuredClone(model.takeChanges());
  assert.equal(model.takeChanges().messages.length, 0);
  const again = new Model('alice');
  again.load(kept);
  assert.deepEqual(texts(again, id), ['one', 'waiting']);
  assert.equal(again.unread, 1);
  assert.deepEqual(again.unanswered.map((message) => message.clientMsgId), ['c1']);
  again.receive(id, came('bob', 'two', 30));
  assert.deepEqual(texts(again, id), ['one', 'two', 'waiting']);
  assert.equal(new Set(again.messages(id).map((message) => message.key)).size, 3);
});

test('what could not be stored goes with what comes next', () => {
  const { model, id } = withBob();
  model.receive(id, came('bob', 'one', 10));
  model.keep({ inbox: 1 });
  const failed = model.takeChanges();
  model.receive(id, came('bob', 'two', 20));
  model.putBackChanges(failed);
  const { messages, conversations, held } = model.takeChanges();
  assert.deepEqual(messages.map((message) => message.text), ['one', 'two']);
  assert.equal(conversations.length, 1);
  assert.deepEqual(held, { inbox: 1 });
  assert.equal(model.takeChanges().messages.length, 0);
});

test('the oldest go when there are too many', () => {
  const { model, id } = withBob();
  for (let time = 1; time <= MOST_HELD + 2; time += 1) model.receive(id, came('bob', `${time}`, time));
  assert.equal(model.messages(id).length, MOST_HELD);
  assert.equal(model.messages(id)[0].text, '3');
  const { messages, deleted } = model.takeChanges();
  assert.equal(messages.length, MOST_HELD);
  assert.equal(deleted.length, 2);
});

test('conversations stand by their last message', () => {
  const { model, id } = withBob();
  const carol = model.openUser('carol');
  model.receive(carol.id, came('carol', 'x', 5));
  model.receive(id, came('bob', 'y', 9));
  assert.deepEqual(model.conversations.map((conversation) => conversation.name), ['bob', 'carol']);
});
