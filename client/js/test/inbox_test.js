import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command, CtrlType, int64, wire } from '../src/wire.js';
import { CoreFixture, bytes, refusal, text } from './core_fixture.js';

const ack = (client, command = Command.COMMAND_C2C_PUSH) => client.one(command, wire.PushAck).fields;
const rowsOfGroup = (...seqs) => seqs.map((seq) => ({
  seq: int64(seq), cmd_id: Command.COMMAND_C2G_SEND, content: bytes(`g${seq}`),
}));

test('pulls from what the server knows as acknowledged, until a page is empty', () => {
  const client = new CoreFixture();
  client.authenticate(9, 6);
  const request = client.pulled();
  assert.equal(Number(request.fields.offset), 6);
  assert.equal(Number(request.fields.outbox_offset), -1);
  client.answer(Command.COMMAND_PULL, request.seq,
    wire.PullResp.encode({ msg: CoreFixture.rows(7, 9), inbox_seq: int64(9) }).finish());
  assert.deepEqual(client.seqs, [7, 8, 9]);
  assert.equal(client.syncs, 0);
  client.page(1, 0, 9);
  assert.equal(client.syncs, 1);
  assert.equal(client.core.held.inbox, 9);
});

test('a new device begins so many messages before the end as it was told to', () => {
  const client = new CoreFixture({ backlog: 100, receiveSent: true });
  client.authenticate(250, 240, 40);
  const { fields } = client.pulled();
  assert.equal(Number(fields.offset), 150);
  assert.equal(Number(fields.outbox_offset), 0);
});

test('a backlog never begins past what is not acknowledged', () => {
  const client = new CoreFixture({ backlog: 10 });
  client.authenticate(250, 30);
  assert.equal(Number(client.pulled().fields.offset), 30);
});

test('delivers the next push, then says so, then acknowledges', () => {
  const client = new CoreFixture();
  client.logIn(4);
  client.outputs = [];
  client.push(5);
  assert.deepEqual(client.outputs, ['deliver', 'held', 'write']);
  const { seq, msg_id: msgId } = ack(client);
  assert.equal(Number(seq), 5);
  assert.equal(Number(msgId), 1005);
});

test('acknowledges and discards what it holds', () => {
  const client = new CoreFixture();
  client.logIn(4);
  client.push(3);
  assert.deepEqual(client.messages, []);
  assert.equal(Number(ack(client).seq), 4);
});

test('pulls, and does not acknowledge, what leaves a hole', () => {
  const client = new CoreFixture();
  client.logIn(4);
  client.push(7);
  assert.deepEqual(client.messages, []);
  assert.deepEqual(client.taken(Command.COMMAND_C2C_PUSH), []);
  const request = client.pulled();
  assert.equal(Number(request.fields.offset), 4);
  client.push(8); // while the pull runs: no second one
  assert.deepEqual(client.taken(Command.COMMAND_PULL), []);
  client.answer(Command.COMMAND_PULL, request.seq,
    wire.PullResp.encode({ msg: CoreFixture.rows(5, 8), inbox_seq: int64(8) }).finish());
  assert.deepEqual(client.seqs, [5, 6, 7, 8]);
  client.page(1, 0, 8);
  assert.deepEqual(client.taken(Command.COMMAND_PULL), []);
});

test('drops the overlap of push and pull', () => {
  const client = new CoreFixture();
  client.authenticate(3, 0);
  client.push(1);
  client.push(2);
  assert.deepEqual(client.seqs, [1, 2]);
  client.page(1, 3, 3);
  client.push(3);
  assert.deepEqual(client.seqs, [1, 2, 3]);
});

test('takes jumps inside a pull', () => {
  const client = new CoreFixture();
  client.authenticate(120, 0);
  client.page(100, 120, 120); // 1 to 99 were archived
  assert.equal(client.messages.length, 21);
  assert.equal(client.core.held.inbox, 120);
});

test('pulls at a SYNC_NOTIFY even when nothing is missing, and once more when it comes during the last page', () => {
  const client = new CoreFixture();
  client.logIn(4);
  client.answer(Command.COMMAND_SYNC_NOTIFY, 0, new Uint8Array(0));
  client.answer(Command.COMMAND_SYNC_NOTIFY, 0, new Uint8Array(0));
  client.page(1, 0, 4);
  assert.equal(client.syncs, 1);
  client.page(1, 0, 4);
  assert.equal(client.syncs, 2);
});

