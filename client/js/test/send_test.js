import assert from 'node:assert/strict';
import { test } from 'node:test';
import { control, toGroup, toService } from '../src/requests.js';
import { Command, CtrlType, int64, wire } from '../src/wire.js';
import { CoreFixture, bytes, text } from './core_fixture.js';

const SEND = Command.COMMAND_C2C_SEND;
const online = (options) => {
  const client = new CoreFixture(options);
  client.logIn();
  return client;
};

test('a send ends with its receipt', () => {
  const client = online();
  const id = client.send('bob', 'id-1');
  const packet = client.one(SEND, wire.C2CSendReq);
  assert.equal(text(packet.fields.to), 'bob');
  assert.equal(text(packet.fields.from), 'alice');
  client.accept(packet, 12_345_678_901_234_567n, 3);
  assert.deepEqual(client.done.get(id).receipt, {
    msgId: 12_345_678_901_234_567n, time: 1_700_000_000_000, outboxSeq: 3, clientMsgId: 'id-1', attempts: 1,
  });
});

test('what was not answered is sent again on the next connection, under the same id', () => {
  const client = online();
  const id = client.send('bob', 'id-1');
  client.one(SEND);
  client.cut();
  client.advanceToWake();
  client.authenticate();
  const again = client.one(SEND, wire.C2CSendReq);
  assert.equal(text(again.fields.client_msg_id), 'id-1');
  client.accept(again);
  assert.equal(client.done.get(id).receipt.attempts, 2);
});

test('what is sent offline waits for a connection', () => {
  const client = new CoreFixture();
  client.core.start(client.now);
  client.send('bob', 'id-1');
  assert.deepEqual(client.taken(SEND), []);
  client.authenticate();
  client.one(SEND);
});

test('a conversation keeps its order: the next waits for the answer to the one before', () => {
  const client = online();
  client.send('bob', 'id-1');
  client.send('bob', 'id-2');
  client.send('carol', 'id-3');
  const first = client.taken(SEND);
  assert.deepEqual(first.map((packet) => text(wire.C2CSendReq.decode(packet.body).client_msg_id)), ['id-1', 'id-3']);
  client.refuse(first[0], 'UNAVAILABLE', 50);
  assert.deepEqual(client.taken(SEND), []);
  client.advanceToWake();
  const again = client.one(SEND, wire.C2CSendReq);
  assert.equal(text(again.fields.client_msg_id), 'id-1');
  client.accept(again);
  assert.equal(text(client.one(SEND, wire.C2CSendReq).fields.client_msg_id), 'id-2');
});

test('a group keeps its order, commands and messages together', () => {
  const client = online();
  const op = control(CtrlType.CTRL_TYPE_ADD_MEMBERS, 77n, { members: ['carol'] });
  client.request(op, 'id-1');
  client.request(toGroup(77n, bytes('hello'), {}), 'id-2');
  const command = client.one(Command.COMMAND_CTRL_SEND);
  assert.deepEqual(client.taken(Command.COMMAND_C2G_SEND), []);
  client.answer(command.command, command.seq, wire.CtrlSendResp.encode({}).finish());
  client.one(Command.COMMAND_C2G_SEND);
});

const ids = (packets) => packets.map((packet) => text(wire.C2CSendReq.decode(packet.body).client_msg_id));

test('when many are refused, one at a time asks whether the service is back', () => {
  const client = online();
  for (const uid of ['u1', 'u2', 'u3', 'u4', 'u5', 'u6']) client.send(uid, uid);
  const refuseAll = () => {
    const packets = client.taken(SEND);
    for (const packet of packets) client.refuse(packet, 'UNAVAILABLE', 200);
    return ids(packets);
  };
  assert.equal(refuseAll().length, 6);
  client.send('u7', 'u7');
  for (const expected of ['u7', 'u1', 'u2']) {
    client.advance(199);
    assert.deepEqual(client.taken(SEND), []);
    let asked = [];
    for (let i = 0; i < 20 && asked.length === 0; i += 1) {
      client.advanceToWake();
      asked = refuseAll();
    }
    assert.deepEqual(asked, [expected]);
  }
  client.advance(2_000);
  const taken = [];
  for (const count of [1, 2, 4]) {
    const packets = client.taken(SEND);
    assert.equal(packets.length, count);
    taken.push(...ids(packets));
    for (const packet of packets) client.accept(packet);
  }
  assert.deepEqual(taken, ['u3', 'u4', 'u5', 'u6', 'u7', 'u1', 'u2']);
  client.send('u8', 'u8');
  client.refuse(client.one(SEND), 'UNAVAILABLE', 200); // a first one again
  client.send('u9', 'u9');
  assert.deepEqual(ids(client.taken(SEND)), ['u9']);
});