test('asks again in no hurry when a page brings nothing new', () => {
  const client = new CoreFixture();
  client.logIn(4);
  client.push(6);
  for (let round = 0; round < 3; round += 1) {
    client.page(1, 0, 4); // the server does not see 5 and 6
    assert.deepEqual(client.taken(Command.COMMAND_PULL), []);
    client.advanceToWake();
  }
  client.page(5, 6, 6);
  assert.deepEqual(client.seqs, [5, 6]);
});

test('retries a refused pull after the time asked for', () => {
  const client = new CoreFixture();
  client.authenticate(4, 0);
  client.refuse(client.pulled(), 'UNAVAILABLE', 700);
  client.push(9); // does not make it hurry
  client.advance(699);
  assert.deepEqual(client.taken(Command.COMMAND_PULL), []);
  client.advanceToWake();
  assert.equal(Number(client.pulled().fields.offset), 0);
});

test('pulls again when the answer is overdue; what comes late is not to come twice', () => {
  const client = new CoreFixture();
  client.authenticate(8, 0);
  const first = client.pulled();
  client.advance(4_000);
  client.answer(Command.COMMAND_NOOP, 1, new Uint8Array(0)); // the connection lives
  client.advance(4_100);
  const second = client.pulled();
  const page = (from, to) => wire.PullResp.encode({ msg: CoreFixture.rows(from, to), inbox_seq: int64(8) }).finish();
  client.answer(Command.COMMAND_PULL, first.seq, page(1, 4));
  assert.equal(client.messages.length, 4);
  client.answer(Command.COMMAND_PULL, second.seq, page(1, 2));
  assert.equal(client.messages.length, 4);
  client.advanceToWake();
  assert.equal(Number(client.pulled().fields.offset), 4);
});

test('goes back to the head when it holds more than the server', () => {
  const client = new CoreFixture();
  client.logIn(4);
  client.push(5);
  client.cut();
  client.advanceToWake();
  client.authenticate(2, 2);
  const request = client.pulled();
  assert.equal(Number(request.fields.offset), 5);
  client.answer(Command.COMMAND_PULL, request.seq,
    Buffer.concat([wire.PullResp.encode({ inbox_seq: int64(2) }).finish(), refusal('FAILED_PRECONDITION')]));
  assert.equal(client.held.at(-1).inbox, 2);
  client.advanceToWake();
  assert.equal(Number(client.pulled().fields.offset), 2);
});

test('acknowledges what is not stored by its id alone', () => {
  const client = new CoreFixture();
  client.logIn(4);
  client.answer(Command.COMMAND_S2C, 0, wire.S2CPush.encode({ msg_id: int64(77), content: bytes('news') }).finish());
  assert.equal(client.messages[0].kind, 's2c');
  const { msg_id: msgId, seq } = ack(client, Command.COMMAND_S2C);
  assert.equal(Number(msgId), 77);
  assert.equal(Number(seq), 0);
});

test('ignores unknown pushes and errors of acknowledgements', () => {
  const client = new CoreFixture();
  client.logIn(4);
  client.answer(199, 0, new Uint8Array(0));
  client.answer(Command.COMMAND_C2C_PUSH, 12, refusal('BAD_REQUEST'));
  assert.deepEqual(client.messages, []);
  assert.equal(client.core.state, 'online');
});

test('reconnects when a push does not parse', () => {
  const client = new CoreFixture();
  client.logIn(4);
  client.answer(Command.COMMAND_C2C_PUSH, 0, Uint8Array.of(0xff, 0xff, 0xff));
  assert.equal(client.core.state, 'waiting');
  assert.equal(client.closes, 1);
});

test('64-bit ids keep every bit', () => {
  const client = new CoreFixture();
  client.logIn(0);
  client.answer(Command.COMMAND_C2G_PUSH, 0, wire.C2GPush.encode({
    msg_id: int64(9_007_199_254_740_993n), group_id: int64(9_223_372_036_854_775_807n), seq: int64(1),
    group_seq: int64(2 ** 40), timestamp: int64(1_767_225_600_123), content: bytes('x'), mentions: [bytes('bob')],
  }).finish());
  const [message] = client.messages;
  assert.equal(message.msgId, 9_007_199_254_740_993n);
  assert.equal(message.groupId, 9_223_372_036_854_775_807n);
  assert.equal(message.groupSeq, 2 ** 40);
  assert.equal(message.time, 1_767_225_600_123);
  assert.deepEqual(message.mentions, ['bob']);
  assert.equal(ack(client, Command.COMMAND_C2G_PUSH).msg_id.toString(), '9007199254740993');
});

test('control messages are delivered in the order of the inbox', () => {
  const client = new CoreFixture();
  client.logIn(0);
  client.answer(Command.COMMAND_CTRL_PUSH, 0, wire.CtrlPush.encode({
    from: bytes('bob'), type: CtrlType.CTRL_TYPE_RENAME, to: bytes('77'), seq: int64(1), msg_id: int64(5),
    content: wire.GroupOp.encode({ name: 'geese' }).finish(),
  }).finish());
  const [message] = client.messages;
  assert.equal(message.kind, 'ctrl');
  assert.equal(message.groupId, 77n);
  assert.equal(message.msgType, CtrlType.CTRL_TYPE_RENAME);
  assert.equal(wire.GroupOp.decode(message.content).name, 'geese');
  assert.equal(Number(ack(client, Command.COMMAND_CTRL_PUSH).seq), 1);
});

test('follows a large group from where the server starts it', () => {
  const client = new CoreFixture();
  client.authenticate();
  client.answerPull({ groups: [{ group_id: int64(5), head_seq: int64(12), msg: rowsOfGroup(11, 12) }] });
  assert.deepEqual(client.messages.map((message) => [message.groupId, message.groupSeq, message.seq]),
    [[5n, 11, 0], [5n, 12, 0]]);
  const request = client.pulled();
  assert.equal(Number(request.fields.groups[0].offset), 12);
  client.answer(Command.COMMAND_PULL, request.seq, new Uint8Array(0));
  assert.equal(client.syncs, 1);
  const push = (seq) => client.answer(Command.COMMAND_C2G_PUSH, 0,
    wire.C2GPush.encode({ group_id: int64(5), group_seq: int64(seq) }).finish());
  push(13);
  push(13);
  assert.equal(client.messages.length, 3);
  const acks = client.taken(Command.COMMAND_C2G_PUSH).map((packet) => wire.PushAck.decode(packet.body));
  assert.deepEqual(acks.map((one) => [Number(one.group_id), Number(one.group_seq)]), [[5, 13], [5, 13]]);
  assert.deepEqual([...client.held.at(-1).groups], [[5n, 13]]);
  push(15);
  assert.deepEqual(client.taken(Command.COMMAND_C2G_PUSH), []);
  assert.equal(Number(client.pulled().fields.groups[0].offset), 13);
});

test('a push of a large group of which nothing is held is pulled for', () => {
  const client = new CoreFixture();
  client.logIn(0);
  client.answer(Command.COMMAND_C2G_PUSH, 0,
    wire.C2GPush.encode({ group_id: int64(6), group_seq: int64(3), content: bytes('c') }).finish());
  assert.deepEqual(client.messages, []);
  client.answerPull({ groups: [{ group_id: int64(6), head_seq: int64(3), msg: rowsOfGroup(2, 3) }] });
  assert.deepEqual(client.messages.map((message) => text(message.content)), ['g2', 'g3']);
});

test('rows of a group that are known are acknowledged: the pull did not list it', () => {
  const client = new CoreFixture({ heldGroups: [[5n, 12]] });
  client.authenticate();
  client.answerPull({ groups: [{ group_id: int64(5), head_seq: int64(12), msg: rowsOfGroup(11, 12) }] });
  assert.deepEqual(client.messages, []);
  const { group_id: groupId, group_seq: groupSeq } = ack(client, Command.COMMAND_C2G_PUSH);
  assert.deepEqual([Number(groupId), Number(groupSeq)], [5, 12]);
});

test('a push of no group is no push', () => {
  const client = new CoreFixture();
  client.logIn(0);
  client.answer(Command.COMMAND_C2G_PUSH, 0, wire.C2GPush.encode({ seq: int64(1) }).finish());
  assert.equal(client.core.state, 'waiting');
});