test('one that is refused does not hold the others', () => {
  const client = online();
  client.send('u1', 'u1');
  for (let round = 0; round < 3; round += 1) {
    client.refuse(client.one(SEND), 'UNAVAILABLE', 200);
    client.advanceToWake();
  }
  client.refuse(client.one(SEND), 'UNAVAILABLE', 200);
  client.send('u2', 'u2');
  assert.deepEqual(ids(client.taken(SEND)), ['u2']);
});

test('who asks whether the service is back may get no answer', () => {
  const client = online();
  for (const uid of ['u1', 'u2']) client.send(uid, uid);
  for (const packet of client.taken(SEND)) client.refuse(packet, 'UNAVAILABLE', 200);
  client.advanceToWake();
  client.refuse(client.one(SEND), 'INTERNAL');
  assert.deepEqual(client.taken(SEND), []);
  client.advance(200);
  assert.equal(client.taken(SEND).length, 1);
  client.advance(5_000);
  client.push(1); // the connection lives
  client.advance(3_100);
  assert.deepEqual(client.taken(SEND), []); // given up, and the next may not ask yet
  client.advance(400);
  client.accept(client.one(SEND));
  client.accept(client.one(SEND));
  assert.equal(client.done.size, 2);
});

test('what is held ends at its deadline', () => {
  const client = online();
  for (const uid of ['u1', 'u2']) client.send(uid, uid);
  for (const packet of client.taken(SEND)) client.refuse(packet, 'UNAVAILABLE', 20_000);
  const id = client.send('u3', 'u3', { deadline: 2_000 });
  client.advance(2_000);
  assert.equal(client.done.get(id).failure.code, 'DEADLINE_EXCEEDED');
  assert.deepEqual(client.taken(SEND), []);
});

test('commands that are refused hold nothing', () => {
  const client = online();
  const op = (group) => control(CtrlType.CTRL_TYPE_LIST_MEMBERS, group, {});
  client.request(op(1n), 'c1');
  client.request(op(2n), 'c2');
  for (const packet of client.taken(Command.COMMAND_CTRL_SEND)) client.refuse(packet, 'UNAVAILABLE', 200);
  client.request(op(3n), 'c3');
  client.one(Command.COMMAND_CTRL_SEND);
  client.send('bob', 'id-1');
  client.one(SEND);
});

test('uploads that are refused do not hold messages', () => {
  const client = online();
  client.request(toService('orders', bytes('a')), 's1');
  client.request(toService('bills', bytes('a')), 's2');
  for (const packet of client.taken(Command.COMMAND_C2S)) client.refuse(packet, 'UNAVAILABLE', 200);
  client.request(toService('tickets', bytes('a')), 's3');
  client.send('bob', 'id-1');
  client.one(SEND);
  assert.deepEqual(client.taken(Command.COMMAND_C2S), []);
});

test('what is held goes with a new connection', () => {
  const client = online();
  for (const uid of ['u1', 'u2']) client.send(uid, uid);
  for (const packet of client.taken(SEND)) client.refuse(packet, 'UNAVAILABLE', 20_000);
  client.send('u3', 'u3');
  assert.deepEqual(client.taken(SEND), []);
  client.cut();
  client.advanceToWake();
  client.authenticate();
  assert.deepEqual(ids(client.taken(SEND)), ['u1', 'u2', 'u3']);
});

test('waits at least as long as the server asks for', () => {
  const client = online();
  client.send('bob', 'id-1');
  client.refuse(client.one(SEND), 'RATE_LIMITED', 2_000);
  client.advance(1_999);
  assert.deepEqual(client.taken(SEND), []);
  client.advanceToWake();
  client.one(SEND);
});

test('a final refusal ends the send', () => {
  const client = online();
  const id = client.send('bob', 'id-1');
  client.refuse(client.one(SEND), 'PERMISSION_DENIED');
  assert.equal(client.done.get(id).failure.code, 'PERMISSION_DENIED');
});

test('a final refusal after an attempt of unknown outcome leaves the outcome unknown', () => {
  const client = online();
  const id = client.send('bob', 'id-1');
  client.refuse(client.one(SEND), 'INTERNAL');
  client.advanceToWake();
  client.refuse(client.one(SEND), 'PERMISSION_DENIED');
  assert.equal(client.done.get(id).failure.code, 'DEADLINE_EXCEEDED');
});