test('changes of a large group come by it, but for those of the own part', () => {
  const client = new CoreFixture({ heldGroups: [[5n, 12]] });
  client.logIn(0);
  const change = (seq, type, members) => ({
    seq: int64(seq), cmd_id: Command.COMMAND_CTRL_SEND, msg_type: type,
    content: wire.GroupOp.encode({ members: members.map(bytes) }).finish(),
  });
  client.answer(Command.COMMAND_CTRL_PUSH, 0, wire.CtrlPush.encode({
    to: bytes('5'), type: CtrlType.CTRL_TYPE_RENAME, group_seq: int64(13), msg_id: int64(1),
  }).finish());
  assert.equal(Number(ack(client, Command.COMMAND_CTRL_PUSH).group_seq), 13);
  client.answer(Command.COMMAND_SYNC_NOTIFY, 0, new Uint8Array(0));
  client.answerPull({
    groups: [{
      group_id: int64(5), head_seq: int64(16), msg: [
        change(14, CtrlType.CTRL_TYPE_ADD_MEMBERS, ['dave']),
        change(15, CtrlType.CTRL_TYPE_ADD_MEMBERS, ['alice']),
        change(16, CtrlType.CTRL_TYPE_DELETE_GROUP, []),
      ],
    }],
  });
  assert.deepEqual(client.messages.map((message) => [message.groupId, message.groupSeq]), [[5n, 13], [5n, 14]]);
  assert.deepEqual([...client.held.at(-1).groups], [[5n, 16]]);
});

test('a large group begins after what stands in the inbox', () => {
  const client = new CoreFixture();
  client.authenticate(2);
  const row = (seq) => ({ seq: int64(seq), cmd_id: Command.COMMAND_C2C_SEND });
  const groups = [{ group_id: int64(5), head_seq: int64(11), msg: rowsOfGroup(11, 11) }];
  client.answerPull({ msg: [row(1)], inbox_seq: int64(2), groups });
  client.answerPull({ msg: [row(2)], inbox_seq: int64(2), groups });
  assert.deepEqual(client.messages.map((message) => [message.seq, message.groupSeq]), [[1, 0], [2, 0], [0, 11]]);
});

test('held seqs given to it are where it goes on', () => {
  const client = new CoreFixture({ heldInbox: 8, heldOutbox: 3, heldGroups: [[5n, 12]], receiveSent: true });
  client.authenticate(9, 2, 4);
  const { fields } = client.pulled();
  assert.deepEqual([fields.offset, fields.outbox_offset, fields.groups[0].offset].map(Number), [8, 3, 12]);
});

test('delivers what other devices sent to users, and not its own', () => {
  const client = new CoreFixture({ receiveSent: true, heldOutbox: 10 });
  client.logIn(0);
  const sentPush = (seq, command = Command.COMMAND_C2C_SEND) => client.answer(Command.COMMAND_SENT_PUSH, 0,
    wire.PullMsg.encode({
      seq: int64(seq), to: bytes('carol'), client_msg_id: bytes(`other-${seq}`), cmd_id: command,
    }).finish());
  sentPush(11);
  assert.equal(client.messages[0].sent, true);
  assert.equal(Number(ack(client, Command.COMMAND_SENT_PUSH).outbox_seq), 11);
  client.send('bob', 'own-1');
  client.accept(client.one(Command.COMMAND_C2C_SEND), 500n, 12);
  assert.equal(client.core.held.outbox, 12);
  sentPush(13, Command.COMMAND_C2G_SEND); // its copy in the inbox is the one that counts
  assert.equal(client.messages.length, 1);
  assert.equal(client.core.held.outbox, 13);
});

test('skips its own in a pull of the outbox', () => {
  const client = new CoreFixture({ receiveSent: true, heldOutbox: 10 });
  client.logIn(0);
  client.send('bob', 'own-1');
  client.accept(client.one(Command.COMMAND_C2C_SEND), 500n, 12); // 11 is another device's
  client.answerPull({
    sent: [11, 12].map((seq) => ({ seq: int64(seq), cmd_id: Command.COMMAND_C2C_SEND })), outbox_seq: int64(12),
  });
  assert.deepEqual(client.seqs, [11]);
  assert.equal(client.core.held.outbox, 12);
});