test('the deadline ends it, and says whether it may have been stored', () => {
  const client = new CoreFixture();
  client.core.start(client.now);
  const waiting = client.send('bob', 'id-1', { deadline: 1_000 });
  client.advance(1_000);
  assert.match(client.done.get(waiting).failure.message, /nothing was stored/);
  client.authenticate();
  const flying = client.send('bob', 'id-2', { deadline: 1_000 });
  client.advance(1_000);
  assert.match(client.done.get(flying).failure.message, /may have been stored/);
});

test('a request without answer is sent again while the connection lives', () => {
  const client = online();
  client.send('bob', 'id-1');
  client.one(SEND);
  client.advance(5_000);
  client.push(1);
  client.advance(3_100);
  client.one(SEND);
  assert.equal(client.core.state, 'online');
});

test('a connection on which nothing at all comes is given up', () => {
  const client = online();
  client.send('bob', 'id-1');
  client.advance(8_100);
  assert.equal(client.core.state, 'waiting');
  assert.equal(client.closes, 1);
});

test('limits: too many, too large, the same id twice, bad receivers', () => {
  const client = online({ maxPending: 2, maxBodyBytes: 100 });
  const codes = (id) => client.done.get(id)?.failure.code;
  client.send('bob', 'id-1');
  assert.equal(codes(client.send('carol', 'id-1')), 'BAD_REQUEST');
  client.send('bob', 'id-2');
  assert.equal(codes(client.send('bob', 'id-3')), 'UNAVAILABLE');
  assert.equal(codes(client.send('', 'id-4')), 'BAD_REQUEST');
  assert.equal(codes(client.send('b\0b', 'id-4')), 'BAD_REQUEST');
  assert.equal(codes(client.send('b'.repeat(129), 'id-4')), 'BAD_REQUEST');
  assert.equal(codes(client.send('bob', 'x'.repeat(65))), 'BAD_REQUEST');
  assert.equal(codes(client.request(toService('orders', bytes('y'.repeat(100))), 'id-5')), 'TOO_LARGE');
});

test('a stop ends what waits: known and unknown outcomes apart', () => {
  const client = online();
  const flying = client.send('bob', 'id-1');
  const waiting = client.send('bob', 'id-2');
  client.core.stop(client.now);
  client.settle();
  client.one(Command.COMMAND_LOGOUT);
  client.answer(Command.COMMAND_LOGOUT, 9, new Uint8Array(0));
  assert.equal(client.done.get(flying).failure.code, 'DEADLINE_EXCEEDED');
  assert.equal(client.done.get(waiting).failure.code, 'UNAVAILABLE');
  assert.equal(client.core.state, 'stopped');
  assert.equal(client.done.get(client.send('bob', 'id-3')).failure.code, 'UNAVAILABLE');
});

test('a group message', () => {
  const client = online();
  const id = client.request(toGroup(9_007_199_254_740_993n, bytes('hi'), { mentions: ['bob'] }), 'id-1');
  const packet = client.one(Command.COMMAND_C2G_SEND, wire.C2GSendReq);
  assert.equal(packet.fields.group_id.toString(), '9007199254740993');
  assert.deepEqual(packet.fields.mentions.map(text), ['bob']);
  client.accept(packet, 8n, 2);
  assert.equal(client.done.get(id).receipt.msgId, 8n);
});

test('a group operation ends with what the server says of the group', () => {
  const client = online();
  const id = client.request(control(CtrlType.CTRL_TYPE_CREATE_GROUP, 0n, { name: '雁', members: ['bob', 'carol'] }), 'id-1');
  const packet = client.one(Command.COMMAND_CTRL_SEND, wire.CtrlSendReq);
  const op = wire.GroupOp.decode(packet.fields.content);
  assert.equal(op.name, '雁');
  assert.deepEqual(op.members.map(text), ['bob', 'carol']);
  assert.equal(packet.fields.to.length, 0);
  client.answer(Command.COMMAND_CTRL_SEND, packet.seq, wire.CtrlSendResp.encode({
    msg_id: int64(44), timestamp: int64(5),
    content: wire.GroupOpResult.encode({
      group: { group_id: int64(44), name: '雁', owner: bytes('alice'), member_count: 3 }, members: [bytes('bob')],
    }).finish(),
  }).finish());
  const { receipt } = client.done.get(id);
  assert.equal(receipt.result.group.groupId, 44n);
  assert.equal(receipt.result.group.owner, 'alice');
  assert.deepEqual(receipt.result.members, ['bob']);
});

test('a group operation names its group in decimal', () => {
  const client = online();
  client.request(control(CtrlType.CTRL_TYPE_EXIT_GROUP, 9_007_199_254_740_993n, {}), 'id-1');
  assert.equal(text(client.one(Command.COMMAND_CTRL_SEND, wire.CtrlSendReq).fields.to), '9007199254740993');
});
